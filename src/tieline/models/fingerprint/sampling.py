"""Draws: new specimens of a cluster, and what a modality may be, given others."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from tieline.errors import SchemaError
from tieline.models.arrays import Array, Mask
from tieline.models.fingerprint.answers import Asked, ask, cluster_probability, laws_by_name
from tieline.models.fingerprint.corrections import corrections_of
from tieline.models.fingerprint.modality_reading import View
from tieline.models.fingerprint.trust import believed

if TYPE_CHECKING:
    from tieline.models.fingerprint.fingerprint_posterior import FingerprintPosterior


def sample(posterior: "FingerprintPosterior", cluster: str, n: int, seed: int) -> xr.Dataset:
    """New specimens of a cluster. See `FingerprintPosterior.sample`."""
    if cluster not in posterior.clusters:
        raise SchemaError(f"There is no '{cluster}'.", hint=" or ".join(posterior.clusters))
    k = posterior.clusters.index(cluster)
    rng, population = np.random.default_rng(seed), posterior.population
    z = population.centre[k] + np.sqrt(population.variance[k]) * rng.standard_normal(
        (n, population.centre.shape[1])
    )
    drawn = xr.Dataset(coords={"specimen": np.arange(n)})
    measure(posterior, drawn, z, np.full(n, k), rng)
    return drawn


def measure(
    posterior: "FingerprintPosterior",
    drawn: xr.Dataset,
    z: Array,
    cluster: np.ndarray,
    rng: np.random.Generator,
) -> None:
    """Measure every modality at latent places (specimen, latent) of clusters (specimen), noise included."""
    for m, view in enumerate(posterior.views):
        write(drawn, posterior, view, _measured(posterior, m, z, cluster, rng), ("specimen",))


def functions(
    posterior: "FingerprintPosterior", table: xr.Dataset, n: int, seed: int, used: Mask
) -> xr.DataArray:
    """Joint draws of all columns of numbers. See `FingerprintPosterior.functions`."""
    asked = ask(posterior, table, used)
    probability = cluster_probability(posterior, asked)
    rng = np.random.default_rng(seed)
    drawn, names, units = [], [], []
    noise = rng.standard_normal((n, *asked.mean.shape))
    laws = laws_by_name(posterior)
    for m, view in enumerate(posterior.views):
        if view.dims or view.categories:
            continue
        if view.name in laws:
            curve = laws[view.name].curve
            z = _latent_draws(posterior, asked, asked.mean, asked.variance, noise, rng)
            values = curve[_choices(probability, n, rng)] + added_to_law(posterior, m, z)
        else:
            z = _latent_draws(posterior, asked, *believed(posterior, m, asked), noise, rng)
            flat = decode(posterior, m, z.reshape(-1, z.shape[2]))
            values = (flat * view.scale + view.centre).reshape(n, len(asked), -1)
        drawn.append(values)
        names += view.variables
        units += [str(posterior.table[v].attrs.get("units", "")) for v in view.variables]
    values = np.concatenate(drawn, axis=2) if drawn else np.zeros((n, len(asked), 0))
    if posterior.model.properties:
        kept = [names.index(name) for name in posterior.model.properties]
        values, names, units = values[:, :, kept], [names[i] for i in kept], [units[i] for i in kept]
    coords = {
        "specimen": table["specimen"],
        "property": names,
        "units": ("property", np.array(units, dtype=str)),
    }
    return xr.DataArray(values, dims=("draw", "specimen", "property"), coords=coords)


def write(
    answer: xr.Dataset,
    posterior: "FingerprintPosterior",
    view: View,
    values: Array,
    leading: Sequence[str],
    end: str = "",
) -> None:
    """Put values (..., entry) of a modality into a dataset, under the names of its variables."""
    if view.categories:
        names = np.array(view.categories)[values.argmax(-1)]
        answer[f"{view.variables[0]}{end}"] = (tuple(leading), names)
    elif view.dims:
        variable = posterior.table[view.variables[0]]
        shaped = values.reshape(*values.shape[:-1], *view.shape)
        answer[f"{view.variables[0]}{end}"] = ((*leading, *view.dims), shaped, {"units": view.units})
        answer.coords.update({d: variable.coords[d] for d in view.dims if d in variable.coords})
    else:
        for j, name in enumerate(view.variables):
            units = str(posterior.table[name].attrs.get("units", ""))
            answer[f"{name}{end}"] = (tuple(leading), values[..., j], {"units": units})


def _latent_draws(
    posterior: "FingerprintPosterior",
    asked: Asked,
    mean: Array,
    variance: Array,
    noise: Array,
    rng: np.random.Generator,
) -> Array:
    """Latent places (draw, specimen, latent); of the population, for specimens of which nothing is known."""
    z, is_unknown = mean + np.sqrt(variance) * noise, ~asked.is_used.any(1)
    if is_unknown.any():
        population = posterior.population
        k = _choices(np.tile(population.weight, (is_unknown.sum(), 1)), len(noise), rng)
        z[:, is_unknown] = population.centre[k] + np.sqrt(population.variance[k]) * noise[:, is_unknown]
    return z


def _choices(probability: Array, n: int, rng: np.random.Generator) -> np.ndarray:
    """Draws (draw, specimen) of one of several, by their probabilities (specimen, choice)."""
    edges = probability.cumsum(1)
    edges[:, -1] = 1.0
    return (rng.random((n, len(probability), 1)) > edges).sum(2)


def decode(posterior: "FingerprintPosterior", m: int, z: Array) -> Array:
    """What is expected of a modality at latent places (place, entry), in standard units."""
    from tieline.models.fingerprint.likelihoods import expectation

    decoder = posterior.networks.decoders[m]
    assert decoder is not None, "a law predicts this modality"
    return expectation(posterior.model.settings[m][1].likelihood, decoder(z.astype(np.float32))).astype(float)


def added_to_law(posterior: "FingerprintPosterior", m: int, z: Array) -> Array | float:
    """What a network adds to the law of a modality at latent places (..., point); 0 if nothing."""
    for c in corrections_of(posterior.model, posterior.views):
        if c.modality == m:
            return c.added(posterior.networks, z)
    return 0.0


def _measured(
    posterior: "FingerprintPosterior", m: int, z: Array, cluster: np.ndarray, rng: np.random.Generator
) -> Array:
    """A measurement of a modality at latent places, noise included, in the user's units."""
    view, (name, modality) = posterior.views[m], posterior.model.settings[m]
    laws = laws_by_name(posterior)
    if name in laws:
        noise = rng.standard_normal((len(z), len(view.centre)))
        mean = laws[name].curve[cluster] + added_to_law(posterior, m, z)
        return mean + np.sqrt(laws[name].noise[cluster])[:, None] * noise
    mean = decode(posterior, m, z)
    if modality.likelihood == "poisson":
        return rng.poisson(mean).astype(float)
    if modality.likelihood == "bernoulli":
        return (rng.random(mean.shape) < mean).astype(float)
    if modality.likelihood == "categorical":
        return np.eye(mean.shape[1])[_choices(mean, 1, rng)[0]]
    sd = float(np.exp(0.5 * np.asarray(posterior.networks.log_variance[m])))
    return (mean + sd * rng.standard_normal(mean.shape)) * view.scale + view.centre
