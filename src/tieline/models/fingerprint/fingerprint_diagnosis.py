"""How far to trust a fingerprint: held-out specimens, each modality predicted from the others."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from tieline.models.arrays import Array
from tieline.models.fingerprint.answers import ask
from tieline.models.fingerprint.corrections import corrections_of, share
from tieline.models.verdict import judge

if TYPE_CHECKING:
    from tieline.models.fingerprint.fingerprint_posterior import FingerprintPosterior

LEVEL = 0.95
NO_SKILL = 0.95  # of the error of the mean of all specimens, above which nothing was learned
FEW_HELD_OUT = 10
RARE = 0.2  # of an equal share, below which a cluster is suspect
FALSE_COVERAGE = 0.1  # from the level, that intervals may be off
MOST_CORRECTION = 0.5  # share of a correction, above which the law is not the explanation
SPREAD_BOUNDS = 2.0  # nats a specimen between restarts


def diagnose(posterior: "FingerprintPosterior") -> xr.Dataset:
    """Predict held-out specimens from subsets of their modalities, and put the result in one sentence."""
    found = _cross_modal(posterior)
    probability = posterior.responsibilities(posterior.table)["cluster_probability"]
    found["n_specimens"] = probability.sum("specimen").round(1)
    found["correction_share"] = ("target", _correction_shares(posterior, probability.values), {"units": "1"})
    fine = ("green", "Held-out modalities are predicted by the others", "Use clusters and predictions.")
    return judge(found, _worries(posterior, found), fine, posterior.notes)


def _correction_shares(posterior: "FingerprintPosterior", probability: Array) -> Array:
    """Share of the correction of every law in what tells curves apart (target); NaN where there is none."""
    shares = np.full(len(posterior.views), np.nan)
    corrections = corrections_of(posterior.model, posterior.views)
    if corrections:
        z = ask(posterior, posterior.table, posterior.used(None)).mean
        for c in corrections:
            added = c.added(posterior.networks, z)
            shares[c.modality] = share(posterior.population.laws[c.law], probability, added)
    return shares


def _cross_modal(posterior: "FingerprintPosterior") -> xr.Dataset:
    """Relative error and coverage (target, given) of those that have it; given all others, or one alone."""
    names, table = posterior.model.names, posterior.table
    rows = np.flatnonzero(posterior.is_held_out) if posterior.is_held_out.any() else slice(None)
    asked = table.isel(specimen=rows)
    is_measured = ask(posterior, asked, posterior.used(None)).is_measured
    ways = ["all others", *names] if len(names) > 2 else list(names)
    error, inside = np.full((2, len(names), len(ways)), np.nan)
    for j, way in enumerate(ways):
        for i, (name, view) in enumerate(zip(names, posterior.views, strict=True)):
            given = [n for n in names if n != name] if way == "all others" else [way]
            if view.categories or (way == name and len(names) > 1):
                continue
            has_any = is_measured[:, posterior.used(given)].any(1)
            if has_any.any():
                told = asked.isel(specimen=has_any)
                predicted = posterior.predict(told, name, given=given, level=LEVEL)
                error[i, j], inside[i, j] = _compare(predicted, told, view.variables)
    dims = ("target", "given")
    return xr.Dataset(
        {"relative_error": (dims, error, {"units": "1"}), "coverage": (dims, inside, {"units": "1"})},
        coords={"target": list(names), "given": ways},
        attrs={"level": LEVEL},
    )


def _compare(predicted: xr.Dataset, asked: xr.Dataset, variables: tuple[str, ...]) -> tuple[float, float]:
    """Root mean square error beside that of the mean of all, and the share inside intervals."""
    squares, spread, inside = [], [], []
    for v in variables:
        truth = asked[v].transpose(*predicted[v].dims).values.astype(float)
        seen = np.isfinite(truth)
        if not seen.any():
            continue
        scale = truth[seen].std() + 1e-300
        squares.append(np.mean((predicted[v].values - truth)[seen] ** 2) / scale**2)
        centred = truth - np.nanmean(truth, axis=0) if seen.any(0).all() else truth - truth[seen].mean()
        spread.append(np.mean(centred[seen] ** 2) / scale**2)
        inside.append(
            np.mean(((predicted[f"{v}_low"] <= truth) & (truth <= predicted[f"{v}_high"])).values[seen])
        )
    if not squares:
        return np.nan, np.nan
    return float(np.sqrt(np.mean(squares) / max(np.mean(spread), 1e-300))), float(np.mean(inside))


def _worries(posterior: "FingerprintPosterior", found: xr.Dataset) -> Iterator[tuple[str, str, str]]:
    n_held, n_clusters = int(posterior.is_held_out.sum()), posterior.population.n_clusters
    error = found["relative_error"]
    known = error.where(error["given"] == error["given"][0]) if "all others" in error["given"] else error
    best = known.min("given")
    if n_held and len(posterior.model.names) > 1:
        for name in posterior.model.names:
            value = float(best.sel(target=name))
            if value > NO_SKILL:
                yield (
                    "amber",
                    f"{name} is predicted from the other modalities no better than by its mean",
                    f"Do not predict {name}; measure it, or more specimens with it and others.",
                )
    for name, of_correction in zip(posterior.model.names, found["correction_share"].values, strict=True):
        if of_correction > MOST_CORRECTION:
            yield (
                "amber",
                f"The correction tells curves of {name} apart more than its law does",
                "Choose another law or more clusters, or a smaller correction.",
            )
    rare = [
        str(c)
        for c, n in zip(posterior.clusters, found["n_specimens"].values, strict=True)
        if n < RARE * posterior.table.sizes["specimen"] / n_clusters
    ]
    if rare:
        yield ("amber", f"Hardly a specimen belongs to {', '.join(rare)}", "Fit with fewer clusters.")
    off = (found["coverage"] - LEVEL).where(found["coverage"].notnull())
    if n_held >= 50 and float(off.min()) < -FALSE_COVERAGE:
        yield (
            "amber",
            f"Intervals of {LEVEL:.0%} hold only {float(found['coverage'].min()):.0%} of held-out values",
            "Widen intervals, or measure more specimens.",
        )
    if n_held < FEW_HELD_OUT:
        yield (
            "amber",
            f"Only {n_held} specimens could be held out: errors and intervals are rough",
            "Measure more specimens before trusting single predictions.",
        )
    if len(posterior.bounds) > 1 and np.ptp(posterior.bounds) > SPREAD_BOUNDS:
        yield (
            "amber",
            f"Restarts end {np.ptp(posterior.bounds):.1f} nats a specimen apart",
            "Take more restarts, or more epochs.",
        )
