"""Closed loops on the real Fe-Ga-Pd spread: the phase map and the best magnetisation against rounds.

rounds: from ten random compositions, thirty rounds of one composition each, measured with both instruments.
instruments, instruments_1_5: the same budget, where a label costs 1 and a magnetisation 1 or 5;
`tieline:both` measures each proposal with both instruments, `tieline` chooses place and instrument.

The truth is that of `fegapd` at 278 compositions, without repeats or further noise. Every method starts from
the same compositions in the same repeat. Repeats 0 to 19 are scored for the reported figure only; rules were
chosen on repeats from 100 on.
"""

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from benchmarks import fegapd
from benchmarks.strategies import (
    LABEL,
    N_START,
    STRATEGIES,
    VALUE,
    Lab,
    State,
    Strategy,
    choose_instruments,
    measure_best_place,
)
from benchmarks.tasks import Options, Row, data_folder, no_data
from tieline.evaluation.scores import paired_difference

CASES = ("rounds", "instruments", "instruments_1_5")
SEEDS = (0, 20)  # the first repeat, and how many
N_ROUNDS = 30
REPORTED = range(0, N_ROUNDS + 1, 5)  # rounds
BOTH = {LABEL: 1.0, VALUE: 1.0}
COSTS = {"instruments": BOTH, "instruments_1_5": {LABEL: 1.0, VALUE: 5.0}}
N_RESAMPLED = 1000  # sets of repeats that a standard error of a cost is taken from

Number = tuple[str, str, float]  # method, metric, value


@dataclass(frozen=True, eq=False)
class Course:
    """How one loop went, at each step from the start.

    Attributes:
        cost (step): of all measurements after the start.
        accuracy (step): share of compositions whose most likely phase is the true one.
        best (step): largest magnetisation that was measured.
        seconds: CPU time.
    """

    cost: np.ndarray
    accuracy: np.ndarray
    best: np.ndarray
    seconds: float

    def at_price(self, price: float) -> "Course":
        """Give the same course where each step has a price."""
        return replace(self, cost=price * np.arange(len(self.cost), dtype=float))

    def at(self, name: str, cost: np.ndarray) -> np.ndarray:
        """Give `accuracy` or `best` as it was when a cost had been spent."""
        step = np.searchsorted(self.cost, cost + 1e-9, side="right") - 1
        return getattr(self, name)[step]


def run(options: Options) -> Iterator[Row]:
    """Run all loops, then summarise them; the loop that two cases share is run once."""
    folder, shared = data_folder(), {}
    for case in filter(options.wants, CASES):
        if folder is None:
            yield no_data("active_fegapd", case)
            continue
        task = fegapd.task(folder)
        lab = Lab(task.grid, task.truth["phase"].values, task.truth["magnetisation"].values)
        repeats = range(options.first_seed, options.first_seed + options.n_seeds)
        costs = COSTS.get(case, BOTH)
        budget = N_ROUNDS * sum(costs.values())
        courses = {}
        for method, rule in _rules(case, options.methods).items():
            if rule is measure_best_place:
                if not shared:
                    shared |= {n: follow(lab, rule, n, BOTH, N_ROUNDS * sum(BOTH.values())) for n in repeats}
                courses[method] = [shared[n].at_price(sum(costs.values())) for n in repeats]
            else:
                courses[method] = [follow(lab, rule, n, costs, budget) for n in repeats]
        if not courses:
            continue
        numbers = round_numbers(courses) if case == "rounds" else cost_numbers(courses, budget)
        for method, metric, value in numbers:
            seconds = float(np.mean([course.seconds for course in courses[method]]))
            yield Row("active_fegapd", case, method, metric, float(value), seconds)


def _rules(case: str, methods: str) -> dict[str, Strategy]:
    """The rules of a case that were asked for; instruments are chosen by ours alone."""
    rules = STRATEGIES
    if case != "rounds":
        rules = {"tieline": choose_instruments(COSTS[case]), "tieline:both": measure_best_place}
    if methods == "all":
        return rules
    return {
        name: rule for name, rule in rules.items() if name.startswith("tieline") == (methods == "tieline")
    }


def follow(lab: Lab, rule: Strategy, repeat: int, costs: Mapping[str, float], budget: float) -> Course:
    """Let a rule choose until the budget is spent."""
    start = np.random.default_rng(repeat).permutation(len(lab.label))[:N_START]
    state, rng, begun = State.start(lab, start), np.random.default_rng([repeat, 1]), time.process_time()
    spent, steps = 0.0, []
    while True:
        phase, measurements = rule(lab, state, rng)
        steps.append((spent, (phase == lab.label).mean(), lab.value[state.has_value].max()))
        spent += sum(costs[instrument] for _, instrument in measurements)
        if spent > budget + 1e-9:
            cost, accuracy, best = np.array(steps).T
            return Course(cost, accuracy, best, time.process_time() - begun)
        state = state.after(measurements)


def round_numbers(courses: Mapping[str, list[Course]]) -> Iterator[Number]:
    """Score every method after some rounds and over all, and ours against each of the others."""
    scores = {method: _scores(found) for method, found in courses.items()}
    for method, found in scores.items():
        for metric, values in found.items():
            yield method, metric, values.mean()
            yield method, f"{metric}_se", paired_difference(values, 0 * values)[1]
    for method, found in scores.items():
        if method == "tieline" or "tieline" not in scores:
            continue
        for metric, values in found.items():
            ahead, error = paired_difference(scores["tieline"][metric], values)
            yield "tieline", f"{metric}_minus_{method}", ahead
            yield "tieline", f"{metric}_minus_{method}_se", error


def _scores(courses: list[Course]) -> dict[str, np.ndarray]:
    """Scores (repeat): after some rounds, and the mean over all rounds, which is the area under the curve."""
    scores = {}
    for name in ("accuracy", "best"):
        curves = np.array([getattr(course, name) for course in courses])
        scores |= {f"{name}_{n}": curves[:, n] for n in REPORTED}
        scores[f"{name}_area"] = np.trapezoid(curves, axis=1) / N_ROUNDS
    return scores


def cost_numbers(courses: Mapping[str, list[Course]], budget: float) -> Iterator[Number]:
    """Say what each rule has for parts of the budget, and when it is as good as `tieline:both` at the end."""
    spent = np.arange(budget + 1)
    curves = {
        (method, name): np.array([course.at(name, spent) for course in found])
        for method, found in courses.items()
        for name in ("accuracy", "best")
    }
    for (method, name), curve in curves.items():
        for third in (1, 2, 3):
            yield method, f"{name}_at_{third}_of_3", curve[:, round(third * budget / 3)].mean()
    rng = np.random.default_rng(0)
    for name in ("accuracy", "best"):
        both, ours = (curves[method, name] for method in ("tieline:both", "tieline"))
        yield "tieline:both", f"cost_to_{name}", cost_to_reach(both, both)
        yield "tieline", f"cost_to_{name}", cost_to_reach(ours, both)
        yield "tieline", f"{name}_saving", _saving(ours, both)
        drawn = rng.integers(len(both), size=(N_RESAMPLED, len(both)))
        savings = np.array([_saving(ours[rows], both[rows]) for rows in drawn])
        yield "tieline", f"{name}_saving_se", float(savings.std())


def cost_to_reach(curves: np.ndarray, reference: np.ndarray) -> float:
    """The cost at which the mean of curves (repeat, cost) first is where that of a reference ends."""
    reached = np.flatnonzero(curves.mean(0) >= reference.mean(0)[-1] - 1e-12)
    return float(reached[0]) if reached.size else math.inf


def _saving(ours: np.ndarray, both: np.ndarray) -> float:
    """Share of the cost of `both` that is saved; minus 1 where its end is never reached."""
    reached = cost_to_reach(ours, both)
    return 1 - reached / cost_to_reach(both, both) if math.isfinite(reached) else -1.0
