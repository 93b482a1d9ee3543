"""The compiled part of training: one epoch of gradients."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

from tieline.models.fingerprint.bound import (
    Batch,
    Prior,
    agreement,
    bound_terms,
    decoded_part,
    log_corrected,
    taught,
)
from tieline.models.fingerprint.form import Form
from tieline.models.fingerprint.messages import messages, product
from tieline.models.fingerprint.networks import Plan

CLIP = 10.0  # norm of a gradient (nats a specimen) beyond which it is shortened
ALL_MODALITIES = 1 / 3  # share of specimens that nothing is left out of; of the others, a part at random
DECODED_PARTS = 0.1  # weight, beside the bound, of decoding from a part of the modalities
MANY_ENTRIES = 64  # of fewer, each is corrupted less: they have fewer neighbours that tell the same
OPTIMISER = optax.chain(optax.clip_by_global_norm(CLIP), optax.scale_by_adam(b2=0.99))


class Course(NamedTuple):
    """All that is decided before an epoch.

    Attributes:
        rows: specimens of every step (step, specimen).
        is_used: the part of the modalities that is taught by all (step, specimen, modality).
        noise: standard normal draws (step, specimen, latent).
        rate: of learning (step).
        decay: of weights, relative to the rate.
        corruption: standard deviation of what is added to the encoders' inputs, in standard deviations.
        key: of what is added (step).
        agreement: weight of `bound.agreement` beside the bound.
    """

    rows: jax.Array
    is_used: jax.Array
    noise: jax.Array
    rate: jax.Array
    decay: jax.Array
    corruption: jax.Array
    key: jax.Array
    agreement: jax.Array


@partial(jax.jit, static_argnames=("plan", "forms", "weights"))
def train_epoch(
    numbers: jax.Array,
    state: optax.OptState,
    data: Batch,
    prior: Prior,
    course: Course,
    *,
    plan: Plan,
    forms: tuple[Form, ...],
    weights: tuple[float, ...],
) -> tuple[jax.Array, optax.OptState, jax.Array]:
    """Improve the networks on batches of all specimens.

    Args:
        numbers: of the networks, in one row: one array takes a fraction of the time of many to compile.
        state: of the optimiser.
        data: all specimens.
        prior: of the latent place.
        course: of this epoch.
        plan: of the networks.
        forms: of the modalities.
        weights: of the modalities.

    Returns:
        Numbers and state, and the mean terms of the bound (term).
    """

    def loss(
        numbers: jax.Array, batch: Batch, is_used: jax.Array, noise: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        networks = eqx.tree_at(lambda n: n.trust, plan.build(numbers), np.ones(len(forms), np.float32))
        said = messages(networks, batch.inputs)
        whole, part = product(*said, batch.is_used), product(*said, is_used)
        terms = bound_terms(networks, forms, weights, prior, batch, *whole, noise)
        log_laws = batch.log_laws + log_corrected(networks, forms, weights, prior, batch, whole[0])
        lesson = course.agreement * agreement(prior, batch._replace(log_laws=log_laws), *said)
        lesson -= taught(batch, *said, part)
        lesson += DECODED_PARTS * decoded_part(networks, forms, weights, batch, *part, noise)
        return -(terms.sum(0) + lesson).mean(), terms.mean(1)

    def step(carry: tuple, given: tuple) -> tuple[tuple, jax.Array]:
        numbers, state = carry
        rows, is_used, noise, rate, key = given
        batch = jax.tree.map(lambda a: a[rows], data)
        batch = batch._replace(inputs=corrupt(batch.inputs, forms, course.corruption, key))
        gradient, terms = jax.grad(loss, has_aux=True)(numbers, batch, is_used, noise)
        change, state = OPTIMISER.update(gradient, state)
        return (numbers - rate * (change + course.decay * numbers), state), terms

    given = (course.rows, course.is_used, course.noise, course.rate, course.key)
    (numbers, state), terms = jax.lax.scan(step, (numbers, state), given)
    return numbers, state, terms.mean(0)


def corrupt(
    inputs: Sequence[jax.Array], forms: Sequence[Form], corruption: jax.Array, key: jax.Array
) -> tuple[jax.Array, ...]:
    """Make encoders read through noise, and images moved; decoders predict what was measured."""
    key = jax.random.wrap_key_data(key, impl="unsafe_rbg")  # compiles in a tenth of the time of the default
    keys = jax.random.split(key, 2 * len(forms))
    changed = []
    for m, (form, x) in enumerate(zip(forms, inputs, strict=True)):
        half = 3**0.5 * corruption * min(1.0, form.n_entries / MANY_ENTRIES) ** 0.5
        x = x + jax.random.uniform(keys[2 * m], x.shape, minval=-half, maxval=half)
        changed.append(_moved(x, form, keys[2 * m + 1]) if form.shift else x)
    return tuple(changed)


def random_subsets(is_measured: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Choose modalities (..., modality): all, in a third of cases, or a part at random."""
    coin = np.where(is_measured, rng.random(is_measured.shape), -1.0)
    last = np.where(is_measured, coin, 2.0).min(-1, keepdims=True)
    part = (coin > 0.5) & (coin > last)  # never all
    part |= coin == coin.max(-1, keepdims=True)  # never none
    takes_all = rng.random((*is_measured.shape[:-1], 1)) < ALL_MODALITIES
    return is_measured & (part | takes_all)


def _moved(x: jax.Array, form: Form, key: jax.Array) -> jax.Array:
    """Move images by up to `shift` pixels each way, also by parts of a pixel."""
    n = len(form.shape)
    images = x.reshape(len(x), *form.shape)
    by = jax.random.uniform(key, (n, len(x), 1, 1), minval=-form.shift, maxval=form.shift)
    for axis, edge in enumerate(form.shape):
        pixel = jnp.arange(edge, dtype=x.dtype)
        # Linear interpolation along one axis, as a matrix for every image.
        weight = jnp.maximum(1 - jnp.abs(pixel[:, None] + by[axis] - pixel), 0)
        along = jnp.moveaxis(images, axis + 1, 1).reshape(len(x), edge, -1)
        moved = (weight @ along).reshape(len(x), edge, *np.delete(form.shape, axis))
        images = jnp.moveaxis(moved, 1, axis + 1)
    return images.reshape(x.shape)
