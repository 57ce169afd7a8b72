"""What every chapter imports: `task` finds the code to run, `ready` says which code is missing.

A chapter shows each task as an empty function or class. What runs is, in this order: our worked
solution, if the environment variable MNISTLAB_LABS is "solutions"; your file beside the chapters,
such as my_mlp.py, if it exists; else what stands in the chapter itself.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from pathlib import Path
from types import FunctionType
from typing import Any, TypeVar

FOLDER = Path(__file__).parent
Task = TypeVar("Task", bound=Callable[..., Any])


def task(in_chapter: Task, file: str) -> Task:
    """The function or class to use instead of the empty one in the chapter.

    file: the name of your file without ".py", such as "my_mlp". Our solution of my_mlp.py is
    solutions/mlp.py. An error in your file is shown as Python shows it.
    """
    name = in_chapter.__name__
    if os.environ.get("MNISTLAB_LABS") == "solutions":
        solution = importlib.import_module(f"solutions.{file.removeprefix('my_')}")
        return getattr(solution, name)  # type: ignore[no-any-return]
    if not (FOLDER / f"{file}.py").is_file():
        return in_chapter
    yours = importlib.import_module(file)
    yours = importlib.reload(yours)  # you may have changed the file since the last run of the cell
    if not hasattr(yours, name):
        print(f"{file}.py has no {name}: the one in the chapter is used.")
    return getattr(yours, name, in_chapter)


def ready(*tasks: Callable[..., Any]) -> bool:
    """Whether all of these functions and classes are written; prints the names of the others."""
    missing = [each.__name__ for each in tasks if is_empty(each)]
    if missing:
        print(f"Task not done yet: {', '.join(missing)}. This step is skipped.")
    return not missing


def is_empty(written: Callable[..., Any]) -> bool:
    """Whether a function, or a method of a class, still raises NotImplementedError."""
    candidates = vars(written).values() if isinstance(written, type) else [written]
    functions = [each for each in candidates if isinstance(each, FunctionType)]
    return any("NotImplementedError" in function.__code__.co_names for function in functions)


def earlier(name: str, file: str) -> Any:
    """A function or class that you wrote in an earlier chapter; our solution where it is missing.

    So you can begin with any chapter.
    """
    if os.environ.get("MNISTLAB_LABS") != "solutions" and (FOLDER / f"{file}.py").is_file():
        found = getattr(importlib.import_module(file), name, None)
        if found is not None and not is_empty(found):
            return found
    if os.environ.get("MNISTLAB_LABS") != "solutions":
        print(f"{file}.py has no finished {name}: our solution is used.")
    return getattr(importlib.import_module(f"solutions.{file.removeprefix('my_')}"), name)
