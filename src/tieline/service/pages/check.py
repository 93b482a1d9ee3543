"""What looks wrong with the data, before anything is learned from them."""

from typing import Any

from fastapi import APIRouter

from tieline.errors import TielineError, three_clauses
from tieline.evaluation.task import inspect
from tieline.service.pages.router import add_page
from tieline.service.request import Viewed

router = APIRouter()
WORDS = {"red": ("✕", "Mend this"), "amber": ("!", "Look at this"), "note": ("i", "Worth knowing")}
SHOWN = 8  # specimens of one finding


def view(campaign: Viewed) -> dict[str, Any]:
    """What the page shows."""
    nothing = {"findings": [], "columns": [], "n_specimens": 0, "notes": [], "problem": None}
    if not campaign.has_record:
        return nothing
    try:
        report = inspect(campaign.record())
    except TielineError as error:
        return nothing | {"problem": three_clauses(error)}
    return {
        "findings": [_finding(one) for one in report.findings],
        "columns": _columns(report.columns),
        "n_specimens": report.table.sizes["specimen"],
        "notes": list(report.notes),
        "problem": None,
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


def _columns(found: Any) -> list[dict[str, Any]]:
    """One row a column, NaN for the ends of text."""
    names = [str(name) for name in found["column"].values]
    return [
        {"name": name} | {str(key): found[key].values[i].item() for key in found.data_vars}
        for i, name in enumerate(names)
    ]


add_page(router, "/check", "check.html", view)
