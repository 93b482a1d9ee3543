"""BoTorch and Ax on a pool, set up as their documentation does, with their defaults.

BoTorch: `SingleTaskGP` (its own priors, outcomes standardised) on inputs normalised over the pool, fitted
by `fit_gpytorch_mll`; `LogExpectedImprovement`, for a batch `qLogExpectedImprovement`, for two objectives
`qLogNoisyExpectedHypervolumeImprovement` with the reference point 0; the best of all open candidates by
`optimize_acqf_discrete`. A categorical input is one column a level, as ours has it: `MixedSingleTaskGP`
took 3 s a suggestion.

Ax: a `Client` with one parameter an input. It cannot be told to stay in a table, so, as its maintainers
advise (facebook/Ax issue 771), its default model and acquisition (`Generators.BOTORCH_MODULAR`) are asked
to evaluate the open candidates, and the best is taken; in a batch the earlier ones are pending.
"""

import logging
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from ax.adapter.registry import Generators
from ax.api.client import Client
from ax.api.configs import ChoiceParameterConfig, RangeParameterConfig
from ax.core.observation import ObservationFeatures
from ax.utils.common.logger import set_ax_logger_levels
from botorch.acquisition import LogExpectedImprovement, qLogExpectedImprovement
from botorch.acquisition.multi_objective.logei import qLogNoisyExpectedHypervolumeImprovement
from botorch.fit import fit_gpytorch_mll
from botorch.models import SingleTaskGP
from botorch.models.model_list_gp_regression import ModelListGP
from botorch.models.transforms import Normalize
from botorch.optim import optimize_acqf_discrete
from gpytorch.mlls import ExactMarginalLogLikelihood

from benchmarks.pool_frame import as_frame, is_level
from benchmarks.pool_loop import Pool, Rule, State

torch.set_num_threads(1)
set_ax_logger_levels(logging.ERROR)


def botorch(pool: Pool, seed: int) -> Rule:
    """Make the rule of BoTorch."""
    x = torch.tensor(pool.x)

    def ask(state: State, n: int) -> Sequence[int]:
        torch.manual_seed(seed)
        y = torch.tensor(pool.outcome[state.tried] * np.array(pool.signs))
        fits = [_fit(x, state.tried, y[:, [k]]) for k in range(y.shape[1])]
        if len(fits) > 1:
            reference = [0.0] * len(fits)
            acquisition = qLogNoisyExpectedHypervolumeImprovement(
                ModelListGP(*fits), reference, x[state.tried], prune_baseline=True
            )
        elif n > 1:
            acquisition = qLogExpectedImprovement(fits[0], y.max())
        else:
            acquisition = LogExpectedImprovement(fits[0], y.max())
        found, _ = optimize_acqf_discrete(acquisition, n, x[state.open])
        rows = (found[:, None] == x[state.open]).all(2).double().argmax(1)
        return state.open[rows.numpy()].tolist()

    return ask


def _fit(x: torch.Tensor, tried: np.ndarray, y: torch.Tensor) -> SingleTaskGP:
    bounds = torch.stack([x.min(0).values, x.max(0).values])
    model = SingleTaskGP(x[tried], y, input_transform=Normalize(x.shape[1], bounds=bounds))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # restarts of the optimiser are told as warnings
        fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
    return model


def ax(pool: Pool, seed: int) -> Rule:
    """Make the rule of Ax."""
    frame = as_frame(pool)
    places = frame.astype({name: str for name in frame if is_level(frame[name])}).to_dict("records")
    names = [f"outcome_{k}" for k in range(len(pool.signs))]
    client = Client(random_seed=seed)
    client.configure_experiment([_parameter(name, frame[name]) for name in frame])
    signed = zip(names, pool.signs, strict=True)
    client.configure_optimization(", ".join(name if sign > 0 else f"-{name}" for name, sign in signed))
    n_told = 0

    def features(rows: Iterable[int]) -> list[ObservationFeatures]:
        return [ObservationFeatures(dict(places[row])) for row in rows]

    def ask(state: State, n: int) -> Sequence[int]:
        nonlocal n_told
        for row in state.tried[n_told:]:
            trial = client.attach_trial(places[row])
            client.complete_trial(trial, dict(zip(names, map(float, pool.outcome[row]), strict=True)))
        n_told = len(state.tried)
        experiment, chosen = client._experiment, []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            adapter = Generators.BOTORCH_MODULAR(experiment=experiment, data=experiment.lookup_data())
            for _ in range(n):
                rows = np.setdiff1d(state.open, chosen)
                pending = {name: features(chosen) for name in names} if chosen else None
                values = adapter.evaluate_acquisition_function(features(rows), pending_observations=pending)
                chosen.append(int(rows[np.argmax(values)]))
        return chosen

    return ask


def _parameter(name: str, column: Any) -> RangeParameterConfig | ChoiceParameterConfig:
    if is_level(column):
        levels = [str(level) for level in column.cat.categories]
        return ChoiceParameterConfig(name, levels, "str", is_ordered=False)
    return RangeParameterConfig(name, (float(column.min()), float(column.max())), "float")
