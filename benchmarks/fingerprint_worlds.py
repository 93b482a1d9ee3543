"""Cases without peers: stress of simulated films, curves of simulated lattices, the speed on many images."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import xarray as xr

import tieline as tl
from benchmarks.fingerprint_data import digit_model, many
from benchmarks.methods import timed

N_ASKED = 200  # specimens that are not learned from
SUBSETS = (
    ("sem", "xrd", "recipe", "stress"),
    ("sem", "xrd", "recipe"),
    ("sem", "xrd"),
    ("sem", "recipe"),
    ("xrd", "recipe"),
    ("sem",),
    ("xrd",),
    ("recipe",),
)  # the rows of the published table
FILMS = tl.Fingerprint(
    {
        "sem": tl.Modality(weight=0.03, shift=4),
        "xrd": "network",
        "recipe": ["power", "pressure"],
        "stress": "network",
    },
    n_clusters=3,
    n_latent=4,
    n_epochs=100,
)
LATTICES = tl.Fingerprint(
    {"image": "network", "stress": tl.physics.Bilinear()}, n_clusters=2, n_latent=4, n_epochs=100
)


def films(seed: int) -> dict[str, float]:
    """Errors of the residual stress from each subset, of films that were learned from and of others."""
    world = tl.worlds.pvd(seed, n_specimens=600)
    known, asked = slice(0, 600 - N_ASKED), slice(600 - N_ASKED, 600)
    posterior = FILMS.fit(world.table.isel(specimen=known), seed=seed)
    scores = {}
    for kind, rows in (("train", known), ("test", asked)):
        table, truth = world.table.isel(specimen=rows), world.truth["stress"].isel(specimen=rows)
        errors = []
        for given in SUBSETS:
            found = posterior.predict(table, "stress", given=given)
            errors.append(_relative(found["stress"], truth))
            scores[f"{kind}_{'_'.join(given)}"] = errors[-1] / errors[0]
        scores[f"{kind}_all"] = errors[0]
    return scores


def lattices(seed: int) -> dict[str, float]:
    """Error of the curve from the image, relative to that of one who knows the topology."""
    world = tl.worlds.lattice(seed, n_specimens=300 + N_ASKED)
    known, asked = slice(0, 300), slice(300, 300 + N_ASKED)
    posterior = LATTICES.fit(world.table.isel(specimen=known), seed=seed)
    table = world.table.isel(specimen=asked)
    found = posterior.predict(table, "stress", given="image")
    clusters = posterior.responsibilities(table, given="image")["cluster_probability"].values.argmax(1)
    topology = world.truth["topology"].values
    knowing = _population_mean(world.table["stress"].values[known], topology[known], topology[asked])
    inside = (found["stress_low"] <= table["stress"]) & (table["stress"] <= found["stress_high"])
    is_second = topology[asked] == np.unique(topology)[1]
    agreed = float(np.mean(clusters == is_second))
    return {
        "relative_to_population": _relative(found["stress"], table["stress"])
        / _relative(xr.DataArray(knowing, dims=table["stress"].dims), table["stress"]),
        "accuracy": max(agreed, 1 - agreed),
        "coverage_95": float(inside.mean()),
    }


def large(seed: int) -> dict[str, float]:
    """CPU seconds of an epoch on 60,000 images: of a fit with three, less those of a fit with one."""
    table, model = many(seed), digit_model("mnist5k")
    # The first fit also compiles, and counts for nothing.
    _, one, three = (timed(replace(model, n_epochs=n).fit, table, seed=seed)[1] for n in (1, 1, 3))
    return {"seconds_per_epoch": (three - one) / 2}


def _population_mean(curves: np.ndarray, known: Sequence[str], asked: Sequence[str]) -> np.ndarray:
    means = {kind: curves[np.asarray(known) == kind].mean(0) for kind in np.unique(known)}
    return np.stack([means[kind] for kind in asked])


def _relative(found: xr.DataArray, truth: xr.DataArray) -> float:
    return float(np.sqrt(np.mean((found.values - truth.values) ** 2) / np.mean(truth.values**2)))
