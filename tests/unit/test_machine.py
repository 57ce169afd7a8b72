from __future__ import annotations

import json
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from mnistlab import machine
from mnistlab.cli.inputs import busy_text
from mnistlab.errors import RecipeError


def test_what_is_said_of_the_machine_is_ready_for_json() -> None:
    described = machine.describe()
    assert json.loads(json.dumps(described, allow_nan=False)) == described
    assert described["python"] == platform.python_version()
    assert described["numpy"] == np.__version__
    assert described["cores"] >= 1
    assert described["cpu"] == machine.cpu_name()


def test_the_processor_is_named_even_where_the_system_does_not_say(monkeypatch) -> None:
    monkeypatch.setattr(platform, "processor", lambda: "a processor")
    texts = ["cores : 4\nmodel name\t: EPYC: 9\nmodel name : other\n", "no name in here\n"]
    monkeypatch.setattr(Path, "read_text", lambda path, encoding: texts.pop(0))
    assert machine.cpu_name() == "EPYC: 9"
    assert machine.cpu_name() == "a processor"

    def missing(path: Path, encoding: str) -> str:
        raise FileNotFoundError(path)

    monkeypatch.setattr(Path, "read_text", missing)
    assert machine.cpu_name() == "a processor"


def test_only_the_cpu_can_be_asked_for() -> None:
    machine.check_cpu_only("auto")
    machine.check_cpu_only("cpu")
    for device in ("cuda", "mps", "tpu", ""):
        with pytest.raises(RecipeError, match=f"device '{device}' asked for.*CPU alone"):
            machine.check_cpu_only(device)


@pytest.mark.parametrize(
    ("load", "threads", "is_terminal", "is_said"),
    [
        (8.0, None, True, True),
        (3.9, None, True, False),
        (8.0, 1, True, False),  # chosen already
        (8.0, None, False, False),  # a log says the same on every machine
    ],
)
def test_at_a_terminal_of_a_busy_computer_a_hint_is_given(
    load: float, threads: int | None, is_terminal: bool, is_said: bool, monkeypatch
) -> None:
    monkeypatch.setattr("os.getloadavg", lambda: (load, 0.0, 0.0), raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    monkeypatch.setattr("sys.stderr.isatty", lambda: is_terminal)
    assert ("--threads 1" in busy_text(threads)) == is_said


def test_where_no_load_is_known_nothing_is_busy(monkeypatch) -> None:
    monkeypatch.delattr("os.getloadavg", raising=False)  # as on Windows
    assert not machine.is_busy()


def test_threads_are_limited_and_given_back() -> None:
    with threadpool_limits(2):
        with machine.n_threads(1):
            assert machine.threads_in_use() == 1
        assert machine.threads_in_use() == 2
        with machine.n_threads(None):
            assert machine.threads_in_use() == 2
        with pytest.raises(KeyError), machine.n_threads(1):
            raise KeyError
        assert machine.threads_in_use() == 2


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's own figures")
def test_fifty_megabytes_are_seen_as_fifty_and_forgotten_again() -> None:
    """In a process of its own: what the tests took before would hide the peak."""
    said = subprocess.run(
        [
            sys.executable,
            "-c",
            "import numpy as np\n"
            "from mnistlab import machine\n"
            "before = machine.start_measuring_memory()\n"
            "block = np.ones(50 * 2**17)\n"  # of eight bytes
            "first = machine.peak_memory_mb() - before\n"
            "del block\n"
            "kept = machine.peak_memory_mb() - before\n"
            "again = machine.start_measuring_memory()\n"
            "print(before, first, kept, again, machine.peak_memory_mb())\n",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    before, first, kept, again, forgotten = map(float, said.stdout.split())
    assert 5 < before < 500
    assert first == pytest.approx(50, abs=1.5)
    assert kept == pytest.approx(first, abs=1)
    if again < before + 25:  # the system lets a process forget its peak
        assert forgotten < before + 25


def test_where_the_peak_cannot_be_forgotten_it_is_what_is_there_before(monkeypatch) -> None:
    def forbidden(path: Path, text: str, encoding: str) -> int:
        raise PermissionError(path)

    monkeypatch.setattr(Path, "write_text", forbidden)
    assert machine.start_measuring_memory() == pytest.approx(machine.peak_memory_mb(), abs=1)


def test_other_systems_count_in_units_of_their_own(monkeypatch) -> None:
    resource = pytest.importorskip("resource", reason="not on Windows")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    monkeypatch.setattr(Path, "exists", lambda path: False)
    monkeypatch.setattr(sys, "platform", "freebsd")
    assert machine.peak_memory_mb() == pytest.approx(peak / 2**10, rel=0.05)
    monkeypatch.setattr(sys, "platform", "darwin")
    assert machine.peak_memory_mb() == pytest.approx(peak / 2**20, rel=0.05)
    monkeypatch.setattr(sys, "platform", "win32")
    assert machine.peak_memory_mb() == 0.0
