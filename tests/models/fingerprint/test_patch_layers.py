"""Patch layers are convolutions, written as matrix products."""

import itertools

import numpy as np
import pytest

from tieline.models.patch_layers import (
    OverlappingPatchLayer,
    OverlappingPatchUpLayer,
    PatchLayer,
    PatchUpLayer,
    crop,
    depth_to_space,
    space_to_depth,
)

SPACES = [(6, 4), (4, 6, 2)]


def images(space, channels, seed=0):
    return np.random.default_rng(seed).standard_normal((2, *space, channels)).astype(np.float32)


def convolved(x, kernel, stride, padding):
    """A convolution as its definition says: kernel (*size, channel, channel out)."""
    n = x.ndim - 2
    x = np.pad(x, [(0, 0), *[(padding, padding)] * n, (0, 0)])
    sizes = [(s - k) // stride + 1 for s, k in zip(x.shape[1:-1], kernel.shape[:n], strict=True)]
    out = np.zeros((len(x), *sizes, kernel.shape[-1]))
    for place in itertools.product(*map(range, sizes)):
        window = tuple(
            slice(stride * p, stride * p + k) for p, k in zip(place, kernel.shape[:n], strict=True)
        )
        patch = x[(slice(None), *window)]
        out[(slice(None), *place)] = np.tensordot(patch, kernel, axes=(range(1, n + 2), range(n + 1)))
    return out


def kernel_of(layer, n, channels):
    """The kernel of an overlapping layer: blocks of two pixels, at the four or eight corners."""
    weight = layer.weight.reshape(*[2] * n, *[2] * n, channels, -1)
    order = [i for d in range(n) for i in (d, n + d)]
    return weight.transpose(*order, 2 * n, 2 * n + 1).reshape(*[4] * n, channels, -1)


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_depth_to_space_is_the_way_back(space):
    x = images(space, 3)
    np.testing.assert_array_equal(depth_to_space(space_to_depth(x, 2), 2), x)


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_a_patch_layer_is_a_convolution_whose_kernel_is_its_stride(space):
    layer = PatchLayer(len(space), 3, 5, rng=np.random.default_rng(1))
    kernel = layer.weight.reshape(*[2] * len(space), 3, 5)
    x = images(space, 3)
    np.testing.assert_allclose(layer(x), convolved(x, kernel, 2, 0), atol=1e-5)


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_an_overlapping_patch_layer_is_a_convolution_of_kernel_4_and_stride_2(space):
    layer = OverlappingPatchLayer(len(space), 3, 5, rng=np.random.default_rng(1))
    x = images(space, 3)
    np.testing.assert_allclose(layer(x), convolved(x, kernel_of(layer, len(space), 3), 2, 1), atol=1e-5)


@pytest.mark.parametrize("space", SPACES, ids=str)
@pytest.mark.parametrize(
    ("down", "up"), [(PatchLayer, PatchUpLayer), (OverlappingPatchLayer, OverlappingPatchUpLayer)]
)
def test_layers_up_are_the_transposes_of_layers_down(space, down, up):
    n = len(space)
    forth, back = down(n, 3, 5, rng=np.random.default_rng(1)), up(n, 5, 3, rng=np.random.default_rng(2))
    corners = 2**n if down is OverlappingPatchLayer else 1
    weight = forth.weight.reshape(corners, -1, 5).transpose(2, 0, 1).reshape(5, -1)
    object.__setattr__(back, "weight", weight)
    x, y = images(space, 3), images(tuple(s // 2 for s in space), 5, seed=3)
    np.testing.assert_allclose(np.vdot(forth(x), y), np.vdot(x, back(y)), rtol=1e-4)


def test_space_that_is_no_multiple_of_a_block_is_filled_up_and_cut_again():
    layer = PatchLayer(2, 1, 4, rng=np.random.default_rng(0))
    assert layer(images((7, 5), 1)).shape == (2, 4, 3, 4)
    assert crop(images((8, 6), 1), (7, 5)).shape == (2, 7, 5, 1)


def test_numpy_and_jax_agree():
    import jax.numpy as jnp

    x = images((6, 4), 2)
    for kind in (PatchLayer, OverlappingPatchLayer, PatchUpLayer, OverlappingPatchUpLayer):
        layer = kind(2, 2, 4, rng=np.random.default_rng(0))
        np.testing.assert_allclose(layer(jnp.asarray(x)), layer(x), atol=1e-5)
