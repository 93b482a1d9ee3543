"""Any modality from any others: means, standard deviations and intervals that hold new measurements."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import xarray as xr
from scipy.stats import norm

from tieline.models.arrays import Array, Mask
from tieline.models.fingerprint.answers import (
    Asked,
    ask,
    cluster_probability,
    describe,
    held_out,
    laws_by_name,
    patterns,
)
from tieline.models.fingerprint.corrections import corrections_of
from tieline.models.fingerprint.laws import FittedLaw
from tieline.models.fingerprint.modality_reading import View
from tieline.models.fingerprint.sampling import decode, write
from tieline.models.fingerprint.trust import believed

if TYPE_CHECKING:
    from tieline.models.fingerprint.fingerprint_posterior import FingerprintPosterior

N_DRAWS = 32  # of the latent place, for what decoders say on average
N_HALVINGS = 40  # of an interval that a quantile lies in
LEAST_VARIANCE = 1e-4  # of noise, of standardised values
PRIOR_COUNT = 10  # held-out specimens that noise common to all entries counts as, beside those of one entry


class Said(NamedTuple):
    """A prediction (specimen, entry); `noise` is the part of the variance that a new measurement adds."""

    mean: Array
    sd: Array
    low: Array
    high: Array
    noise: Array


def predict(
    posterior: "FingerprintPosterior",
    table: xr.Dataset,
    targets: Sequence[str],
    used: Mask,
    level: float,
) -> xr.Dataset:
    """Predict modalities. See `FingerprintPosterior.predict`."""
    asked = ask(posterior, table, used)
    probability = cluster_probability(posterior, asked)
    answer = describe(posterior, table, probability)
    laws = laws_by_name(posterior)
    for m, view in enumerate(posterior.views):
        if view.name not in targets:
            continue
        if view.name in laws:
            said = _by_law(laws[view.name], probability, level, _correction(posterior, m, asked))
        elif posterior.model.settings[m][1].likelihood == "categorical":
            answer[f"{view.name}_probability"] = _labels(posterior, view, m, asked)
            continue
        else:
            said = _by_network(posterior, m, asked, level)
        for end, values in (("", said.mean), ("_sd", said.sd), ("_low", said.low), ("_high", said.high)):
            write(answer, posterior, view, values, ("specimen",), end)
        if not view.dims:
            _write_parts(answer, view, said)
    return answer.assign_attrs(
        level=level, given=[n for n, u in zip(posterior.model.names, used, strict=True) if u]
    )


def mixture_quantile(curve: Array, noise: Array, probability: Array, level: float) -> Array:
    """Quantile of a mixture of Gaussians (specimen, point), by halving.

    Args:
        curve: means (cluster, point).
        noise: variances (cluster).
        probability: of the clusters (specimen, cluster).
        level: of the quantile.
    """
    sd = np.sqrt(noise)
    low, high = ((curve.T + sign * 9 * sd) for sign in (-1, 1))
    low, high = (np.tile(a, (len(probability), 1)) for a in (low.min(1), high.max(1)))
    for _ in range(N_HALVINGS):
        middle = 0.5 * (low + high)
        below = sum(probability[:, [k]] * norm.cdf(middle, curve[k], sd[k]) for k in range(len(curve)))
        low, high = np.where(below < level, middle, low), np.where(below < level, high, middle)
    return 0.5 * (low + high)


def _by_law(fitted: FittedLaw, probability: Array, level: float, correction: tuple[Array, Array]) -> Said:
    """Mean, sd and interval (specimen, point) of the mixture of all clusters' curves.

    Args:
        fitted: the law.
        probability: of clusters (specimen, cluster).
        level: of the interval.
        correction: what is added to the law, and its variance; 0 if nothing is.
    """
    curve, noise = fitted.curve, fitted.noise
    added, spread = correction
    mean = probability @ curve
    own = np.broadcast_to((probability @ noise)[:, None], mean.shape)
    variance = np.maximum(probability @ (noise[:, None] + curve**2) - mean**2, own)
    wider = np.sqrt(1 + spread / variance)  # than without the spread of the correction
    ends = [
        mean + added + wider * (mixture_quantile(curve, noise, probability, p) - mean)
        for p in (0.5 - level / 2, 0.5 + level / 2)
    ]
    return Said(mean + added, np.sqrt(variance + spread), ends[0], ends[1], own)


def _correction(posterior: "FingerprintPosterior", m: int, asked: Asked) -> tuple[Array, Array]:
    """What is added to the law of a modality (specimen, point), and the variance of it; 0 if nothing is."""
    for c in corrections_of(posterior.model, posterior.views):
        if c.modality == m:
            added, spread = _expected(posterior, m, asked, asked.mean, asked.variance)
            size = c.size * c.scale
            return size * added, size**2 * spread
    nothing = np.zeros((len(asked), len(posterior.views[m].centre)))
    return nothing, nothing


def _by_network(posterior: "FingerprintPosterior", m: int, asked: Asked, level: float) -> Said:
    """Mean, sd and interval (specimen, entry): spread over the latent place and noise as held out."""
    view, likelihood = posterior.views[m], posterior.model.settings[m][1].likelihood
    mean, spread = _expected(posterior, m, asked, *believed(posterior, m, asked))
    own = mean * (1 - mean) if likelihood == "bernoulli" else mean.copy()
    if likelihood == "gaussian":
        for used, rows in patterns(asked.is_used):
            own[rows] = posterior.noise(m, tuple(used))
    sd = np.sqrt(spread + own) * view.scale
    mean = mean * view.scale + view.centre
    reach = norm.ppf(0.5 + level / 2) * sd
    low, high = mean - reach, mean + reach
    if likelihood != "gaussian":
        low, high = np.maximum(low, 0), np.minimum(high, 1 if likelihood == "bernoulli" else np.inf)
    return Said(mean, sd, low, high, own * view.scale**2)


def _expected(
    posterior: "FingerprintPosterior", m: int, asked: Asked, mean: Array, variance: Array
) -> tuple[Array, Array]:
    """What a network predicts of specimens, and the variance of it (specimen, entry).

    Of those of which nothing is known, it is what the whole population would show.

    Args:
        posterior: that is asked.
        m: the modality.
        asked: the specimens.
        mean: of their latent Gaussians (specimen, latent).
        variance: the same.
    """
    expected, spread = decoded(posterior, m, mean, variance)
    is_unknown, population = ~asked.is_used.any(1), posterior.population
    if is_unknown.any():
        of_clusters = decoded(posterior, m, population.centre, population.variance)
        expected[is_unknown], spread[is_unknown] = population.together(*of_clusters)
    return expected, spread


def decoded(posterior: "FingerprintPosterior", m: int, mean: Array, variance: Array) -> tuple[Array, Array]:
    """What a network predicts on average over a latent Gaussian, and the variance of it (specimen, entry)."""
    noise = np.random.default_rng(posterior.seed).standard_normal((N_DRAWS, 1, mean.shape[1]))
    z = mean + np.sqrt(variance) * np.concatenate([noise, -noise])
    total, squares = np.zeros(1), np.zeros(1)
    for place in z:
        said = decode(posterior, m, place)
        total, squares = total + said, squares + said**2
    average = total / len(z)
    return average, np.maximum(squares / len(z) - average**2, 0)


def noise_of(posterior: "FingerprintPosterior", m: int, subset: tuple[bool, ...]) -> Array:
    """Variance (entry) that held-out specimens show beyond what the latent place explains, given a subset."""
    learned = float(np.exp(np.asarray(posterior.networks.log_variance[m])))
    if not posterior.is_held_out.any():
        return np.full(len(posterior.views[m].centre), learned)
    asked = held_out(posterior, np.array(subset))
    mean, spread = _expected(posterior, m, asked, *believed(posterior, m, asked))
    seen = ~np.isnan(asked.raws[m])
    rest = np.where(seen, (asked.inputs[m] - mean) ** 2 - spread, 0).sum(0)
    count = seen.sum(0)
    common = (rest.sum() + learned) / (count.sum() + 1)
    return np.maximum((rest + PRIOR_COUNT * common) / (count + PRIOR_COUNT), LEAST_VARIANCE)


def _write_parts(answer: xr.Dataset, view: View, said: Said) -> None:
    """Say of columns which part of the variance is noise, and which is not knowing the fingerprint."""
    parts = np.stack([said.noise, said.sd**2 - said.noise], axis=2)
    answer.coords["part"] = ["noise", "fingerprint"]
    for j, name in enumerate(view.variables):
        units = answer[name].attrs["units"]
        attrs = {"units": f"({units})^2"} if units else {}
        answer[f"{name}_variance"] = (("specimen", "part"), parts[:, j], attrs)


def _labels(posterior: "FingerprintPosterior", view: View, m: int, asked: Asked) -> xr.DataArray:
    probability, _ = _expected(posterior, m, asked, *believed(posterior, m, asked))
    return xr.DataArray(
        probability,
        dims=("specimen", view.name + "_label"),
        coords={view.name + "_label": list(view.categories)},
    )
