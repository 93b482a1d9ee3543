"""Unmixing: how much of each pure spectrum there is in an unknown one, and how sure that is.

The counts of an unknown are sum_k a_k m_kj with the variance that references show: Poisson's, the scatter of
every channel, and the uncertainty of the pure spectra. Amounts a are found by non-negative least squares with
these weights, again and again until weights and amounts agree.

* A channel that is far off (contaminated, or of a compound that is no reference) pulls with a bounded force
  only (Huber).
* The pure spectra have errors of their own, which would pull amounts towards each other; their expected size
  is taken out of the normal equations (Fuller, Measurement Error Models, 1987, section 2.2).
* Shares are a_k / f_k over their sum, where f are relative sensitivity factors: 1 if nothing else is known.

Intervals are worked out from the solution without the bound at zero, for which errors are normal; see
`bounded_interval`. Errors that scale whole compounds (dose of the references, matrix effect) act on log
ratios of shares and are added there.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import nnls
from scipy.stats import norm

from tieline.models.arrays import Array
from tieline.models.bounded_interval import bounded_interval
from tieline.models.spectral_references import References

HUBER = 2.5  # standard errors beyond which a channel counts less: costs less than 1 % if nothing is wrong
N_ROUNDS = 25
SETTLED = 1e-6  # of the amounts
FLOOR = 0.25  # counts squared: the variance of a channel where nothing is expected
LIKELY_ABSENT = 1.28  # standard errors: below, an amount does not add to the variance that it is judged by
MISFIT = 1.5  # variance of residuals beyond which intervals are widened


@dataclass(frozen=True)
class Mixture:
    """One unknown spectrum, unmixed.

    Attributes:
        amount (compound): in spots of the pure compound, not negative.
        free (compound): the same without the bound at zero.
        covariance (compound, compound): of `free`.
        residual (channel): in standard errors; NaN where not measured.
        misfit: mean square of the residuals, large ones bounded; about 1 if the references explain
            everything.
        unexplained: share of the counts that no reference explains, beyond chance.
    """

    amount: Array
    free: Array
    covariance: Array
    residual: Array
    misfit: float
    unexplained: float

    def of_first(self, n: int) -> "Mixture":
        """The same with the first `n` compounds only."""
        return replace(self, amount=self.amount[:n], free=self.free[:n], covariance=self.covariance[:n, :n])


def unmix(counts: Array, references: References, n_spots: int = 1) -> Mixture:
    """Unmix one spectrum.

    Args:
        counts (channel): NaN where not measured.
        references: pure spectra.
        n_spots: how many spots `counts` is the mean of.
    """
    seen = np.isfinite(counts)
    known = references.seen(seen)
    y, level, variance = counts[seen], known.level, known.level_variance
    amount = np.full(len(level), y.sum() / level.sum())
    free = amount
    for _ in range(N_ROUNDS):
        spread, residual = _residual(y, amount, known, n_spots)
        weight = np.minimum(1, HUBER / np.maximum(np.abs(residual), 1e-9)) / spread
        normal = (level * weight) @ level.T
        normal, right = _without_error(normal, (variance * weight).sum(1)), (level * weight) @ y
        root = np.linalg.cholesky(normal)
        free = cho_solve((root, True), right)
        before, amount = amount, nnls(root.T, np.linalg.solve(root, right))[0]
        if np.abs(amount - before).max() <= SETTLED * amount.max(initial=1e-12):
            break
    spread, residual = _residual(y, amount, known, n_spots)
    misfit = float(np.minimum(residual**2, HUBER * np.abs(residual)).sum() / max(len(y) - len(level), 1))
    covariance = _covariance(amount, free, known, n_spots) * (misfit if misfit > MISFIT else 1.0)
    strange = np.maximum(y - amount @ level - 3 * np.sqrt(spread), 0).sum() / max(y.sum(), 1.0)
    all_residuals = np.full(len(counts), np.nan)
    all_residuals[seen] = residual
    return Mixture(amount, free, covariance, all_residuals, misfit, float(strange))


def shares(
    mixture: Mixture, sensitivity: Array, log_variance: Array, level: float = 0.9
) -> tuple[Array, Array, Array, Array]:
    """Turn amounts into shares.

    Args:
        mixture: an unmixed spectrum.
        sensitivity (compound): relative sensitivity factors.
        log_variance (compound): variance of the logarithm of each compound's yield.
        level: probability of the intervals.

    Returns:
        For each compound its share, lower and upper end of its interval, and the number of standard errors
        that it lies above zero. NaN where there is nothing of any reference.
    """
    amount, free = mixture.amount / sensitivity, mixture.free / sensitivity
    if amount.sum() <= 0 or free.sum() <= 0:
        nothing = np.full(len(amount), np.nan)
        return nothing, nothing, nothing, nothing
    share, estimate = amount / amount.sum(), free / free.sum()
    slope = (np.eye(len(share)) - estimate[:, None]) / free.sum() / sensitivity
    sd = np.sqrt(np.diag(slope @ mixture.covariance @ slope.T))
    low, high = bounded_interval(estimate, sd, level)
    low, high = _widened(share, low, high, log_variance, level)
    return share, low, high, estimate / sd


def _residual(y: Array, amount: Array, known: References, n_spots: int) -> tuple[Array, Array]:
    """Variance of every channel, and residuals in standard errors."""
    expected = amount @ known.level
    of_spots = (expected + known.spread * expected**2 + FLOOR) / n_spots
    spread = of_spots + amount**2 @ known.level_variance
    return spread, (y - expected) / np.sqrt(spread)


def _without_error(normal: Array, error: Array) -> Array:
    """Take the errors of the pure spectra out of the normal equations, which stay positive definite."""
    smallest = np.linalg.eigvalsh(normal / np.sqrt(np.outer(error, error)))[0]
    # The smallest eigenvalue in units of the error says how far spectra differ beyond their noise.
    return normal - np.diag(error) * min(1.0, 0.5 * smallest) + 1e-12 * np.trace(normal) * np.eye(len(normal))


def _covariance(amount: Array, free: Array, known: References, n_spots: int) -> Array:
    """Covariance of the amounts; what is probably absent adds nothing to the variance."""
    covariance = np.zeros((len(amount), len(amount)))
    present = amount
    for _ in range(2):
        spread, _ = _residual(np.zeros(known.level.shape[1]), present, known, n_spots)
        normal = (known.level / spread) @ known.level.T
        ridge = 1e-12 * np.trace(normal) * np.eye(len(normal))
        covariance = cho_solve(cho_factor(normal + ridge), np.eye(len(normal)))
        present = np.where(free > LIKELY_ABSENT * np.sqrt(np.diag(covariance)), amount, 0)
    return covariance


def _widened(share: Array, low: Array, high: Array, log_variance: Array, level: float) -> tuple[Array, Array]:
    """Add errors of whole compounds, in quadrature on the scale of log ratios to all the rest."""
    rest = np.maximum(1 - share, 1e-12)
    others = (share**2 @ log_variance) - share**2 * log_variance
    reach = norm.ppf((1 + level) / 2) * np.sqrt(log_variance + others / rest**2)
    centre, below, above = (_log_ratio(x) for x in (np.clip(share, low, high), low, high))
    wider_low = _share_of(centre - np.hypot(centre - below, reach))
    wider_high = _share_of(centre + np.hypot(above - centre, reach))
    return np.where(low > 0, wider_low, 0), np.where(high < 1, wider_high, 1)


def _log_ratio(share: Array) -> Array:
    inside = np.clip(share, 1e-9, 1 - 1e-9)
    return np.log(inside) - np.log1p(-inside)


def _share_of(log_ratio: Array) -> Array:
    return 1 / (1 + np.exp(-log_ratio))
