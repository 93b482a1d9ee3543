"""How wide intervals are, learned from predictions of rows that were left out.

The squared error is taken to be a sum of a constant and of a share of what parts of the fit disagree about;
standardised errors then give the quantiles, with the correction of split conformal prediction.

Source: Lei et al. (2018), doi:10.1080/01621459.2017.1307116, sections 2.2 and 5.2.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from tieline.models.arrays import Array

LEVEL = 0.90  # of the intervals
FLOOR = 0.05  # of the root mean squared error: no place is surer than this


@dataclass(frozen=True)
class Widths:
    """From disagreement to standard deviations and intervals.

    Attributes:
        constant: variance that every place has.
        share: of the squared disagreement.
        quantile: half width of the 90 % interval, in standard deviations.
        n: number of left-out predictions that it was learned from.
    """

    constant: float
    share: float
    quantile: float
    n: int

    @staticmethod
    def of(error: Array, spread: Array) -> "Widths":
        """Learn from errors and disagreements (row) of left-out predictions."""
        squared = error**2
        scale = float(squared.mean()) or 1e-300
        design = np.column_stack([np.ones(len(error)), spread**2 / scale])
        # A gross error must not decide alone how wide everything is.
        bounded = np.minimum(squared / scale, 25.0)
        (constant, share), _ = nnls(design, bounded)
        found = Widths(max(float(constant), FLOOR**2) * scale, float(share), 1.0, len(error))
        score = np.sort(np.abs(error) / found.sd(spread))
        rank = int(np.ceil((len(error) + 1) * LEVEL))
        quantile = float(score[min(rank, len(error)) - 1])
        # Standard deviations that are honest: standardised errors have a variance of one.
        size = float(np.sqrt(np.mean(np.minimum(score, 5.0) ** 2))) or 1.0
        return Widths(found.constant * size**2, found.share * size**2, quantile / size, len(error))

    def sd(self, spread: Array) -> Array:
        """Standard deviations (place) of a new measurement."""
        return np.sqrt(self.constant + self.share * spread**2)
