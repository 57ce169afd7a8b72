"""The errors that a user can correct.

Each has one line that names the file or field that is wrong; the command line prints it and exits
with 2. Any other exception is a bug.
"""


class MnistlabError(Exception):
    """Root of all errors that the user can correct."""


class DataError(MnistlabError, ValueError):
    """A data set or file that is missing, unreadable or not what it claims to be."""


class RecipeError(MnistlabError, ValueError):
    """A recipe, field or setting that does not exist or cannot hold that value."""


class RunError(MnistlabError, ValueError):
    """A run folder that is missing, incomplete or damaged."""


class TrainingError(MnistlabError, RuntimeError):
    """Training that cannot go on, such as a loss that is no longer finite."""


class Stopped(KeyboardInterrupt):
    """Training that a signal has stopped, after it left a checkpoint.

    folder: the one that holds the checkpoint of a single training; empty where that is not known.
    """

    def __init__(self, message: str, signal_number: int, folder: str = "") -> None:
        super().__init__(message)
        self.folder = folder
        self.signal_number = signal_number
        self.status = 128 + signal_number  # as shells number it


def reason(error: BaseException) -> str:
    """What an exception says, on one line."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split()) or type(error).__name__


def check_kind(
    name: str, value: object, kinds: type | tuple[type, ...], expected: str, hint: str = ""
) -> None:
    """TypeError, naming the argument and its type, where a value is of none of the kinds."""
    if not isinstance(value, kinds):
        raise TypeError(f"{name} must be {expected}, not {type(value).__name__}{hint}")
