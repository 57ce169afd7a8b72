"""What a fit trains next: a pure function of what it has trained, what that costs, and the time.

first    a small network, there within seconds
rounds   successive halving: all candidates that are fast enough in a short training each, then
         the better half in trainings twice as long (Jamieson and Talwalkar 2016)
main     the rest of the time: the candidate whose learning curve over time promises the lowest
         loss, in as many full trainings as fit, which also differ enough to be averaged
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mnistlab.fitting.candidates import EXPONENT, FIRST, IN_HASTE, MACHINE, Size
from mnistlab.fitting.costs import Cost
from mnistlab.fitting.trials import Trial

FIRST_FRACTION, FIRST_S = 0.04, 10.0  # of the budget, and at most so long
ROUND_FRACTION = 0.03  # of the budget, for each candidate of the first round
ALL_ROUNDS = 0.4  # of the budget: when they have taken so much, the main trainings begin
END_FRACTION, END_S = 0.02, 0.5  # nothing is begun when less is left
MAIN_FRACTION = 0.5  # of the budget, about what the main trainings have
LEAST_EPOCHS = 2  # a candidate that has fewer in the main trainings is not tried
STEEPEST = 0.6
MOST_STRETCH = 3.0  # times a full training: longer ones bring less than another seed
SECOND_WITHIN = 1.15  # how much worse the second best candidate may promise to be


@dataclass(frozen=True)
class Plan:
    """A training to make: seconds is what it is expected to take, and its limit.

    size: None of a support vector machine, whose size its own growth decides.
    """

    candidate: str
    stage: str
    seed: int
    seconds: float
    size: Size | None


@dataclass(frozen=True)
class Situation:
    """What the next plan depends on.

    costs: of each candidate by name, the cheapest first. full: epochs of its full training.
    left_s: seconds until the end must begin. exponents: see Candidate.exponent.
    """

    costs: Mapping[str, Cost]
    full: Mapping[str, int]
    trials: Sequence[Trial]
    n_train: int
    n_val: int
    budget_s: float
    left_s: float
    seed: int = 0
    exponents: Mapping[str, float] = field(default_factory=dict)

    def full_s(self, name: str) -> float:
        """Seconds of a full training."""
        return self.costs[name].seconds(Size(self.full[name], self.n_train), self.n_val)

    @property
    def tried(self) -> list[str]:
        """Candidates of the first round: one alone where the time ends before its full training.

        Short trainings of two networks do not tell which is better after a longer one.
        """
        few = [name for name in IN_HASTE if name in self.costs]
        if not few or self.full_s(few[0]) <= MAIN_FRACTION * self.budget_s:
            return list(self.costs)
        return [next((name for name in few if not self.is_too_slow(name)), few[-1])]

    def is_too_slow(self, name: str) -> bool:
        """Whether the main trainings are too short for it."""
        least = Size(min(LEAST_EPOCHS, self.full[name]), self.n_train)
        seconds = self.costs[name].seconds(least, self.n_val)
        return seconds > MAIN_FRACTION * self.budget_s

    def size(self, name: str, seconds: float, stretch: float = 1.0) -> Size | None:
        """The largest training of a candidate in so many seconds."""
        most = max(1, round(stretch * self.full[name]))
        return self.costs[name].size_for(seconds, self.n_train, self.n_val, most)

    def promised(self, name: str, seconds: float) -> float:
        """The loss that a training of so many seconds promises, by the candidate's curve."""
        points = [
            (trial.seconds, trial.loss)
            for trial in self.trials
            if trial.candidate == name and trial.loss is not None and trial.stage != "main"
        ]
        usual = self.exponents.get(name, EXPONENT)
        return extrapolated(points, min(seconds, self.full_s(name)), usual)


def extrapolated(
    points: Sequence[tuple[float, float]], seconds: float, usual: float = EXPONENT
) -> float:
    """The loss after so many seconds by a power law through (seconds, loss); infinite of none.

    Two points from short trainings say little of the exponent, so that it is the mean of theirs and
    of what is usual. A curve does not rise.
    """
    if not points:
        return math.inf
    (t0, first), (t1, last) = min(points), max(points)
    exponent = usual
    if t1 > 1.2 * t0 and first > 0 < last:
        own = -math.log(last / first) / math.log(t1 / t0)
        exponent = (min(max(own, 0.0), STEEPEST) + usual) / 2
    best_t, best = min(points, key=lambda point: point[1])
    return float(best * max(seconds / best_t, 1.0) ** -exponent)


def next_plan(now: Situation) -> Plan | None:
    """What to train now; None where the time that is left is of no use."""
    if not any(trial.counts for trial in now.trials):
        return _first(now)
    if now.left_s < max(END_FRACTION * now.budget_s, END_S):
        return None
    if not any(trial.stage == "main" for trial in now.trials):
        plan = _of_a_round(now)
        if plan is not None:
            return plan
    return _main(now)


def _first(now: Situation) -> Plan:
    """Something usable; where all else failed, the next cheaper network."""
    failed = {trial.candidate for trial in now.trials}
    names = [FIRST, *(name for name in now.costs if name != FIRST)]
    name = next((n for n in names if n in now.costs and n not in failed and n != MACHINE), names[0])
    seconds = min(FIRST_FRACTION * now.budget_s, FIRST_S)
    # Whatever the time, something must be there.
    size = now.size(name, seconds) or Size(1, min(now.n_train, 8 * now.costs[name].batch_size))
    return Plan(name, "first", now.seed, seconds, size)


def _of_a_round(now: Situation) -> Plan | None:
    """The next training of the rounds; None when they are over."""
    alive, number = now.tried, 1
    while True:
        stage, seconds = f"round {number}", ROUND_FRACTION * now.budget_s * 2 ** (number - 1)
        done = {t.candidate: t for t in now.trials if t.stage == stage}
        for name in alive:
            if name in done or (number == 1 and _is_first(now, name, seconds)):
                continue
            if (plan := _in_round(now, name, stage, seconds)) is not None:
                return plan
        known = [name for name in alive if name != MACHINE and _counts(now, name)]
        known.sort(key=lambda name: now.promised(name, now.left_s))
        spent = sum(t.seconds for t in now.trials if t.stage in _rounds_to(number))
        affordable = int((ALL_ROUNDS * now.budget_s - spent) / (2 * seconds))
        alive, number = known[: max(0, min(len(known) // 2, affordable))], number + 1
        if len(alive) < 2:
            return None


def _rounds_to(number: int) -> list[str]:
    return [f"round {each}" for each in range(1, number + 1)]


def _in_round(now: Situation, name: str, stage: str, seconds: float) -> Plan | None:
    """A candidate's training in a round; None where it is too slow, or was fully trained before."""
    if seconds > now.left_s:
        return None
    if name == MACHINE:
        return Plan(name, stage, now.seed, seconds, None)
    size = now.size(name, seconds)
    if size is None or now.is_too_slow(name):
        return None
    return Plan(name, stage, now.seed, now.costs[name].seconds(size, now.n_val), size)


def _counts(now: Situation, name: str) -> bool:
    """Whether a training of the candidate left a classifier."""
    return any(trial.candidate == name and trial.counts for trial in now.trials)


def _is_first(now: Situation, name: str, seconds: float) -> bool:
    """Whether the first training of all was this one, and as long as one of the first round."""
    first = next((trial for trial in now.trials if trial.counts), None)
    return first is not None and first.candidate == name and first.seconds >= 0.8 * seconds


def _main(now: Situation) -> Plan | None:
    """As many full trainings as fit into the time, of equal length, the best candidates in turn."""
    n_main = sum(trial.stage == "main" for trial in now.trials)
    ranked = sorted(
        (name for name in now.costs if name != MACHINE and _counts(now, name)),
        key=lambda name: now.promised(name, now.left_s),
    )
    if len(ranked) > 1 and n_main % 2:
        best, second = (now.promised(name, now.left_s) for name in ranked[:2])
        if second <= SECOND_WITHIN * best:
            ranked[:2] = ranked[1::-1]
    for name in ranked:
        full_s = now.full_s(name)
        stretch = min(max(math.sqrt(now.left_s / full_s), 1.0), MOST_STRETCH)
        n_times = max(1, round(now.left_s / (stretch * full_s)))
        size = now.size(name, now.left_s / n_times, MOST_STRETCH)
        if size is not None:
            seed = now.seed + len(now.trials)
            return Plan(name, "main", seed, now.left_s / n_times, size)
    return None
