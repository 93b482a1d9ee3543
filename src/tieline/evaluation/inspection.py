"""The report on the quality of data: findings, and what each column holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import xarray as xr

from tieline.evaluation.finding import SEVERITIES, Finding
from tieline.models.arrays import Array
from tieline.models.design_columns import labels_of
from tieline.schema import is_label

COLOURS = {"red": "#c0392b", "amber": "#c77700", "note": "#777777"}
N_BARS = 24  # of the histogram of a column
MOST_COLUMNS = 60  # in the page


@dataclass(frozen=True, eq=False)
class Inspection:
    """What was found in data, and what its columns hold.

    Attributes:
        table: what was looked over.
        columns: on `column`: role, units, n_known, n_missing, n_different, smallest, median and largest (NaN
            for text).
        findings: what is wrong, the gravest first.
        notes: what had to be left aside to look at all.
    """

    table: xr.Dataset
    columns: xr.Dataset
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()

    @staticmethod
    def of(table: xr.Dataset, names: Sequence[str], findings: tuple[Finding, ...]) -> "Inspection":
        """Describe the columns beside what was found."""
        return Inspection(table[list(names)], _describe(table, names), findings)

    @property
    def verdict(self) -> str:
        """The gravest severity that was found; "green" for none but notes."""
        return next((f.severity for f in self.findings if f.severity != "note"), "green")

    def of_kind(self, kind: str) -> tuple[Finding, ...]:
        """The findings of one kind."""
        return tuple(f for f in self.findings if f.kind == kind)

    def __repr__(self) -> str:
        found = self.columns
        n = self.table.sizes["specimen"]
        lines = [f"Inspection of {n} row{'s' * (n != 1)} and {found.sizes['column']} columns: {self.verdict}"]
        lines += [f"  {finding}" for finding in self.findings] or ["  Nothing was found wrong."]
        width = max(len(str(c)) for c in found["column"].values)
        lines += [
            "",
            f"  {'column':<{width}}  {'known':>6} {'different':>9}  "
            + " ".join(f"{word:>10}" for word in ("smallest", "median", "largest")),
        ]
        for i, name in enumerate(found["column"].values[:MOST_COLUMNS]):
            row = found.isel(column=i)
            numbers = " ".join(f"{_short(row[k].item()):>10}" for k in ("smallest", "median", "largest"))
            unit = row["units"].item()
            counts = f"{row['n_known'].item():>6} {row['n_different'].item():>9}"
            lines.append(f"  {name:<{width}}  {counts}  {numbers} {unit if unit != '1' else ''}".rstrip())
        lines += [f"  {line}" for line in self._last_lines()]
        return "\n".join(lines)

    def _last_lines(self) -> list[str]:
        """How many columns are not listed, and the notes."""
        n_more = self.columns.sizes["column"] - MOST_COLUMNS
        more = [f"and {n_more} more column{'s' * (n_more != 1)}: .columns has all"] if n_more > 0 else []
        return [*more, *(f"· {note}" for note in self.notes)]

    def _repr_html_(self) -> str:
        from_kinds = {s: [f for f in self.findings if f.severity == s] for s in SEVERITIES}
        items = "".join(_item(f) for s in SEVERITIES for f in from_kinds[s])
        rows = "".join(_row(self, i) for i in range(min(self.columns.sizes["column"], MOST_COLUMNS)))
        head = "".join(
            f"<th style='text-align:{'left' if not i else 'right'}'>{h}</th>"
            for i, h in enumerate(
                ("column", "role", "known", "different", "smallest", "median", "largest", "unit", "")
            )
        )
        found = (
            f"<ul style='list-style:none;padding:0'>{items}</ul>"
            if items
            else "<p>Nothing was found wrong.</p>"
        )
        title = f"<b>Inspection</b> of {self.table.sizes['specimen']} rows: {self.verdict}"
        last = "".join(f"<p>{escape(line)}</p>" for line in self._last_lines())
        table = f"<table><tr>{head}</tr>{rows}</table>"
        return f"<div style='font-family:sans-serif'>{title}{found}{table}{last}</div>"


def is_counted(variable: xr.DataArray) -> bool:
    """Whether a column is shown by its labels, and not by a range of numbers."""
    return variable.dtype.kind not in "iufb" or (is_label(variable) and variable.ndim == 1)


def _describe(table: xr.Dataset, names: Sequence[str]) -> xr.Dataset:
    rows = [_column(table[name]) for name in names]
    found = {key: ("column", [row[key] for row in rows]) for key in rows[0]}
    return xr.Dataset(found, {"column": list(names)})


def _column(variable: xr.DataArray) -> dict[str, object]:
    about: dict[str, object] = {
        "role": variable.attrs.get("role", ""),
        "units": variable.attrs.get("units", ""),
    }
    if is_counted(variable):
        text = labels_of(variable)
        known, ends = text[text != ""], (np.nan,) * 3
        n_known, n_missing = len(known), int((text == "").sum())
    else:
        values = (
            variable.transpose("specimen", ...).values.astype(float).reshape(variable.sizes["specimen"], -1)
        )
        is_known = np.isfinite(values).all(1)
        n_known, n_missing, known = int(is_known.sum()), int((~is_known).sum()), values[is_known]
        ends = (known.min(), np.median(known), known.max()) if known.size else (np.nan,) * 3
    counts = {"n_known": n_known, "n_missing": n_missing, "n_different": len(np.unique(known, axis=0))}
    return about | counts | dict(zip(("smallest", "median", "largest"), map(float, ends), strict=True))


def _item(finding: Finding) -> str:
    mark = f"<span style='color:{COLOURS[finding.severity]}'>&#9679;</span>"
    return f"<li>{mark} {escape(finding.sentence)} <i>{escape(finding.action)}</i></li>"


def _row(report: Inspection, i: int) -> str:
    row = report.columns.isel(column=i)
    name = str(row["column"].item())
    worst = next((f.severity for f in report.findings if name in f.columns), "")
    style = f" style='text-align:left;color:{COLOURS[worst]}'" if worst else " style='text-align:left'"
    cells = [str(row["role"].item()), f"{row['n_known'].item()}", f"{row['n_different'].item()}"]
    cells += [_short(row[k].item()) for k in ("smallest", "median", "largest")] + [str(row["units"].item())]
    told = "".join(f"<td style='text-align:right'>{escape(c)}</td>" for c in cells)
    return f"<tr><td{style}>{escape(name)}</td>{told}<td>{_bars(report.table[name])}</td></tr>"


def _bars(variable: xr.DataArray) -> str:
    """A histogram as a small drawing; nothing for text and for what has more dimensions."""
    if variable.ndim > 1 or variable.dtype.kind not in "iuf":
        return ""
    values: Array = variable.values.astype(float)
    values = values[np.isfinite(values)]
    if values.size < 2 or np.ptp(values) == 0:
        return ""
    counts = np.histogram(values, N_BARS)[0]
    tall = 18 * counts / counts.max()
    bars = "".join(
        f"<rect x='{4 * i}' y='{18 - h:.1f}' width='3' height='{h:.1f}' fill='#0072B2'/>"
        for i, h in enumerate(tall)
    )
    return f"<svg width='{4 * N_BARS}' height='18'>{bars}</svg>"


def _short(value: float) -> str:
    return "" if value != value else f"{value:.4g}"
