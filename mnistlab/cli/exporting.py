"""`mnistlab export`: a trained run as a file that needs nothing of ours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from mnistlab.cli.options import JsonOption, RunArgument, named_path
from mnistlab.errors import DataError

app = typer.Typer()


@app.command(epilog="Example: mnistlab export runs/resnet-small-mnist-* -o model.onnx")
def export(
    run: RunArgument,
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", parser=named_path, metavar="FILE.onnx", help="The file to write."
        ),
    ],
    as_json: JsonOption = False,
) -> None:
    """Export a run as an ONNX model that onnxruntime loads without mnistlab.

    Images go in as they are read from a file (uint8), probabilities come out: preprocessing and
    the fitted temperature are inside. The file is run on 1,000 images of the run's data and is
    kept only if it answers as the trained classifier does. FILE.onnx.md describes it.
    """
    if output.suffix.lower() != ".onnx":
        raise DataError(f"{output}: the name of the file must end in .onnx")
    from mnistlab import runs
    from mnistlab.exporting import export_onnx

    parity = export_onnx(runs.open_run(run), output)
    print(
        f"{output}: {output.stat().st_size / 1e6:.1f} MB; on {parity.n_images:,} images all labels "
        f"equal the trained classifier's, probabilities differ by at most "
        f"{parity.largest_difference:.1g}"
    )
    print(f"described in {output}.md")
    if as_json:
        print(json.dumps({"path": str(output), **parity._asdict()}))
