"""tieline on a pool: `tl.GaussianProcess` fitted to what was tried, and `tl.propose` over what is open."""

from collections.abc import Callable, Sequence

import numpy as np
import xarray as xr

import tieline as tl
from benchmarks.pool_frame import as_frame, is_level
from benchmarks.pool_loop import Pool, Rule, State
from benchmarks.tasks import attributes

Maker = Callable[[Pool, int], Rule]
N_LEAST = 2  # values that a Gaussian process needs; any candidate is taken until then


def tieline(acquisition: str | None = None, failures: str = "learned") -> Maker:
    """Make the rule of ours.

    Args:
        acquisition: as `tl.propose` takes it; None for its default.
        failures: "learned" tells of failed tries as failed; "ignored" leaves them out; "as_value" takes their
            outcome as if it were a measurement.
    """
    settings = {} if acquisition is None else {"acquisition": acquisition}

    def make(pool: Pool, seed: int) -> Rule:
        places, design = as_places(pool)
        names = [f"outcome_{k}" for k in range(len(pool.signs))]
        model = tl.GaussianProcess(design, names)
        # With two objectives every method is told that hypervolume is counted from 0.
        goals = [
            tl.Maximize(name) if sign > 0 else tl.Minimize(name)
            for name, sign in zip(names, pool.signs, strict=True)
        ]
        goal = goals[0] if len(goals) == 1 else tl.Pareto(*goals, reference=dict.fromkeys(names, 0.0))

        def ask(state: State, n: int) -> Sequence[int]:
            table = as_table(places, pool, state.tried, failures)
            if any(np.isfinite(table[name]).sum() < N_LEAST for name in names):
                return state.rng.choice(state.open, n, replace=False).tolist()
            posterior = model.fit(table, seed=0)
            proposal = tl.propose(
                posterior, places.isel(specimen=state.open), goal, n, seed=len(state.tried), **settings
            )
            return state.open[proposal["candidate"].values].tolist()

        return ask

    return make


def as_places(pool: Pool) -> tuple[xr.Dataset, str | list[str]]:
    """Write the candidates on `specimen`, and say which variables are the design."""
    specimen = np.arange(len(pool))
    if pool.is_mixture:
        places = xr.Dataset(
            {"composition": (("specimen", "element"), pool.x, {"role": "synthesis", "units": "1"})},
            {"specimen": specimen, "element": list(pool.inputs)},
        )
        return places, "composition"
    frame = as_frame(pool)
    columns = {}
    for name in frame:
        values = frame[name].to_numpy(str if is_level(frame[name]) else float)
        columns[name] = ("specimen", values, attributes("synthesis"))
    return xr.Dataset(columns, {"specimen": specimen}), list(frame)


def as_table(places: xr.Dataset, pool: Pool, rows: np.ndarray, failures: str) -> xr.Dataset:
    """Write what was measured at some candidates."""
    has_failed = np.zeros(len(rows), bool) if pool.failed is None else pool.failed[rows]
    table = places.isel(specimen=rows)
    for k in range(len(pool.signs)):
        outcome = pool.outcome[rows, k]
        value = outcome if failures == "as_value" else np.where(has_failed, np.nan, outcome)
        table = table.assign({f"outcome_{k}": ("specimen", value, attributes("property"))})
        if failures == "learned" and has_failed.any():
            flag = np.where(has_failed, "failed", "ok")
            table[f"outcome_{k}_flag"] = ("specimen", flag, {"role": "property"})
    return table
