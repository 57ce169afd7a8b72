"""The command line: parses, calls, prints. What is done lives in the rooms it calls.

Each command imports what it needs, so that `mnistlab --help` loads no torch.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from mnistlab import machine
from mnistlab.atomic import NO_ROOM
from mnistlab.cli import (
    benchmarks,
    checking,
    completing,
    datasets,
    explaining,
    exporting,
    fitting,
    learning,
    predicting,
    recipes,
    records,
    serving,
    streams,
    studies,
    trained,
    tuning,
)
from mnistlab.cli.libraries import missing_text
from mnistlab.cli.memory import memory_text
from mnistlab.errors import MnistlabError, RecipeError
from mnistlab.version import __version__

EXIT_BAD_INPUT, EXIT_INTERRUPTED = 2, 130
# An OSError that a library raises itself, or of a closed descriptor, is a bug.
NOT_OF_FILES = (None, errno.EBADF)

app = typer.Typer(
    help="The workbench for small-image classification: MNIST, Fashion-MNIST, or your own.",
    epilog="Start here: mnistlab study ladder",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=True,
)
app.add_typer(recipes.app)
app.add_typer(learning.app)
app.add_typer(fitting.app)
app.add_typer(records.app)
app.add_typer(studies.app)
app.add_typer(tuning.app)
app.add_typer(trained.app)
app.add_typer(predicting.app)
app.add_typer(explaining.app)
app.add_typer(exporting.app)
app.add_typer(serving.app)
app.add_typer(datasets.app, name="data")
app.add_typer(checking.app)
app.add_typer(benchmarks.app)


def main() -> None:
    """Entry point of the `mnistlab` command."""
    streams.open_closed()
    os.environ.pop("MPLBACKEND", None)  # figures go into files, and a wrong one stops matplotlib
    sys.exit(run_command(sys.argv[1:]))


def run_command(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit status; bad input is one line and status 2."""
    streams.make_usable()
    try:
        status = app(list(arguments), prog_name="mnistlab", standalone_mode=False)
        streams.flush_output()
    except typer.TyperException as error:
        return _fail_usage(error, arguments)
    except MnistlabError as error:
        return _fail(str(error))
    except ModuleNotFoundError as error:
        text = missing_text(error)
        if text is None:  # a bug: its traceback must be seen
            raise
        return _fail(text)
    except BrokenPipeError:  # a reader such as `head` has closed the pipe
        streams.silence("stdout")
        return 1
    except (MemoryError, RuntimeError) as error:
        text = memory_text(error)
        if text is None:  # a bug: its traceback must be seen
            raise
        return _fail(text)
    except OSError as error:
        if error.errno in NOT_OF_FILES:
            raise
        # Files that cannot be written are named by `atomic`; an unbuffered print is not.
        unnamed = "standard output or a temporary file" if error.errno in NO_ROOM else "system"
        return _fail(f"{error.filename or unnamed}: {error.strerror or error}")
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    finally:
        streams.flush()
    return status if isinstance(status, int) else 0


def _fail(message: str) -> int:
    streams.say("error: " + " ".join(message.split()))
    return EXIT_BAD_INPUT


def _fail_usage(error: typer.TyperException, arguments: Sequence[str]) -> int:
    """Say what is wrong with the words of a command, and whose help shows them."""
    context = getattr(error, "ctx", None)
    if context is None:
        return _fail(error.format_message())
    if type(error).__name__ == "NoArgsIsHelpError":  # typer does not export it
        streams.say(context.get_help())  # the message is this help as well, squeezed by _fail
        return EXIT_BAD_INPUT
    message = error.format_message().rstrip(".")
    runs = [each for each in arguments if completing.is_run(each)]
    if "unexpected extra argument" in message and len(runs) > 1:  # what a pattern stood for
        message = (
            f"{context.info_name} takes one run, not {len(runs)} (a pattern such as runs/NAME-* "
            f"gives all that fit it); name one, such as {runs[0]}"
        )
    return _fail(f"{message}; see: {context.command_path} --help")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mnistlab {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True)] = False,
) -> None:
    if machine.n_processes() > 1 and context.invoked_subcommand != "train":
        raise RecipeError("several processes can only train together: torchrun … -m mnistlab train")
    if machine.rank():  # only the first process prints
        streams.silence("stdout")
