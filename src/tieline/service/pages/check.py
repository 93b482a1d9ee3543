"""What looks wrong with the data, before anything is learned from them."""

from typing import Any

import xarray as xr
from fastapi import APIRouter

from tieline.errors import TielineError, three_clauses
from tieline.evaluation.inspection import Inspection
from tieline.evaluation.task import inspect
from tieline.features.represent import represent
from tieline.service.pages.aims import problem_of_goal
from tieline.service.pages.router import add_page
from tieline.service.request import Viewed

router = APIRouter()
WORDS = {"red": ("✕", "Mend this"), "amber": ("!", "Look at this"), "note": ("i", "Worth knowing")}
SHOWN = 8  # specimens of one finding


def view(campaign: Viewed) -> dict[str, Any]:
    """What the page shows."""
    nothing = {
        "findings": [],
        "columns": [],
        "n_specimens": 0,
        "notes": [],
        "problem": None,
        "goal_problem": None,
    }
    if not campaign.has_record:
        return nothing
    try:
        table = represent(campaign.record())
        report = inspect(table)
    except TielineError as error:
        return nothing | {"problem": three_clauses(error)}
    return {
        "findings": [_finding(one) for one in report.findings],
        "columns": _columns(_listed(report, table)),
        "n_specimens": report.table.sizes["specimen"],
        "notes": list(report.notes),
        "problem": None,
        "goal_problem": problem_of_goal(campaign),
    }


def _finding(finding: Any) -> dict[str, Any]:
    mark, words = WORDS[finding.severity]
    return {
        "severity": finding.severity,
        "mark": mark,
        "words": words,
        "sentence": finding.sentence,
        "action": finding.action,
        "specimens": list(finding.specimens[:SHOWN]),
        "n_specimens": len(finding.specimens),
    }


def _listed(report: Inspection, table: xr.Dataset) -> xr.Dataset:
    """Columns that get a row each: every part of a composition, and labels beside what was looked over."""
    listed: dict[str, xr.DataArray] = {}
    for name, column in report.table.data_vars.items():
        if "element" in column.dims:
            parts = column["element"].values
            listed |= {f"{name}: {part}": column.sel(element=part, drop=True) for part in parts}
        else:
            listed[str(name)] = column
    texts = {str(n): v for n, v in table.data_vars.items() if v.dtype.kind not in "iufb" and v.ndim == 1}
    listed |= {name: v for name, v in texts.items() if name.removesuffix("_flag") not in listed}
    return xr.Dataset(listed)


def _columns(listed: xr.Dataset) -> list[dict[str, Any]]:
    """One row a column, NaN for the ends of text; what is a curve has no number of different values."""
    names = [str(name) for name in listed.data_vars]
    found = Inspection.of(listed, names, ()).columns
    rows = [
        {"name": name} | {str(key): found[key].values[i].item() for key in found.data_vars}
        for i, name in enumerate(names)
    ]
    return [row | ({"n_different": None} if listed[row["name"]].ndim > 1 else {}) for row in rows]


add_page(router, "/check", "check.html", view)
