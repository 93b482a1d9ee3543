"""Lists of proposals in a campaign's folder: proposals.csv, and earlier ones under their date-time."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import xarray as xr

from tieline.campaign.places import write_whole
from tieline.campaign.results import has_result, is_list, read_results
from tieline.errors import TielineError
from tieline.models.posterior import Posterior
from tieline.planning.listing import tabulate_proposals
from tieline.readers.mapping import mapping_path
from tieline.schema import specimens_of

LIST = "proposals.csv"


def all_lists(folder: Path) -> list[Path]:
    """Find the lists of a campaign, the latest last."""
    latest = folder / LIST
    return [*sorted(folder.glob("proposals-*.csv")), *([latest] if latest.is_file() else [])]


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


def notes_on_lists(lists: Sequence[Path], known: xr.Dataset | None) -> list[str]:
    """Tell of lists that hold results which were not imported, or that cannot be used.

    Args:
        lists: files of proposals.
        known (specimen): all that is known.
    """
    done = [] if known is None else known["specimen"].values.astype(str)[has_result(known)]
    notes = []
    for file in lists:
        try:
            record = read_results(file, known)
        except TielineError as error:
            notes.append(f"{file.name} cannot be read: {error.what}")
            continue
        places = specimens_of(record)
        is_open = ~np.isin(places["specimen"].values.astype(str), done)
        if not is_list(record):
            notes.append(f"{file.name} is not a list of proposals to be filled in, and was not looked at.")
        elif (has_result(places) & is_open).any():
            notes.append(f"{file.name} holds results that were not imported yet.")
    return notes


def write_list(
    folder: Path, posterior: Posterior, chosen: xr.Dataset, known: xr.Dataset | None, n_live: int
) -> xr.Dataset:
    """Write proposals as the list to be filled in; the earlier one is kept under its date-time.

    Args:
        folder: of the campaign.
        posterior: says what the design is, and what is measured.
        chosen (specimen): the proposals.
        known (specimen): all that is known.
        n_live: how many earlier proposals have no result.

    Returns:
        The proposals, with notes on earlier lists.
    """
    text = tabulate_proposals(posterior, chosen, chosen["proposal"].values.tolist()).to_csv()
    notes = [*chosen.attrs["notes"], *under_way(n_live), *notes_on_lists(all_lists(folder), known)]
    notes += set_aside(folder)
    write_whole(folder / LIST, text, encoding="utf-8-sig")  # Excel takes a file without the mark for cp1252
    return chosen.assign_attrs(notes=notes)


def under_way(n: int) -> list[str]:
    """Tell how many earlier proposals have no result yet."""
    if not n:
        return []
    return [
        f"{n} earlier proposal{'s' if n > 1 else ''} without a result"
        f" {'count' if n > 1 else 'counts'} as under way (--anew disregards them)."
    ]
