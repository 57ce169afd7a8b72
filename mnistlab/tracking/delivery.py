"""Calls to another machine that must not delay the work: a thread makes them, in order."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 8.0  # before a call that failed is made again


class Delivery:
    """Calls made one after another beside the caller; one that fails is repeated.

    is_temporary: whether an error may pass; after any other the call is given up. on_trouble:
    called with the first error since the last success. n_done, n_lost: calls made, and given up.
    """

    def __init__(
        self, is_temporary: Callable[[Exception], bool], on_trouble: Callable[[str], None]
    ) -> None:
        self.n_done = self.n_lost = 0
        self._is_temporary, self._on_trouble = is_temporary, on_trouble
        self._calls: deque[Callable[[], object]] = deque()
        self._changed = threading.Condition()
        self._ending = False
        self._thread = threading.Thread(target=self._deliver, daemon=True)
        self._thread.start()

    def put(self, call: Callable[[], object]) -> None:
        """Make this call after those that were put before."""
        with self._changed:
            self._calls.append(call)
            self._changed.notify()

    def close(self, patience_s: float) -> int:
        """Wait so long for the calls that are left; returns how many are lost in all."""
        with self._changed:
            self._ending = True
            self._changed.notify()
        self._thread.join(patience_s)
        with self._changed:
            n_lost = self.n_lost + len(self._calls)
            self._calls.clear()
        return n_lost

    def _deliver(self) -> None:
        wait_s, in_trouble = FIRST_WAIT_S, False
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._calls or self._ending)
                if not self._calls:
                    return
                call = self._calls[0]
            try:
                call()
            except Exception as error:  # whatever it is, it must not end the training
                if not in_trouble:
                    self._on_trouble(" ".join(str(error).split()))
                in_trouble = True
                if self._is_temporary(error):
                    with self._changed:
                        # The end wakes it early, for a last try.
                        self._changed.wait_for(lambda: self._ending, wait_s)
                        if self._ending:
                            self._changed.wait(FIRST_WAIT_S)
                        if not self._calls:
                            return
                    wait_s = min(2 * wait_s, LONGEST_WAIT_S)
                    continue
                self._end(call, lost=True)
            else:
                self._end(call, lost=False)
                wait_s, in_trouble = FIRST_WAIT_S, False

    def _end(self, call: Callable[[], object], *, lost: bool) -> None:
        with self._changed:
            if self._calls and self._calls[0] is call:
                self._calls.popleft()
            self.n_lost += lost
            self.n_done += not lost
