"""The study's networks for tortuosity: dense layers on an encoder that is kept, or learned with them.

Two layers of 64 on the encoder's means, a weak constraint on the weights and the mean squared error, as
published; as many steps as 30 passes over 250 volumes take, at a hundred times the published rate. "frozen"
keeps the encoder as it was learned without labels, and reads all of its latent variables, or only the first,
which are those of texture; "scratch" begins with another encoder at random and learns it too.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

from tieline.models.volumes.network import Dense, Network
from tieline.models.volumes.posterior import VolumePosterior
from tieline.models.volumes.texture import Texture, pair_numbers
from tieline.models.volumes.training import rebuild
from tieline.models.volumes.waves import Waves

WIDTH, N_STEPS, BATCH, RATE, CONSTRAINT = 64, 210, 32, 1e-3, 1e-5


@dataclass(frozen=True, eq=False)
class Seen:
    """Volumes as networks see them.

    Attributes:
        shares (specimen, x, y, z): of solid in every block.
        texture (specimen, number): coordinates.
        latent (specimen, latent): means of the encoder that is kept.
        value (specimen): the property.
    """

    shares: np.ndarray
    texture: np.ndarray
    latent: np.ndarray
    value: np.ndarray

    def of(self, rows: np.ndarray) -> "Seen":
        """Take some of them."""
        return Seen(self.shares[rows], self.texture[rows], self.latent[rows], self.value[rows])

    def with_texture_of(self, numbers: Texture) -> "Seen":
        """The same in other coordinates of texture."""
        return replace(self, texture=numbers.coordinates(self.shares))


class Head(eqx.Module):
    """Dense layers from latent variables to one number."""

    layers: tuple[Dense, ...]

    def __init__(self, n_in: int, rng: np.random.Generator) -> None:
        sizes = (n_in, WIDTH, WIDTH, 1)
        self.layers = tuple(Dense(a, b, rng=rng) for a, b in pairwise(sizes))

    def __call__(self, x: jax.Array) -> jax.Array:
        """Map (specimen, latent) to (specimen)."""
        for layer in self.layers[:-1]:
            x = jax.nn.relu(layer(x))
        return self.layers[-1](x)[:, 0]


def see(posterior: VolumePosterior, shares: np.ndarray, value: np.ndarray) -> Seen:
    """Look at volumes with the encoder of a posterior."""
    texture = posterior.texture_coordinates.coordinates(shares)
    network = rebuild(posterior.shape, posterior.weights)
    parts = range(0, len(shares), BATCH)
    latent = [np.asarray(network.encode(shares[i : i + BATCH], texture[i : i + BATCH])[0]) for i in parts]
    return Seen(shares, texture, np.concatenate(latent), value.astype(np.float32))


def frozen(train: Seen, test: Seen, seed: int, n_read: int) -> tuple[np.ndarray, np.ndarray]:
    """Learn a head on the first latent variables alone; predict what was learned from, and the test."""
    head = Head(n_read, np.random.default_rng(seed))
    scale = _scale(train.value)
    latent = jnp.asarray(train.latent[:, :n_read])
    head = _learn(head, lambda head, rows: head(latent[rows]), train.value, scale, seed)
    return _unscaled(head(latent), scale), _unscaled(head(test.latent[:, :n_read]), scale)


def scratch(posterior: VolumePosterior, train: Seen, test: Seen, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Learn head and encoder together from nothing; predict what was learned from, and the test.

    Waves and coordinates of texture are found anew too, from what is learned from.
    """
    rng = np.random.default_rng(seed)
    head = Head(train.latent.shape[1], rng)
    texture = Texture.of(pair_numbers(train.shares), posterior.shape.n_texture)
    shape = replace(
        posterior.shape,
        waves=Waves.of(train.shares, posterior.shape.n_layout),
        tolerance=tuple(map(float, texture.tolerance)),
        to_solid=(float(texture.mean[0]), *map(float, texture.to_solid)),
    )
    encoder = Network(shape, rng=rng)
    scale = _scale(train.value)
    train, test = train.with_texture_of(texture), test.with_texture_of(texture)
    shares, numbers = jnp.asarray(train.shares), jnp.asarray(train.texture)

    def answer(both, shares, texture):
        return both[0](both[1].encode(shares, texture)[0])

    def of_rows(both, rows):
        return answer(both, shares[rows], numbers[rows])

    both = _learn((head, encoder), of_rows, train.value, scale, seed)
    return tuple(_unscaled(answer(both, s.shares, s.texture), scale) for s in (train, test))


def _learn(network, answer, value: np.ndarray, scale: tuple[float, float], seed: int):
    """Minimise the mean squared error of values of order one."""
    batch = min(BATCH, len(value))
    n_batches = len(value) // batch
    optimiser = optax.adamw(RATE, weight_decay=CONSTRAINT)
    state = optimiser.init(eqx.filter(network, eqx.is_inexact_array))
    target = (value - scale[0]) / scale[1]

    @eqx.filter_jit
    def step(network, state, rows):
        def loss(network):
            return jnp.mean((answer(network, rows) - jnp.asarray(target)[rows]) ** 2)

        gradient = eqx.filter_grad(loss)(network)
        updates, state = optimiser.update(gradient, state, eqx.filter(network, eqx.is_inexact_array))
        return eqx.apply_updates(network, updates), state

    for number in range(N_STEPS):
        epoch, i = divmod(number, n_batches)
        order = np.random.default_rng((seed, epoch)).permutation(len(value))
        network, state = step(network, state, jnp.asarray(order[i * batch : (i + 1) * batch]))
    return network


def _scale(value: np.ndarray) -> tuple[float, float]:
    return float(value.mean()), float(value.std())


def _unscaled(answer: jax.Array | Sequence, scale: tuple[float, float]) -> np.ndarray:
    return np.asarray(answer) * scale[1] + scale[0]
