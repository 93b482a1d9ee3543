"""How far to trust what was learned of volumes: held-out volumes given back, and their properties told."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from tieline.models.diagnosis import HALF_OF_90
from tieline.models.verdict import judge
from tieline.models.volumes.latents import learn_properties

if TYPE_CHECKING:
    from tieline.models.volumes.posterior import VolumePosterior

FEW_HELD_OUT = 10
STILL_GAINING = 0.002  # of the bound, over the last fifth of the epochs
GAP = 0.02  # by which held-out volumes may fall short of learned ones, relative
LEAST_R2 = 0.5
LEAST_COVERAGE = 0.75  # of intervals that promise 90 %
USED = 0.1  # nats that a latent variable carries, below which it is idle


def diagnose(posterior: "VolumePosterior") -> xr.Dataset:
    """Look at the course of training and at held-out volumes, and put the result in one sentence."""
    found = _figures(posterior)
    fine = ("green", "Held-out volumes are told as well as learned ones", "Use the latent variables.")
    return judge(found, _worries(posterior, found), fine, posterior.notes)


def _figures(posterior: "VolumePosterior") -> xr.Dataset:
    table, model = posterior.table, posterior.model
    mean, sd = table["latent_mean"].values, table["latent_sd"].values
    carried = 0.5 * np.mean(mean**2 + sd**2 - 1 - 2 * np.log(sd), 0)
    found = xr.Dataset({"carried": ("latent", carried, {"units": "nat"})}, {"kind": table["kind"]}).merge(
        posterior.course
    )
    names = list(model.properties)
    if names:
        r2, coverage = zip(*(_told(posterior, name) for name in names), strict=True)
        found = found.assign(
            r2=("property", np.array(r2), {"units": "1"}),
            coverage_90=("property", np.array(coverage), {"units": "1"}),
        ).assign_coords(property=names)
    return found


def _told(posterior: "VolumePosterior", name: str) -> tuple[float, float]:
    """R2 and coverage of a property on held-out volumes, learned from the others; NaN where few have it."""
    table = posterior.table
    held = table["is_held_out"].values.astype(bool)
    known = np.isfinite(table[name].values)
    if (held & known).sum() < FEW_HELD_OUT or (~held & known).sum() < FEW_HELD_OUT:
        return np.nan, np.nan
    columns = posterior.regressors(table["latent_mean"].values)
    learned = learn_properties(
        columns.isel(specimen=~held), table.isel(specimen=~held), [name], posterior.seed
    )[name]
    asked = held & known
    answer = learned.predict(columns.isel(specimen=asked))
    true = table[name].values[asked]
    off = answer[name].values - true
    spread = true.var()
    r2 = 1 - np.mean(off**2) / spread if spread > 0 else np.nan
    return float(r2), float(np.mean(np.abs(off) <= HALF_OF_90 * answer[f"{name}_sd"].values))


def _worries(posterior: "VolumePosterior", found: xr.Dataset) -> Iterator[tuple[str, str, str]]:
    """Yield (verdict, sentence, action) for everything that is not as it should be."""
    bounds, learned = found["validation"].values, found["training"].values
    best, n = int(bounds.argmin()), len(bounds)
    before = bounds[: max(1, n - max(1, n // 5))].min()
    scale = abs(bounds.min())
    if best == n - 1 and n > 1 and before - bounds.min() > STILL_GAINING * scale:
        yield "amber", "Training ended while it was still gaining", "Fit again with more epochs."
    if bounds[best] - learned[best] > GAP * scale:
        yield (
            "amber",
            "Held-out volumes are given back worse than learned ones",
            "Learn from more volumes, or vary them: views=('shift', 'mirror', 'turn').",
        )
    if (found["carried"] < USED).all():
        yield "red", "No latent variable carries anything", "Fit again with more epochs or more volumes."
    for name in posterior.model.properties:
        r2, coverage = (found[v].sel(property=name).item() for v in ("r2", "coverage_90"))
        if np.isnan(r2):
            yield "amber", f"'{name}' is known of too few volumes to be judged", "Measure it on more volumes."
        elif r2 < LEAST_R2:
            yield (
                "amber",
                f"'{name}' does not show in the latent variables: R2 {r2:.2f} on held-out volumes",
                "Learn it from tl.features.volumes.describe instead.",
            )
        elif coverage < LEAST_COVERAGE:
            yield (
                "amber",
                f"Intervals of '{name}' hold {coverage:.0%} of held-out values, not 90 %",
                "Take its intervals as too narrow.",
            )
