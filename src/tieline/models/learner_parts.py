"""What a learner learns of each target: its fits, and how wrong they were where they had not looked."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from tieline.models.arrays import Array, Indices
from tieline.models.belonging import groups_of
from tieline.models.composition_folds import leave_out
from tieline.models.design_columns import DesignColumns, labels_of
from tieline.models.diagnosis import HALF_OF_90
from tieline.models.isotropic_process import IsotropicProcess
from tieline.models.learner_fit import FittedLabel, FittedNumber, fit_label, fit_number
from tieline.models.learner_ways import PROCESS, WAYS, Settings, way_named
from tieline.models.widths import Widths
from tieline.schema import as_variables

if TYPE_CHECKING:
    from tieline.models.learner import Learner
    from tieline.models.learner_posterior import LearnerPosterior

UNCERTAINTIES = ("conformal", "bootstrap", "ensemble", "bayes")
ENSEMBLE = ("ridge", "support_vectors", PROCESS, "extra_trees", "gradient_boosting")
N_BOOTSTRAPS = 20


@dataclass(frozen=True)
class NumberParts:
    """Fits of one property that answer together.

    Attributes:
        members: one fit, or several whose mean is the answer.
    """

    members: tuple[FittedNumber, ...]

    def predict(self, x: Array) -> tuple[Array, Array]:
        """Mean, and how far the parts of the fit disagree (place)."""
        if len(self.members) == 1:
            return self.members[0].predict(x)
        said = np.stack([member.predict(x)[0] for member in self.members])
        return said.mean(0), said.std(0, ddof=1)

    def mean(self, x: Array) -> Array:
        """The mean (place) alone."""
        prepared: dict[int, Array] = {}
        total = np.zeros(len(x))
        for member in self.members:
            key = id(member.preparation)  # fits to the same rows share theirs
            if key not in prepared:
                prepared[key] = member.preparation.apply(x)
            total += member.mean_prepared(prepared[key])
        return total / len(self.members)


def learn(model: "Learner", table: xr.Dataset, columns: DesignColumns, seed: int) -> "LearnerPosterior":
    """Fit every target, and predict each specimen from groups that it is not in."""
    from tieline.models.learner_posterior import LearnerPosterior

    x, group = columns.place(table), groups_of(table, model.design_names, model.groups)
    n = len(x)
    if model.phase:
        label = labels_of(as_variables(table, [model.phase])[model.phase])
        rows = np.flatnonzero(label != "")
        labels = np.unique(label[rows])
        chance = np.full((n, len(labels)), np.nan)
        for train, test in _folds(group, rows, seed):
            way = way_named(model.way, labels=True)
            fitted = fit_label(way, _settings(model), x[train], label[train], labels, seed)
            chance[test] = fitted.predict(x[test])
        return LearnerPosterior(
            model, table, seed, columns, (), np.zeros((n, 0, 3)), tuple(labels.tolist()), chance
        )
    widths, left_out = [], np.full((n, len(model.properties), 3), np.nan)
    for j, name in enumerate(model.properties):
        y = as_variables(table, [name])[name].values.astype(float)
        rows = np.flatnonzero(np.isfinite(y))
        mean, spread = _left_out(model, x, y, rows, group, seed)
        known = rows[np.isfinite(mean[rows])]
        found = Widths.of(y[known] - mean[known], spread[known])
        if model.uncertainty == "bayes":
            (member,) = fit_numbers(model, x[rows], y[rows], group[rows], seed).members
            assert isinstance(member.fitted, IsotropicProcess)
            found = Widths((member.scale * member.fitted.noise_sd) ** 2, 1.0, HALF_OF_90, len(known))
        widths.append(found)
        sd = found.sd(spread[known])
        left_out[known, j] = np.stack([mean[known], sd, found.quantile * sd], 1)
    return LearnerPosterior(model, table, seed, columns, tuple(widths), left_out, (), np.zeros((n, 0)))


def fit_numbers(model: "Learner", x: Array, y: Array, group: Indices, seed: int) -> NumberParts:
    """Fit to all rows that know a property: once, several times, or in several ways."""
    if model.uncertainty == "bootstrap":
        way = way_named(model.way, labels=False)
        drawn = _bootstraps(group, seed)
        return NumberParts(
            tuple(fit_number(way, _settings(model), x[d], y[d], seed + k) for k, d in enumerate(drawn))
        )
    members = [fit_number(WAYS[n], s, x, y, seed) for n, s in _ways(model)]
    if model.uncertainty == "ensemble":  # all of these ways read the same columns
        members = [replace(member, preparation=members[0].preparation) for member in members]
    return NumberParts(tuple(members))


def fit_labels(
    model: "Learner", table: xr.Dataset, x: Array, labels: tuple[str, ...], seed: int
) -> FittedLabel:
    """Fit to all rows that have a label."""
    assert model.phase is not None
    label = labels_of(as_variables(table, [model.phase])[model.phase])
    rows = label != ""
    way = way_named(model.way, labels=True)
    return fit_label(way, _settings(model), x[rows], label[rows], np.array(labels), seed)


def fit_all(posterior: "LearnerPosterior") -> tuple[NumberParts | FittedLabel, ...]:
    """Everything that answers, from the settings, the table and the seed alone."""
    model, table, seed = posterior.model, posterior.table, posterior.seed
    x, group = posterior.columns.place(table), groups_of(table, model.design_names, model.groups)
    if model.phase:
        return (fit_labels(model, table, x, posterior.labels, seed),)
    parts = []
    for name in model.properties:
        y = as_variables(table, [name])[name].values.astype(float)
        rows = np.flatnonzero(np.isfinite(y))
        parts.append(fit_numbers(model, x[rows], y[rows], group[rows], seed))
    return tuple(parts)


def _left_out(
    model: "Learner", x: Array, y: Array, rows: Indices, group: Indices, seed: int
) -> tuple[Array, Array]:
    """Mean and disagreement (row) of rows that were not learned from; NaN for what is always drawn."""
    mean, spread = np.full(len(y), np.nan), np.full(len(y), np.nan)
    if model.uncertainty == "bootstrap":
        said = np.full((N_BOOTSTRAPS, len(rows)), np.nan)
        parts = fit_numbers(model, x[rows], y[rows], group[rows], seed)
        for k, drawn in enumerate(_bootstraps(group[rows], seed)):
            out = np.setdiff1d(np.arange(len(rows)), drawn)
            out = out[~np.isin(group[rows][out], group[rows][drawn])]
            said[k, out] = parts.members[k].predict(x[rows[out]])[0]
        often = np.isfinite(said).sum(0) > 2
        mean[rows[often]], spread[rows[often]] = (
            np.nanmean(said[:, often], 0),
            np.nanstd(said[:, often], 0, ddof=1),
        )
        return mean, spread
    for train, test in _folds(group, rows, seed):
        parts = fit_numbers(model, x[train], y[train], group[train], seed)
        mean[test], spread[test] = parts.predict(x[test])
    return mean, spread


def _folds(group: Indices, rows: Indices, seed: int) -> Iterator[tuple[Indices, Indices]]:
    """Rows to learn from and rows to predict, of those that know the target."""
    some = np.unique(group[rows], return_inverse=True)[1]
    for part in leave_out(some, some, seed).parts:
        train = np.setdiff1d(np.arange(len(rows)), part)
        if len(train):
            yield rows[train], rows[part]


def _bootstraps(group: Indices, seed: int) -> list[Indices]:
    """Rows of groups drawn with replacement, again and again."""
    rng = np.random.default_rng(seed)
    members = [np.flatnonzero(group == g) for g in np.unique(group)]
    draws = (rng.integers(len(members), size=len(members)) for _ in range(N_BOOTSTRAPS))
    return [np.concatenate([members[i] for i in draw]) for draw in draws]


def _ways(model: "Learner") -> list[tuple[str, Settings]]:
    if model.uncertainty == "ensemble":
        return [(name, WAYS[name].tried[0]) for name in ENSEMBLE]
    return [(model.way, _settings(model))]


def _settings(model: "Learner") -> Settings:
    """What was asked for, in place of the usual settings of the way."""
    way = WAYS[model.way]
    usual = dict((way.tried_on_labels if model.phase else way.tried)[0])
    return tuple((usual | dict(model.settings)).items())
