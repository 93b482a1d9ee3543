"""BayBE on a pool, set up as its documentation does, with its defaults.

A `Campaign` over `SubspaceDiscrete.from_dataframe` of the candidates, told not to recommend what was
measured, which is the rule of these loops; one `NumericalTarget` as a `SingleTargetObjective`, two as a
`ParetoObjective`. The check that measurements lie at candidates is off: with a million of them it takes
hours.
"""

import warnings
from collections.abc import Sequence

import numpy as np
import torch
from baybe import Campaign
from baybe.objectives import ParetoObjective, SingleTargetObjective
from baybe.parameters import CategoricalParameter
from baybe.searchspace import SearchSpace, SubspaceDiscrete
from baybe.targets import NumericalTarget

from benchmarks.pool_frame import as_frame, is_level
from benchmarks.pool_loop import Pool, Rule, State

torch.set_num_threads(1)


def baybe(pool: Pool, seed: int) -> Rule:
    """Make the rule of BayBE."""
    frame = as_frame(pool)
    named = [
        CategoricalParameter(name, frame[name].cat.categories) for name in frame if is_level(frame[name])
    ]
    frame = frame.astype({parameter.name: str for parameter in named})
    names = [f"outcome_{k}" for k in range(len(pool.signs))]
    targets = [NumericalTarget(name, minimize=sign < 0) for name, sign in zip(names, pool.signs, strict=True)]
    objective = SingleTargetObjective(targets[0]) if len(targets) == 1 else ParetoObjective(targets)
    space = SearchSpace(discrete=SubspaceDiscrete.from_dataframe(frame, parameters=named))
    campaign = Campaign(space, objective, allow_recommending_already_measured=False)
    n_told = 0

    def ask(state: State, n: int) -> Sequence[int]:
        nonlocal n_told
        torch.manual_seed(seed)
        new = state.tried[n_told:]
        told = frame.iloc[new].assign(**{name: pool.outcome[new, k] for k, name in enumerate(names)})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            campaign.add_measurements(told, numerical_measurements_must_be_within_tolerance=False)
            found = campaign.recommend(n)
        n_told = len(state.tried)
        rows = [np.flatnonzero((frame == place).all(axis=1))[0] for _, place in found.iterrows()]
        return [int(row) for row in rows]

    return ask
