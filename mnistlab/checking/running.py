"""Every check on one file, in the order in which a student writes its parts."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from functools import partial
from types import ModuleType
from typing import Any

from mnistlab.checking.checks.forward import check_forward, check_loss, check_predict
from mnistlab.checking.checks.functions import check_functions
from mnistlab.checking.checks.gradient import check_gradients
from mnistlab.checking.checks.initial import check_initial
from mnistlab.checking.checks.scaling import check_scaling
from mnistlab.checking.checks.training import check_training
from mnistlab.checking.checks.update import check_update
from mnistlab.checking.context import Context, line_of
from mnistlab.checking.finding import Finding, Report
from mnistlab.checking.loading import load
from mnistlab.checking.naming import UnboundError, bind
from mnistlab.checking.offered import check_offer, import_libraries, library_stand_ins
from mnistlab.checking.offers import Offer, find_offers
from mnistlab.checking.pieces import Pieces, find_pieces, is_whole
from mnistlab.checking.reference import Problem, make_problem
from mnistlab.checking.source import Source
from mnistlab.checking.student import Student, WrongReturnError
from mnistlab.checking.styles import made_student
from mnistlab.checking.tasks import LIBRARY_TASKS, TASK_OF, part_of, tasks_within

COURSE_CLASS = "MLPFromScratch"


def check_source(source: Source, task: str | None = None, hint_level: int = 0) -> Report:
    """Check a file in this process. DataError where it is no Python, or the task is unknown."""
    import_libraries(source)
    with library_stand_ins():
        module, failed, broken = load(source)
    with library_stand_ins():
        report = part_of(check_names(source, module, vars(module), task, hint_level), task)
    findings = tuple(
        Finding("file", "exception", f"this part cannot be run: {text}", source.name, line)
        for line, text in broken
    )
    notes = tuple(f"line {line} of the file could not be run: {text}" for line, text in failed)
    return Report(
        report.task, (*findings, *report.findings), report.checks, (*report.notes, *notes)
    )


def check_names(
    source: Source,
    module: ModuleType,
    names: Mapping[str, Any],
    task: str | None = None,
    hint_level: int = 0,
) -> Report:
    """Check what a module offers: a network in NumPy, and every task that uses a library."""
    offers = find_offers(names, module.__name__, source)
    pieces = find_pieces(names, module.__name__, {offer.name for offer in offers})
    if offers and not is_whole(pieces):
        pieces = Pieces()  # single functions of a program in PyTorch take tensors
    found = [offer for offer in offers if task is None or offer.task in tasks_within(task)]
    if not pieces.style and not found:
        text = "nothing to check was found: see docs/checking.md for the names that are looked for"
        finding = Finding("interface", "interface", text, source.name)
        return Report(task or "unknown", (finding,))
    contexts = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if pieces.style and task not in LIBRARY_TASKS:
            contexts.append(_checked_network(source, module, pieces, hint_level))
        for offer in found:
            context = Context(source, module, pieces, _no_network, hint_level)
            context.has_exact_lines = True
            _guarded(context, partial(check_offer, context, offer, offers))
            contexts.append(context)
    shown = task or _shown(pieces, found)
    return Report(
        shown,
        tuple(finding for context in contexts for finding in context.findings),
        tuple(dict.fromkeys(check for context in contexts for check in context.checks)),
        tuple(dict.fromkeys(note for context in contexts for note in context.notes)),
    )


def _shown(pieces: Pieces, offers: list[Offer]) -> str:
    """What a file is checked as, in words."""
    styles = {"class": "mlp", "layers": "layers", "functions": "functions"}
    own = [styles[pieces.style]] if pieces.style else []
    return ", ".join(dict.fromkeys([*own, *(TASK_OF.get(o.task, o.task) for o in offers)]))


def _no_network(_: Problem) -> Student:
    raise UnboundError("this task has no network in NumPy")


def _checked_network(
    source: Source, module: ModuleType, pieces: Pieces, hint_level: int
) -> Context:
    def make(problem: Problem) -> Student:
        return made_student(source, problem, module, pieces)

    context = Context(source, module, pieces, make, hint_level)
    context.is_course = any(kind.__name__ == COURSE_CLASS for kind in pieces.networks)
    context.initial = _initial(source, module, pieces)
    _run(context)
    return context


def _run(context: Context) -> None:
    problem = make_problem()
    try:
        student = context.make(problem)
    except UnboundError as error:
        line = _line_of_init(context)
        context.found("interface", "interface", line, says=f"no network could be made: {error}")
        return
    except Exception as error:  # whatever a student's code raises
        context.failed("constructor", error)
        return
    context.is_columns = student.is_columns
    empty = [role for role in student.roles if context.is_empty(role)]
    for role in empty:
        context.begin(role)
        context.found(role, "empty", context.source.line_of_function(role))
    check_functions(context, student)
    if "scale" in context.pieces.functions:
        _guarded(context, lambda: check_scaling(context))
    if "forward" not in student.roles:
        context.note("no forward pass was found: only single functions were checked")
        return
    for check in _checks(context, problem, empty):
        if _guarded(context, check) is False:
            context.note("the rest was not checked: it needs a forward pass")
            break
    for add in context.last:
        add()


def _checks(context: Context, problem: Problem, empty: list[str]) -> list[Callable[[], Any]]:
    """What can be checked, given which functions are not written yet."""
    wanted: list[tuple[str, Callable[[], Any]]] = [
        ("init", lambda: check_initial(context)),
        ("forward", lambda: check_forward(context, problem)),
        ("loss", lambda: check_loss(context, problem)),
        ("predict", lambda: check_predict(context, problem)),
        ("backward", lambda: check_gradients(context, problem)),
        ("update", lambda: check_update(context, problem)),
        ("train", lambda: check_training(context, problem)),
    ]
    if "forward" in empty:
        return [check for role, check in wanted[:1]]
    return [check for role, check in wanted if role not in empty]


def _guarded(context: Context, check: Callable[[], Any]) -> Any:
    """Run one check. What a student's code raises is a finding, and the next check runs."""
    try:
        return check()
    except UnboundError as error:
        context.note(str(error))
    except WrongReturnError as error:
        context.failed("forward", error)
    except Exception as error:
        if line_of(error, context.source.name) is None:
            raise  # a mistake of ours must not be shown as the student's
        context.failed("check", error)
    return None


def _line_of_init(context: Context) -> int | None:
    return context.source.line_of_function("__init__")


def _initial(
    source: Source, module: ModuleType, pieces: Pieces
) -> Callable[[tuple[int, int, int]], Any]:
    """Makes fresh weights of given sizes, without putting values into them; None: not possible."""

    def make(sizes: tuple[int, int, int]) -> Any:
        import numpy as np

        from mnistlab.checking.layer_style import assembled_layers
        from mnistlab.checking.student import returned_names
        from mnistlab.checking.styles import constructed

        n_in, n_hidden, n_out = sizes
        shapes = ((n_in, n_hidden), (n_hidden,), (n_hidden, n_out), (n_out,))
        weights = dict(zip(("W1", "b1", "W2", "b2"), map(np.zeros, shapes), strict=True))
        problem = Problem(np.zeros((2, n_in)), np.zeros(2, dtype=np.int64), weights)
        try:
            if pieces.networks:
                chosen = pieces.networks[-1]
                layers = assembled_layers(pieces, problem) if "linear" in pieces.layers else None
                return constructed(chosen, problem, layers if _takes_layers(chosen) else None)
            if init := pieces.functions.get("init"):
                offered: dict[str, Any] = {"n_in": n_in, "n_hidden": n_hidden, "n_out": n_out}
                offered |= {"seed": 0}
                offered |= {"sizes": list(sizes), "rng": np.random.default_rng(0)}
                made = init(**bind(init, offered))
                names = returned_names(source, init)
                return dict(zip(names, made, strict=False)) if isinstance(made, tuple) else made
        except Exception:  # reported by the check that constructs the network
            return None
        return None

    return make


def _takes_layers(kind: type) -> bool:
    import inspect

    return next(iter(inspect.signature(kind).parameters), "") == "layers"
