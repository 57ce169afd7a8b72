"""Runs a student's file for its definitions, not for its training.

Of the top level run: imports, functions, classes and assignments, except assignments that train or
read data. Loops and bare calls do not run: a script of functions can be checked as it stands.
"""

from __future__ import annotations

import ast
import re
import sys
from types import ModuleType
from typing import NamedTuple

import numpy as np

from mnistlab.checking.source import Source

MODULE = "student_file"
LONG_WORK = re.compile(
    r"(train|fit|load|read|fetch|download|main|run|test|evaluate|plot|show|imread|genfromtxt)"
)
DEFINITIONS = (
    *(ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef),
    *(ast.Assign, ast.AnnAssign, ast.Try, ast.If),
)


class Loaded(NamedTuple):
    """The module, and what of it could not be run: (line, sentence).

    failed: assignments, which may need data that are not here. broken: imports, functions, classes.
    """

    module: ModuleType
    failed: list[tuple[int, str]]
    broken: list[tuple[int, str]]


def load(source: Source) -> Loaded:
    """Run the definitions of a file in a new module; DataError where it is no Python."""
    module = ModuleType(MODULE)
    module.__file__ = source.name
    sys.modules[MODULE] = module  # dataclasses look their module up
    np.random.seed(0)  # noqa: NPY002  # students draw from it
    failed: list[tuple[int, str]] = []
    broken: list[tuple[int, str]] = []
    for statement in source.tree.body:
        if not _is_definition(statement):
            continue
        try:
            exec(compile(ast.Module([statement], []), source.name, "exec"), vars(module))
        except (Exception, SystemExit) as error:  # whatever a student's code raises
            is_value = isinstance(statement, ast.Assign | ast.AnnAssign)
            text = f"{type(error).__name__}: {error}"
            (failed if is_value else broken).append((statement.lineno, text))
    return Loaded(module, failed, broken)


def _is_definition(statement: ast.stmt) -> bool:
    if not isinstance(statement, DEFINITIONS):
        return False
    if isinstance(statement, ast.If):
        return "__name__" not in ast.unparse(statement.test)
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        called = [node.func for node in ast.walk(statement) if isinstance(node, ast.Call)]
        names = [ast.unparse(function).rpartition(".")[2] for function in called]
        return not any(LONG_WORK.match(name) for name in names)
    return True
