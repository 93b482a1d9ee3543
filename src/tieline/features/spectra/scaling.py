"""Preprocessing of peak areas for scikit-learn's pipelines: learned from the training fold only."""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from tieline.errors import SchemaError, did_you_mean

METHODS = ("none", "log", "standard", "peak_maximum", "min_max", "total_count", "relative", "poisson")


# scikit-learn clones and searches estimators through its own base classes; nothing else here inherits.
class PeakScaling(TransformerMixin, BaseEstimator):
    """One of the preprocessings of the ToF-SIMS study.

    Args:
        method: "none"; "log", of one plus the counts; "standard", mean 0 and variance 1 of every peak;
            "peak_maximum", every peak by its greatest value; "min_max", every peak between its least and its
            greatest, cut off there, which the study chose; "total_count", every spectrum by its sum;
            "relative", every peak by its mean and then every spectrum by its sum; "poisson", by the roots of
            the means of peak and spectrum.
        truncate: cut off what is higher than any pure reference first ("maximum truncation"), so that one
            contaminated peak does not decide alone.

    Source:
        Zhao, KIT (2024), Fig. 4.16 and section 4.3.3; Keenan & Kotula (2004), doi:10.1002/sia.1657, for
        "poisson".
    """

    def __init__(self, method: str = "min_max", *, truncate: bool = False) -> None:
        self.method = method
        self.truncate = truncate

    def fit(self, counts: Any, y: Any = None) -> "PeakScaling":
        """Learn the ranges of peaks from spectra (spectrum, peak); labels y are not looked at.

        Raises:
            SchemaError: the method is unknown, or counts are negative where the method cannot do with that.
        """
        if self.method not in METHODS:
            raise SchemaError(
                f"There is no scaling '{self.method}'. {did_you_mean(self.method, METHODS)}".strip(),
                hint=" or ".join(METHODS),
            )
        values = np.asarray(validate_data(self, counts, dtype=float))
        self._check(values)
        self.lowest_, self.highest_ = values.min(0), values.max(0)
        self.mean_, self.sd_ = values.mean(0), values.std(0)
        self.total_ = float(np.median(values.sum(1)))
        return self

    def transform(self, counts: Any) -> np.ndarray:
        """Scale spectra (spectrum, peak) by what was learned."""
        check_is_fitted(self)
        values = np.asarray(validate_data(self, counts, dtype=float, reset=False))
        self._check(values)
        if self.truncate:
            values = np.minimum(values, self.highest_)
        return getattr(self, f"_{self.method}")(values)

    def _none(self, values: np.ndarray) -> np.ndarray:
        return values

    def _log(self, values: np.ndarray) -> np.ndarray:
        return np.log1p(values)

    def _standard(self, values: np.ndarray) -> np.ndarray:
        return (values - self.mean_) / _divisor(self.sd_)

    def _peak_maximum(self, values: np.ndarray) -> np.ndarray:
        return values / _divisor(self.highest_)

    def _min_max(self, values: np.ndarray) -> np.ndarray:
        return np.clip((values - self.lowest_) / _divisor(self.highest_ - self.lowest_), 0, 1)

    def _total_count(self, values: np.ndarray) -> np.ndarray:
        return values / _divisor(values.sum(1, keepdims=True)) * self.total_

    def _relative(self, values: np.ndarray) -> np.ndarray:
        relative = values / _divisor(self.mean_)
        return relative / _divisor(relative.mean(1, keepdims=True))

    def _poisson(self, values: np.ndarray) -> np.ndarray:
        row = values.mean(1, keepdims=True) / _divisor(np.array(self.mean_.mean()))
        return values / np.sqrt(_divisor(row) * _divisor(self.mean_))

    def _check(self, values: np.ndarray) -> None:
        if self.method in ("log", "poisson", "total_count", "relative") and (values < 0).any():
            row, peak = np.argwhere(values < 0)[0]
            raise SchemaError(
                f"The scaling '{self.method}' needs counts, which are not negative.",
                found=f"{values[row, peak]:g} in spectrum {row}, peak {peak}",
                hint="undo the subtraction of a background",
            )


def _divisor(scale: np.ndarray) -> np.ndarray:
    """A scale to divide by; 1 where a peak or a spectrum is empty or never changes."""
    return np.where(scale > 0, scale, 1.0)
