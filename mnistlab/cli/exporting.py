"""`mnistlab export`: trained runs as files that need nothing of ours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mnistlab.cli.completing import run_folders
from mnistlab.cli.options import JsonOption, named_path
from mnistlab.errors import DataError

if TYPE_CHECKING:
    from mnistlab.runs import Run

app = typer.Typer()


@app.command(
    epilog="Example: mnistlab export runs/mlp-mnist-* runs/simple-cnn-mnist-* -o page.html"
)
def export(
    run: Annotated[
        list[Path],
        typer.Argument(
            parser=named_path,
            metavar="RUN...",
            help="The folders of runs; one for .onnx.",
            autocompletion=run_folders,
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            parser=named_path,
            metavar="FILE.onnx|FILE.html",
            help="The file to write.",
        ),
    ],
    as_json: JsonOption = False,
) -> None:
    """Export a run as an ONNX model, or several runs as a page to draw on.

    FILE.onnx: onnxruntime loads it without mnistlab. Images go in as they are read from a file
    (uint8), probabilities come out: preprocessing and the fitted temperature are inside. The file
    is run on 1,000 images of the run's data, or on random ones where these are gone, and is kept
    only if it answers as the trained classifier does. FILE.onnx.md describes it.

    FILE.html: one file that a browser opens without a server or a network. Draw, drop or pick a
    picture, and every network answers at each stroke.
    """
    from mnistlab import runs

    kind = output.suffix.lower()
    if kind not in WRITERS:
        raise DataError(f"{output}: the name of the file must end in .onnx or .html")
    written = WRITERS[kind]([runs.open_run(path) for path in run], output)
    if as_json:
        print(json.dumps({"path": str(output), **written}))


def _write_onnx(runs: list[Run], output: Path) -> dict[str, Any]:
    from mnistlab.cards import counted
    from mnistlab.exporting import export_onnx

    if len(runs) > 1:
        raise DataError(f"{output}: an ONNX file holds one run, not {len(runs)}")
    parity = export_onnx(runs[0], output)
    print(
        f"{output}: {output.stat().st_size / 1e6:.1f} MB; on "
        f"{counted(parity.n_images, 'random image' if parity.are_random else 'image')} all labels "
        f"equal the trained classifier's, "
        f"probabilities differ by at most {parity.largest_difference:.1g}"
    )
    print(f"described in {output}.md")
    return parity._asdict()


def _write_page(runs: list[Run], output: Path) -> dict[str, Any]:
    from mnistlab.exporting import export_page

    page = export_page(runs, output)
    print(f"{output}: {page.n_bytes / 1e6:.1f} MB; open it in a browser")
    return page._asdict()


WRITERS = {".onnx": _write_onnx, ".html": _write_page}
