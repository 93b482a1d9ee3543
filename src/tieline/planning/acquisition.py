"""How much one would gain by measuring at a place: scores over joint draws.

Every function is given draws of what the goal is worth (`utility`) or of the phase, and returns one score a
place. Joint draws carry the dependence between places, so a place stops being attractive once its neighbour
is chosen.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import erfcx, log_ndtr, logsumexp, ndtr, softmax
from scipy.stats import norm, qmc

LOG_SQRT_2PI = 0.5 * np.log(2 * np.pi)
LOG_SQRT_HALF_PI = 0.5 * np.log(np.pi / 2)
UCB_WIDTH = (
    1.96  # sd above the mean: found fastest of several on real pools; the upper end of a 95 % interval
)
BORROWED = 2  # draws of the average phase that are added to each phase's own
NODES, NODE_WEIGHTS = np.polynomial.hermite_e.hermegauss(15)  # for what one more measurement may show
N_DIRECTIONS = 24  # along which hypervolume is measured; each costs one expected improvement
MARGIN = 0.05  # how far below the worst measured values it is counted from, in spreads over the pool
VANISHING = 1e-200  # improvement, relative to the largest sd, below which only logarithms tell places apart
FLAT = 1e-9  # sd of an improvement, relative to the largest over the pool, below which it counts as certain


def log_expected_improvement(mean: ArrayLike, sd: ArrayLike, best: ArrayLike = 0.0) -> np.ndarray:
    """Expected improvement of a Gaussian over the best so far, in logarithms.

    Never underflows: far below the best, the plain formula is exactly zero everywhere and argmax picks row 0.

    Args:
        mean: expected utility; any shape that broadcasts.
        sd: its standard deviation, positive.
        best: what has to be beaten.

    Returns:
        log E[max(utility - best, 0)], in nats, finite for any z = (mean - best) / sd above -1e150.

    Source:
        Ament et al. (2023), doi:10.48550/arXiv.2310.20708, eq. 9. We take the logarithm by the scaled
        complementary error function throughout z < -1, and its limit below z = -1e6.
    """
    mean, sd, best = np.broadcast_arrays(*(np.asarray(a, float) for a in (mean, sd, best)))
    z = (mean - best) / sd
    log_h = np.empty_like(z)
    near, far = z > -1, z < -1e6
    middle = ~near & ~far
    density = np.exp(-0.5 * z[near] ** 2 - LOG_SQRT_2PI)
    log_h[near] = np.log(density + z[near] * ndtr(z[near]))
    depth = -z[middle]
    mills = depth * erfcx(depth / np.sqrt(2)) * np.exp(LOG_SQRT_HALF_PI)
    log_h[middle] = -0.5 * depth**2 - LOG_SQRT_2PI + np.log1p(-mills)
    log_h[far] = -0.5 * z[far] ** 2 - LOG_SQRT_2PI - 2 * np.log(-z[far])
    return log_h + np.log(sd)


def log_improvement_of_draws(utility: np.ndarray, best: np.ndarray, phase: np.ndarray) -> np.ndarray:
    """Expected improvement over a best that is itself uncertain, from joint draws, in logarithms.

    The draws are smoothed by a Gaussian kernel that keeps the mean and variance within each phase, so the
    score is an average of analytic expected improvements: it sees that another phase may be much better, and
    is never exactly zero.

    Args:
        utility (draw, place): what the goal is worth.
        best (draw): the best utility among the places already measured or chosen, in the same draws.
        phase (draw, place): the sampled phase, integers from 0.

    Returns:
        (place): nats.

    Source:
        Noisy expected improvement (Letham et al. 2019, doi:10.1214/18-BA1110). We smooth the draws
        instead of conditioning on each; kernel of Silverman's width, shrunk as in Liu and West (2001).
    """
    centres, sd = _smoothed(utility - best[:, None], phase)
    score = np.log(np.maximum(_expected_improvement(centres, sd).mean(0), np.finfo(float).tiny))
    if (hopeless := score < np.log(VANISHING * sd.max())).any():
        deep = log_expected_improvement(centres[:, hopeless], sd[:, hopeless])
        score[hopeless] = logsumexp(deep, axis=0) - np.log(len(utility))
    return score


def _expected_improvement(mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """`log_expected_improvement` without the logarithm: quicker, and zero far below the best."""
    z = mean / sd
    return sd * np.maximum(np.exp(-0.5 * z**2 - LOG_SQRT_2PI) + z * ndtr(z), 0.0)


def log_improvement_by_draw(utility: np.ndarray, best: np.ndarray, phase: np.ndarray) -> np.ndarray:
    """What each draw (draw, place) adds to the expected improvement of `log_improvement_of_draws`."""
    return log_expected_improvement(*_smoothed(utility - best[:, None], phase))


def log_chance_of_draws(utility: np.ndarray, best: np.ndarray, phase: np.ndarray) -> np.ndarray:
    """Probability of any improvement (place), in logarithms; arguments as of `log_improvement_of_draws`."""
    centres, sd = _smoothed(utility - best[:, None], phase)
    return logsumexp(log_ndtr(centres / sd), axis=0) - np.log(len(utility))


def log_hypervolume_improvement(
    objectives: np.ndarray, rivals: np.ndarray, phase: np.ndarray, reference: np.ndarray | None = None
) -> np.ndarray:
    """How much volume a measurement is expected to add to what is dominated, in logarithms.

    The volume is the mean over directions of the distance to the front along them, to the power of the number
    of objectives. Along each direction it is the improvement of a single value.

    Args:
        objectives (draw, place, objective): what is to be compromised between, larger is better.
        rivals (draw, rival, objective): the same in the same draws where it was measured or will be.
        phase (draw, place): the sampled phase, integers from 0.
        reference (objective): from which volume is counted; NaN, or none, for a little below the worst rival.

    Returns:
        (place): up to a constant.

    Source:
        Zhang & Golovin (2020), doi:10.48550/arXiv.2006.04655, lemma 5. We smooth along each direction, so
        that the score is never exactly zero.
    """
    n_objectives = objectives.shape[2]
    everywhere = np.concatenate([objectives, rivals], 1).mean(0)
    seen = rivals.mean(0) if rivals.shape[1] else everywhere
    spread = np.maximum(np.ptp(everywhere, axis=0), np.finfo(float).tiny)
    lowest = seen.min(0) - MARGIN * spread
    if reference is not None:
        lowest = np.where(np.isnan(reference), lowest, reference)
    normals = norm.ppf(qmc.Halton(n_objectives, rng=0).random(N_DIRECTIONS))
    directions = np.abs(normals) / np.linalg.norm(normals, axis=1, keepdims=True)
    # One array an objective is soon compared.
    gains = np.moveaxis((objectives - lowest) / spread, 2, 0).copy()
    fronts = np.moveaxis((rivals - lowest) / spread, 2, 0).copy()
    scores = []
    for direction in np.maximum(directions, 1e-3)[:, :, None, None]:
        along = (gains / direction).min(0)
        # Below the reference all are worth nothing: how far below must not count as spread. Where nothing
        # reaches it, what comes nearest is best.
        floor = 0.0 if along.max() > 0 else along.min()
        along = np.maximum(along, floor)
        best = (fronts / direction).min(0).max(1, initial=floor)
        steepness = (n_objectives - 1) * np.log(np.maximum(best.mean(), MARGIN))
        scores.append(steepness + log_improvement_of_draws(along, best, phase))
    return np.asarray(logsumexp(np.stack(scores), axis=0))


def _smoothed(improvement: np.ndarray, phase: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centres and standard deviations (draw, place) of the kernels that stand for the draws."""
    mean, sd, n_alike = _moments_within(phase, improvement)
    sd = np.maximum(sd, FLAT * max(sd.max(), np.abs(improvement).max()) + np.finfo(float).tiny)
    width = np.minimum(1.06 * n_alike**-0.2, 0.99)
    return mean + np.sqrt(1 - width**2) * (improvement - mean), width * sd


def share_of_wins(utility: np.ndarray, settled: list[int]) -> np.ndarray:
    """Share of the draws (draw, place) in which each place is the best; settled places get none."""
    winners = utility.argmax(1)
    return np.bincount(winners[~np.isin(winners, settled)], minlength=utility.shape[1]) / len(utility)


def knowledge_gradient(mean: np.ndarray, covariance: np.ndarray, noise: float) -> np.ndarray:
    """How much larger the largest expectation will be after one more measurement.

    Args:
        mean: expected utility (place).
        covariance: of it (place, place).
        noise: variance of a measurement.

    Returns:
        (place): at least 0, in the unit of the utility.

    Source:
        Frazier, Powell & Dayanik (2009), doi:10.1287/ijoc.1080.0314, by Gauss-Hermite quadrature over what
        the measurement may show.
    """
    scale = np.sqrt(covariance.diagonal() + noise + np.finfo(float).tiny)
    moves = covariance / scale[:, None]  # (measured, place)
    tops = np.stack([(mean + node * moves).max(1) for node in NODES], -1)
    return np.maximum(tops @ NODE_WEIGHTS / NODE_WEIGHTS.sum() - mean.max(), 0)


def information_about_best(mean: np.ndarray, sd: np.ndarray, largest: np.ndarray) -> np.ndarray:
    """What the value at a place tells of the largest value.

    Args:
        mean: expected utility (place).
        sd: its standard deviation (place).
        largest: sampled largest utilities (draw).

    Returns:
        (place): nats.

    Source:
        Max-value entropy search, Wang & Jegelka (2017), doi:10.48550/arXiv.1703.01968, eq. 6.
    """
    gamma = (largest[:, None] - mean) / sd
    log_below = log_ndtr(gamma)
    ratio = np.exp(-0.5 * gamma**2 - LOG_SQRT_2PI - log_below)
    return (gamma * ratio / 2 - log_below).mean(0)


def improvement_after_label(improvement: np.ndarray, phase: np.ndarray, n_phases: int) -> np.ndarray:
    """How much more the next measurement of a property is expected to improve once a place has its label.

    A label improves nothing itself. It may change where the property is measured next, and this is what it
    is worth: the largest expected improvement once the label is known, averaged over what it may say, less
    the largest now.

    Args:
        improvement (draw, place): from `log_improvement_by_draw`, no logarithms; of the places where the
            property may be measured.
        phase (draw, candidate): the same draws at the places that may be labelled, integers from 0.
        n_phases: how many phases there are.

    Returns:
        (candidate): at least 0, in the unit of the improvement.

    Source:
        The value of information of Raiffa and Schlaifer (1961), ch. 4. The best place is sought in one half
        of the draws and its worth taken from the other, or else chance would count as knowledge.
    """
    n_draws = len(phase)
    gain = np.zeros(phase.shape[1])
    label = np.eye(n_phases)[phase]  # (draw, candidate, phase)
    for seek in (np.arange(n_draws) % 2 == 0, np.arange(n_draws) % 2 == 1):
        found, sought = label[~seek], label[seek]
        now = improvement[seek].mean(0).argmax()
        # A stable matrix product: (candidate, phase, draw) with (draw, place).
        then = np.tensordot(sought, improvement[seek], ([0], [0])).argmax(-1)
        more = improvement[~seek] - improvement[~seek][:, [now]]
        worth = np.tensordot(found, more, ([0], [0]))  # (candidate, phase, place)
        gain += np.take_along_axis(worth, then[..., None], -1)[..., 0].sum(1) / n_draws
    return np.maximum(gain, 0)


def _moments_within(phase: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, sd and number of the draws that have the same phase at the same place, each (draw, place).

    Of a single phase they are (1, place): they are the same in all draws.
    """
    kinds = np.flatnonzero(np.bincount(phase.ravel()))
    mean, square, n_alike = (np.zeros_like(values[: None if len(kinds) > 1 else 1]) for _ in range(3))
    for k in kinds:
        alike = phase == k
        count = np.maximum(alike.sum(0), 1)
        centre = np.einsum("dp,dp->p", values, alike) / count
        apart = (values - centre) * alike
        spread = np.einsum("dp,dp->p", apart, apart)
        for target, found in ((mean, centre), (square, spread), (n_alike, count)):
            np.copyto(target, found, where=alike[: len(target)])
    # A phase that few draws visit has no sd of its own worth the name: it borrows from the others.
    pooled = (square / n_alike).mean(0)
    return mean, np.sqrt((square + BORROWED * pooled) / (n_alike + BORROWED)), n_alike


def upper_confidence_bound(utility: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Mean plus 1.96 sd, where the sd is what remains once the chosen places are measured.

    Args:
        utility (draw, place): what the goal is worth at the candidates.
        chosen (draw, choice): the same at places already chosen or pending; may have no columns.

    Returns:
        (place): in the unit of the utility.

    Source:
        GP-BUCB, Desautels et al. (2014), J. Mach. Learn. Res. 15, 4053. We condition by
        regressing the draws, and leave the width constant.
    """
    return utility.mean(0) + UCB_WIDTH * left_open(utility, chosen).std(0)


def left_open(utility: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """What of each draw (draw, place), less its mean, linear regression on the chosen places leaves open."""
    residual = utility - utility.mean(0)
    directions = chosen - chosen.mean(0)
    return residual - directions @ np.linalg.lstsq(directions, residual, rcond=1e-6)[0]


def shared_information(phase: np.ndarray, reference: np.ndarray, n_phases: int) -> np.ndarray:
    """Mutual information between the phase at each place and the phase at each reference place.

    Labels that err independently share nothing, so what cannot be learned is not counted as information.

    Args:
        phase (draw, place): sampled phases, integers from 0.
        reference (draw, reference): the same draws at other places.
        n_phases: how many phases there are.

    Returns:
        (place, reference): nats, at least 0; corrected for the finite number of draws.

    Source:
        Plug-in estimate with the correction of Miller (1955): occupied cells - 1 over twice the draws.
    """
    n_draws = len(phase)
    one, two = (np.eye(n_phases, dtype=np.float32)[a] for a in (phase, reference))  # (draw, place, phase)
    joint = np.einsum("dik,djl->iklj", one, two, optimize=True).transpose(0, 3, 1, 2) / n_draws
    single_one, single_two = one.mean(0), two.mean(0)
    bias = (_cells(joint, (2, 3)) - _cells(single_one, 1)[:, None] - _cells(single_two, 1) + 1) / (
        2 * n_draws
    )
    entropy_one, entropy_two = _entropy(single_one, 1), _entropy(single_two, 1)
    information = entropy_one[:, None] + entropy_two - _entropy(joint, (2, 3)) - bias
    return np.clip(information, 0, None)


def share_told_by_value(phase: np.ndarray, values: np.ndarray, noise: np.ndarray, seed: int) -> np.ndarray:
    """Which share of the uncertainty of the phase at a place a measured value resolves there.

    Nothing where the phases do not differ in the property, all where they differ by far more than a value
    varies within a phase, noise included.

    Args:
        phase (draw, place): sampled phases, integers from 0.
        values (draw, place): the property without noise, in the same draws.
        noise (place): standard deviation of a measurement, in the unit of the values.
        seed: of the simulated measurements.

    Returns:
        (place): mutual information between value and phase over the entropy of the phase, from 0 to 1; 0
        where the phase is certain.

    Source:
        Each phase's values are taken as Gaussian, with the moments of its draws; the posterior of the phase
        is averaged over simulated measurements.
    """
    measured = values + noise * np.random.default_rng(seed).standard_normal(values.shape)
    kinds = np.unique(phase)
    log_odds = np.full((len(kinds), *values.shape), -np.inf)
    probability = np.stack([(phase == k).mean(0) for k in kinds])  # (phase, place)
    pooled = _moments_within(phase, values)[1].mean(0)
    for k, alike in enumerate(phase == kind for kind in kinds):
        count = alike.sum(0)
        mean = (values * alike).sum(0) / np.maximum(count, 1)
        square = (((values - mean) * alike) ** 2).sum(0) + BORROWED * pooled**2
        variance = square / (count + BORROWED) + noise**2 + np.finfo(float).tiny
        with np.errstate(divide="ignore"):  # log 0: a phase that no draw has there
            log_odds[k] = np.log(probability[k]) - 0.5 * np.log(variance)
        log_odds[k] -= 0.5 * (measured - mean) ** 2 / variance
    after = softmax(log_odds, axis=0)
    entropy = _entropy(probability, 0)
    told = entropy - _entropy(after, 0).mean(0)
    return np.clip(told / np.where(entropy > 0, entropy, 1), 0, 1)


def information_gain(information: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """What one more label adds: each place of the map is told by its best informant.

    Args:
        information (place, reference): from `shared_information`.
        chosen (choice, reference): the same of places already chosen or pending; may have no rows.

    Returns:
        (place): nats, the mean over the reference places. A lower bound of the mean drop of their entropy.
    """
    told = chosen.max(0) if len(chosen) else np.zeros(information.shape[1])
    return np.maximum(information - told, 0).mean(1)


def _entropy(probability: np.ndarray, axis: int | tuple[int, ...]) -> np.ndarray:
    return -(probability * np.log(np.where(probability > 0, probability, 1))).sum(axis)


def _cells(probability: np.ndarray, axis: int | tuple[int, ...]) -> np.ndarray:
    return (probability > 0).sum(axis)
