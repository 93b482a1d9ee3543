"""The report of a campaign, about its latest fit."""

from collections.abc import Sequence
from pathlib import Path

import xarray as xr

from tieline.models.posterior import Posterior


def report(folder: Path, name: str, posterior: Posterior, batch: xr.Dataset, files: Sequence[str]) -> Path:
    """Write `report/report.html` and its figures.

    Args:
        folder: of the campaign.
        name: of the campaign.
        posterior: what was learned.
        batch (specimen): what to do next.
        files: that were imported.
    """
    from tieline.figures.report import Chapter, write_report

    sources = ", ".join(files) or "what was told"
    about = f"{posterior.table.sizes['specimen']} specimens from {sources}."
    chapter = Chapter(name, about, posterior, posterior.diagnose(), batch)
    return write_report([chapter], folder / "report", title=name)[0]
