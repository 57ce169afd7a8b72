"""`mnistlab study`: questions that recipes and seeds answer."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from mnistlab.cli.completing import study_names
from mnistlab.cli.options import (
    MOST_SEEDS,
    DataChoice,
    ExecutionChoice,
    JsonOption,
    OnOption,
    PrecisionOption,
    TrackOption,
    given,
    grouped,
)
from mnistlab.errors import RecipeError

if TYPE_CHECKING:
    from mnistlab.study import AnyStudy

app = typer.Typer()


class _StudyCommand(TyperCommand):
    """The command, whose help also lists the ready studies by write-up."""

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the list above the example."""
        from mnistlab.studies import STUDIES

        questions: dict[str, list[tuple[str, str]]] = {}
        for name, make in STUDIES.items():
            writeup, question = _question(make)
            questions.setdefault(writeup, []).append((name, question))
        for writeup, rows in sorted(questions.items()):
            with formatter.section(f"Studies of write-up {writeup}"):
                formatter.write_dl(rows)
        super().format_epilog(ctx, formatter)


def _question(make: Callable[[], AnyStudy]) -> tuple[str, str]:
    """The letter of a study's write-up, and its question.

    An arm may ask torch what it can do here. Help must not wait seconds for torch: where it is not
    loaded yet, its import is made to fail, and the study's docstring, "A14. ...", has to do.
    """
    is_loaded = "torch" in sys.modules
    try:
        if not is_loaded:
            sys.modules["torch"] = None  # type: ignore[assignment]  # Python's way to forbid it
        study = make()
        return study.system[:1], study.question
    except ImportError:
        said = (make.__doc__ or "?").splitlines()[0]
        return said[:1], said
    finally:
        if not is_loaded:
            del sys.modules["torch"]


StudyArgument = Annotated[
    str,
    typer.Argument(
        callback=given, help="A study's name; see the list below.", autocompletion=study_names
    ),
]


@app.command(cls=_StudyCommand, epilog="Example: mnistlab study ladder --data mnist --seeds 3")
@grouped
def study(
    name: StudyArgument,
    data: DataChoice,
    execution: ExecutionChoice,
    seeds: Annotated[
        int | None,
        typer.Option(
            "--seeds", min=1, max=MOST_SEEDS, help="Seeds per arm, instead of the study's own."
        ),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="A miniature that shows in a minute what it does.")
    ] = False,
    precision: PrecisionOption = None,
    track: TrackOption = None,
    on: OnOption = "local",
    as_json: JsonOption = False,
) -> None:
    """Answer a question with recipes and seeds. Writes a table, figures and a page."""
    from mnistlab.cli.terminal import say, shown_progress, table
    from mnistlab.reporting.study_report import study_report, summary_lines
    from mnistlab.studies import get_study
    from mnistlab.study import run_study
    from mnistlab.tracking import tracked

    if track is not None and on != "local":
        raise RecipeError(f"--track logs trainings of this machine only, not those on {on}")
    chosen = get_study(name)
    dataset = data.load(chosen.data)
    with (
        shown_progress() as shown,
        tracked(shown, track, out=execution.out, say=say) as progress,
    ):
        result = run_study(
            chosen,
            dataset,
            n_seeds=seeds,
            quick=quick,
            precision=precision,
            on=on,
            **execution.options(progress),
        )
    page = study_report(result)
    print(table(*summary_lines(result)))
    print(f"\n{result.answer}\n\nreport: {page}")
    if as_json:
        print(json.dumps(result.to_json() | {"path": str(result.path)}))
