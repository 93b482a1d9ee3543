"""Fit ordered regions to labels and properties on a line, hyperparameters integrated out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.special import logsumexp, softmax

from tieline.models.arrays import Array, Indices, Mask
from tieline.models.line import Regions, Segmentation, segment
from tieline.models.observations import Observations, label_evidence
from tieline.models.segments import Settings, stretch_evidence

NOISES = np.geomspace(0.002, 0.5, 8)  # standard deviations tried, standardised
NOISE_PRIOR = -0.5 * (np.log(NOISES / 0.03) / 1.5) ** 2
LABEL_ERRORS = np.array([0.003, 0.03, 0.15])
LABEL_ERROR_PRIOR = np.log([0.6, 0.3, 0.1])
LIGHTEST = 0.02  # share of the posterior below which a noise or label error is left out
MOST_NODES = 24  # combinations of the noises of several properties
SCOUTED = 40  # measurements of a property beyond which a thinned line is looked at first
IMPLAUSIBLE = 1e-5  # probability of a boundary below which none is looked for in a gap
IDLE = 0.01  # probability of a region below which its settings do not matter
MOST_SETTINGS = 14  # of the functions that are tried on the whole line after scouting


@dataclass(frozen=True)
class Stretches:
    """One property on the line.

    Attributes:
        x: places of its measurements, ascending (measurement).
        y: standardised values.
        error: squared standard errors.
        first: number of measurements before each cell (cell).
        last: number of measurements up to and including each cell (cell).
        noise: standard deviations tried (noise).
        evidence: log evidence (noise, setting, measurement + 1, measurement + 1) of stretches.
        stretch: log evidence (noise, cell, cell) of stretches of cells, settings integrated out.
    """

    x: Array
    y: Array
    error: Array
    first: Indices
    last: Indices
    noise: Array
    evidence: Array
    stretch: Array


@dataclass(frozen=True)
class LineFit:
    """The posterior on a line, cut into cells: points between which no boundary is looked for.

    On a short line every distinct place is a cell of its own.

    Attributes:
        left: first place of each cell on the scaled line, ascending (cell).
        right: last place of each cell (cell).
        settings: hyperparameters of the functions.
        properties: the measurements of each property.
        weights: of the combinations of noises and label error (node).
        noises: index of each property's noise (node, property).
        errors: probability that a label is wrong (node).
        segmentations: for each node.
        log_evidence: of the data, nats, comparable between fits of the same measurements.
    """

    left: Array
    right: Array
    settings: Settings
    properties: tuple[Stretches, ...]
    weights: Array
    noises: Indices
    errors: Array
    segmentations: tuple[Segmentation, ...]
    log_evidence: float

    @property
    def probability(self) -> Array:
        """Probability (phase, i, j) that one region of that phase spans exactly the cells i to j."""
        parts = (w * s.probability for w, s in zip(self.weights, self.segmentations, strict=True))
        return np.sum(list(parts), axis=0)

    @property
    def boundary_probability(self) -> Array:
        """Probability (cell) that a boundary lies in the gap before each cell."""
        opened = self.probability.sum((0, 2))
        return np.where(np.arange(len(opened)) == 0, 0.0, opened)


def fit_line(seen: Observations, counts: range, *, is_anonymous: bool) -> LineFit:
    """Sum over segmentations, and over noises and label errors.

    Args:
        seen: what was measured, on one scaled design dimension.
        counts: numbers of regions that are possible.
        is_anonymous: whether phases are told apart by their order on the line alone.
    """
    points = np.unique(seen.x[:, 0])
    regions = Regions.of(seen.label.shape[1], counts, is_anonymous=is_anonymous)
    settings, noises = Settings.default(), [np.arange(len(NOISES))] * seen.y.shape[1]
    starts = np.ones(len(points), dtype=bool)
    thinned = _thin(seen)
    if thinned is not None:
        scout = _fit(thinned, regions, settings, noises, np.ones(len(np.unique(thinned.x[:, 0])), dtype=bool))
        settings = settings.keep(_busy_settings(scout))
        noises = [_near(scout.noises[:, j]) for j in range(len(noises))]
        starts = _plausible_starts(scout, points)
    return _fit(seen, regions, settings, noises, starts)


def _fit(
    seen: Observations,
    regions: Regions,
    settings: Settings,
    noises: list[Indices],
    starts: Mask,
) -> LineFit:
    points, where = np.unique(seen.x[:, 0], return_inverse=True)
    left, right = points[starts], points[np.roll(starts, -1)]
    cell = (np.cumsum(starts) - 1)[where]
    gap = np.r_[0.0, left[1:] - right[:-1]] / max(points[-1] - points[0], 1e-12)
    properties = tuple(
        _stretches(seen, j, cell, len(left), settings, noises[j]) for j in range(seen.y.shape[1])
    )
    labels = [_label_stretches(seen, cell, len(left), error) for error in LABEL_ERRORS]

    def fit_at(node: tuple[int, ...], error: int) -> Segmentation:
        stretch = labels[error] + sum(p.stretch[i] for p, i in zip(properties, node, strict=True))
        return segment(stretch, gap, regions)

    prior = [NOISE_PRIOR[n] for n in noises]
    combinations = list(product(*_worthwhile_noises(prior, fit_at)))
    rough = np.array(
        [fit_at(c, 0).log_evidence + sum(p[i] for p, i in zip(prior, c, strict=True)) for c in combinations]
    )
    best = combinations[int(np.argmax(rough))]
    errors = np.array([fit_at(best, e).log_evidence for e in range(len(LABEL_ERRORS))])
    errors += LABEL_ERROR_PRIOR - errors[0]  # the first one is part of `rough`
    # Noise and label error are taken as independent a posteriori: labels say nothing of the noise.
    score = rough[:, None] + errors[None, :]
    share = softmax(score)
    chosen = np.argwhere(share >= max(LIGHTEST, np.sort(share, axis=None)[-MOST_NODES:][0]))
    fits = tuple(fit_at(combinations[c], e) for c, e in chosen)
    weights = np.array([share[c, e] for c, e in chosen])
    index = np.array([combinations[c] for c, _ in chosen], dtype=np.intp).reshape(len(chosen), len(noises))
    return LineFit(
        left,
        right,
        settings,
        properties,
        weights / weights.sum(),
        index,
        LABEL_ERRORS[chosen[:, 1]],
        fits,
        float(np.asarray(logsumexp(score))),
    )


def _worthwhile_noises(
    prior: Sequence[Array], fit_at: Callable[[tuple[int, ...], int], Segmentation]
) -> list[list[int]]:
    """Noises of each property that matter, the others' held at their best so far."""
    best = [int(np.argmax(p)) for p in prior]
    most = max(2, int(MOST_NODES ** (1 / max(len(prior), 1))))
    kept: list[list[int]] = []
    for j, log_prior in enumerate(prior):
        trials = [(*best[:j], i, *best[j + 1 :]) for i in range(len(log_prior))]
        weight = softmax(np.array([fit_at(t, 0).log_evidence for t in trials]) + log_prior)
        best[j] = int(np.argmax(weight))
        kept.append([int(i) for i in np.argsort(-weight)[:most] if weight[i] >= LIGHTEST])
    return kept


def _label_stretches(seen: Observations, cell: Indices, n_cells: int, error: float) -> Array:
    """Log likelihood (phase, i, j) of the labels on cells i to j; -inf for j < i."""
    by_cell = np.zeros((n_cells, seen.label.shape[1]))
    np.add.at(by_cell, cell, label_evidence(seen.label, error))
    total = np.cumsum(by_cell, axis=0).T
    stretch = total[:, None, :] - (total - by_cell.T)[:, :, None]
    return np.where(np.tri(n_cells, k=-1, dtype=bool), -np.inf, stretch)


def _stretches(
    seen: Observations,
    j: int,
    cell: Indices,
    n_cells: int,
    settings: Settings,
    noises: Indices,
) -> Stretches:
    rows = np.flatnonzero(~np.isnan(seen.y[:, j]))
    rows = rows[np.argsort(seen.x[rows, 0], kind="stable")]
    x, y, error = seen.x[rows, 0], seen.y[rows, j], seen.error[rows, j]
    first = np.searchsorted(cell[rows], np.arange(n_cells), side="left")
    last = np.searchsorted(cell[rows], np.arange(n_cells), side="right")
    may_start = np.zeros(len(rows) + 1, dtype=bool)
    may_start[first] = True
    evidence = np.stack(
        [stretch_evidence(x, y, error, float(NOISES[n]), settings, may_start[:-1]) for n in noises]
    )
    integrated = np.asarray(logsumexp(evidence + settings.log_weight[:, None, None], axis=1))
    return Stretches(x, y, error, first, last, NOISES[noises], evidence, integrated[:, first][:, :, last])


def _thin(seen: Observations) -> Observations | None:
    """The same with at most SCOUTED measurements of a property; None if there are no more than that."""
    measured = ~np.isnan(seen.y)
    most = int(measured.sum(0).max(initial=0))
    if most <= SCOUTED:
        return None
    y = seen.y.copy()
    for j in range(y.shape[1]):
        rows = np.flatnonzero(measured[:, j])
        rows = rows[np.argsort(seen.x[rows, 0], kind="stable")]
        dropped = np.ones(len(rows), dtype=bool)
        dropped[:: -(-most // SCOUTED)] = False
        y[rows[dropped], j] = np.nan
    used = ~np.isnan(y).all(1) | seen.labelled
    return Observations(seen.x[used], seen.label[used], y[used], seen.error[used])


def _busy_settings(fit: LineFit) -> Indices:
    """The settings that explain the likely regions best."""
    share = np.zeros(len(fit.settings.kernel))
    spans = fit.probability.sum(0)
    for part, noise in zip(fit.properties, fit.noises[np.argmax(fit.weights)], strict=True):
        for i, j in np.argwhere(spans > IDLE):
            score = part.evidence[noise, :, part.first[i], part.last[j]] + fit.settings.log_weight
            share = np.maximum(share, spans[i, j] * softmax(score))
    return np.sort(np.argsort(-share)[:MOST_SETTINGS])


def _near(noises: Indices) -> Indices:
    """The likely noises and their neighbours: more data may move the noise by a step."""
    return np.arange(max(noises.min() - 1, 0), min(noises.max() + 2, len(NOISES)))


def _plausible_starts(scout: LineFit, points: Array) -> Mask:
    """Points at which a region may begin, from the boundaries found on a thinned line."""
    starts = np.zeros(len(points), dtype=bool)
    starts[0] = True
    for g in np.flatnonzero(scout.boundary_probability > IMPLAUSIBLE):
        # One gap more on either side: thinning may have moved the boundary by a point.
        low, high = scout.right[max(g - 2, 0)], scout.left[min(g + 1, len(scout.left) - 1)]
        starts |= (points > low) & (points <= high)
    return starts
