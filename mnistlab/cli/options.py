"""Options that several commands share; those that belong together are one value.

A command names a dataclass of options as the type of a parameter, and `grouped` gives it to typer
as the options of its fields.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from mnistlab import machine
from mnistlab.cli.completing import dataset_names, recipe_names, run_folders
from mnistlab.errors import RecipeError

if TYPE_CHECKING:
    from mnistlab.data import Dataset
    from mnistlab.runs.execution import ComputeOptions, ExecutionOptions, FolderOptions
    from mnistlab.runs.progress import Progress

MOST_PIXELS = 4096  # per side: larger images are photographs, which this project is not for
MOST_SEEDS, MOST_FOLDS, MOST_TRIALS = 1000, 1000, 100_000
EMPTY = "is empty; give a value, or leave the option out"
LARGEST_SEED = 2**32 - 1


def size(text: str) -> tuple[int, int]:
    """(H, W) from "28" or "28x20"."""
    height, times, width = text.partition("x")
    if not height.isdecimal() or (times and not width.isdecimal()):
        raise typer.BadParameter(f"{text!r} is not like 28 or 28x20")
    sides = [int(side) if len(side) < 10 else MOST_PIXELS + 1 for side in (height, width or height)]
    if not all(1 <= side <= MOST_PIXELS for side in sides):
        raise typer.BadParameter(f"{text[:20]} must be from 1 to {MOST_PIXELS} pixels")
    return sides[0], sides[1]


def given(text: str | None) -> str | None:
    """The text, which must not be empty, as the value of an unset shell variable is."""
    if text is not None and not text.strip():
        raise typer.BadParameter(EMPTY)
    return text


def named_path(text: str | Path) -> Path:
    """A path with a name: pathlib takes an empty one for the current folder."""
    given(str(text))
    return Path(text)


def threads(wanted: int | None) -> int | None:
    """The number of threads, if this machine can use so many."""
    machine.check_threads(wanted, "--threads")
    return wanted


def processes(wanted: int) -> int:
    """The number of processes, if this machine can use so many."""
    machine.check_threads(wanted, "--processes")
    return wanted


def hold_out(fraction: float | None) -> float | None:
    """A fraction of the images that leaves some on both sides; None: nothing is held out."""
    if fraction is not None and not 0 < fraction < 1:  # so is NaN
        raise RecipeError(f"hold-out must be a fraction between 0 and 1: {fraction}")
    return fraction


def refuse(context: typer.Context, names: Collection[str], because: str) -> None:
    """RecipeError that lists those of the options that stand on the command line.

    names: of parameters that have no meaning beside what else was given, which `because` says. An
    option that were ignored would let a person believe that it was followed.
    """
    listed = [
        option.opts[0]
        for option in context.command.params
        if option.name in names and _is_on_command_line(context, option.name)
    ]
    if listed:
        raise RecipeError(f"{', '.join(listed)}: {because}")


def _is_on_command_line(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


RECIPE_HELP = "A recipe's name, or a recipe in a .json file."
RecipeArgument = Annotated[
    str, typer.Argument(callback=given, help=RECIPE_HELP, autocompletion=recipe_names)
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=VALUE", help="Change a field; may be repeated."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="End with one line of JSON.")]
DataOption = Annotated[
    str | None,
    typer.Option(
        "--data",
        callback=given,
        autocompletion=dataset_names,
        help="A data set's name, or a path: a table (CSV, TSV), NPZ, IDX, Parquet, HDF5, .zip or a "
        "folder of images; see docs/your-images.md.",
    ),
]
SizeOption = Annotated[
    tuple | None,  # type: ignore[type-arg]  # typer would take tuple[int, int] for two options
    typer.Option(
        "--size",
        parser=size,
        metavar="SIDE|HxW",
        help="Resize image files to this size; for tables: height x width of images that are not "
        "square.",
    ),
]
LabelOption = Annotated[
    str | None,
    typer.Option("--label-column", callback=given, help="The CSV column that holds the labels."),
]
RunArgument = Annotated[
    Path,
    typer.Argument(
        parser=named_path, metavar="RUN", help="A run's folder.", autocompletion=run_folders
    ),
]
OutOption = Annotated[
    Path,
    typer.Option(
        "--out", parser=named_path, metavar="PATH", help="Folder in which run folders are made."
    ),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Train again what is complete already.")]
DeviceOption = Annotated[str, typer.Option("--device", help="auto, cpu, cuda or mps.")]
ThreadsOption = Annotated[
    int | None, typer.Option("--threads", callback=threads, help="CPU threads.")
]
PrecisionOption = Annotated[
    str | None,
    typer.Option(
        "--precision",
        callback=given,
        help="float32 or bfloat16, for networks whose recipe leaves it open; without the option "
        "the machine chooses.",
    ),
]
TrackOption = Annotated[
    str | None,
    typer.Option("--track", help="Log runs to an experiment tracker while they train (mlflow)."),
]
OnOption = Annotated[
    str,
    typer.Option(
        "--on",
        help="Where to train: local, or ray (the cluster of RAY_ADDRESS, else the cores of this "
        "machine).",
    ),
]


@dataclass(frozen=True)
class DataChoice:
    """Which data a command works on, and how they are read."""

    data: DataOption = None
    size: SizeOption = None
    label_column: LabelOption = None

    def load(self, name: str) -> Dataset:
        """The data set of --data, or of that name; the other two options are followed."""
        from mnistlab.cli.inputs import load_data

        return load_data(self.data or name, self.size, self.label_column)


@dataclass(frozen=True)
class FolderChoice:
    """How a command runs that trains and reuses whatever is complete: see Execution."""

    out: OutOption = Path("runs")
    device: DeviceOption = "auto"
    threads: ThreadsOption = None

    def compute_options(self, progress: Progress) -> ComputeOptions:
        """Keyword arguments of a public function that makes no run folder."""
        return {"device": self.device, "threads": self.threads, "progress": progress}

    def folder_options(self, progress: Progress) -> FolderOptions:
        """Keyword arguments of a public function that makes run folders."""
        return {"out": self.out, **self.compute_options(progress)}


@dataclass(frozen=True)
class ExecutionChoice(FolderChoice):
    """How a command runs that trains again where that is wanted: see Execution."""

    force: ForceOption = False

    def options(self, progress: Progress) -> ExecutionOptions:
        """Keyword arguments of a public function that trains."""
        return {"force": self.force, **self.folder_options(progress)}


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """A command for typer, with the fields of each dataclass parameter as options of their own."""
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {name: kind for name, kind in hints.items() if is_dataclass(kind)}
    parameters: list[inspect.Parameter] = []
    for parameter in inspect.signature(command).parameters.values():
        if parameter.name in groups:
            parameters += _options_of(groups[parameter.name])
        else:
            parameters.append(parameter.replace(annotation=hints[parameter.name]))

    def run(**values: Any) -> None:
        for name, kind in groups.items():
            values[name] = kind(**{field.name: values.pop(field.name) for field in fields(kind)})
        command(**values)

    # Typer reads both: the signature for the defaults, the annotations for the types.
    parameters = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in parameters]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    run.__name__, run.__doc__ = command.__name__, command.__doc__
    return run


def _options_of(group: Any) -> list[inspect.Parameter]:
    hints, kind = get_type_hints(group, include_extras=True), inspect.Parameter.KEYWORD_ONLY
    return [
        inspect.Parameter(field.name, kind, default=field.default, annotation=hints[field.name])
        for field in fields(group)
    ]
