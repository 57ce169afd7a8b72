"""`mnistlab records`: how fast this machine reaches an accuracy, trained with the clock running."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mnistlab.cli.completing import record_names
from mnistlab.cli.options import LARGEST_SEED, MOST_SEEDS, JsonOption, ThreadsOption, refuse
from mnistlab.cli.streams import say

if TYPE_CHECKING:
    from mnistlab.runs.timed import Timed

COLUMNS = ("record", "test accuracy", "95 % interval", "spread", "target", "training, s", "target")

app = typer.Typer()


@app.command(epilog="Example: mnistlab records records-mnist-99 --seeds 3")
def records(
    context: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME",
            autocompletion=record_names,
            help="Which; none lists them with their targets.",
        ),
    ] = None,
    seeds: Annotated[
        int, typer.Option("--seeds", min=1, max=MOST_SEEDS, help="How many trainings of each.")
    ] = 1,
    first_seed: Annotated[
        int, typer.Option("--first-seed", min=0, max=LARGEST_SEED - MOST_SEEDS, help="Random seed.")
    ] = 0,
    threads: ThreadsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train record recipes on the CPU with the clock running, and measure them on the test part.

    A record is a test accuracy, as a mean over seeds, and the seconds in which two quiet cores
    should reach it. The seconds are those of the training alone; starting Python and PyTorch,
    loading the data and compiled kernels, and predicting are said apart. Nothing is written.
    """
    from mnistlab.fitting.clock import process_age_s
    from mnistlab.recipes.records import record_of

    began = time.monotonic() - process_age_s()
    for name in names or ():
        record_of(name)
    if not names:
        refuse(context, context.params.keys() - {"as_json"}, "is of a training; name the record")
        _print_targets(as_json)
        return
    import mnistlab.classifiers.torch_classifier  # noqa: F401  # loads torch, which takes seconds

    import_s = time.monotonic() - began
    measured = [_measured(name, seeds, first_seed, threads) for name in names]
    _print_measured(measured, import_s)
    if as_json:
        env = _env(names[0], threads)
        print(json.dumps({"records": measured, "import_s": import_s, "env": env}))


def _measured(name: str, seeds: int, first_seed: int, threads: int | None) -> dict[str, Any]:
    """A record, trained from every seed; each training is said when it ends."""
    from mnistlab.runs.timed import train_record

    def say_trained(timed: Timed) -> None:
        say(f"{name}, seed {timed.seed}: {timed.test_accuracy:.4f} after {timed.train_s:.2f} s")

    return asdict(train_record(name, seeds, first_seed, threads, say_trained))


def _env(name: str, threads: int | None) -> dict[str, Any]:
    from mnistlab.classifiers.methods import method_of
    from mnistlab.recipes import get_recipe
    from mnistlab.training import kernels

    recipe = get_recipe(name)
    env = method_of(recipe.model).describe("cpu", recipe.precision) | {"kernels": kernels.version()}
    return env if threads is None else env | {"threads": threads}


def _print_measured(measured: list[dict[str, Any]], import_s: float) -> None:
    from mnistlab.cli.terminal import table

    met = {True: "met", False: "not met"}
    rows = []
    for each in measured:
        interval = each["interval"] and "{:.4f} to {:.4f}".format(*each["interval"])
        spread = "{:.4f} to {:.4f}".format(*each["spread"]) if interval else None
        target = f"{each['target_accuracy']:.3f} {met[each['is_accurate']]}"
        asked_s = each["target_s"]
        target_s = None if asked_s is None else f"{asked_s:g} {met[each['is_fast']]}"
        accuracy, seconds = f"{each['test_accuracy']:.4f}", f"{each['train_s']:.2f}"
        rows.append((each["record"], accuracy, interval, spread, target, seconds, target_s))
    print(table(COLUMNS, rows))
    print(f"beside the training: {import_s:.1f} s until Python and PyTorch had started")
    for each in measured:
        predict_s = sum(timed["predict_s"] for timed in each["trainings"]) / len(each["trainings"])
        print(
            f"{each['record']}: {each['load_s']:.1f} s to load {each['data']}, "
            f"{each['warm_up_s']:.1f} s for a first step, which loads compiled kernels; "
            f"{predict_s:.1f} s to predict the test part"
        )


def _print_targets(as_json: bool) -> None:
    from mnistlab.cli.terminal import table
    from mnistlab.recipes import get_recipe
    from mnistlab.recipes.records import RECORDS

    rows = [
        (
            name,
            record.data,
            f"{record.accuracy:.3f}",
            None if record.seconds is None else f"{record.seconds:g}",
            get_recipe(name).summary,
        )
        for name, record in RECORDS.items()
    ]
    print(table(("record", "data", "test accuracy", "training, s", "network"), rows))
    print("Targets: the mean over seeds, on two cores that do nothing else and have bfloat16.")
    print("next: mnistlab records NAME --seeds 3")
    if as_json:
        listed = {name: record._asdict() for name, record in RECORDS.items()}
        print(json.dumps({"targets": listed}))
