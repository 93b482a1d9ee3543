"""Encoders, which turn a modality into a message about the latent place, and decoders, which turn it back."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import equinox as eqx
import jax
import numpy as np

from tieline.models.arrays import Array
from tieline.models.fingerprint.form import Form, Width
from tieline.models.patch_layers import AnyArray, PatchLayer, namespace, random_weights, relu

MOST_LOG_PRECISION = 6.0  # of a message: no modality alone settles the product
SMALLEST_SPACE = 4  # pixels an edge, below which patches are no longer halved
FEW_PIXELS = 256  # up to which an image is read all to all, which learns and compiles faster


class Dense(eqx.Module):
    """Layers of all to all, on (batch, unit)."""

    weights: list[AnyArray]
    biases: list[AnyArray]

    def __init__(self, sizes: Sequence[int], *, rng: np.random.Generator) -> None:
        drawn = [random_weights(rng, i, o) for i, o in pairwise(sizes)]
        self.weights, self.biases = [w for w, _ in drawn], [b for _, b in drawn]

    def __call__(self, x: AnyArray) -> AnyArray:
        """Apply the network."""
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            x = relu(x @ weight + bias)
        return x @ self.weights[-1] + self.biases[-1]


class Encoder(eqx.Module):
    """One modality to a Gaussian message: (batch, entry) to its mean and log precision (batch, latent)."""

    patches: list[PatchLayer]
    dense: Dense
    shape: tuple[int, ...] = eqx.field(static=True)

    def __init__(self, form: Form, width: Width, *, rng: np.random.Generator) -> None:
        self.shape = form.shape
        n_in, self.patches = form.n_entries, []
        if len(form.shape) > 1 and form.n_entries > FEW_PIXELS:
            space, channels = form.shape, 1
            while max(space) > SMALLEST_SPACE and len(self.patches) < 6:
                wider = width.n_channels if channels == 1 else 2 * channels
                self.patches.append(PatchLayer(len(space), channels, wider, rng=rng))
                space, channels = tuple(math.ceil(s / 2) for s in space), wider
            n_in = math.prod(space) * channels
        self.dense = Dense([n_in, width.n_hidden, width.n_hidden, 2 * width.n_latent], rng=rng)

    def __call__(self, x: AnyArray) -> tuple[AnyArray, AnyArray]:
        """Apply the network."""
        if self.patches:
            x = x.reshape(len(x), *self.shape, 1)
            for layer in self.patches:
                x = relu(layer(x))
            x = x.reshape(len(x), -1)
        xp = namespace(x)
        mean, log_precision = xp.split(self.dense(x), 2, axis=1)
        bounded = MOST_LOG_PRECISION * xp.tanh(log_precision / MOST_LOG_PRECISION)
        return mean, bounded


class Decoder(eqx.Module):
    """A latent place to what a modality shows there: (batch, latent) to (batch, entry)."""

    dense: Dense

    def __init__(self, form: Form, width: Width, *, rng: np.random.Generator) -> None:
        self.dense = Dense([width.n_latent, width.n_hidden, width.n_hidden, form.n_entries], rng=rng)

    def __call__(self, z: AnyArray) -> AnyArray:
        """Apply the network."""
        return self.dense(z)


class Networks(eqx.Module):
    """All networks, and the noise of what they decode.

    Attributes:
        encoders: one for each modality.
        decoders: one for each modality, None where physics predicts it.
        log_variance: of the noise of standardised values, one for each modality.
        trust: what the precision of each modality's messages is multiplied by; 1 while networks learn.
    """

    encoders: list[Encoder]
    decoders: list[Decoder | None]
    log_variance: list[AnyArray]
    trust: AnyArray

    def __init__(self, forms: Sequence[Form], width: Width, *, rng: np.random.Generator) -> None:
        self.encoders = [Encoder(f, width, rng=rng) for f in forms]
        self.decoders = [Decoder(f, width, rng=rng) if f.has_decoder else None for f in forms]
        self.log_variance = [np.zeros((), np.float32) for _ in forms]
        self.trust = np.ones(len(forms), np.float32)


@dataclass(frozen=True)
class Plan:
    """How networks are put together from one long row of numbers.

    Attributes:
        tree: of the networks.
        shapes: of their arrays, in order.
    """

    tree: Any
    shapes: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, networks: Networks) -> "Plan":
        """The plan of given networks."""
        arrays, tree = jax.tree.flatten(networks)
        return cls(tree, tuple(a.shape for a in arrays))

    def build(self, numbers: AnyArray) -> Networks:
        """Networks of these numbers."""
        ends = np.cumsum([math.prod(shape) for shape in self.shapes])
        starts = [0, *ends[:-1]]
        arrays = [
            numbers[start:end].reshape(shape)
            for start, end, shape in zip(starts, ends, self.shapes, strict=True)
        ]
        return jax.tree.unflatten(self.tree, arrays)


def flatten(networks: Networks) -> Array:
    """All numbers of networks in one row."""
    return np.concatenate([np.ravel(a) for a in jax.tree.leaves(networks)])


def rebuild(forms: Sequence[Form], width: Width, numbers: Array) -> Networks:
    """Networks from the numbers that `flatten` gave."""
    return Plan.of(Networks(forms, width, rng=np.random.default_rng(0))).build(numbers)
