"""The compiled part of learning from compositions: one course of gradient steps."""

from functools import partial
from typing import Protocol

import jax
import jax.numpy as jnp
import numpy as np
import optax

from tieline.models.arrays import Array
from tieline.models.encoder_network import Batch, Pieces

CLIP = 1.0  # norm beyond which a gradient is shortened
MEMORY = 0.99  # of the running mean of weights, a step
DECAY = 0.01  # of weights, relative to the rate
OPTIMISER = optax.chain(optax.clip_by_global_norm(CLIP), optax.scale_by_adam())


class Network(Protocol):
    """What can be trained: it is hashable, and equal ones are compiled once."""

    @property
    def pieces(self) -> Pieces:
        """Names and shapes of all weights."""
        ...

    @property
    def n_noise(self) -> int:
        """Standard normal draws of each composition that its loss takes."""
        ...

    def loss(self, weights, features, batch: Batch, noise, xp):
        """What a step makes smaller."""
        ...


@partial(jax.jit, static_argnames="network")
def train(
    weights: Array, features: Array, data: Batch, rows: Array, rate: Array, seed: Array, *, network: Network
) -> jax.Array:
    """Improve a network step by step.

    Args:
        weights: to begin with (weight).
        features: of every element (element, feature).
        data: all compositions.
        rows: which of them a step sees (moment, step, row).
        rate: of learning (moment, step).
        seed: two whole numbers that noise follows from.
        network: what is trained.

    Returns:
        Running means of the weights after the steps of each moment (moment, weight).
    """
    gradient_of = jax.grad(network.loss)

    def step(carry: tuple, given: tuple) -> tuple[tuple, None]:
        weights, mean, state, key = carry
        rows, rate = given
        key, own = jax.random.split(key)
        noise = jax.random.normal(own, (len(rows), network.n_noise))
        batch = jax.tree.map(lambda a: a[rows], data)
        change, state = OPTIMISER.update(gradient_of(weights, features, batch, noise, jnp), state)
        weights = weights - rate * (change + DECAY * weights)
        return (weights, MEMORY * mean + (1 - MEMORY) * weights, state, key), None

    def moment(carry: tuple, given: tuple) -> tuple[tuple, jax.Array]:
        carry, _ = jax.lax.scan(step, carry, given)
        return carry, carry[1]

    key = jax.random.wrap_key_data(jnp.tile(seed, 2), impl="unsafe_rbg")
    start = (weights, weights, OPTIMISER.init(weights), key)
    return jax.lax.scan(moment, start, (rows, rate))[1]


def courses(
    n_moments: int, n_steps: int, rows: np.ndarray, size: int, fastest: float, rng: np.random.Generator
) -> tuple[Array, Array]:
    """What steps see, pass after pass over the rows, and rates, which rise and fall along a cosine."""
    n = n_moments * n_steps
    passes = [rng.permutation(rows) for _ in range(-(-n * size // len(rows)))]
    order = np.concatenate(passes)[: n * size].reshape(n_moments, n_steps, size)
    done = np.arange(n) / n
    rate = fastest * np.minimum(1, (np.arange(n) + 1) / (0.08 * n + 1)) * (0.51 + 0.49 * np.cos(np.pi * done))
    return order, rate.reshape(n_moments, n_steps).astype(np.float32)
