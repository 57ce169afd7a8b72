"""`mnistlab explain`: why a run says what it says of an image."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mnistlab.cli.options import (
    DeviceOption,
    JsonOption,
    RunArgument,
    ThreadsOption,
    given,
    grouped,
    named_path,
)
from mnistlab.cli.predicting import InputArgument, ReadingChoice

if TYPE_CHECKING:
    from mnistlab.explaining.explanation import Explanation

app = typer.Typer()

PageOption = Annotated[
    Path,
    typer.Option("--out", "-o", parser=named_path, metavar="FILE.html", help="The page to write."),
]
LimitOption = Annotated[
    int,
    typer.Option(
        "--limit",
        metavar="N",
        help="How many images, at most 100, evenly from the first to the last.",
    ),
]
ClassOption = Annotated[
    str | None,
    typer.Option(
        "--class",
        callback=given,
        metavar="NAME",
        help="Explain what speaks for this class, in place of the predicted one: why not a 4?",
    ),
]


@app.command(epilog="Example: mnistlab explain runs/mlp-mnist-* photos/ -o why.html --class 4")
@grouped
def explain(
    run: RunArgument,
    path: InputArgument,
    out: PageOption,
    reading: ReadingChoice,
    limit: LimitOption = 12,
    class_name: ClassOption = None,
    device: DeviceOption = "auto",
    threads: ThreadsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show why a run says what it says of some images. Writes a page.

    Of each image: what speaks for its class and what against it (occlusion, and gradients times
    input), the training images that are most alike, whether it is unlike all of them, and what the
    class is usually mistaken for. A sanity check says whether the maps show what was learned.
    """
    from mnistlab import runs
    from mnistlab.cli.terminal import table
    from mnistlab.explaining import explain as explained

    with _shown_images() as on_image:
        found = explained(
            runs.open_run(run),
            path,
            out,
            on_image=on_image,
            limit=limit,
            class_name=class_name,
            size=reading.size,
            invert=reading.invert,
            prepare=reading.prepare,
            device=device,
            threads=threads,
        )
    print(f"explained: {found.chosen}")
    print(table(*_summary(found)))
    print(f"\nreport: {out}")
    if as_json:
        print(json.dumps(found.to_json() | {"path": str(out)}))


@contextlib.contextmanager
def _shown_images() -> Iterator[Callable[[str, int], None]]:
    """A function that shows one image more, of so many: how many is known with the first."""
    from mnistlab.cli.terminal import shown_count

    with contextlib.ExitStack() as stack:
        show: Callable[[str], None] | None = None

        def on_image(ident: str, n_images: int) -> None:
            nonlocal show
            if show is None:
                show = stack.enter_context(shown_count("images", n_images))
            show(ident)

        yield on_image


def _summary(found: Explanation) -> tuple[list[str], list[tuple[object, ...]]]:
    """Headings and rows of what a terminal shows."""
    names = found.class_names
    rows: list[tuple[object, ...]] = []
    for image in found.images:
        p, similar = image.probabilities, image.similar
        rows.append(
            (
                image.id,
                names[image.predicted],
                None if p is None else f"{p[image.predicted]:.4f}",
                names[image.strongest.predicted],
                None if similar is None else "yes" if similar.is_unusual else "no",
            )
        )
    return ["image", "predicted", "probability", "with a patch covered", "unusual"], rows
