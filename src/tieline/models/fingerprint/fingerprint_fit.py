"""From a table to a posterior: read, find clusters, train networks around them, put clusters in order."""

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from threadpoolctl import threadpool_limits

from tieline.errors import NotIdentified
from tieline.models.arrays import Array, Mask
from tieline.models.fingerprint.cluster_count import choose
from tieline.models.fingerprint.corrections import corrections_of
from tieline.models.fingerprint.fingerprint_posterior import FingerprintPosterior, forms_of, width_of
from tieline.models.fingerprint.modality_reading import View, look
from tieline.models.fingerprint.networks import flatten
from tieline.models.fingerprint.population import Curves, Population, Seen, expect
from tieline.models.fingerprint.start import features_of, place
from tieline.models.fingerprint.training import Material, Training, train
from tieline.schema import require_table
from tieline.schema.flags import notes_on_limits, without_limits
from tieline.schema.wording import name_some

if TYPE_CHECKING:
    from tieline.models.fingerprint.fingerprint import Fingerprint

HELD_OUT = 0.1  # of the specimens, by which training is ended and intervals are set
FEWEST_TO_HOLD_OUT = 20  # specimens; of fewer, none can be spared
LEAST_NOISE = 1e-3  # of a law, relative to the spread of its modality
FEATURE_SCALE = 10.0  # clusters are then far from the least variance
GRAIN = 0.03  # of the variance of counts, flags and labels: values without a spread would be clusters
FEWEST_COMPLETE = 0.3  # of the specimens: if so many have all modalities, clusters are sought among them
ANCHOR = 1e-3  # probability that a first guess of clusters leaves to any other


@threadpool_limits.wrap(limits=1, user_api="blas")
def fit(model: "Fingerprint", table: xr.Dataset, seed: int) -> FingerprintPosterior:
    """Learn a fingerprint. See `Fingerprint.fit`."""
    require_table(table)
    table = without_limits(table, model.variables)
    views = tuple(look(table, name, modality) for name, modality in model.settings)
    material = read(model, views, table, held_out(table, seed))
    first, responsibility, count = _first_clusters(model, material, seed)
    width = width_of(model)
    centre = place(material.features, responsibility, width.n_latent, seed)
    population = Population(first.weight, centre, np.ones_like(centre), first.laws)
    anchor = _anchor(responsibility, material)
    settings = Training(n_epochs=model.n_epochs)
    runs = [
        train(material, population, anchor, width, settings, seed + 1000 * run)
        for run in range(model.restarts)
    ]
    best = max(runs, key=lambda run: run.bound)
    return FingerprintPosterior(
        model,
        table.copy(deep=True),
        views,
        flatten(best.networks),
        best.population,
        material.is_held_out,
        best.history,
        np.array([run.bound for run in runs]),
        count["n_clusters"].values,
        count["criterion"].values,
        seed,
        tuple(notes_on_limits(table, model.variables)),
    )


def held_out(table: xr.Dataset, seed: int) -> Mask:
    """Choose the specimens that training does not see (specimen)."""
    n = table.sizes["specimen"]
    is_held_out = np.zeros(n, dtype=bool)
    if n >= FEWEST_TO_HOLD_OUT:
        is_held_out[np.random.default_rng(seed).permutation(n)[: round(HELD_OUT * n)]] = True
    return is_held_out


def read(model: "Fingerprint", views: tuple[View, ...], table: xr.Dataset, is_held_out: Mask) -> Material:
    """Read a table as training needs it.

    Raises:
        NotIdentified: a specimen has nothing measured.
    """
    raws = [view.raw(table) for view in views]
    is_seen = tuple(~np.isnan(raw) for raw in raws)
    is_measured = np.stack([seen.any(1) for seen in is_seen], axis=1)
    _refuse_empty(is_measured, table, model.names)
    inputs = tuple(view.inward(raw) for view, raw in zip(views, raws, strict=True))
    curves = []
    for (name, modality), view, raw in zip(model.settings, views, raws, strict=True):
        if modality.law is not None:
            least = LEAST_NOISE * float(view.scale.max())
            given = (name, modality.law, view.grid, raw)
            curves.append(Curves.of(*given, trust=modality.weight, least_noise=least))
    nothing = np.zeros((len(is_measured), 0))
    return Material(
        forms_of(model, views),
        tuple(modality.weight for _, modality in model.settings),
        inputs,
        is_seen,
        is_measured,
        Seen(nothing, nothing, tuple(curves)),
        features_of(inputs, is_seen),
        is_held_out,
        corrections_of(model, views),
    )


def _refuse_empty(is_measured: Mask, table: xr.Dataset, names: tuple[str, ...]) -> None:
    empty = ~is_measured.any(1)
    if empty.any():
        raise NotIdentified(
            "Some specimens have nothing measured that a fingerprint could be learned from.",
            found=f"no {name_some(names)} of {name_some(table['specimen'].values[empty])}",
            hint=f"leave them out: table.sel(specimen=...) of those with {' or '.join(names)}",
        )


def _first_clusters(
    model: "Fingerprint", material: Material, seed: int
) -> tuple[Population, Array, xr.Dataset]:
    """Clusters of the values themselves, who belongs to them, and the criterion of every number of them."""
    laws = [name for name, modality in model.settings if modality.law is not None]
    start = [model.names.index(name) for name in model.start or laws or model.names]
    has_start = material.is_measured[:, start]
    of_each = [features_of([material.inputs[m]], [material.is_seen[m]]) for m in start]
    features = np.concatenate(of_each, axis=1)
    seen = material.seen
    if not laws:
        grains = [GRAIN * (material.forms[m].likelihood != "gaussian") for m in start]
        grain = np.concatenate([np.full_like(f, g) for f, g in zip(of_each, grains, strict=True)], axis=1)
        seen = Seen(FEATURE_SCALE * features, FEATURE_SCALE**2 * grain, ())
    is_complete = has_start.all(1) & ~material.is_held_out
    if is_complete.mean() < FEWEST_COMPLETE:
        is_complete = has_start.any(1) & ~material.is_held_out
    rows = np.flatnonzero(is_complete)
    population, count = choose(features[rows], seen.rows(rows), model.n_clusters, seed)
    responsibility = expect(population, seen)[0]
    responsibility[~has_start.any(1)] = population.weight
    return population, responsibility, count


def _anchor(responsibility: Array, material: Material) -> Array:
    """What the first guess says of specimens that no law speaks of, as a logarithm (specimen, cluster)."""
    if material.seen.curves:
        return np.zeros_like(responsibility)
    return np.log(np.maximum(responsibility, ANCHOR))
