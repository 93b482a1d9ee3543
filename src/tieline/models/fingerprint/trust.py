"""How far messages are to be believed when one modality is predicted from several others.

Precisions of messages are learned for all questions at once, from specimens that encoders come to know by
heart. What a modality adds to the others may be less than it claims, and differs from question to question:
a micrograph that tells of grains adds nothing to the settings that made them. Held-out specimens show it.
"""

from typing import TYPE_CHECKING

import numpy as np

from tieline.models.arrays import Array
from tieline.models.fingerprint.answers import Asked, fused, held_out, patterns, take

if TYPE_CHECKING:
    from tieline.models.fingerprint.fingerprint_posterior import FingerprintPosterior

TRIED = (1.0, 0.5, 0.25, 0.1, 0.03, 0.01, 0.001)  # of the trust that was learned
DOUBT = 1.5  # standard deviation of the logarithm of trust before held-out specimens are seen
N_SWEEPS = 2  # over all modalities
N_DRAWS = 2  # of the latent place, and as many opposite ones
MOST_ASKED = 200  # held-out specimens, which are enough


def trust_of(posterior: "FingerprintPosterior", m: int, subset: tuple[bool, ...]) -> Array:
    """What the precision of each message is multiplied by (modality) where modality `m` is predicted.

    Chosen by the error of held-out specimens, a specimen counting as one value however many entries it has.

    Args:
        posterior: that is asked.
        m: the modality to be predicted; what it says itself is always believed.
        subset: the modalities that are used.
    """
    trust, used = np.ones(len(subset)), np.array(subset)
    others = used & (np.arange(len(subset)) != m)
    if others.sum() < 2 or not posterior.is_held_out.any():
        return trust
    asked = held_out(posterior, others)
    asked = take(asked, np.flatnonzero(asked.is_measured[:, m])[:MOST_ASKED])
    if not len(asked):
        return trust
    least = _loss(posterior, m, asked, trust)
    for i in np.tile(np.flatnonzero(others), N_SWEEPS):
        for factor in TRIED:
            trial = trust.copy()
            trial[i] = factor
            loss = _loss(posterior, m, asked, trial)
            if loss < least:
                trust, least = trial, loss
    return trust


def believed(posterior: "FingerprintPosterior", m: int, asked: Asked) -> tuple[Array, Array]:
    """Latent Gaussians (specimen, latent) that modality `m` is predicted from."""
    mean, variance = asked.mean.copy(), asked.variance.copy()
    for used, rows in patterns(asked.is_used):
        if used.any():
            part = take(asked, rows)
            mean[rows], variance[rows] = fused(part.messages, part.is_used, posterior.trust(m, tuple(used)))
    return mean, variance


def _loss(posterior: "FingerprintPosterior", m: int, asked: Asked, trust: Array) -> float:
    """Negative log likelihood of the modality, and of this trust before anything was seen; nats."""
    from tieline.models.fingerprint.likelihoods import log_likelihood

    mean, variance = fused(asked.messages, asked.is_used, trust)
    noise = np.random.default_rng(posterior.seed).standard_normal((N_DRAWS, 1, mean.shape[1]))
    decoder = posterior.networks.decoders[m]
    assert decoder is not None, "a law predicts this modality"
    places = mean + np.sqrt(variance) * np.concatenate([noise, -noise])
    output = np.mean([decoder(z.astype(np.float32)) for z in places], axis=0, dtype=float)
    seen = ~np.isnan(asked.raws[m])
    kind = posterior.model.settings[m][1].likelihood
    if kind == "gaussian":
        squares = np.where(seen, (asked.inputs[m] - output) ** 2, 0).sum() / seen.sum()
        mean_loss = 0.5 * np.log(squares + 1e-12)
    else:
        mean_loss = -log_likelihood(kind, output, asked.inputs[m], seen, np.zeros(1)).sum() / seen.sum()
    return len(asked) * float(mean_loss) + 0.5 * float(((np.log(trust) / DOUBT) ** 2).sum())
