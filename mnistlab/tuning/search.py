"""The trials of a search, trained by one process or several."""

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
from functools import cached_property
from pathlib import Path
from typing import Any

from mnistlab import atomic
from mnistlab.data import Dataset
from mnistlab.errors import MnistlabError, TrainingError
from mnistlab.phases import Epoch
from mnistlab.recipe import Recipe
from mnistlab.runs import Execution, Progress, TrialEnd
from mnistlab.runs.building import parts_of
from mnistlab.runs.computation import folder_name
from mnistlab.scale import Executor, LocalExecutor, concurrent, run_all
from mnistlab.space import Space
from mnistlab.tuning.proposals import Plan
from mnistlab.tuning.trial import COMPLETE, FAILED, PRUNED, RUNNING, Trial, best_of
from mnistlab.tuning.trial_storage import TrialStorage

SEARCH_SEED = (
    1000  # added to the seed of the search, so that trials share no seed with the final runs
)
WAIT_S = 0.3  # until another process may have ended or left its trial


@dataclass(frozen=True)
class Search:
    """What is searched, on which data, where, and with what.

    n_trials: in all, those of earlier calls and of other processes included. executor: trains them;
    the journal and the folders of trials are on this machine.
    """

    recipe: Recipe
    dataset: Dataset
    space: Space
    n_trials: int
    sampler: str
    seed: int
    execution: Execution
    executor: Executor = field(default_factory=LocalExecutor)

    @property
    def folder(self) -> Path:
        """Its folder, named after recipe, data, space, sampler and seed."""
        what = [self.space.to_json(), self.sampler, self.seed]
        digest = hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()
        name = folder_name(self.recipe, self.dataset, self.execution.device)
        return self.execution.out / f"tune-{name}-{digest[:8]}"

    @cached_property
    def _n_epochs(self) -> int:
        """Epochs of a full trial, with those that a small data set adds."""
        n_train = len(parts_of(self.recipe, self.dataset).train)
        per_epoch = -(-n_train // self.recipe.batch_size)
        return sum(phase.n_epochs(per_epoch) for phase in self.recipe.phases)

    def storage(self) -> TrialStorage:
        """The storage of its trials; RecipeError for a sampler that does not fit the space."""
        start = None if self.sampler == "grid" else self.space.nearest(self.recipe)
        plan = Plan(self.space, self.sampler, self.seed, self._n_epochs, start)
        return TrialStorage(self.folder, plan)

    def at(self, point: dict[str, Any], name: str) -> Recipe:
        """The recipe at a point of the space."""
        return replace(self.space.applied(self.recipe, point), name=name)

    def work(self) -> None:
        """Train trials until none is left to claim."""
        storage = self.storage()
        while True:
            with storage.next(self.n_trials) as claimed:
                if claimed is None:
                    return
                number, point = claimed
                self._train(storage, number, point)
                shutil.rmtree(storage.trial_folder(number))
            trials = storage.trials()
            best, ended = self._save_best(trials), trials[number]
            n_done = sum(trial.state != RUNNING for trial in trials)
            best_accuracy = best.accuracy if best else None
            self.execution.progress.on_trial(
                TrialEnd(number + 1, ended.accuracy, ended.why, best_accuracy, n_done)
            )

    def _train(self, storage: TrialStorage, number: int, point: dict[str, Any]) -> None:
        recipe = self.at(point, f"{self.recipe.name}-trial-{number + 1}")
        recipe = replace(recipe, seed=(self.seed + SEARCH_SEED) % 2**32)
        start, progress = time.perf_counter(), self.execution.progress

        def on_epoch(epoch: Epoch) -> None:
            progress.on_epoch(epoch)
            accuracy = epoch.val_accuracy
            if accuracy is not None and not storage.report(number, epoch.epoch - 1, accuracy):
                raise _PrunedError(f"no better than others after epoch {epoch.epoch}")

        execution = replace(
            self.execution,
            out=storage.trial_folder(number),
            progress=replace(progress, on_epoch=on_epoch, on_end=lambda run: None),
        )
        state, accuracy, why = COMPLETE, None, ""
        try:
            run = self.executor.train(recipe, self.dataset, execution)
            accuracy = run.result["val_accuracy"]
        except _PrunedError as pruned:
            state, why = PRUNED, str(pruned)
        except TrainingError as error:
            state, why = PRUNED, str(error)
        except MnistlabError as error:
            storage.end(number, FAILED, None, time.perf_counter() - start, str(error))
            raise
        storage.end(number, state, accuracy, time.perf_counter() - start, why)

    def _save_best(self, trials: tuple[Trial, ...]) -> Trial | None:
        """Write the best recipe so far: it must be there whatever ends the search."""
        best = best_of(trials)
        if best is not None:
            atomic.write_json(self.folder / "best.json", self.best(best).to_json())
        return best

    def best(self, trial: Trial) -> Recipe:
        """The recipe of a trial, under a name of its own."""
        return self.at(trial.point, f"{self.recipe.name}-best")

    def wait(self) -> tuple[Trial, ...]:
        """All trials, once those of other processes are over; those they abandon are resumed."""
        n_at_once = min(self.executor.n_at_once(self.execution.threads), self.n_trials)
        many = self if n_at_once == 1 else replace(self, execution=concurrent(self.execution))
        while True:
            run_all(self.executor, n_at_once, [many.work] * n_at_once)
            trials = self.storage().trials()
            if not any(trial.state == RUNNING for trial in trials):
                self._save_best(trials)  # of two trials that ended at once either came last
                return trials
            time.sleep(WAIT_S)


class _PrunedError(Exception):
    """Ends a trial that is not worth continuing."""


@contextmanager
def helped(search: Search, n_processes: int) -> Iterator[Search]:
    """The search with so many processes working on it, this one included, while the block runs.

    They divide the cores among them, where no number of threads is given.
    """
    if n_processes > 1 and search.execution.threads is None:
        threads = max(1, (os.cpu_count() or 1) // n_processes)
        search = replace(search, execution=replace(search.execution, threads=threads))
    silent = replace(search, execution=replace(search.execution, progress=Progress()))
    spawn = multiprocessing.get_context("spawn")
    helpers = [spawn.Process(target=_help, args=(silent,)) for _ in range(n_processes - 1)]
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
    """Work beside the main process, which will meet the same error or take the trial over."""
    with contextlib.suppress(KeyboardInterrupt, MnistlabError):
        search.work()
