"""How well a specimen fits what was learned: its evidence, and how strange it is beside held-out ones."""

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from scipy.special import logsumexp

from tieline.models.arrays import Array, Mask
from tieline.models.fingerprint.answers import Asked, ask, held_out, log_laws, patterns, take

if TYPE_CHECKING:
    from tieline.models.fingerprint.fingerprint_posterior import FingerprintPosterior

N_DRAWS = 32  # of the latent place, for the evidence


def score(posterior: "FingerprintPosterior", table: xr.Dataset, used: Mask, seed: int) -> xr.Dataset:
    """Evidence and strangeness of specimens. See `FingerprintPosterior.score`."""
    asked = ask(posterior, table, used)
    bound, evidence = _bound_and_evidence(posterior, asked, seed)
    stranger = np.full(len(asked), np.nan)
    for subset, rows in patterns(asked.is_used):
        known = _reference(posterior, subset)
        if len(known):
            _, usual = _bound_and_evidence(posterior, known, seed)
            stranger[rows] = (1 + (usual < evidence[rows, None]).sum(1)) / (1 + len(usual))
    population = posterior.population
    apart = (asked.mean[:, None] - population.centre) ** 2 / (population.variance + asked.variance[:, None])
    return xr.Dataset(
        {
            "bound": ("specimen", bound, {"units": "nat"}),
            "log_evidence": ("specimen", evidence, {"units": "nat"}),
            "share_stranger": ("specimen", stranger, {"units": "1"}),
            "distance_to_cluster": ("specimen", np.sqrt(apart.sum(2).min(1)), {"units": "1"}),
        },
        coords={"specimen": table["specimen"]},
    )


def _reference(posterior: "FingerprintPosterior", subset: Mask) -> Asked:
    """Held-out specimens with the same modalities; where none is, those that were learned from."""
    known = held_out(posterior, subset)
    if len(known):
        return known
    asked = ask(posterior, posterior.table, subset)
    return take(asked, np.flatnonzero((asked.is_used == subset).all(1)))


def _bound_and_evidence(posterior: "FingerprintPosterior", asked: Asked, seed: int) -> tuple[Array, Array]:
    """Bound and log evidence (specimen): latent places drawn and weighted, clusters summed exactly."""
    from tieline.models.fingerprint.bound import decoder_terms
    from tieline.models.fingerprint.fingerprint_posterior import forms_of

    forms = forms_of(posterior.model, posterior.views)
    weights = tuple(modality.weight for _, modality in posterior.model.settings)
    values = tuple(x.astype(np.float32) for x in asked.inputs)
    is_seen = tuple(~np.isnan(raw) & asked.is_used[:, [m]] for m, raw in enumerate(asked.raws))
    population, rng = posterior.population, np.random.default_rng(seed)
    laws = np.log(population.weight) + log_laws(posterior, asked, asked.is_used)
    sd, none = np.sqrt(asked.variance), np.zeros_like(asked.mean)
    entropy = (np.log(sd) + 0.5 * (1 + np.log(2 * np.pi))).sum(1)
    bound = logsumexp(laws + population.log_latent(asked.mean, asked.variance), axis=1) + entropy
    draws, decoded = [], []
    for _ in range(N_DRAWS):
        noise = rng.standard_normal(asked.mean.shape)
        z = asked.mean + sd * noise
        said = decoder_terms(posterior.networks, forms, weights, values, is_seen, z.astype(np.float32))
        decoded.append(np.sum(said, axis=0, dtype=float))
        prior = logsumexp(laws + population.log_latent(z, none), axis=1)
        own = -(0.5 * noise**2 + np.log(sd) + 0.5 * np.log(2 * np.pi)).sum(1)
        draws.append(decoded[-1] + prior - own)
    evidence = logsumexp(draws, axis=0) - np.log(N_DRAWS)
    return bound + np.mean(decoded, axis=0), evidence
