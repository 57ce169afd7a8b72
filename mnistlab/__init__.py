"""mnistlab: the workbench for small-image classification.

    import mnistlab as ml

    data = ml.load("fashion-mini")                  # or "mnist", "my.csv", "my-folder/"
    run = ml.train(ml.get_recipe(), data)           # the recommended recipe; a folder under runs/
    run = ml.evaluate(run)                          # looks at the test part
    print(run.result["test_accuracy"], ml.report(run))

The public interface is the list in `__init__.pyi`, beside this file. A name is imported when it is
first used, so that `import mnistlab` costs little and loads no torch.
"""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

_PAGE = ast.parse(Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
_HOMES = {
    alias.name: line.module
    for line in _PAGE.body
    if isinstance(line, ast.ImportFrom) and line.module
    for alias in line.names
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'mnistlab' has no attribute {name!r}")
    home = import_module(_HOMES[name])
    if home.__name__ != __name__ and hasattr(home, name):
        return getattr(home, name)
    return import_module(f"{home.__name__}.{name}")  # a room, such as `scratch`


def __dir__() -> list[str]:
    return __all__
