"""How far to trust a Gaussian process: every specimen predicted from the others."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from scipy.stats import binom, median_abs_deviation

from tieline.models.diagnosis import FALSE_ALARM, FEW_VALUES, HALF_OF_90, LEVEL
from tieline.models.verdict import Worry, judge

if TYPE_CHECKING:
    from tieline.models.gaussian_posterior import GaussianPosterior

NORMAL = 1.4826  # standard deviation of a normal distribution, in median absolute deviations
FAR = 10.0  # robust standard deviations from the median from which a value may be a gross error
UNFORESEEN = 3.0  # and standard deviations from what all others say


def diagnose(posterior: "GaussianPosterior") -> xr.Dataset:
    """Compare leave-one-out predictions with what was measured, and put the result in one sentence."""
    found, names = _leave_one_out(posterior), posterior.model.properties
    further = [w for name in names for w in _gross_errors(posterior, found.sel(property=name), name)]
    return summarise(found, names, posterior.notes, further=further)


def summarise(
    found: xr.Dataset,
    names: Iterable[str],
    notes: Iterable[str],
    *,
    further: Iterable[Worry] = (),
) -> xr.Dataset:
    """Give figures from left-out predictions a verdict, a sentence and an action.

    Args:
        found: with `coverage_90 (property)` and `n_measured (property)`.
        names: of the properties.
        notes: what should be known besides.
        further: worries (verdict, sentence, action) beyond those about coverage.
    """
    told = "Predictions of each specimen from the others agree with what was measured"
    fine = ("green", told, "Use the predictions and their intervals.")
    return judge(found, [*_worries(names, found), *further], fine, notes)


def _leave_one_out(posterior: "GaussianPosterior") -> xr.Dataset:
    reading, entries = posterior.reading, posterior.fit.entries
    mean, variance = posterior.fit.leave_one_out()
    is_value = (entries.campaign == 0) & (reading.bound == 0)
    inside = np.abs(mean - entries.y) <= HALF_OF_90 * np.sqrt(variance)
    outputs, size = reading.outputs, (posterior.table.sizes["specimen"], len(reading.outputs.names))
    loo_mean, loo_sd = np.full(size, np.nan), np.full(size, np.nan)
    row, output = entries.row[is_value], entries.output[is_value]
    loo_mean[row, output] = mean[is_value] * outputs.scale[output] + outputs.centre[output]
    loo_sd[row, output] = np.sqrt(variance[is_value]) * outputs.scale[output]
    n_measured = np.bincount(output, minlength=size[1])
    n_inside = np.bincount(output, inside[is_value], minlength=size[1])
    return xr.Dataset(
        {
            "coverage_90": ("property", n_inside / np.maximum(n_measured, 1)),
            "n_measured": ("property", n_measured),
            "loo_mean": (("specimen", "property"), loo_mean),
            "loo_sd": (("specimen", "property"), loo_sd),
        },
        coords={"specimen": posterior.table["specimen"], "property": list(outputs.names)},
    )


def _worries(names: Iterable[str], found: xr.Dataset) -> Iterator[tuple[str, str, str]]:
    """Yield (verdict, sentence, action) for everything that is not as it should be."""
    for name in names:
        n, coverage = int(found.n_measured.sel(property=name)), float(found.coverage_90.sel(property=name))
        if n < FEW_VALUES:
            yield (
                "amber",
                f"{name} was measured on only {n} specimen{'s' * (n != 1)}",
                f"Measure {name} on more specimens.",
            )
        elif binom.cdf(round(coverage * n), n, LEVEL) < FALSE_ALARM:
            yield (
                "red" if coverage < 0.75 else "amber",
                f"Only {coverage:.0%} of {n} left-out values of {name} fall into their 90 % intervals",
                f"Widen the intervals of {name}, look for outliers, or measure repeats.",
            )


def _gross_errors(
    posterior: "GaussianPosterior", found: xr.Dataset, name: str
) -> Iterator[tuple[str, str, str]]:
    """Name a value that is far from all others and was not foreseen by them: of another unit, perhaps."""
    value = posterior.table[name].where(found["loo_sd"].notnull()).values.astype(float)
    spread = NORMAL * median_abs_deviation(value, nan_policy="omit")
    if spread == 0:
        return
    is_far = np.abs(value - np.nanmedian(value)) > FAR * spread
    is_unforeseen = np.abs(value - found["loo_mean"].values) > UNFORESEEN * found["loo_sd"].values
    rows = np.flatnonzero(is_far & is_unforeseen)
    if rows.size:
        where = f"specimen {posterior.table['specimen'].values[rows[0]]} ({value[rows[0]]:.4g})"
        yield (
            "amber",
            f"{name} of {where} lies far from all others, which did not foresee it",
            f"Check its unit and the specimen; if {name} spans decades, learn its logarithm.",
        )
