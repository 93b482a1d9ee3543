"""What changed from one time of learning to another: the verdict, the map, the properties."""

from typing import Annotated, Any

import numpy as np
import xarray as xr
from fastapi import APIRouter, Query

from tieline.campaign.campaign import Campaign
from tieline.campaign.files import kept_netcdf
from tieline.campaign.fits import Fit
from tieline.errors import NotFound
from tieline.models.posterior import Posterior
from tieline.models.posterior_file import load_posterior
from tieline.planning.pool import default_pool, design_names
from tieline.planning.wording import percent, spoken_unit
from tieline.service.pages.learning import badge_of
from tieline.service.pages.router import add_page
from tieline.service.request import Viewed

router = APIRouter()
Name = Annotated[str, Query(max_length=40, description="Of a fit.")]


def view(campaign: Viewed, before: Name = "", after: Name = "") -> dict[str, Any]:
    """What the page shows; by default the latest two times."""
    done = [fit for fit in campaign.fits() if fit.state == "done"]
    seen = {
        "fits": [{"fit": f.name, "ended": f.ended} for f in done],
        "before": None,
        "after": None,
        "rows": [],
    }
    if len(done) < 2:
        return seen | {"notes": []}
    earlier, later = _find(done, before or done[-2].name), _find(done, after or done[-1].name)
    first, second = (_posterior(campaign, fit) for fit in (earlier, later))
    sides = {"before": _side(earlier, first), "after": _side(later, second)}
    if set(design_names(first)) != set(design_names(second)):
        return (
            seen | sides | {"notes": ["They learned from other settings, so their maps cannot be compared."]}
        )
    places = default_pool(second)
    return seen | sides | {"rows": _changes(first, second, places), "notes": []}


def _find(done: list[Fit], name: str) -> Fit:
    for fit in done:
        if fit.name == name:
            return fit
    raise NotFound("Nothing was learned under that name.", found=name, hint="the page Learn lists all")


def _posterior(campaign: Campaign, fit: Fit) -> Posterior:
    return load_posterior(kept_netcdf(campaign.path / "posteriors", fit.posterior))  # type: ignore[return-value]


def _side(fit: Fit, posterior: Posterior) -> dict[str, Any]:
    n = posterior.table.sizes["specimen"]
    return {"fit": fit.name, "ended": fit.ended, "n_specimens": n, "badge": badge_of(fit)}


def _changes(first: Posterior, second: Posterior, places: xr.Dataset) -> list[dict[str, str]]:
    """How far two posteriors differ all over the explored region, one row a question."""
    old, new = first.predict(places), second.predict(places)
    rows = []
    if "most_likely_phase" in old and "most_likely_phase" in new:
        moved = old["most_likely_phase"].values.astype(str) != new["most_likely_phase"].values.astype(str)
        rows.append(
            {
                "what": "Part of the map where another phase is the most likely now",
                "value": percent(moved.mean()),
            }
        )
    for name in new.data_vars.keys() & old.data_vars.keys() & set(second.model.properties):
        change = np.abs(new[name].values - old[name].values)
        unit, words = spoken_unit(second.table[name]), str(name).replace("_", " ")
        half, most = np.quantile(change, [0.5, 0.95])
        said = f"by {half:.2g} {unit} or less at half of the places, by {most:.2g} {unit} or less at 95 %"
        rows.append({"what": f"Expected {words} changed", "value": said})
        surer = new[f"{name}_sd"].values.mean() / old[f"{name}_sd"].values.mean()
        words = f"± of {words} is on average"
        rows.append({"what": words, "value": f"{surer:.2f} times what it was"})
    return rows


add_page(router, "/compare", "compare.html", view)
