"""The model in use and its challengers on the same folds: it stays unless one is better, or simpler."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from tieline.errors import SchemaError
from tieline.evaluation.candidates import simplicity_of
from tieline.evaluation.left_out import losses_of
from tieline.evaluation.race import TIE
from tieline.evaluation.schemes import group_folds
from tieline.evaluation.scores import clustered_error
from tieline.evaluation.task import Task
from tieline.models.arrays import Array, Indices
from tieline.models.design_columns import labels_of
from tieline.models.posterior import label_sets, model_name, names_of
from tieline.schema import as_variables
from tieline.schema.wording import after_number, name_known, plus_minus


@dataclass(frozen=True, eq=False)
class Challenge:
    """How it ended.

    Attributes:
        model: that stays.
        stays: what it is called among the scores.
        decision: the same in a sentence, and why.
        scores: on `model`, the one in use first: loss and loss_se (mean absolute error in the unit of the
            property, of several in their standard deviations; of labels the log loss), behind and behind_se
            (loss beyond that of the one in use, paired), and simplicity.
        folds: how many, by what, and the seed.
    """

    model: Any
    stays: str
    decision: str
    scores: xr.Dataset
    folds: str

    @property
    def record(self) -> dict[str, Any]:
        """All of it but the model itself, as JSON takes it."""
        scores = {str(k): self.scores[k].values.tolist() for k in self.scores.variables}
        return {"stays": self.stays, "decision": self.decision, "scores": scores, "folds": self.folds}


def challenge(
    asked: Task, champion: Any, challengers: Sequence[Any], *, n_folds: int = 5, seed: int = 0
) -> Challenge:
    """Let models challenge the one in use, by rows that none of them learned from.

    The one in use stays unless a challenger errs less by more than a paired standard error, or is simpler and
    errs no more than a standard error and 2 % more.

    Args:
        asked: of all data.
        champion: the model in use.
        challengers: models that predict the same.
        n_folds: how many.
        seed: of folds and fits.

    Raises:
        SchemaError: a challenger is no model, or predicts something else; or fewer folds than two.
        NotIdentified: too little is known, or all rows are of one group.
    """
    if isinstance(challengers, str) or not isinstance(challengers, Sequence):
        raise SchemaError(
            "Challengers are several models.",
            found=type(challengers).__name__,
            hint="challengers=[model]",
        )
    models = _named([champion, *(c for c in challengers if c != champion)], asked.targets)
    loss, group = _losses(asked, models, n_folds, seed)
    simplicity = {name: simplicity_of(model) for name, model in models.items()}
    scores = _scores(loss, group, simplicity).assign_attrs(_measure(asked))
    stays, decision = _decide(scores)
    folds = f"{n_folds} by {asked.groups or 'rows of equal inputs'}, seed {seed}"
    return Challenge(models[stays], stays, decision, scores, folds)


def _named(models: Sequence[Any], targets: Sequence[str]) -> dict[str, Any]:
    """Models by what each is called in a sentence."""
    found: dict[str, Any] = {}
    for model in models:
        if not hasattr(model, "fit") or not hasattr(model, "properties"):
            raise SchemaError(
                "A challenger is a model of this house.",
                found=type(model).__name__,
                hint="comparison.model()",
            )
        known = [*names_of(model.properties), *label_sets(model)]
        for target in targets:
            if target not in known:
                raise SchemaError(
                    f"{type(model).__name__} does not predict '{target}'.", found=name_known(known, target)
                )
        name = model_name(model)
        same = sum(other.split(", ")[0] == name for other in found)
        found[f"{name}, {same + 1}" if same else name] = model
    return found


def _losses(
    asked: Task, models: Mapping[str, Any], n_folds: int, seed: int
) -> tuple[dict[str, Array], Indices]:
    """Loss of each left-out row by model, and the group of each row.

    What lies in other groups is learned from whatever it says: limits and labels too, without the target.
    """
    table = as_variables(asked.table, [*asked.inputs, *asked.targets])
    known = np.stack([asked.arrays(t).has_target for t in asked.targets])
    rows = np.flatnonzero(known.any(0))
    group = np.unique(asked.group[rows], return_inverse=True)[1]
    label = labels_of(table[asked.targets[0]])[rows] if asked.is_classification else None
    scale = {t: _scale(asked, t) for t in asked.targets}
    found: dict[str, Array] = {name: np.full(len(rows), np.nan) for name in models}
    for _, test in group_folds(group, label, n_folds, seed):
        is_apart = ~np.isin(asked.group, asked.group[rows[test]])
        learned, left = asked.table.isel(specimen=is_apart), table.isel(specimen=rows[test])
        for name, model in models.items():
            said = model.fit(learned, seed=seed).predict(left[list(asked.inputs)])
            wrong = np.stack([losses_of(said, left[t]) / scale[t] for t in asked.targets])
            is_known = known[:, rows[test]]
            found[name][test] = np.where(is_known, wrong, 0).sum(0) / is_known.sum(0)
    return found, group


def _scale(asked: Task, target: str) -> float:
    """Several properties are compared in standard deviations of each."""
    if len(asked.targets) == 1:
        return 1.0
    values = asked.table[target].values.astype(float)
    return float(np.nanstd(values)) or 1.0


def _scores(loss: Mapping[str, Array], group: Indices, simplicity: Mapping[str, int]) -> xr.Dataset:
    names = list(loss)
    lead = loss[names[0]]
    columns = {
        "loss": [loss[n].mean() for n in names],
        "loss_se": [clustered_error(loss[n], group) for n in names],
        "behind": [(loss[n] - lead).mean() for n in names],
        "behind_se": [clustered_error(loss[n] - lead, group) for n in names],
        "simplicity": [simplicity[n] for n in names],
    }
    return xr.Dataset({k: ("model", np.array(v)) for k, v in columns.items()}, {"model": names})


def _decide(scores: xr.Dataset) -> tuple[str, str]:
    """Name the model that stays, and say why."""
    frame = scores.to_dataframe()
    names = [str(name) for name in frame.index]
    champion, others = names[0], frame.iloc[1:]
    if others.empty:
        return champion, f"{_begin(champion)} stays: nothing else is recommended."
    before, measure, unit = frame.iloc[0], scores.attrs["measure"], scores.attrs["unit"]
    better = others[others["behind"] < -others["behind_se"]]
    near = others["behind"] <= np.minimum(others["behind_se"], TIE * before["loss"])
    simpler = others[near & (others["simplicity"] < before["simplicity"])]
    said = f"{measure} {plus_minus(before['loss'], before['loss_se'])}{unit}"
    if not better.empty:
        name = str(better["loss"].idxmin())
        row = better.loc[name]
        less = plus_minus(-row["behind"], row["behind_se"])
        why = f"{measure} {plus_minus(row['loss'], row['loss_se'])}{unit}, which is {less} less"
        return name, f"{_begin(name)} takes the place of {champion} ({said}): {why}."
    if not simpler.empty:
        name = str(simpler.sort_values(["simplicity", "loss"]).index[0])
        why = f"it is simpler, and errs {_beside(simpler.loc[name])}"
        return name, f"{_begin(name)} takes the place of {champion} ({said}): {why}."
    name = str(others["loss"].idxmin())
    return champion, f"{_begin(champion)} stays ({said}): {name} errs {_beside(others.loc[name])}."


def _begin(name: str) -> str:
    return name[0].upper() + name[1:]


def _measure(asked: Task) -> dict[str, str]:
    """What losses are, and in which unit, as a sentence says it."""
    if asked.is_classification:
        return {"measure": "log loss", "unit": ""}
    target, *others = asked.targets
    if others:
        return {"measure": "off by", "unit": " standard deviations"}
    unit = asked.table[target].attrs.get("units", "")
    return {"measure": "off by", "unit": after_number(unit)}


def _beside(row: pd.Series) -> str:
    behind, error = np.asarray(row[["behind", "behind_se"]], float)
    said = f"{plus_minus(abs(behind), error)} {'more' if behind >= 0 else 'less'}"
    return f"{said}, maybe by chance" if abs(behind) <= error else said
