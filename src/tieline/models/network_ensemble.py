"""Networks over the elements of compositions, several of them, of which the mean is taken.

Some are trained on all rows; others, for each part that is left out, on the rest. At which moment of training
the running mean of weights is taken is read off left-out rows, for all networks at once.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tieline.models.aligned_network import AlignedNetwork
from tieline.models.arrays import Array, Indices, Mask
from tieline.models.attention_network import AttentionNetwork
from tieline.models.element_slots import Slots, element_features
from tieline.models.encoder_network import Batch, EncoderShape, random_weights

N_NETWORKS = 5  # that are trained on all rows
N_TWINS = 2  # that are trained without the same part
MOMENTS = 3  # of training, of which the best is taken
PASSES = 9  # over the rows, until each moment
FEWEST_STEPS = 150  # until each moment, where there are few rows
MOST_STEPS = 500
LARGEST_BATCH = 128
FASTEST = 2e-3  # rate of learning
BEYOND = 5.0  # standard deviations of a number, at which it is cut off
ROWS_AT_ONCE = 2048
EARLIER = 2**31  # marks the randomness of what is learned before
AnyNetwork = AttentionNetwork | AlignedNetwork


class Lesson(NamedTuple):
    """What networks learn from.

    Attributes:
        x: places (row, coordinate).
        slots: their elements.
        y: values of order one (row, property), NaN where missing.
        weight: how much each counts (row, property).
    """

    x: Array
    slots: Slots
    y: Array
    weight: Array

    def at(self, rows: Indices) -> "Lesson":
        """Some of the rows."""
        return Lesson(self.x[rows], self.slots.at(rows), self.y[rows], self.weight[rows])


@dataclass(frozen=True, eq=False)
class NetworkEnsemble:
    """Networks of one kind.

    Attributes:
        network: the kind.
        weights: of each (network, weight).
        centre: of the coordinates that are read beside the elements (coordinate).
        spread: of these (coordinate); 0 for those that are not read.
    """

    network: AnyNetwork
    weights: Array
    centre: Array
    spread: Array

    def mean(self, x: Array, slots: Slots) -> Array:
        """Expected values of order one (place, property)."""
        return np.mean([self.one(w, x, slots) for w in self.weights], axis=0)

    def one(self, weights: Array, x: Array, slots: Slots) -> Array:
        """What one network expects (place, property)."""
        features, numbers = element_features(), _numbers(x, self.centre, self.spread)
        found, nothing = [], np.empty((0, 0))
        for start in range(0, len(x), ROWS_AT_ONCE):
            rows = slice(start, start + ROWS_AT_ONCE)
            batch = _batch(slots.at(rows), numbers[rows], nothing, nothing)
            found.append(self.network.mean(weights, features, batch, np))
        return np.concatenate(found).astype(float)


def fit_networks(
    kind: type[AnyNetwork],
    lesson: Lesson,
    is_read: Mask,
    ways: Sequence[Sequence[Indices]],
    seed: int,
    earlier: Lesson | None = None,
) -> tuple[NetworkEnsemble, list[Array]]:
    """Train networks on all rows, and others without one part of them.

    Args:
        kind: of network.
        lesson: what is learned.
        is_read: which coordinates are read beside the elements (coordinate).
        ways: for each way of leaving out, the rows of each part.
        seed: of weights and order.
        earlier: what is learned before, all networks together: other properties of any materials.

    Returns:
        The networks of all rows, and for each way what others say of every row that they did not learn from.
    """
    x, slots, y, weight = lesson
    spread = np.where(is_read, np.maximum(x.std(0), 1e-9), 0.0)
    scales = x.mean(0), spread
    encoder = EncoderShape(element_features().shape[1], len(element_features()), int(is_read.sum()))
    network, data = kind(encoder, y.shape[1]), _batch(slots, _numbers(x, *scales), y, weight)
    begun = None if earlier is None else _begun(encoder, earlier, scales, seed)
    parts = [(way, rows) for way, way_parts in enumerate(ways) for rows in way_parts]
    every = np.arange(len(y))
    left_out = np.full((MOMENTS, len(ways), *y.shape), np.nan)
    for i, (way, rows) in enumerate(parts):
        others, asked = np.setdiff1d(every, rows), Batch(*(part[rows] for part in data))
        twins = [_trained(network, data, others, (seed, i, twin), begun) for twin in range(N_TWINS)]
        for moment in range(MOMENTS):
            said = [network.mean(weights[moment], element_features(), asked, np) for weights in twins]
            left_out[moment, way, rows] = np.mean(said, axis=0)
    best = int(np.argmin(np.nanmean(np.abs(left_out - y), axis=(1, 2, 3))))
    final = [_trained(network, data, every, (seed, len(parts), i), begun) for i in range(N_NETWORKS)]
    weights = np.stack([weights[best] for weights in final])
    return NetworkEnsemble(network, weights, *scales), list(left_out[best])


def _begun(encoder: EncoderShape, earlier: Lesson, scales: tuple[Array, Array], seed: int) -> Array:
    """Weights of an encoder that has learned something else (weight)."""
    network = AttentionNetwork(encoder, earlier.y.shape[1])
    data = _batch(earlier.slots, _numbers(earlier.x, *scales), earlier.y, earlier.weight)
    weights = _trained(network, data, np.arange(len(earlier.y)), (seed, EARLIER), None)[-1]
    return weights[: sum(math.prod(piece) for piece in encoder.pieces.values())]


def _trained(
    network: AnyNetwork, data: Batch, rows: Indices, seed: tuple[int, ...], begun: Array | None
) -> Array:
    """Weights of one network at each moment (moment, weight)."""
    from tieline.models.network_training import courses, train

    rng = np.random.default_rng(seed)
    n = len(data.values)
    # Of all rows, not of those that are learned from: the same for all networks, which are compiled once.
    size = int(np.clip(n // 8, 4, LARGEST_BATCH))
    n_steps = int(np.clip(PASSES * n // size, FEWEST_STEPS, MOST_STEPS))
    order, rate = courses(MOMENTS, n_steps, rows, size, FASTEST, rng)
    start = random_weights(network.pieces, rng)
    if begun is not None:
        start[: len(begun)] = begun  # an encoder comes first in every network
    key = rng.integers(2**32, size=2, dtype=np.uint32)
    return np.asarray(train(start, element_features(), data, order, rate, key, network=network))


def _numbers(x: Array, centre: Array, spread: Array) -> Array:
    is_read = spread > 0
    standard = (x[:, is_read] - centre[is_read]) / spread[is_read]
    return np.clip(standard, -BEYOND, BEYOND).astype(np.float32)


def _batch(slots: Slots, numbers: Array, values: Array, weight: Array) -> Batch:
    floats = (a.astype(np.float32) for a in (slots.share, numbers, values, weight))
    return Batch(slots.element.astype(np.int32), *floats)
