"""A small network of attention over the elements of a composition, in numpy or JAX, whichever it is given.

Every element becomes a vector, from its properties, a vector of its own and its mole fraction. Layers of
attention let the elements of a composition see each other, each as much as there is of it; two poolings, one
of attention and one by mole fraction, make one vector of them, which is read beside statistics of the
composition.

Source: Goodall & Lee (2020), doi:10.1038/s41467-020-19964-7 (Roost), for sets of elements weighed by mole
fraction; Wang et al. (2021), doi:10.1038/s41524-021-00545-1 (CrabNet), for attention among them. Departs from
both: several properties at once, statistics of the composition beside the pooled vector, and small.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from tieline.models.arrays import Array

AnyArray = Any  # of numpy or of JAX
N_SHARES = 4  # numbers that a mole fraction is read as
EMPTY = -1e9  # what attention adds to an empty slot
FLAT = 1e-5  # added to a variance before it divides
GAIN = {"own": 0.0, "take": 0.5, "narrow": 0.5, "think": 0.7, "refine": 0.7, "answer": 0.3, "left": 0.0}
# of random weights; of the others one
Pieces = Mapping[str, tuple[int, ...]]


class Batch(NamedTuple):
    """Compositions, and what was measured.

    Attributes:
        element: numbers of their elements (composition, slot).
        share: mole fractions (composition, slot), 0 in empty slots.
        numbers: what is read beside the elements (composition, number).
        values: of order one (composition, property), NaN where missing.
        weight: how much each counts (composition, property).
    """

    element: AnyArray
    share: AnyArray
    numbers: AnyArray
    values: AnyArray
    weight: AnyArray


@dataclass(frozen=True)
class EncoderShape:
    """How wide a network is.

    Attributes:
        n_features: numbers that an element is known by.
        n_elements: elements that have a vector of their own.
        n_numbers: numbers of a composition that are read beside its elements.
        width: numbers of an element's vector.
        n_heads: ways of looking at other elements, side by side.
        n_layers: of attention.
        n_hidden: units of the last layers.
    """

    n_features: int
    n_elements: int
    n_numbers: int
    width: int = 64
    n_heads: int = 4
    n_layers: int = 2
    n_hidden: int = 128

    @property
    def pieces(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of all weights, in order."""
        d, h = self.width, self.n_hidden
        found: dict[str, tuple[int, ...]] = {
            "feature": (self.n_features, d), "own": (self.n_elements, d), "share": (N_SHARES, d),
        }  # fmt: skip
        for i in range(self.n_layers):
            found |= {
                f"look_{i}": (d, 3 * d), f"look_bias_{i}": (3 * d,), f"take_{i}": (d, d),
                f"widen_{i}": (d, 2 * d), f"widen_bias_{i}": (2 * d,), f"narrow_{i}": (2 * d, d),
            }  # fmt: skip
        return found | {
            "pool": (d, self.n_heads), "pooled": (d, d),
            "read": (2 * d + self.n_numbers, h), "read_bias": (h,), "think": (h, h), "think_bias": (h,),
        }  # fmt: skip


def random_weights(pieces: Pieces, rng: np.random.Generator) -> Array:
    """Draw the weights of a network, in one row."""
    drawn = []
    for name, piece in pieces.items():
        gain = 0.0 if len(piece) == 1 else GAIN.get(name.split("_")[0], 1.0)
        drawn.append(gain / math.sqrt(piece[0]) * rng.standard_normal(math.prod(piece)))
    return np.concatenate(drawn).astype(np.float32)


def unpack(weights: AnyArray, pieces: Pieces, xp: ModuleType) -> dict[str, AnyArray]:
    """The pieces of a row of weights."""
    ends = np.cumsum([math.prod(piece) for piece in pieces.values()])
    split = xp.split(weights, ends[:-1])
    return {name: row.reshape(piece) for (name, piece), row in zip(pieces.items(), split, strict=True)}


def encode(
    network: Mapping[str, AnyArray],
    shape: EncoderShape,
    features: AnyArray,
    batch: Batch,
    xp: ModuleType,
) -> AnyArray:
    """One vector of each composition (composition, unit).

    Args:
        network: pieces of the weights.
        shape: of the network.
        features: of every element (element, feature).
        batch: compositions.
        xp: numpy or jax.numpy.
    """
    element, share, numbers, *_ = batch
    largest = xp.maximum(share.max(1, keepdims=True), 1e-6)
    logarithm = xp.log(xp.maximum(share, 1e-4)) / 4
    shares = xp.stack([share, xp.sqrt(share), logarithm, share / largest], -1)
    by_element = features @ network["feature"] + network["own"]
    h = by_element[element] + shares @ network["share"]
    weight = xp.where(share > 0, xp.log(xp.maximum(share, 1e-9)), EMPTY)
    for i in range(shape.n_layers):
        seen = _normal(h, xp) @ network[f"look_{i}"] + network[f"look_bias_{i}"]
        h = h + _attend(seen, weight, shape.n_heads, xp) @ network[f"take_{i}"]
        wide = silu(_normal(h, xp) @ network[f"widen_{i}"] + network[f"widen_bias_{i}"], xp)
        h = h + wide @ network[f"narrow_{i}"]
    attention = softmax(h @ network["pool"] + weight[..., None], 1, xp)
    value = _in_heads(h @ network["pooled"], shape.n_heads)
    pooled = (attention[..., None] * value).sum(1).reshape(len(h), shape.width)
    mean = (share[..., None] * h).sum(1)
    read = xp.concatenate([pooled, mean, numbers], 1) @ network["read"] + network["read_bias"]
    hidden = silu(read, xp)
    return hidden + silu(hidden @ network["think"] + network["think_bias"], xp)


def silu(z: AnyArray, xp: ModuleType) -> AnyArray:
    """The sigmoid-weighted unit."""
    return z / (1 + xp.exp(-xp.clip(z, -30, 30)))


def softmax(z: AnyArray, axis: int, xp: ModuleType) -> AnyArray:
    """Shares that add up to one along an axis."""
    size = xp.exp(z - z.max(axis, keepdims=True))
    return size / size.sum(axis, keepdims=True)


def _attend(seen: AnyArray, weight: AnyArray, n_heads: int, xp: ModuleType) -> AnyArray:
    """What each element takes from the others (composition, slot, unit), each as much as there is of it."""
    n, n_slots, width = seen.shape[0], seen.shape[1], seen.shape[2] // 3
    query, key, value = (_in_heads(part, n_heads) for part in xp.split(seen, 3, axis=-1))
    # So few slots are summed directly: as a product of many tiny matrices it is slower.
    alike = (query[:, :, None] * key[:, None]).sum(-1) / math.sqrt(width // n_heads)
    attention = softmax(alike + weight[:, None, :, None], 2, xp)
    return (attention[..., None] * value[:, None]).sum(2).reshape(n, n_slots, width)


def _in_heads(h: AnyArray, n_heads: int) -> AnyArray:
    return h.reshape(*h.shape[:-1], n_heads, h.shape[-1] // n_heads)


def _normal(h: AnyArray, xp: ModuleType) -> AnyArray:
    centred = h - h.mean(-1, keepdims=True)
    return centred / xp.sqrt((centred**2).mean(-1, keepdims=True) + FLAT)
