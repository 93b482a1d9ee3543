"""Lists of proposals in a campaign's folder: proposals.csv, and earlier ones under their date-time."""

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import xarray as xr

from tieline.campaign.results import has_result, is_list, read_results
from tieline.errors import TielineError
from tieline.models.posterior import Posterior
from tieline.planning.pool import check_pool, join
from tieline.readers.mapping import mapping_path
from tieline.schema import specimens_of

LIST = "proposals.csv"


def all_lists(folder: Path) -> list[Path]:
    """Find the lists of a campaign, the latest last."""
    latest = folder / LIST
    return [*sorted(folder.glob("proposals-*.csv")), *([latest] if latest.is_file() else [])]


def name_specimens(folder: Path, known: Sequence[str], n: int) -> list[str]:
    """Name the specimens of n proposals by the day, `P2026-11-24-1`, counting on through the day.

    Args:
        folder: of the campaign, whose lists are looked through.
        known: specimens of the record.
        n: how many.
    """
    day = f"P{datetime.now().astimezone():%Y-%m-%d}"
    # Names are letters that every encoding in use for CSV has in common, whatever program saved the list.
    texts = [file.read_bytes().replace(b"\0", b"").decode("latin-1") for file in all_lists(folder)]
    taken = re.findall(rf"{day}-(\d+)", "\n".join([*known, *texts]))
    first = 1 + max((int(number) for number in taken), default=0)
    return [f"{day}-{i}" for i in range(first, first + n)]


def set_aside(folder: Path) -> list[str]:
    """Keep the latest list under the date-time of its last change; a note says where."""
    latest = folder / LIST
    if not latest.is_file():
        return []
    changed = datetime.fromtimestamp(latest.stat().st_mtime).astimezone()
    stem = f"proposals-{changed:%Y-%m-%dT%H%M%S}"
    places = (folder / f"{stem}{more}.csv" for more in ("", *(f"-{i}" for i in range(2, 10_000))))
    kept = next(place for place in places if not place.exists())
    if mapping_path(latest).is_file():
        mapping_path(latest).replace(mapping_path(kept))
    latest.replace(kept)
    return [f"The earlier list is kept as {kept.name}."]


def under_way(
    lists: Sequence[Path], known: xr.Dataset, posterior: Posterior
) -> tuple[xr.Dataset | None, list[str]]:
    """Gather the proposals of lists that have no result in the record yet.

    Args:
        lists: files of proposals.
        known (specimen): the specimens of the record.
        posterior: says what the design is.

    Returns:
        (specimen): their design, None if there are none; and notes on them and on lists that cannot be used.
    """
    done = known["specimen"].values.astype(str)[has_result(known)]
    designs, notes = [], []
    for file in lists:
        try:
            record = read_results(file, known)
            places = specimens_of(record)
            places = places.isel(specimen=np.flatnonzero(~np.isin(places["specimen"].astype(str), done)))
            if not is_list(record):
                notes.append(
                    f"{file.name} is not a list of proposals to be filled in, and was not looked at."
                )
            elif places.sizes["specimen"]:
                if has_result(places).any():
                    notes.append(f"{file.name} holds results that were not imported yet.")
                designs.append(check_pool(posterior, _over(places, posterior), called=f"list {file.name}"))
        except TielineError as error:
            notes.append(f"The proposals in {file.name} do not count as pending: {error.what}")
    pending = join(*designs) if designs else None
    if pending is not None:
        n = pending.sizes["specimen"]
        notes.append(
            f"{n} earlier proposal{'s' if n > 1 else ''} without a result"
            f" {'count' if n > 1 else 'counts'} as under way (--anew disregards them)."
        )
    return pending, notes


def _over(places: xr.Dataset, posterior: Posterior) -> xr.Dataset:
    """Bring a composition over the elements of the model, where the list has no others."""
    if "element" not in places.coords or "element" not in posterior.table.coords:
        return places
    elements = posterior.table["element"].values
    if set(places["element"].values.tolist()) <= set(elements.tolist()):
        return places.reindex(element=elements, fill_value=0.0)
    return places
