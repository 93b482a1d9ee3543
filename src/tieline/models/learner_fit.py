"""One fitted way: columns prepared on the training rows only, then any regressor or classifier."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from tieline.models.arrays import Array, Mask
from tieline.models.isotropic_process import IsotropicProcess
from tieline.models.learner_ways import PROCESS, WAYS, Settings, Way

MOST = 6.0  # standard deviations: what lies further out is taken to lie there
LEAST_CHANCE = 1e-4  # of a label that a fit excludes: no finite table shows that it cannot be


@dataclass(frozen=True)
class Preparation:
    """Columns without holes and of order one, by what the training rows know.

    Attributes:
        fill (column): medians, in place of what is missing.
        centre (column): means.
        spread (column): standard deviations; 1 where nothing varies.
        has_holes (column): columns whose being missing is told in a column of its own.
        varies (column): columns that are kept.
        most: standard deviations from the mean at which values are held.
    """

    fill: Array
    centre: Array
    spread: Array
    has_holes: Mask
    varies: Mask
    most: float = MOST

    @staticmethod
    def of(x: Array) -> "Preparation":
        """Learn from training rows (row, column)."""
        known = np.isfinite(x)
        n = known.sum(0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # columns that nobody knows have no median
            fill = np.where(n > 0, np.nanmedian(np.where(known, x, np.nan), 0), 0.0)
        filled = np.where(known, x, fill)
        spread = filled.std(0)
        varies = spread > 1e-12 * np.maximum(np.abs(filled).max(0), 1e-300)
        return Preparation(
            fill, filled.mean(0), np.where(varies, spread, 1.0), (n > 0) & (n < len(x)), varies
        )

    @property
    def raw(self) -> "Preparation":
        """The same, but values stay what they are."""
        return replace(self, centre=np.zeros_like(self.centre), spread=np.ones_like(self.spread), most=np.inf)

    def apply(self, x: Array) -> Array:
        """Prepare rows (row, column)."""
        known = np.isfinite(x)
        scaled = (np.where(known, x, self.fill) - self.centre) / self.spread
        kept = np.clip(scaled[:, self.varies], -self.most, self.most)
        if not kept.shape[1]:  # nothing varied: every way predicts the mean of what it saw
            return np.zeros((len(x), 1))
        return np.hstack([kept, (~known[:, self.has_holes]).astype(float)]) if self.has_holes.any() else kept


@dataclass(frozen=True)
class FittedNumber:
    """A way that was fitted to numbers.

    Attributes:
        preparation: of the columns.
        centre: mean of the training values.
        scale: their standard deviation; the way itself saw values of order one.
        fitted: a scikit-learn regressor, or a process.
    """

    preparation: Preparation
    centre: float
    scale: float
    fitted: Any

    def mean(self, x: Array) -> Array:
        """The mean (place) alone."""
        return self.mean_prepared(self.preparation.apply(x))

    def mean_prepared(self, prepared: Array) -> Array:
        """The same of columns that were prepared already."""
        is_process = isinstance(self.fitted, IsotropicProcess)
        return self.centre + self.scale * (
            self.fitted.mean(prepared) if is_process else self.fitted.predict(prepared)
        )

    def formula(self, columns: Sequence[str]) -> str:
        """What a `SparseFormula` found, in the unit of the property; names of all columns are given."""
        names = np.array(columns)
        of_holes = [f"[{name} unknown]" for name in names[self.preparation.has_holes]]
        fitted = self.fitted
        written = f"{self.centre + self.scale * fitted.intercept_:.4g}"
        for coefficient, term in zip(self.scale * fitted.coefficients_, fitted.terms_, strict=True):
            sign = "-" if coefficient < 0 else "+"
            what = term.expression.text([*names[self.preparation.varies], *of_holes])
            written += f" {sign} {abs(coefficient):.4g} · {what}"
        return written

    def predict(self, x: Array) -> tuple[Array, Array]:
        """Mean, and how far parts of the fit disagree (place): trees, neighbours, or the process's sd."""
        prepared = self.preparation.apply(x)
        if isinstance(self.fitted, IsotropicProcess):
            mean, spread = self.fitted.predict(prepared)
        else:
            mean, spread = self.fitted.predict(prepared), _disagreement(self.fitted, prepared)
        return self.centre + self.scale * mean, self.scale * spread


@dataclass(frozen=True)
class FittedLabel:
    """A way that was fitted to labels.

    Attributes:
        preparation: of the columns.
        labels: what can be told, in order.
        fitted: a scikit-learn classifier.
    """

    preparation: Preparation
    labels: np.ndarray
    fitted: Any

    def predict(self, x: Array) -> Array:
        """Probabilities (place, label)."""
        told = np.full((len(x), len(self.labels)), LEAST_CHANCE)
        found = self.fitted.predict_proba(self.preparation.apply(x))
        told[:, np.searchsorted(self.labels, self.fitted.classes_.astype(str))] = np.maximum(
            found, LEAST_CHANCE
        )
        return told / told.sum(1, keepdims=True)


@threadpool_limits.wrap(limits=1)  # processes share the machine; threads of one fit would only wait
def fit_number(way: Way | Any, settings: Settings, x: Array, y: Array, seed: int) -> FittedNumber:
    """Fit a way, or an unfitted scikit-learn regressor, to numbers (row)."""
    preparation = Preparation.of(x)
    if isinstance(way, Way) and way.needs_raw:
        preparation = preparation.raw
    prepared, centre, scale = preparation.apply(x), float(y.mean()), float(y.std()) or 1.0
    standard = (y - centre) / scale
    if isinstance(way, Way) and way.name == PROCESS:
        return FittedNumber(preparation, centre, scale, IsotropicProcess.fit(prepared, standard, seed))
    return FittedNumber(
        preparation, centre, scale, _fitted(_made(way, settings, seed, "regression"), prepared, standard)
    )


@threadpool_limits.wrap(limits=1)
def fit_label(
    way: Way | Any, settings: Settings, x: Array, label: np.ndarray, labels: np.ndarray, seed: int
) -> FittedLabel:
    """Fit a way, or an unfitted scikit-learn classifier, to labels (row); `labels` are all that there are."""
    preparation = Preparation.of(x)
    counts = dict(zip(*np.unique(label, return_counts=True), strict=True))
    if len(counts) == 1:
        return FittedLabel(
            preparation,
            labels,
            _fitted(_made(WAYS["mean"], (), seed, "classification"), preparation.apply(x), label),
        )
    made = _made(way, settings, seed, "classification")
    if isinstance(way, Way) and way.name == "support_vectors":
        # What occurs once cannot be left out to learn how sure the others are; it keeps the least chance.
        often = np.array([counts[c] > 1 for c in label])
        x, label = x[often], label[often]
        made.set_params(cv=min(3, *np.unique(label, return_counts=True)[1]))
    return FittedLabel(preparation, labels, _fitted(made, preparation.apply(x), label))


def _made(way: Way | Any, settings: Settings, seed: int, kind: str) -> Any:
    if isinstance(way, Way):
        make = getattr(way, kind)
        return make(dict(settings), seed)
    from sklearn.base import clone

    return clone(way)


def _fitted(made: Any, x: Array, y: np.ndarray) -> Any:
    from sklearn.exceptions import ConvergenceWarning

    n_neighbours = made.get_params(deep=False).get("n_neighbors", 0)
    if n_neighbours > len(x):  # where there are fewer, all of them are neighbours
        made.set_params(n_neighbors=len(x))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # iterations are few on purpose: early stopping
        return made.fit(x, y)


def _disagreement(fitted: Any, x: Array) -> Array:
    """Standard deviation (place) of what trees, or neighbours, say; zeros where a way has no such parts."""
    trees = getattr(fitted, "estimators_", None)
    if isinstance(trees, list) and hasattr(trees[0], "tree_"):
        narrow = x.astype(np.float32)
        return np.std([tree.tree_.predict(narrow)[:, 0] for tree in trees], 0)
    if hasattr(fitted, "kneighbors"):
        near = fitted.kneighbors(x, return_distance=False)
        return fitted._y[near].std(1)
    return np.zeros(len(x))
