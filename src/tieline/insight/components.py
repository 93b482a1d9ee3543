"""Principal components of spectra: scores with 95 % ellipses, loadings, which compounds lie in whose ellipse.

Source: Zhao, KIT (2024), section 4.3.2, after Graham & Castner (2012), doi:10.1007/s13758-012-0049-3:
components are learned from pure compounds, unknowns are mapped into them, and a compound is present where
scores lie within its ellipses of the first four components.
"""

from itertools import pairwise

import numpy as np
import xarray as xr
from scipy.stats import chi2

from tieline.errors import NotIdentified, SchemaError
from tieline.features.spectra import PeakScaling
from tieline.models.principal_components import find_components
from tieline.models.spectral_reading import match_channels, read_references, read_spectra

FEWEST_SPOTS = 3  # an ellipse of fewer is not one


def principal_components(
    table: xr.Dataset,
    unknowns: xr.Dataset | None = None,
    *,
    spectrum: str = "area",
    reference: str = "reference",
    scaling: str = "min_max",
    n: int = 4,
    level: float = 0.95,
) -> xr.Dataset:
    """Find the principal components of pure compounds, and map unknowns into them.

    Args:
        table: spectra (specimen, peak) of pure compounds; rows without a label are left aside.
        unknowns: spectra over the same peaks.
        spectrum: name of the variable of spectra.
        reference: name of the variable of labels.
        scaling: a method of `PeakScaling`.
        n: components.
        level: probability of the ellipses.

    Returns:
        explained (component); loading (component, peak); score (specimen, component) and reference
        (specimen); centre (compound, component), and ellipse (compound, component, other component), the
        covariance times the quantile of chi-squared with two degrees; separation (compound, component), the
        distance of a compound's scores from the nearest other in standard deviations; and with unknowns their
        unknown_score and is_inside (unknown, compound). Each component has its strongest loading positive.

    Raises:
        SchemaError: a variable is missing, or there are not that many components.
        NotIdentified: there are too few compounds or spectra.
    """
    spectra, label = read_references(table, spectrum, reference)
    compounds, n_spots = np.unique(label, return_counts=True)
    if n_spots.min() < FEWEST_SPOTS:
        raise NotIdentified(
            f"An ellipse needs at least {FEWEST_SPOTS} spectra of a compound.",
            found=", ".join(f"{c}: {k}" for c, k in zip(compounds, n_spots, strict=True) if k < FEWEST_SPOTS),
        )
    if not 2 <= n <= min(spectra.counts.shape):
        raise SchemaError(
            "So many components cannot be found.", found=f"n={n} of {spectra.counts.shape} numbers"
        )
    scaler = PeakScaling(scaling).fit(spectra.counts)
    scaled = scaler.transform(spectra.counts)
    components = find_components(scaled, n)
    score = components.scores(scaled)
    centre = np.stack([score[label == c].mean(0) for c in compounds])
    covariance = np.stack([np.cov(score[label == c].T) for c in compounds])
    names, of_pair = np.arange(1, n + 1), float(chi2.ppf(level, 2))
    found = xr.Dataset(
        {
            "explained": ("component", components.explained, {"units": "1"}),
            "loading": (("component", spectra.axis), components.axes, {"units": "1"}),
            "score": (("specimen", "component"), score, {"units": "1"}),
            "reference": ("specimen", label),
            "centre": (("compound", "component"), centre, {"units": "1"}),
            "ellipse": (("compound", "component", "other_component"), covariance * of_pair, {"units": "1"}),
            "separation": (("compound", "component"), _separation(centre, covariance), {"units": "1"}),
        },
        coords={
            "component": names,
            "other_component": names,
            "compound": compounds,
            "specimen": table["specimen"].values[spectra.rows],
            spectra.axis: (spectra.axis, spectra.channels, table[spectra.axis].attrs),
        },
        attrs={"scaling": scaling, "level": level},
    )
    if unknowns is None:
        return found
    asked = match_channels(read_spectra(unknowns, spectrum), spectra.channels, spectra.axis)
    mapped = components.scores(scaler.transform(np.nan_to_num(asked.counts)))
    inside = _inside(mapped, centre, covariance, of_pair)
    found = found.assign_coords(unknown=unknowns["specimen"].values)
    return found.assign(
        unknown_score=(("unknown", "component"), mapped, {"units": "1"}),
        is_inside=(("unknown", "compound"), inside),
    )


def top_loadings(components: xr.Dataset, compound: str, n: int = 15) -> xr.Dataset:
    """List the strongest loadings of the component that tells a compound best.

    Args:
        components: of `principal_components`.
        compound: name.
        n: how many.

    Returns:
        On `rank`: loading, signed so that positive peaks are strong in the compound, and the peak on its
        axis; `attrs["component"]` says which component.

    Raises:
        SchemaError: the compound is not among the references.
    """
    if compound not in components["compound"].values:
        raise SchemaError(
            f"'{compound}' is not among the references.", found=", ".join(components["compound"].values)
        )
    best = int(components["separation"].sel(compound=compound).values.argmax())
    axis = next(str(d) for d in components["loading"].dims if d != "component")
    side = np.sign(float(components["centre"].sel(compound=compound)[best]))
    loading = side * components["loading"].values[best]
    order = np.argsort(-np.abs(loading))[:n]
    return xr.Dataset(
        {"loading": ("rank", loading[order]), axis: ("rank", components[axis].values[order])},
        coords={"rank": np.arange(1, len(order) + 1)},
        attrs={"component": best + 1, "compound": compound},
    )


def _separation(centre: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Distance (compound, component) from the nearest other compound, in standard deviations of both."""
    sd = np.sqrt(np.stack([np.diag(c) for c in covariance]))
    found = np.empty_like(centre)
    for k in range(len(centre)):
        other = np.arange(len(centre)) != k
        found[k] = (np.abs(centre[k] - centre[other]) / np.hypot(sd[k], sd[other])).min(0)
    return found


def _inside(score: np.ndarray, centre: np.ndarray, covariance: np.ndarray, limit: float) -> np.ndarray:
    """Whether scores lie in a compound's ellipses of components 1 and 2, 3 and 4, ... (unknown, compound)."""
    inside = np.ones((len(score), len(centre)), dtype=bool)
    for pair in list(pairwise(range(score.shape[1])))[::2]:
        for k in range(len(centre)):
            away = score[:, pair] - centre[k, list(pair)]
            own = covariance[k][np.ix_(pair, pair)]
            inside[:, k] &= np.einsum("ij,ij->i", away @ np.linalg.inv(own), away) <= limit
    return inside
