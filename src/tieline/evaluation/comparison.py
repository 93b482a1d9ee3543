"""The answer of `compare`: scores, a recommendation with its reasons, and a page."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from tieline.errors import SchemaError, did_you_mean
from tieline.evaluation.candidates import TIELINE, tieline_model
from tieline.evaluation.task import Task
from tieline.schema.wording import after_number, plus_minus

PER_ROW = ("predicted", "chance", "truth", "group")
MANY_TIMES = 100  # times more specimens than there are: nobody will make them
Settled = Mapping[str, tuple[xr.Dataset, str, xr.Dataset | None]]


@dataclass(frozen=True, eq=False)
class Comparison:
    """What a comparison found.

    Attributes:
        task: what was asked.
        scores: on (target, candidate): loss, loss_se, behind, behind_se and so on; the best of the first
            target first. Losses are mean absolute errors in the unit of the target, or log losses.
        left_out: of each target what every candidate predicted of left-out rows: predicted (candidate, row),
            or chance (candidate, row, label), beside the truth.
        curves: of each target the learning curve of what is recommended, if it has one.
        recommended: of each target the candidate to take.
        scheme: of the folds.
    """

    task: Task
    scores: xr.Dataset
    left_out: Mapping[str, xr.Dataset]
    curves: Mapping[str, xr.Dataset]
    recommended: Mapping[str, str]
    scheme: str

    @staticmethod
    def of(task: Task, settled: Settled, scheme: str) -> "Comparison":
        """Join what was found of each target."""
        first = next(iter(settled.values()))[0]
        single = {t: s.drop_vars([v for v in PER_ROW if v in s]) for t, (s, _, _) in settled.items()}
        parts = [
            s.drop_vars("label", errors="ignore").sel(candidate=first["candidate"]) for s in single.values()
        ]
        scores = xr.concat(parts, pd.Index(list(settled), name="target"), combine_attrs="override")
        units = [task.table[t].attrs.get("units", "") for t in settled]
        scores = scores.assign_coords(units=("target", units))
        left_out = {t: s[[v for v in PER_ROW if v in s]] for t, (s, _, _) in settled.items()}
        curves = {t: c for t, (_, _, c) in settled.items() if c is not None}
        return Comparison(task, scores, left_out, curves, {t: n for t, (_, n, _) in settled.items()}, scheme)

    def model(self, target: str | None = None) -> Any:
        """The recommended model of a target, ready to be fitted to a table with `fit(table, seed=0)`.

        Raises:
            SchemaError: there is no such target, or what is recommended was brought along.
        """
        from tieline.models.learner import Learner
        from tieline.models.learner_ways import WAYS

        target = self._target(target)
        name, inputs = self.recommended[target], list(self.task.inputs)
        if name in TIELINE:
            return tieline_model(name, self.task, target)
        if name not in WAYS:
            raise SchemaError(
                f"'{name}' is a model of your own.",
                hint="fit it yourself, or compare without it: models=[...]",
            )
        asked = {"phase": target} if self.task.is_classification else {"properties": target}
        settings = self.scores["settings"].sel(target=target, candidate=name).item()
        return Learner(inputs, way=name, settings=_parsed(settings), groups=self.task.groups or None, **asked)

    def sentences(self, target: str | None = None) -> list[str]:
        """What was found of a target, in words made of its numbers."""
        target = self._target(target)
        name = self.recommended[target]
        row = self.scores.sel(target=target, candidate=name)
        found = [self._quality(target, name, row), *self._against(target, name)]
        if "coverage_90" in row and np.isfinite(row["coverage_90"]):
            found.append(
                f"Its 90 % intervals hold {100 * row['coverage_90'].item():.0f} % of what was left out."
            )
        if target in self.curves:
            found.append(_more(self.curves[target]))
        dropped = int((~self.scores["is_finished"].sel(target=target).values.astype(bool)).sum())
        if dropped:
            what = "One model" if dropped == 1 else f"{dropped} models"
            found.append(f"{what} fell behind and {'was' if dropped == 1 else 'were'} dropped on the way.")
        return found

    def __repr__(self) -> str:
        blocks = []
        for target in self.scores["target"].values:
            table = self._table(str(target))
            text = [" ".join(self.sentences(str(target))), table.to_string(index=False)]
            blocks.append("\n".join(text))
        return "\n\n".join(blocks)

    def _repr_html_(self) -> str:
        blocks = []
        for target in self.scores["target"].values:
            said = escape(" ".join(self.sentences(str(target))))
            table = self._table(str(target)).to_html(index=False, border=0)
            blocks.append(f"<h4>{escape(str(target))}</h4><p>{said}</p>{table}")
        return f"<div style='font-family:sans-serif'>{''.join(blocks)}</div>"

    def _target(self, target: str | None) -> str:
        known = list(self.recommended)
        if target is None and len(known) == 1:
            return known[0]
        if target not in known:
            raise SchemaError(
                "Name one of the targets.",
                found=f"{target}; {', '.join(known)}. {did_you_mean(str(target), known)}".strip(),
            )
        return str(target)

    def _quality(self, target: str, name: str, row: xr.Dataset) -> str:
        unit = after_number(str(self.scores["units"].sel(target=target).item()))
        who = _spoken(name)
        tested = {"clusters": "unlike clusters", "time": "later specimens"}.get(
            self.scheme, "left-out specimens"
        )
        if self.task.groups and self.scheme == "grouped":
            tested = f"left-out groups of {self.task.groups}"
        if self.task.is_classification:
            share, error = (100 * row[k].item() for k in ("accuracy", "accuracy_se"))
            return f"Recommended for {target}: {who}, right in {share:.0f} ± {error:.0f} % of {tested}."
        off = plus_minus(row["loss"].item(), row["loss_se"].item())
        share = f"R² {row['r2'].item():.2f} ± {row['r2_se'].item():.2f}"
        return f"Recommended for {target}: {who}, off by {off}{unit} in {tested} ({share})."

    def _against(self, target: str, name: str) -> list[str]:
        """Beside the best, if another one is; and where only the mean is left."""
        found = []
        row = self.scores.sel(target=target, candidate=name)
        best = self.scores["loss"].sel(target=target).where(self.scores["is_finished"].sel(target=target))
        first = str(best["candidate"].values[int(np.nanargmin(best.values))])
        if first != name:
            less = plus_minus(row["behind"].item(), row["behind_se"].item())
            found.append(
                f"With {_spoken(first)} it would be {less} less, maybe by chance: the "
                "simpler one is preferred."
            )
        if name == "mean":
            found.append("Nothing beats the mean by more than chance: these inputs do not tell the target.")
        return found

    def _table(self, target: str) -> pd.DataFrame:
        found = self.scores.sel(target=target).sortby("loss")
        first = ~found["is_finished"].values.astype(bool)
        found = found.isel(candidate=np.argsort(first, kind="stable"))
        digits = "{:.3g}".format
        columns: dict[str, list[str]] = {
            "model": [_spoken(str(n)) for n in found["candidate"].values],
            "log loss" if self.task.is_classification else "error": _with_error(found, "loss"),
            "behind": _with_error(found, "behind"),
        }
        if self.task.is_classification:
            columns["right"] = [f"{100 * v:.0f} %" for v in found["accuracy"].values]
        else:
            columns["R²"] = [f"{v:.2f}" for v in found["r2"].values]
            columns["coverage"] = ["" if v != v else f"{100 * v:.0f} %" for v in found["coverage_90"].values]
        columns["s a fold"] = [digits(v) for v in found["seconds"].values]
        columns["folds"] = [str(v) for v in found["n_folds"].values]
        return pd.DataFrame(columns)


def _with_error(found: xr.Dataset, name: str) -> list[str]:
    pairs = zip(found[name].values, found[f"{name}_se"].values, strict=True)
    return [plus_minus(value, error) for value, error in pairs]


def _spoken(name: str) -> str:
    return name.replace("_", " ")


def _more(curve: xr.Dataset) -> str:
    n, exponent = curve.attrs["n_to_halve"], curve.attrs["exponent"]
    if not np.isfinite(n) or n > MANY_TIMES * curve["n_learned"].values[-1]:
        return (
            f"More specimens of this kind would hardly help (the error falls as n^-{max(exponent, 0):.2f})."
        )
    rounded = float(f"{n:.1g}") if n < 1000 else float(f"{n:.2g}")
    return f"About {rounded:,.0f} more specimens would halve the error."


def _parsed(text: str) -> tuple[tuple[str, Any], ...]:
    """Settings back from text: numbers where they are numbers."""
    pairs = (item.split("=") for item in text.split(", ") if item)
    return tuple((key, _number(value)) for key, value in pairs)


def _number(value: str) -> Any:
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return value
