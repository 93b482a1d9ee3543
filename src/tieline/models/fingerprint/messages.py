"""The product of experts: messages of any subset of modalities make one Gaussian over the latent space."""

from collections.abc import Sequence

import numpy as np

from tieline.models.fingerprint.networks import Encoder, Networks
from tieline.models.patch_layers import AnyArray, namespace

BASE_PRECISION = 1e-2  # of the wide Gaussian around zero that is left when nothing is known
AT_ONCE = 256  # specimens, whose patches stay in the processor's cache


def messages(networks: Networks, inputs: Sequence[AnyArray]) -> tuple[AnyArray, AnyArray]:
    """What each modality says alone: means and precisions (modality, specimen, latent)."""
    said = [_said(encoder, x) for encoder, x in zip(networks.encoders, inputs, strict=True)]
    xp = namespace(said[0][0])
    return xp.stack([m for m, _ in said]), xp.exp(xp.stack([p for _, p in said])) * networks.trust[
        :, None, None
    ]


def _said(encoder: Encoder, x: AnyArray) -> tuple[AnyArray, AnyArray]:
    """Mean and log precision (specimen, latent); by networks at rest, of some specimens after others."""
    if namespace(x) is not np or len(x) <= AT_ONCE:
        return encoder(x)
    parts = [encoder(x[start : start + AT_ONCE]) for start in range(0, len(x), AT_ONCE)]
    mean, log_precision = zip(*parts, strict=True)
    return np.concatenate(mean), np.concatenate(log_precision)


def product(mean: AnyArray, precision: AnyArray, is_used: AnyArray) -> tuple[AnyArray, AnyArray]:
    """Multiply the messages that are used: mean and variance (specimen, latent).

    Precisions add up, and so do precisions times means; a modality that is not used drops out of both sums.

    Args:
        mean: (modality, specimen, latent).
        precision: the same.
        is_used: (specimen, modality), different for every specimen if need be.
    """
    xp, used = namespace(mean), is_used.T[:, :, None]
    total = BASE_PRECISION + xp.where(used, precision, 0.0).sum(0)
    return xp.where(used, precision * mean, 0.0).sum(0) / total, 1 / total


def fuse(networks: Networks, inputs: Sequence[AnyArray], is_used: AnyArray) -> tuple[AnyArray, AnyArray]:
    """Latent Gaussians of specimens: mean and variance (specimen, latent)."""
    return product(*messages(networks, inputs), is_used)
