"""Where learning begins: clusters of the values themselves, and places for them in the latent space."""

from collections.abc import Sequence

import numpy as np

from tieline.models.arrays import Array, Mask

N_COMPONENTS = 20  # principal components of one modality
APART = 4.0  # distance of two centres at least, where clusters have a standard deviation of one


def features_of(inputs: Sequence[Array], is_seen: Sequence[Mask]) -> Array:
    """Principal components of every modality, each modality with the same total variance (specimen, feature).

    Args:
        inputs: standardised values (specimen, entry) of each modality.
        is_seen: what was measured (specimen, entry); anything else counts as the mean.
    """
    return np.concatenate([_components(x, s) for x, s in zip(inputs, is_seen, strict=True)], axis=1)


def _components(x: Array, is_seen: Mask) -> Array:
    mean = np.where(is_seen, x, 0).sum(0) / np.maximum(is_seen.sum(0), 1)
    x = np.where(is_seen, x - mean, 0)
    n = min(N_COMPONENTS, *x.shape)
    if x.shape[1] <= len(x):
        _, vectors = np.linalg.eigh(x.T @ x)
        scores = x @ vectors[:, ::-1][:, :n]
    else:
        values, vectors = np.linalg.eigh(x @ x.T)
        scores = vectors[:, ::-1][:, :n] * np.sqrt(np.maximum(values[::-1][:n], 0))
    return scores / max(np.sqrt((scores**2).sum(1).mean()), 1e-300)


def place(features: Array, responsibility: Array, n_latent: int, seed: int) -> Array:
    """Put clusters into the latent space: those that are alike side by side, all at least `APART` away.

    Args:
        features: (specimen, feature).
        responsibility: (specimen, cluster).
        n_latent: dimensions of the latent space.
        seed: of what breaks ties.

    Returns:
        Centres (cluster, latent).
    """
    count = np.maximum(responsibility.sum(0), 1e-9)
    middle = responsibility.T @ features / count[:, None]
    middle = middle - middle.mean(0)
    left, size, _ = np.linalg.svd(middle, full_matrices=False)
    n = min(n_latent, len(size))
    centre = np.zeros((len(count), n_latent))
    centre[:, :n] = left[:, :n] * size[:n]
    spread = np.sqrt((centre**2).sum(1).mean())
    centre *= APART / max(spread, 1e-9)
    centre += 0.05 * APART * np.random.default_rng(seed).standard_normal(centre.shape)
    return _spread_out(centre)


def _spread_out(centre: Array) -> Array:
    """Push centres apart until none is nearer to another than `APART`."""
    for _ in range(2000):
        apart = centre[:, None] - centre
        distance = np.sqrt((apart**2).sum(2)) + np.where(np.eye(len(centre)), np.inf, 1e-9)
        short = np.maximum(APART * 1.02 - distance, 0)
        if not short.any():
            break
        centre = centre + 0.5 * (
            short[:, :, None] * apart / np.where(np.isinf(distance), 1, distance)[:, :, None]
        ).sum(1)
    return centre - centre.mean(0)
