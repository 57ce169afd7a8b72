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
FOUNDATIONS = {"errors", "atomic", "bounds", "cards", "locks", "own_pages", "version", "machine"}
GROUND = {"data", "evaluation", "phases", "scratch"}
LEARNING = GROUND | {"models", "training"}
CORE = LEARNING | {"classifiers", "recipe", "field_paths", "runs", "space"}
# The registries import the write-ups, which use what a study needs: none of that may import them.
READY = CORE | {"scale", "study", "recipes", "studies"}
TOP = READY | {
    "auditing",
    "checking",
    "explaining",
    "exporting",
    "fitting",
    "profiling",
    "reporting",
    "serving",
    "tracking",
    "tuning",
}
ALLOWED = {
    "errors": set(),
    "atomic": set(),
    "locks": set(),
    "cards": set(),
    "bounds": set(),
    "version": set(),
    "machine": set(),
    "own_pages": set(),
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
    "runs": CORE | {"recipes"},
    "scale": CORE,
    "study": CORE | {"scale"},
    "writeups": set(),  # the public interface only, see below
    "recipes": {"classifiers", "phases", "recipe", "space", "writeups"},
    "studies": {"study", "writeups"},
    "tuning": READY,
    "reporting": TOP,
    "checking": {"training"},  # `compiler`, and nothing else
    "auditing": CORE | {"recipes", "reporting"},
    "explaining": CORE | {"reporting"},
    "exporting": CORE | {"reporting"},
    "fitting": CORE | {"recipes", "reporting"},
    "profiling": CORE | {"reporting"},
    "serving": {"data"},  # and neither torch nor what imports it
    "tracking": CORE | {"reporting"},
    "cli": TOP,
    "__main__": {"cli"},
    "__init__": set(),
}
TORCH_FREE = FOUNDATIONS | GROUND | {"serving"}


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
        "import mnistlab.cli; assert mnistlab.cli.run_command(['recipes']) == 0",
        "import mnistlab; mnistlab.fit",  # its minutes begin with the call, not before
    ],
)
def test_torch_is_not_loaded_by(statement: str) -> None:
    heavy = "{'torch', 'torchvision', 'sklearn', 'matplotlib', 'polars', 'scipy', 'ray'}"
    check = f"{statement}\nimport sys; print('loaded', sorted({heavy} & set(sys.modules)))"
    finished = subprocess.run(
        [sys.executable, "-c", check], capture_output=True, text=True, check=True
    )
    assert finished.stdout.splitlines()[-1] == "loaded []"


def test_the_parser_of_commands_is_light() -> None:
    """A key that completes a word, and --help, wait for it: NumPy alone would take longer."""
    check = "import sys, mnistlab.cli; print(sorted({'numpy', 'PIL', 'pydantic'} & {*sys.modules}))"
    finished = subprocess.run(
        [sys.executable, "-c", check], capture_output=True, text=True, check=True
    )
    assert finished.stdout == "[]\n"


@pytest.mark.parametrize(
    "path",
    [p for p in SOURCES if room_of(p) == "writeups"],
    ids=lambda p: str(p.relative_to(PACKAGE)),
)
def test_write_ups_import_what_a_user_could(path: Path) -> None:
    """Public names of `mnistlab`, and the standard library."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert {alias.name for alias in node.names} <= sys.stdlib_module_names
        elif isinstance(node, ast.ImportFrom):
            assert not node.level
            if node.module == "mnistlab":
                assert {alias.name for alias in node.names} <= {*mnistlab.__all__}
            else:
                assert node.module
                assert node.module.partition(".")[0] in sys.stdlib_module_names


def test_no_two_test_files_share_a_name() -> None:
    # pytest imports a test file by its name alone and refuses the second: nothing runs then.
    names = [path.name for path in Path(__file__).parents[1].rglob("test_*.py")]
    assert sorted(names) == sorted(set(names))
