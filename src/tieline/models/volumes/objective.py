"""What a variational autoencoder is trained for: the evidence bound, in nats a volume."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from tieline.models.volumes.network import Network


class Terms(NamedTuple):
    """Parts of the negative bound (specimen), nats.

    Attributes:
        voxels: -log probability of the blocks, given the latent variables.
        texture: -log density of the coordinates of texture, up to a constant.
        divergence: of the latent variables from a standard normal distribution.
    """

    voxels: jax.Array
    texture: jax.Array
    divergence: jax.Array


def bound_terms(network: Network, shares: jax.Array, texture: jax.Array, noise: jax.Array) -> Terms:
    """Compute the terms for volumes, with one draw of the latent variables each.

    Args:
        network: encoder and decoder.
        shares (specimen, x, y, z): of solid in every block.
        texture (specimen, number): coordinates.
        noise (specimen, latent): standard normal draws.
    """
    mean, log_variance = network.encode(shares, texture)
    latent = mean + jnp.exp(0.5 * log_variance) * noise
    divergence = 0.5 * jnp.sum(mean**2 + jnp.exp(log_variance) - 1 - log_variance, 1)
    return Terms(
        voxels_nll(network.decode(latent), shares),
        texture_nll(network, latent, texture),
        divergence,
    )


def voxels_nll(log_odds: jax.Array, shares: jax.Array) -> jax.Array:
    """-log probability (specimen) of blocks; a block that is part solid counts as both, by its shares."""
    return jnp.sum(jax.nn.softplus(log_odds) - shares * log_odds, (1, 2, 3))


def texture_nll(network: Network, latent: jax.Array, texture: jax.Array) -> jax.Array:
    """-log density (specimen) of coordinates of texture, up to a constant, each with its tolerance."""
    off = (network.expected_texture(latent) - texture) / np.array(network.shape.tolerance, np.float32)
    return jnp.sum(0.5 * off**2, 1)
