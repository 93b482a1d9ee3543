"""An expert of many values, asked about many places: the trend that its phases share is interpolated.

A place costs an expert the square of its number of pairs, nearly all of it for the trend, which reaches every
pair. A smooth trend needs only a few of them: with κ its covariance and P the pivots,
κ(x, X) ≈ κ(x, P) κ(P, P)⁻¹ κ(P, X). What a phase adds for its own pairs stays exact. Pivots are added until
they leave less of the trend's variance at any pair than 3e-5 of the noise variance; the values, which are
only known up to their noise, then hardly tell the difference. Places at which they leave much more, as they
do far outside of the data, are answered by the expert itself.

Source: Harbrecht, Peters & Schneider (2012), doi:10.1016/j.apnum.2011.10.001, for the choice of pivots.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg.blas import dtrmm  # pyright: ignore[reportAttributeAccessIssue]
from scipy.linalg.lapack import dtrtri  # pyright: ignore[reportAttributeAccessIssue]

from tieline.models.arrays import Array, Mask
from tieline.models.experts import LEVEL, Expert
from tieline.models.kernels import JITTER, pivoted_root
from tieline.models.sites import covariances, quadratic_forms

FEWEST_PAIRS = 300  # below it a place is cheap as it is
MOST_PIVOTS = 0.4  # of the pairs: more would save little
TOLERANCE = 3e-5  # variance that the pivots leave of the trend at any pair, in units of the noise variance
LOOSE = 3e-4  # the same at a place, beyond which the expert is asked itself


@dataclass(frozen=True)
class InterpolatedExpert:
    """What an expert says of places, at a cost that grows with the pairs of a phase instead of all.

    Attributes:
        expert: whom it speaks for.
        pivots: places (pivot, d) that the trend is interpolated from.
        inverse_root: of the trend's covariance at the pivots (pivot, pivot), lower triangular.
        weights: of a constant and the trend's features in a mean (1 + pivot).
        forms: of the variance that these explain (1, 1, 1 + pivot, 1 + pivot), as `covariances` takes them.
        mixed: what they explain together with each pair's own covariance (1 + pivot, pair).
        precisions: of the pairs of each phase (pair of the phase, pair of the phase), given all others.
    """

    expert: Expert
    pivots: Array
    inverse_root: Array
    weights: Array
    forms: Array
    mixed: Array
    precisions: tuple[Array, ...]

    def predict_where(self, x: Array, asked: Mask) -> tuple[Array, Array]:
        """Mean and variance (place, K) of the noise-free property, in the phases asked for (place, K)."""
        expert = self.expert
        features = dtrmm(1.0, self.inverse_root, expert.trend(x, self.pivots).T, lower=1).T
        left = _trend_variance(expert) - (features**2).sum(1)
        loose = left > LOOSE * expert.noise
        mean, variance = self._interpolate(x[~loose], features[~loose], asked[~loose])
        if not loose.any():
            return mean, variance
        both = np.zeros((2, *asked.shape))
        both[:, ~loose] = mean, variance
        both[:, loose] = expert.predict_where(x[loose], asked[loose])
        return both[0], both[1]

    def _interpolate(self, x: Array, features: Array, asked: Mask) -> tuple[Array, Array]:
        expert, shared = self.expert, np.column_stack([np.ones(len(x)), features])
        level, explained = shared @ self.weights, covariances(shared, self.forms)[:, 0, 0]
        mean, variance = np.zeros(asked.shape), np.zeros(asked.shape)
        known = np.minimum(np.arange(asked.shape[1]), expert.layout.n_phases - 1)
        for k in np.unique(known):
            here, pairs = np.flatnonzero(asked[:, known == k].any(1)), expert.pairs.block(k)
            mine = expert.own(x[here], k).T
            more = mine @ self.precisions[k] + 2 * shared[here] @ self.mixed[:, pairs]
            left = expert.variance(k) - explained[here] - np.einsum("np,np->n", more, mine)
            where = np.ix_(here, known == k)
            mean[where] = (level[here] + mine @ expert.alpha[pairs])[:, None]
            variance[where] = np.maximum(left, 1e-12)[:, None]
        return mean, variance


def interpolated(expert: Expert) -> Expert | InterpolatedExpert:
    """The expert with an interpolated trend, or as it is where that would not be cheaper or not as exact."""
    pairs, n_pairs = expert.pairs, len(expert.pairs.y)
    trend, tolerance = _trend_variance(expert), TOLERANCE * expert.noise
    if n_pairs < FEWEST_PAIRS or tolerance < JITTER * trend:
        return expert
    most = int(MOST_PIVOTS * n_pairs)
    root, rows = pivoted_root(expert.trend, np.full(n_pairs, trend), pairs.x, most, tolerance)
    if (trend - (root**2).sum(1)).max() > tolerance:
        return expert
    shared = np.column_stack([np.full(n_pairs, LEVEL), root])
    inverse_root = dtrtri(expert.root, lower=1)[0]
    half = inverse_root @ shared
    blocks = [pairs.block(k) for k in range(expert.layout.n_phases)]
    parts = [inverse_root[block.start :, block] for block in blocks]
    return InterpolatedExpert(
        expert,
        pairs.x[rows],
        dtrtri(root[rows], lower=1)[0],
        shared.T @ expert.alpha,
        quadratic_forms(half.T @ half, 1),
        half.T @ inverse_root,
        tuple(part.T @ part for part in parts),
    )


def _trend_variance(expert: Expert) -> float:
    here = expert.pairs.x[:1]
    return float(expert.trend(here, here)[0, 0])
