"""Solutions and seeded mistakes of the tasks that use libraries, by task."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .seeds import Seed

FOLDER = Path(__file__).parent / "library_solutions"
HELD_OUT = Path(__file__).parent / "library_held_out"
LABS = Path(__file__).resolve().parents[2] / "labs" / "solutions"
# The worked solutions of the course that are checked as well, by style.
OF_COURSE = {
    "labs_cnn": "cnn",
    "labs_torch_mlp": "torch_mlp",
    "labs_loop": "loop",
    "labs_comparison": "comparison",
    "labs_transfer": "transfer",
    "labs_estimator": "estimator",
    "labs_gradients": "gradients",
    "labs_cv": "cv",
    "labs_data": "data",
}


def path_of(style: str) -> Path:
    """The file of a right solution."""
    if style in OF_COURSE:
        return LABS / f"{OF_COURSE[style]}.py"
    return (HELD_OUT if style.startswith("held_") else FOLDER) / f"{style}.py"


def text_of(style: str) -> str:
    """The text of a right solution."""
    return path_of(style).read_text(encoding="utf-8")


def right_styles() -> list[str]:
    """Every right solution."""
    return sorted([*OF_COURSE, *(path.stem for path in FOLDER.glob("*.py"))])


def seeds_of(tasks: dict[str, dict[str, list[Seed]]]) -> Iterator[tuple[str, str, Seed]]:
    """(task, style, seed) of every seed."""
    for task, styles in tasks.items():
        for style, seeds in styles.items():
            for seed in seeds:
                yield task, style, seed
