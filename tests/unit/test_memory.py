"""Memory stays with the process during a training and goes back to the system after it."""

from __future__ import annotations

import contextlib
import os
import platform
import subprocess
import sys
from unittest.mock import Mock, call

import pytest

from mnistlab.training import memory

# 100 MB, written to, again and again: the pages that this takes show whether they had been kept. In
# a heap, aligned blocks find their places after a few times.
PROGRAM = """
import resource
import torch
from mnistlab.training import memory

def pages():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.ones(100 << 20, dtype=torch.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

outside = pages(), pages()
with memory.kept():
    inside = [pages() for _ in range(10)]
print(min(outside), inside[-1], min(pages(), pages()))
"""
SETTINGS = ("MALLOC_", "GLIBC_TUNABLES")
N_PAGES = (100 << 20) // 4096

of_glibc = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="the C library here is not glibc"
)


def pages_taken(variables: dict[str, str]) -> list[int]:
    """Before, within and after the block."""
    others = {name: text for name, text in os.environ.items() if not name.startswith(SETTINGS)}
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env=others | variables
    )
    return [int(word) for word in done.stdout.split()]


@of_glibc
def test_freed_memory_is_kept_within_the_block_alone() -> None:
    before, within, after = pages_taken({})
    assert min(before, after) > N_PAGES / 2
    assert within < N_PAGES / 100


@of_glibc
def test_who_has_set_malloc_keeps_the_settings() -> None:
    assert min(pages_taken({"MALLOC_MMAP_THRESHOLD_": "131072"})) > N_PAGES / 2


def test_after_an_error_all_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(SETTINGS)]:
        monkeypatch.delenv(name)
    glibc = Mock()
    monkeypatch.setattr(memory, "_glibc", lambda: glibc)
    with contextlib.suppress(ZeroDivisionError), memory.kept():
        assert glibc.mock_calls == [
            call.mallopt(memory.MMAP_MAX, 0),
            call.mallopt(memory.TRIM_THRESHOLD, memory.NEVER),
        ]
        raise ZeroDivisionError
    assert glibc.mock_calls[2:] == [
        call.mallopt(memory.MMAP_MAX, memory.MOST_MAPPED),
        call.mallopt(memory.MMAP_THRESHOLD, memory.LARGEST_MMAP_THRESHOLD),
        call.mallopt(memory.TRIM_THRESHOLD, memory.LARGEST_TRIM_THRESHOLD),
        call.malloc_trim(0),
    ]


def test_another_c_library_is_told_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    with memory.kept():
        assert memory._glibc() is None
