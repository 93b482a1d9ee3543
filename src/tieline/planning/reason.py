"""Why a place is proposed, in one plain sentence."""

import math
from collections.abc import Sequence

import numpy as np
import xarray as xr
from scipy.special import ndtr

from tieline.planning.goals import (
    Goal,
    LearnLevelSet,
    Maximize,
    Minimize,
    Pareto,
    PropertyGoal,
    Target,
    map_terms,
    property_terms,
    terms,
)
from tieline.planning.wording import percent, short, spoken_unit
from tieline.schema.wording import plus_minus

SLIM = 0.1  # chance of beating the best below which it is said that nothing is likely to
_GOOD_SIDE = {Maximize: "above", Minimize: "below"}  # flag of a value that is even better than it says
HOPELESS = 0.005  # chance of beating the best that would be written as none
SURE = 0.995  # a phase more probable than this is simply named


def reasons(
    goal: Goal,
    predicted: xr.Dataset,
    table: xr.Dataset,
    told: np.ndarray | None,
    instruments: Sequence[str] = (),
    n_at_random: int = 0,
) -> list[str]:
    """Explain each proposal.

    Args:
        goal: what was looked for.
        predicted (specimen): the prediction at the proposals.
        table (specimen): what was measured.
        told (specimen): share of what is unknown about the phase map that the measurement would tell; None if
            not asked.
        instruments: what measures at each place, the phase variable or a property; everything when empty.
        n_at_random: how many of the last proposals were drawn at random.

    Returns:
        One sentence a proposal, without a full stop.
    """
    sentences = []
    n_chosen = predicted.sizes["specimen"] - n_at_random
    for row in range(predicted.sizes["specimen"]):
        clauses = [
            _expectation(part, predicted, row, table, is_alone=not isinstance(goal, Pareto))
            for _, part in property_terms(goal)
        ]
        if "success_probability" in predicted:
            clauses.append(f"can be made with {percent(_at('success_probability', predicted, row))}")
        phase = _phase(predicted, row)
        if phase:
            clauses.append(phase)
        if row >= n_chosen:
            clauses.append("drawn at random, to check the model")
        elif told is not None and map_terms(goal):
            clauses.append(_lesson(float(told[row]), goal, _measured(predicted, instruments, row)))
        elif instruments:
            clauses.append(_service(goal, _measured(predicted, instruments, row)))
        elif _is_hopeless(goal, predicted, row, table):
            clauses.append("no other place promises more" + (" beside those above" if row else ""))
        sentences.append("; ".join(clauses))
    return sentences


def measured_best(goal: PropertyGoal, table: xr.Dataset) -> float:
    """Find the measured value that serves a goal best; NaN if there is none.

    What was only seen to lie beyond a limit, on the good side, counts as the limit.
    """
    values = table[goal.name].values
    if f"{goal.name}_limit" in table and type(goal) in _GOOD_SIDE:
        is_better = table.variables[f"{goal.name}_flag"].values == _GOOD_SIDE[type(goal)]
        values = np.where(is_better, table[f"{goal.name}_limit"].values, values)
    values = values[np.isfinite(values)]
    if not values.size:
        return math.nan
    if isinstance(goal, Maximize):
        return float(values.max())
    return float(values.min() if isinstance(goal, Minimize) else values[np.abs(values - goal.value).argmin()])


def _at(name: str, predicted: xr.Dataset, row: int) -> float:
    """One number of a prediction. A variable answers at once; a row of a Dataset takes a millisecond."""
    return float(predicted.variables[name].values[row])


def _expectation(
    goal: PropertyGoal, predicted: xr.Dataset, row: int, table: xr.Dataset, is_alone: bool
) -> str:
    mean, sd = _at(goal.name, predicted, row), _at(f"{goal.name}_sd", predicted, row)
    name, units = goal.name.replace("_", " "), spoken_unit(predicted.variables[goal.name])
    sentence = f"{name} predicted {plus_minus(mean, sd, units)}"
    if isinstance(goal, Target):
        return f"{sentence}, {short(abs(mean - goal.value))} from the target {goal.value:g}"
    if not is_alone:
        return sentence
    best = measured_best(goal, table)
    if not math.isfinite(best):
        return f"{sentence}, nothing measured yet"
    lead, chance = mean - best, _chance_to_beat(goal, mean, sd, best)
    rival = "highest" if isinstance(goal, Maximize) else "lowest"
    side = "above" if lead > 0 else "below"
    beats = "less than 1 %" if 0 < chance < HOPELESS else percent(chance)
    return f"{sentence}, {short(abs(lead))} {side} the {rival} so far, beats it with {beats}"


def _is_hopeless(goal: Goal, predicted: xr.Dataset, row: int, table: xr.Dataset) -> bool:
    """Whether a place hardly beats the best so far, so that only what is left explains why it was chosen."""
    parts = [part for _, part in terms(goal)]
    if len(parts) != 1 or not isinstance(part := parts[0], Maximize | Minimize):
        return False
    mean, sd = _at(part.name, predicted, row), _at(f"{part.name}_sd", predicted, row)
    return _chance_to_beat(part, mean, sd, measured_best(part, table)) < HOPELESS


def _chance_to_beat(goal: Maximize | Minimize, mean: float, sd: float, best: float) -> float:
    """Probability that a new measurement beats the best one so far."""
    lead = mean - best if isinstance(goal, Maximize) else best - mean
    return float(ndtr(lead / sd)) if sd > 0 else float(lead > 0)


def outlook(goal: Goal, predicted: xr.Dataset, table: xr.Dataset) -> list[str]:
    """Say so when none of the proposals is likely to beat the best measurement so far."""
    notes = []
    for _, part in terms(goal) if len(terms(goal)) == 1 else ():  # of a sum only the compromise matters
        if not isinstance(part, Maximize | Minimize) or not math.isfinite(best := measured_best(part, table)):
            continue
        mean, sd = (predicted.variables[name].values for name in (part.name, f"{part.name}_sd"))
        chance = max(_chance_to_beat(part, *pair, best) for pair in zip(mean, sd, strict=True))
        if chance < SLIM:
            notes.append(
                f"No proposal beats the best {part.name.replace('_', ' ')} so far with more than"
                f" {percent(chance)}: they explore. Repeat the best, widen the pool, or stop."
            )
    return notes


def _phase(predicted: xr.Dataset, row: int) -> str:
    if "phase_probability" not in predicted or predicted.sizes["phase"] < 2:
        return ""
    probability = predicted["phase_probability"].transpose("specimen", "phase").values[row]
    order = np.argsort(-probability)
    labels, shares = predicted["phase"].values[order], probability[order]
    if shares[0] > SURE:
        return f"phase {labels[0]}"
    first = f"phase {labels[0]} with {percent(shares[0])}"
    return first if shares[0] >= 0.8 else f"{first}, {labels[1]} with {percent(shares[1])}"


def _measured(predicted: xr.Dataset, instruments: Sequence[str], row: int) -> str:
    """What is measured at a proposal: "label", or the name of a property."""
    name = instruments[row] if instruments else ""
    return name.replace("_", " ") if f"{name}_sd" in predicted else "label"


def _lesson(share: float, goal: Goal, measured: str) -> str:
    levels = [part for _, part in map_terms(goal) if isinstance(part, LearnLevelSet)]
    if len(levels) < len(map_terms(goal)):
        return f"its {measured} tells {percent(share)} of what is unknown about the map"
    where = " and ".join(f"where {part.name.replace('_', ' ')} is above {part.level:g}" for part in levels)
    return f"tells {percent(share)} of what is unknown about {where}"


def _service(goal: Goal, measured: str) -> str:
    """Why this instrument, where the goal is about properties only."""
    if measured != "label":
        return f"measure its {measured}"
    names = [part.name.replace("_", " ") for _, part in property_terms(goal)]
    return f"its label tells where to measure {' and '.join(dict.fromkeys(names))} next"
