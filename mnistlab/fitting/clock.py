"""The time that a fit may take, over all processes that worked on it.

Used seconds are appended to a file as they pass, so that whoever continues after a kill knows how
many are left. Each line is written at once, and a line that was cut off does not count.
"""

from __future__ import annotations

import contextlib
import math
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from mnistlab import atomic

FILE = "spent.txt"
TICKS = 1000  # lines of a whole fit: a kill loses at most a thousandth of its time
SHORTEST_S, LONGEST_S = 0.05, 1.0  # between two lines
MOST_BYTES = 1 << 20


class Clock:
    """Seconds used and left of a budget.

    now: a monotonic clock. began: what it showed when this process began to work on the fit.
    before: seconds that earlier processes used.
    """

    def __init__(
        self,
        budget_s: float,
        before: float = 0.0,
        began: float | None = None,
        now: Callable[[], float] | None = None,
    ) -> None:
        self.budget_s, self.before, self.now = budget_s, before, now or time.monotonic
        self.began = self.now() if began is None else began

    @property
    def used(self) -> float:
        """Seconds used so far, those of earlier processes included."""
        return self.before + self.now() - self.began

    @property
    def left(self) -> float:
        """Seconds left; below 0 when the time is over."""
        return self.budget_s - self.used

    @contextlib.contextmanager
    def recorded(self, folder: Path) -> Iterator[None]:
        """While the block runs, write the used seconds into folder/spent.txt as they pass."""
        stop, pause_s = threading.Event(), self.budget_s / TICKS
        pause_s = min(max(pause_s, SHORTEST_S), LONGEST_S)

        def tick() -> None:
            while not stop.wait(pause_s):
                self.record(folder)

        thread = threading.Thread(target=tick, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
            self.record(folder)

    def record(self, folder: Path) -> None:
        """Append the used seconds; nothing where that is not possible: a fit goes on without."""
        with contextlib.suppress(OSError), (folder / FILE).open("a", encoding="ascii") as file:
            file.write(f"{self.used:.3f}\n")


def process_age_s() -> float:
    """Seconds since this process was started; 0 where the system does not say (only Linux does)."""
    try:
        fields = Path("/proc/self/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        began = int(fields[19]) / os.sysconf("SC_CLK_TCK")  # since the system was started
        return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - began)
    except (OSError, ValueError, LookupError, AttributeError):
        return 0.0


def spent_s(folder: Path) -> float:
    """The seconds that the file in a folder says were used; 0 without one, or without a number."""
    try:
        atomic.check_regular(folder / FILE)
        with (folder / FILE).open("rb") as file:
            lines = file.read(MOST_BYTES).split(b"\n")[:-1]
    except OSError:
        return 0.0
    largest = 0.0
    for line in lines:
        with contextlib.suppress(ValueError):
            seconds = float(line)
            largest = max(largest, seconds if math.isfinite(seconds) else 0.0)
    return largest
