"""The collapsed evidence bound: responsibilities are at their optimum and appear nowhere.

For one specimen, with a_c = log weight_c + E log N(Z; centre_c, variance_c) + log likelihood of laws_c,

    bound = sum of E log p(modality | Z) over networks + log sum exp a_c + entropy of q(Z).
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp

from tieline.models.fingerprint.form import Form
from tieline.models.fingerprint.likelihoods import log_likelihood, log_sum
from tieline.models.fingerprint.messages import product
from tieline.models.fingerprint.networks import Networks
from tieline.models.patch_layers import AnyArray, namespace

LOG_TWO_PI = math.log(2 * math.pi)


class Batch(NamedTuple):
    """Specimens as networks see them.

    Attributes:
        inputs: what encoders are fed (specimen, entry), one for each modality.
        values: what decoders are to predict (specimen, entry), one for each modality; 0 where not seen.
        is_seen: (specimen, entry), one for each modality.
        is_used: which modalities are fed (specimen, modality).
        log_laws: log likelihood of curves under each cluster's laws (specimen, cluster).
    """

    inputs: tuple[AnyArray, ...]
    values: tuple[AnyArray, ...]
    is_seen: tuple[AnyArray, ...]
    is_used: AnyArray
    log_laws: AnyArray


class LawCurves(NamedTuple):
    """A law that networks correct: curves (cluster, point) and noise (cluster), of standardised values."""

    curve: AnyArray
    noise: AnyArray


class Prior(NamedTuple):
    """The mixture over the latent space, and laws that networks correct.

    Attributes:
        weight: (cluster).
        centre: (cluster, latent).
        variance: (cluster, latent).
        corrected: laws by the number of their modality.
    """

    weight: AnyArray
    centre: AnyArray
    variance: AnyArray
    corrected: dict[int, LawCurves] = {}  # noqa: RUF012  # never changed


def bound_terms(
    networks: Networks,
    forms: Sequence[Form],
    weights: Sequence[float],
    prior: Prior,
    batch: Batch,
    mean: AnyArray,
    variance: AnyArray,
    noise: AnyArray,
) -> AnyArray:
    """Terms of the bound (term, specimen): one a modality (0 where physics predicts it), clusters, entropy.

    Args:
        networks: encoders and decoders.
        forms: of the modalities.
        weights: of the modalities.
        prior: of the latent place.
        batch: specimens.
        mean: of their latent Gaussians, from the messages that are used (specimen, latent).
        variance: the same.
        noise: standard normal draws (specimen, latent), for the one expectation without a closed form.
    """
    xp = namespace(mean)
    z = mean + xp.sqrt(variance) * noise
    terms = decoder_terms(networks, forms, weights, batch.values, batch.is_seen, z)
    log_laws = batch.log_laws + log_corrected(networks, forms, weights, prior, batch, z)
    a = xp.log(prior.weight) + log_latent(prior, mean, variance) + log_laws
    clusters = log_sum(a)[:, 0]
    entropy = 0.5 * (xp.log(variance) + 1 + LOG_TWO_PI).sum(1)
    return xp.stack([*terms, clusters, entropy])


def decoder_terms(
    networks: Networks,
    forms: Sequence[Form],
    weights: Sequence[float],
    values: Sequence[AnyArray],
    is_seen: Sequence[AnyArray],
    z: AnyArray,
) -> list[AnyArray]:
    """Weighted log likelihood of every modality at latent places (specimen); 0 where physics predicts it.

    Of a correction of physics, the log prior.
    """
    terms = []
    for m, form in enumerate(forms):
        decoder = networks.decoders[m]
        if decoder is None:
            terms.append(0 * z[:, 0])
        elif form.correction:
            terms.append(-0.5 * weights[m] * (decoder(z) ** 2).sum(1))  # drawn towards zero
        else:
            said = (decoder(z), values[m], is_seen[m], networks.log_variance[m])
            terms.append(weights[m] * log_likelihood(form.likelihood, *said))
    return terms


def log_corrected(
    networks: Networks,
    forms: Sequence[Form],
    weights: Sequence[float],
    prior: Prior,
    batch: Batch,
    z: AnyArray,
) -> AnyArray:
    """Log likelihood of curves under laws with corrections at latent places (specimen, cluster)."""
    xp, total = namespace(z), 0 * z[:, :1]
    for m, law in prior.corrected.items():
        decoder = networks.decoders[m]
        assert decoder is not None, "a correction has a decoder"
        rest = batch.values[m] - forms[m].correction * decoder(z)
        squares = (batch.is_seen[m][:, None] * (rest[:, None] - law.curve) ** 2).sum(2) / law.noise
        n_points = batch.is_seen[m].sum(1)[:, None]
        total = total - 0.5 * weights[m] * (n_points * (xp.log(law.noise) + LOG_TWO_PI) + squares)
    return total


def log_latent(prior: Prior, mean: AnyArray, variance: AnyArray) -> AnyArray:
    """E log N(Z; centre, variance of the cluster) under each specimen's Gaussian (specimen, cluster)."""
    spread = ((mean[:, None] - prior.centre) ** 2 + variance[:, None]) / prior.variance
    return -0.5 * (spread + namespace(mean).log(prior.variance) + LOG_TWO_PI).sum(2)


def agreement(prior: Prior, batch: Batch, mean: AnyArray, precision: AnyArray) -> AnyArray:
    """How well each modality alone tells the clusters that all of them tell, nats (specimen).

    The bound only asks that latent places lie near the right centre; here, that they lie nearer to it than to
    any other. What all modalities tell is the teacher and does not learn from this. A specimen with a single
    modality has no teacher and adds nothing.

    Args:
        prior: of the latent place.
        batch: specimens, used being all that was measured.
        mean: of the messages (modality, specimen, latent).
        precision: the same.
    """
    log_weight = jnp.log(prior.weight)
    together = product(mean, precision, batch.is_used)
    wanted = jax.nn.softmax(log_weight + log_latent(prior, *together) + batch.log_laws)
    wanted = jax.lax.stop_gradient(wanted)
    total = 0.0
    for m in range(len(mean)):
        alone = product(mean[m : m + 1], precision[m : m + 1], batch.is_used[:, m : m + 1])
        told = log_weight + log_message(prior, *alone)
        has_teacher = batch.is_used[:, m] & (batch.is_used.sum(1) > 1)
        total += jnp.where(has_teacher, (wanted * (told - log_sum(told))).sum(1), 0.0)
    return total


def log_message(prior: Prior, mean: AnyArray, variance: AnyArray) -> AnyArray:
    """Log N(mean; centre, both variances together): what a message says of clusters (specimen, cluster)."""
    total = prior.variance + variance[:, None]
    spread = (mean[:, None] - prior.centre) ** 2 / total
    return -0.5 * (spread + namespace(mean).log(total) + LOG_TWO_PI).sum(2)


def divergence(whole: tuple[AnyArray, AnyArray], part: tuple[AnyArray, AnyArray]) -> AnyArray:
    """KL from the Gaussian of all modalities to that of a part of them, nats (specimen).

    Least where the part is as wide as all may lie apart, given the part. If the bound itself were taken with
    a part instead, noise would grow until it covers what that part cannot know, and the part would be surer
    than it may be.

    Args:
        whole: mean and variance (specimen, latent).
        part: the same.
    """
    (mean, variance), (other, wider) = whole, part
    ratio = variance / wider
    return 0.5 * (ratio + (mean - other) ** 2 / wider - namespace(other).log(ratio) - 1).sum(1)


def taught(batch: Batch, mean: AnyArray, precision: AnyArray, part: tuple[AnyArray, AnyArray]) -> AnyArray:
    """How far a part of the modalities, and each of them alone, is from all, who teach them; nats (specimen).

    Args:
        batch: specimens, used being all that was measured.
        mean: of the messages (modality, specimen, latent).
        precision: the same.
        part: mean and variance (specimen, latent) from some of the modalities.
    """
    whole = jax.lax.stop_gradient(product(mean, precision, batch.is_used))
    total = divergence(whole, part)
    for m in range(len(mean)):
        alone = product(mean[m : m + 1], precision[m : m + 1], batch.is_used[:, m : m + 1])
        total += jnp.where(batch.is_used[:, m], divergence(whole, alone), 0.0)
    return total


def decoded_part(
    networks: Networks,
    forms: Sequence[Form],
    weights: Sequence[float],
    batch: Batch,
    mean: AnyArray,
    variance: AnyArray,
    noise: AnyArray,
) -> AnyArray:
    """Weighted log likelihood of all modalities where a part leads (specimen); decoders alone learn from it.

    A part leads to places where no specimen lies, if what it cannot know is bent in the latent space.
    Decoders learn what is to be expected there.
    """
    z = jax.lax.stop_gradient(mean + jnp.sqrt(variance) * noise)
    still = eqx.tree_at(lambda n: n.log_variance, networks, jax.lax.stop_gradient(networks.log_variance))
    return jnp.stack(decoder_terms(still, forms, weights, batch.values, batch.is_seen, z)).sum(0)
