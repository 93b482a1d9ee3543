"""Help from earlier campaigns, refused where cross-validation says that it hurts."""

from dataclasses import replace

import numpy as np
from scipy.stats import norm

from tieline.models.arrays import Mask
from tieline.models.censoring import fit_with_limits
from tieline.models.gaussian_average import GaussianAverage, average
from tieline.models.gaussian_encoding import Reading
from tieline.models.gaussian_kernel import Shape

FEWEST = 4  # values of the present campaign that can tell whether others help


def fit_campaigns(reading: Reading, kernel: str, seed: int) -> tuple[GaussianAverage, Reading]:
    """Fit the present campaign, with the earlier ones if they help.

    Every value of the present campaign is predicted from all others, with and without the earlier campaigns;
    these are left out if the log density of the values is larger without them.

    Args:
        reading: what the table holds.
        kernel: name of a kernel.
        seed: of the draws of hyperparameters.

    Returns:
        The fit, and what it was made from, with a note on what was found.
    """
    n_campaigns = int(reading.entries.campaign.max()) + 1
    together = _fitted(reading, n_campaigns, kernel, seed)
    if n_campaigns == 1:
        return together, reading
    own = reading.entries.campaign == 0
    if (own & (reading.bound == 0)).sum() < FEWEST:
        n_own = int(own.sum())
        return together, _noted(
            reading,
            f"Rests on earlier campaigns: {n_own} own values are too few to tell if they help.",
        )
    few = replace(reading, entries=reading.entries.where(own), bound=reading.bound[own])
    alone = _fitted(few, 1, kernel, seed)
    gain = _log_score(together, own & (reading.bound == 0)) - _log_score(alone, (reading.bound == 0)[own])
    if gain < 0:
        return alone, _noted(
            few,
            f"Earlier campaigns were left out: without them values are predicted {-gain:.1f} nats better.",
        )
    related = ", ".join(f"{r:.2f}" for r in together.hyper.alike[0, 1:])
    return together, _noted(
        reading, f"Earlier campaigns help by {gain:.1f} nats; their relatedness is {related}."
    )


def _fitted(reading: Reading, n_campaigns: int, kernel: str, seed: int) -> GaussianAverage:
    shape = Shape(reading.inputs.group, len(reading.outputs.names), n_campaigns, kernel)
    fit, theta = fit_with_limits(reading.entries, reading.bound, shape)
    return average(fit.entries, shape, theta, seed)


def _noted(reading: Reading, note: str) -> Reading:
    return replace(reading, notes=(*reading.notes, note))


def _log_score(fit: GaussianAverage, counted: Mask) -> float:
    """Log density of entries, each predicted from all others."""
    mean, variance = fit.leave_one_out()
    return float(norm.logpdf(fit.entries.y, mean, np.sqrt(variance))[counted].sum())
