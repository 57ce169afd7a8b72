"""`mnistlab bench`"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from mnistlab.errors import RecipeError

app = typer.Typer()
CHECKOUT = Path(__file__).resolve().parents[2]


@app.command(epilog="Example: mnistlab bench loop")
def bench(
    name: Annotated[str | None, typer.Argument(help="Which; none lists them.")] = None,
) -> None:
    """Run a benchmark beside its peers. Needs a checkout of the project."""
    found = {
        path.stem: path
        for path in sorted((CHECKOUT / "benchmarks").glob("*.py"))
        if "def bench(" in path.read_text(encoding="utf-8")
    }
    if not found:
        raise RecipeError("benchmarks are part of a checkout of the project, not of the package")
    if name is None:
        print("\n".join(found))
        return
    if name not in found:
        raise RecipeError(f"unknown benchmark {name!r}; there are: {', '.join(found)}")
    finished = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}"], cwd=CHECKOUT, check=False
    )
    raise typer.Exit(finished.returncode)
