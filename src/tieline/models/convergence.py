"""Whether chains agree: rank-normalised R-hat and effective sample sizes.

Source: Vehtari et al. (2021), doi:10.1214/20-BA1221, as computed by ArviZ.
"""

from dataclasses import dataclass

import numpy as np

from tieline.models.arrays import Array

MOST_RHAT = 1.01
LEAST_ESS = 400.0  # bulk and tail, over all chains together
FIXED = 1e-3  # standard deviation below which a probability or a standardised value counts as known


@dataclass(frozen=True)
class Convergence:
    """The worst figures over all predictions that were watched.

    Attributes:
        rhat: largest R-hat.
        ess_bulk: least effective number of draws for a mean.
        ess_tail: least effective number of draws for the 5 % and 95 % quantiles.
    """

    rhat: float
    ess_bulk: float
    ess_tail: float

    @property
    def reached(self) -> bool:
        """Whether the chains agree."""
        return self.rhat <= MOST_RHAT and min(self.ess_bulk, self.ess_tail) >= LEAST_ESS


def convergence(traces: Array) -> Convergence:
    """Judge chains by traces (chain, draw, prediction); predictions that do not vary are left out."""
    from arviz_stats.base.array import array_stats  # takes two seconds, and only this function needs it

    varying = traces[:, :, traces.std((0, 1)) > FIXED]
    if varying.shape[2] == 0:
        n_draws = float(traces.shape[0] * traces.shape[1])
        return Convergence(1.0, n_draws, n_draws)
    rhat = np.asarray(array_stats.rhat(varying, chain_axis=0, draw_axis=1))
    bulk = np.asarray(array_stats.ess(varying, chain_axis=0, draw_axis=1, method="bulk"))
    tail = np.asarray(array_stats.ess(varying, chain_axis=0, draw_axis=1, method="tail", prob=0.9))
    return Convergence(float(rhat.max()), float(bulk.min()), float(tail.min()))
