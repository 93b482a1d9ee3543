"""Networks on images and volumes as matrix products: blocks of pixels instead of convolutions.

On a processor, XLA's own convolution in three dimensions is slower than the same layer written as a
rearrangement of pixels and one matrix product by a factor of a hundred. Arrays are (batch, *space, channel),
with one, two or three dimensions of space.

Weights are made as numpy arrays. What layers are given, numpy's arrays or JAX's, they work with: networks at
rest need no compilation.
"""

import itertools
import math
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

AnyArray = Any  # of numpy or of JAX


def namespace(x: AnyArray) -> ModuleType:
    """The library whose array this is: numpy or jax.numpy."""
    return jnp if isinstance(x, jax.Array) else np


def space_to_depth(x: AnyArray, size: int) -> AnyArray:
    """Gather blocks of pixels as channels: (batch, *space, channel) to (batch, *space, size^n * channel).

    Args:
        x: every dimension of space a multiple of `size`.
        size: edge of a block, pixels.
    """
    batch, *space, channel = x.shape
    split = [n for s in space for n in (s // size, size)]
    n = len(space)
    order = [0, *range(1, 2 * n, 2), *range(2, 2 * n + 1, 2), 2 * n + 1]
    blocks = x.reshape(batch, *split, channel).transpose(order)
    return blocks.reshape(batch, *(s // size for s in space), size**n * channel)


def depth_to_space(x: AnyArray, size: int) -> AnyArray:
    """Spread channels over blocks of pixels: the inverse of `space_to_depth`."""
    batch, *space, channels = x.shape
    n = len(space)
    blocks = x.reshape(batch, *space, *[size] * n, channels // size**n)
    order = [0, *(i for d in range(n) for i in (1 + d, 1 + n + d)), 2 * n + 1]
    return blocks.transpose(order).reshape(batch, *(s * size for s in space), channels // size**n)


class PatchLayer(eqx.Module):
    """A convolution whose kernel is as wide as its stride: each block of pixels becomes one pixel.

    Space that is no multiple of the block is filled up with zeros.
    """

    weight: AnyArray
    bias: AnyArray
    size: int = eqx.field(static=True)

    def __init__(
        self, n_space: int, n_in: int, n_out: int, *, size: int = 2, rng: np.random.Generator
    ) -> None:
        self.weight, self.bias = random_weights(rng, size**n_space * n_in, n_out)
        self.size = size

    def __call__(self, x: AnyArray) -> AnyArray:
        """Apply the layer to (batch, *space, channel)."""
        fill = [(0, -s % self.size) for s in x.shape[1:-1]]
        x = namespace(x).pad(x, [(0, 0), *fill, (0, 0)])
        return space_to_depth(x, self.size) @ self.weight + self.bias


class OverlappingPatchLayer(eqx.Module):
    """A convolution of kernel 4, stride 2, padding 1: blocks of two pixels, each with its next neighbours.

    Every dimension of space is halved; it has to be even.
    """

    weight: AnyArray
    bias: AnyArray

    def __init__(self, n_space: int, n_in: int, n_out: int, *, rng: np.random.Generator) -> None:
        self.weight, self.bias = random_weights(rng, 4**n_space * n_in, n_out)

    def __call__(self, x: AnyArray) -> AnyArray:
        """Apply the layer to (batch, *space, channel)."""
        n = x.ndim - 2
        xp = namespace(x)
        blocks = space_to_depth(xp.pad(x, [(0, 0), *[(1, 1)] * n, (0, 0)]), 2)
        return xp.concatenate([blocks[_corner(c)] for c in _corners(n)], -1) @ self.weight + self.bias


class PatchUpLayer(eqx.Module):
    """The way back of `PatchLayer`: each pixel becomes a block of pixels."""

    weight: AnyArray
    bias: AnyArray
    size: int = eqx.field(static=True)

    def __init__(
        self, n_space: int, n_in: int, n_out: int, *, size: int = 2, rng: np.random.Generator
    ) -> None:
        self.weight, _ = random_weights(rng, n_in, size**n_space * n_out)
        self.bias = np.zeros(n_out, np.float32)
        self.size = size

    def __call__(self, x: AnyArray) -> AnyArray:
        """Apply the layer to (batch, *space, channel)."""
        return depth_to_space(x @ self.weight, self.size) + self.bias


class OverlappingPatchUpLayer(eqx.Module):
    """The way back of `OverlappingPatchLayer`: a transposed convolution of kernel 4, stride 2, padding 1."""

    weight: AnyArray
    bias: AnyArray

    def __init__(self, n_space: int, n_in: int, n_out: int, *, rng: np.random.Generator) -> None:
        # Of the kernel's pixels, one in 2^n reaches a given output.
        weight, _ = random_weights(rng, n_in, 4**n_space * n_out)
        self.weight = weight * np.float32(2 ** (-n_space / 2))
        self.bias = np.zeros(n_out, np.float32)

    def __call__(self, x: AnyArray) -> AnyArray:
        """Apply the layer to (batch, *space, channel)."""
        n, xp = x.ndim - 2, namespace(x)
        parts = xp.split(x @ self.weight, 2**n, axis=-1)
        fill = ([(0, 0), *((c, 1 - c) for c in corner), (0, 0)] for corner in _corners(n))
        blocks = sum(xp.pad(part, width) for part, width in zip(parts, fill, strict=True))
        inner = (slice(None), *[slice(1, -1)] * n, slice(None))
        return depth_to_space(blocks, 2)[inner] + self.bias


def crop(x: AnyArray, space: Sequence[int]) -> AnyArray:
    """Cut space to a shape, from its far ends."""
    return x[(slice(None), *(slice(s) for s in space), slice(None))]


def relu(x: AnyArray) -> AnyArray:
    """Zero where negative."""
    return namespace(x).maximum(x, 0)


def _corners(n: int) -> list[tuple[int, ...]]:
    return list(itertools.product((0, 1), repeat=n))


def _corner(corner: tuple[int, ...]) -> tuple[slice, ...]:
    """All blocks but the last (0) or but the first (1) of every dimension of space."""
    return (slice(None), *(slice(c, -1 if c == 0 else None) for c in corner))


def random_weights(rng: np.random.Generator, n_in: int, n_out: int) -> tuple[np.ndarray, np.ndarray]:
    """Random weights that keep the size of what passes, and biases of zero."""
    weight = rng.standard_normal((n_in, n_out), dtype=np.float32) * np.float32(math.sqrt(1.6 / n_in))
    return weight, np.zeros(n_out, np.float32)
