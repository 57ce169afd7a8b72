"""`ml.check`: a student's code in the session in which it was written."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from mnistlab.checking.finding import Report
from mnistlab.checking.source import Source
from mnistlab.errors import DataError


def check(obj: Any, task: str | None = None, hint: int = 0) -> Report:
    """Check a network written by hand, and name its mistakes.

    obj: a class, an instance, a function, a module, a dictionary such as `globals()`, or the path
    of a .py or .ipynb file. A path is checked in a process of its own, with limits; anything else
    in this session, without. task: what to check it as, such as "softmax" or "mlp"; None: whatever
    it offers. hint: 0 for none, 1 to 3. Raises DataError where there is nothing to read.
    """
    if hint not in (0, 1, 2, 3):
        raise DataError(f"hint must be from 0 to 3: {hint}")
    if isinstance(obj, str | Path):
        from mnistlab.checking.sandbox import check_file

        return check_file(obj, task, hint)
    return _check_here(obj, task, hint)


def _check_here(obj: Any, task: str | None, hint: int) -> Report:
    from mnistlab.checking.offered import library_stand_ins
    from mnistlab.checking.running import check_names
    from mnistlab.checking.tasks import checked_task, part_of

    task = checked_task(task)
    names, module = _names_of(obj)
    found = [each for each in names.values() if getattr(each, "__module__", "") == module.__name__]
    source = _source_of(found)
    with library_stand_ins():
        return part_of(check_names(source, module, names, task, hint), task)


def _names_of(obj: Any) -> tuple[dict[str, Any], ModuleType]:
    """What is to be checked, and the module that it was defined in."""
    if isinstance(obj, ModuleType):
        return vars(obj), obj
    if isinstance(obj, Mapping):
        return dict(obj), sys.modules[str(obj.get("__name__", "__main__"))]
    if not (inspect.isclass(obj) or inspect.isfunction(obj)):
        obj = type(obj)
    module = sys.modules.get(obj.__module__)
    if module is None or obj.__module__ == "builtins":
        raise DataError(f"{obj!r} is no class, function, module or path that can be checked")
    return {obj.__name__: obj}, module


def _source_of(found: list[Any]) -> Source:
    """The file, or the cell of a notebook, in which the code was written."""
    for each in found:
        try:
            name = inspect.getsourcefile(each)
            lines, _ = inspect.findsource(each)
        except (OSError, TypeError):
            continue
        if name:
            return Source(name, "".join(lines))
    raise DataError("the text of the code was not found: write it in a file or a notebook's cell")
