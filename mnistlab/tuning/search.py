"""Trials of a search, one after another, by as many processes as are asked for."""

from __future__ import annotations

import contextlib
import hashlib
import json
import multiprocessing
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from mnistlab import atomic
from mnistlab.data import Dataset
from mnistlab.errors import MnistlabError, TrainingError
from mnistlab.phases import Epoch
from mnistlab.recipe import Recipe
from mnistlab.runs import Progress, TrialEnd
from mnistlab.runs.building import parts_of
from mnistlab.runs.computation import folder_name
from mnistlab.scale import Here, Place, of_many, together
from mnistlab.space import Space
from mnistlab.tuning.board import Board, Plan
from mnistlab.tuning.trial import COMPLETE, FAILED, PRUNED, RUNNING, Trial, best_of

SEARCH_SEED = 1000  # of every trial; the best recipe is judged by seeds the search has not seen
WAIT_S = 0.3  # until another process may have ended or left its trial


@dataclass(frozen=True)
class Search:
    """What is searched, on which data, where, and with what.

    n_trials: all together, those of earlier calls and of other processes included. place: where
    they are trained; journal and folder are here.
    """

    recipe: Recipe
    dataset: Dataset
    space: Space
    n_trials: int
    sampler: str
    seed: int
    out: Path
    device: str
    threads: int | None
    place: Place = field(default_factory=Here)

    @property
    def folder(self) -> Path:
        """Its folder; another recipe, space, sampler, seed or data has another."""
        what = [self.space.to_json(), self.sampler, self.seed]
        digest = hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()
        return self.out / f"tune-{folder_name(self.recipe, self.dataset, self.device)}-{digest[:8]}"

    @cached_property
    def _n_epochs(self) -> int:
        """Of a full trial, with those that a small set adds."""
        n_train = len(parts_of(self.recipe, self.dataset).train)
        per_epoch = -(-n_train // self.recipe.batch_size)
        return sum(phase.n_epochs(per_epoch) for phase in self.recipe.phases)

    def board(self) -> Board:
        """Where its trials are kept; RecipeError for a sampler or space that cannot serve."""
        start = None if self.sampler == "grid" else self.space.nearest(self.recipe)
        return Board(self.folder, Plan(self.space, self.sampler, self.seed, self._n_epochs, start))

    def at(self, point: dict[str, Any], name: str) -> Recipe:
        """The recipe at a point of the space."""
        return replace(self.space.applied(self.recipe, point), name=name)

    def work(self, progress: Progress) -> None:
        """Train trials until none is left to take."""
        board = self.board()
        while True:
            with board.next(self.n_trials) as taken:
                if taken is None:
                    return
                number, point = taken
                self._train(board, number, point, progress)
                shutil.rmtree(board.trial_folder(number))
            trials = board.trials()
            best, ended = self._keep_best(trials), trials[number]
            n_done = sum(trial.state != RUNNING for trial in trials)
            best_accuracy = best.accuracy if best else None
            progress.on_trial(
                TrialEnd(number + 1, ended.accuracy, ended.why, best_accuracy, n_done)
            )

    def _train(self, board: Board, number: int, point: dict[str, Any], progress: Progress) -> None:
        recipe = self.at(point, f"{self.recipe.name}-trial-{number + 1}")
        recipe = replace(recipe, seed=(self.seed + SEARCH_SEED) % 2**32)
        start = time.perf_counter()

        def on_epoch(epoch: Epoch) -> None:
            progress.on_epoch(epoch)
            accuracy = epoch.val_accuracy
            if accuracy is not None and not board.report(number, epoch.epoch - 1, accuracy):
                raise _PrunedError(f"no better than others after epoch {epoch.epoch}")

        hooks = replace(progress, on_epoch=on_epoch, on_end=lambda run: None)
        state, accuracy, why = COMPLETE, None, ""
        try:
            run = self.place.train(
                recipe,
                self.dataset,
                out=board.trial_folder(number),
                force=False,
                device=self.device,
                threads=self.threads,
                progress=hooks,
            )
            accuracy = run.result["val_accuracy"]
        except _PrunedError as pruned:
            state, why = PRUNED, str(pruned)
        except TrainingError as error:
            state, why = PRUNED, str(error)
        except MnistlabError as error:
            board.tell(number, FAILED, None, time.perf_counter() - start, str(error))
            raise
        board.tell(number, state, accuracy, time.perf_counter() - start, why)

    def _keep_best(self, trials: tuple[Trial, ...]) -> Trial | None:
        """Write the best recipe so far: whatever ends the search, it is there."""
        best = best_of(trials)
        if best is not None:
            atomic.write_json(self.folder / "best.json", self.best(best).to_json())
        return best

    def best(self, trial: Trial) -> Recipe:
        """The recipe of a trial, under a name of its own."""
        return self.at(trial.point, f"{self.recipe.name}-best")

    def wait(self, progress: Progress) -> tuple[Trial, ...]:
        """All trials, once those of other processes are over; theirs are gone on with if left."""
        n_at_once = min(self.place.n_at_once(self.threads), self.n_trials)
        told = progress if n_at_once == 1 else of_many(progress)
        while True:
            together(self.place, n_at_once, [partial(self.work, told)] * n_at_once)
            trials = self.board().trials()
            if not any(trial.state == RUNNING for trial in trials):
                self._keep_best(trials)  # of two trials that ended at once either came last
                return trials
            time.sleep(WAIT_S)


class _PrunedError(Exception):
    """Ends a trial that is not worth going on with."""


@contextmanager
def helped(search: Search, n_processes: int) -> Iterator[Search]:
    """The search with so many processes working on it, this one included, while the block runs.

    Each has its share of the cores, where threads were not said.
    """
    threads = search.threads or max(1, (os.cpu_count() or 1) // n_processes)
    search = replace(search, threads=threads) if n_processes > 1 else search
    spawn = multiprocessing.get_context("spawn")
    helpers = [spawn.Process(target=_help, args=(search,)) for _ in range(n_processes - 1)]
    for helper in helpers:
        helper.start()
    try:
        yield search
    except BaseException:
        for helper in helpers:
            helper.terminate()
        raise
    finally:
        for helper in helpers:
            helper.join()


def _help(search: Search) -> None:
    """Work beside the process that speaks: what goes wrong here it will meet or take over."""
    with contextlib.suppress(KeyboardInterrupt, MnistlabError):
        search.work(Progress())
