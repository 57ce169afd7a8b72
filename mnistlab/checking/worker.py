"""The process in which a student's code runs: reads one request, writes one report.

Run as `python -c "from mnistlab.checking.worker import main; main()"` with JSON on standard input;
see `sandbox`, which starts it.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from typing import Any

from mnistlab.checking.finding import Finding, Report
from mnistlab.checking.limits import TimeIsUpError, forbid, limit_resources, set_timer
from mnistlab.checking.source import Source
from mnistlab.errors import MnistlabError


def main() -> None:
    """Check the file of the request. What the student's code prints is dropped."""
    request = json.loads(sys.stdin.buffer.read())
    answer = os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    with os.fdopen(answer, "w", encoding="utf-8") as out:
        json.dump(_answer(request), out)


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    source = Source(request["name"], request["text"])
    try:
        return {"report": _report(source, request).to_json()}
    except MnistlabError as error:
        return {"error": str(error)}
    except Exception:  # a bug of ours: the parent shows it
        return {"bug": traceback.format_exc()}


def _report(source: Source, request: dict[str, Any]) -> Report:
    from mnistlab.checking.offered import prepare
    from mnistlab.checking.running import check_source

    sys.dont_write_bytecode = True
    prepare(source)  # what the checks import, before writing and memory are limited
    sys.path += request["folders"]  # the student's other files, after everything else
    limit_resources()
    forbid(request["scratch"], source.name)
    stop = set_timer(request["seconds"], source.name)
    try:
        report = check_source(source, request["task"], request["hint"])
        stop()
        return report
    except TimeIsUpError as up:
        stop()
        return limit_report(source, request, up.line, f", of which it computed {up.cpu_s:.1f}")
    except MemoryError:
        stop()
        text = "the code needs more memory than the checker gives (3 GB)"
        return Report(
            request["task"] or "unknown", (Finding("limits", "limit", text, source.name),)
        )


def limit_report(
    source: Source, request: dict[str, Any], line: int | None, computed: str = ""
) -> Report:
    """A report that says that the time was up."""
    text = f"the code was stopped after 10 seconds{computed}: is there a loop that never ends?"
    found = Finding("limits", "limit", text, source.name, line)
    return Report(request["task"] or "unknown", (found,))
