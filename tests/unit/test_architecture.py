"""The rooms of the project and the one direction in which they may import."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import mnistlab

PACKAGE = Path(mnistlab.__file__).parent

# What each room may import, besides itself and the foundations.
FOUNDATIONS = {"errors", "atomic", "bounds", "version", "machine"}
GROUND = {"data", "evaluation", "phases", "scratch"}
LEARNING = GROUND | {"models", "training"}
CORE = LEARNING | {"classifiers", "recipe", "field_paths", "recipes", "runs", "space"}
TOP = CORE | {
    "auditing",
    "profiling",
    "reporting",
    "scale",
    "study",
    "studies",
    "tracking",
    "tuning",
}
ALLOWED = {
    "errors": set(),
    "atomic": set(),
    "bounds": set(),
    "version": set(),
    "machine": set(),
    "data": GROUND,
    "evaluation": GROUND,
    "phases": set(),
    "scratch": GROUND,
    "models": LEARNING,
    "training": LEARNING,
    "classifiers": LEARNING,
    "recipe": LEARNING | {"classifiers"},
    "field_paths": LEARNING | {"classifiers", "recipe"},
    "space": LEARNING | {"classifiers", "recipe", "field_paths"},
    "recipes": LEARNING | {"classifiers", "recipe", "space"},
    "runs": CORE,
    "scale": CORE,
    "study": CORE | {"scale"},
    "studies": CORE | {"study"},
    "tuning": CORE | {"scale", "study", "studies"},
    "reporting": TOP,
    "auditing": CORE | {"reporting"},
    "profiling": CORE | {"reporting"},
    "tracking": CORE | {"reporting"},
    "cli": TOP,
    "__main__": {"cli"},
    "__init__": TOP,
}
TORCH_FREE = FOUNDATIONS | GROUND


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_modules(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


SOURCES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_run_one_way(path: Path) -> None:
    room = room_of(path)
    assert room in ALLOWED, f"{room} is a new room: say here what it may import"
    allowed = ALLOWED[room] | FOUNDATIONS | {room}
    rooms = {p.name.removesuffix(".py") for p in PACKAGE.iterdir()}
    for module in imported_modules(path):
        package, _, rest = module.partition(".")
        target = rest.split(".")[0]
        if package == "mnistlab" and target in rooms:
            assert target in allowed, f"{path.name} imports mnistlab.{target}"


@pytest.mark.parametrize(
    "path", [p for p in SOURCES if room_of(p) in TORCH_FREE], ids=lambda p: p.name
)
def test_ground_rooms_never_import_torch(path: Path) -> None:
    for module in imported_modules(path):
        assert module.split(".")[0] not in {"torch", "torchvision"}


@pytest.mark.parametrize(
    "statement",
    [
        "import mnistlab",
        "import mnistlab.data, mnistlab.evaluation, mnistlab.recipes, mnistlab.studies",
        "import mnistlab.cli; assert mnistlab.cli.run_command(['--help']) == 0",
        "import mnistlab.cli; assert mnistlab.cli.run_command(['train', '--help']) == 0",
        "import mnistlab.cli; assert mnistlab.cli.run_command(['study', '--help']) == 0",
        "import mnistlab.cli; assert mnistlab.cli.run_command(['data', 'list']) == 0",
    ],
)
def test_torch_is_not_loaded_by(statement: str) -> None:
    heavy = "{'torch', 'torchvision', 'sklearn', 'matplotlib', 'polars', 'scipy', 'ray'}"
    check = f"{statement}\nimport sys; print('loaded', sorted({heavy} & set(sys.modules)))"
    finished = subprocess.run(
        [sys.executable, "-c", check], capture_output=True, text=True, check=True
    )
    assert finished.stdout.splitlines()[-1] == "loaded []"


def test_every_public_name_can_be_had() -> None:
    for name in mnistlab.__all__:
        assert getattr(mnistlab, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = mnistlab.nonsense
