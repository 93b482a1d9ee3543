"""A campaign of plain files, as earlier versions kept it, becomes one with a store; nothing is lost."""

import json
import shutil
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import xarray as xr

from tieline.campaign.files import adopt, checksums
from tieline.campaign.importing import as_record
from tieline.campaign.lists import all_lists
from tieline.campaign.results import has_result, is_list, read_results
from tieline.campaign.rows import place_of, to_rows
from tieline.campaign.store.store import Store
from tieline.errors import TielineError
from tieline.schema import open_netcdf, specimens_of

RECORD, POSTERIOR = "record.nc", "posterior.nc"


def is_of_earlier_version(folder: Path) -> bool:
    """Whether a folder holds the files of a campaign without a store."""
    return (folder / RECORD).is_file()


def upgrade_folder(folder: Path, store: Store) -> None:
    """Write what the files say into the store; begun again after a crash, it writes nothing twice."""
    file = folder / RECORD
    record = as_record(open_netcdf(file))
    digest = _copied(file, folder / "arrays")
    number = 0
    for name, kept in record.attrs["imports"].items():
        content = {
            "name": name,
            "file": kept,
            "sheet": "",
            "files": checksums(folder / "raw" / name),
            "record": digest,
            "replaces": "",
            "done": [],
            "notes": [],
        }
        number = store.write("imported", content, key=f"upgrade {name}").number
    seen: set[str] = set()
    for place in all_lists(folder):
        _adopt_list(place, specimens_of(record), store, seen)
    posterior = folder / "posteriors" / POSTERIOR
    if posterior.is_file():
        newest = max(f.stat().st_mtime_ns for f in (file, folder / "campaign.toml"))
        is_current = posterior.stat().st_mtime_ns >= newest
        _adopt_posterior(posterior, store, number if is_current else 0)
    posterior.unlink(missing_ok=True)
    file.unlink()


def _copied(file: Path, folder: Path) -> str:
    folder.mkdir(exist_ok=True)
    copy = folder / f".{uuid4().hex}{file.suffix}"
    shutil.copyfile(file, copy)
    return adopt(copy, folder)


def _adopt_list(file: Path, known: xr.Dataset, store: Store, seen: set[str]) -> None:
    """Proposals of a list that have no result in the record yet."""
    try:
        record = read_results(file, known)
    except TielineError:
        return  # not a list of ours any more; the file stays
    if not is_list(record):
        return
    places = specimens_of(record)
    names = places["specimen"].values.astype(str).tolist()
    settings = [n for n, v in places.data_vars.items() if v.attrs.get("role") in ("synthesis", "process")]
    done = set(known["specimen"].values.astype(str)[has_result(known)].tolist())
    rows: list[dict[str, Any]] = []
    for name, design in zip(names, to_rows(places[settings]), strict=True):
        place = place_of(design)
        if name not in done and place not in seen:
            seen.add(place)
            about = {"measures": "", "instrument": "", "about": {}}
            rows.append({"name": name, "place": place, "design": design, **about})
    attrs = {str(n): json.loads(json.dumps(places[n].attrs, default=_plain)) for n in settings}
    content = {"proposals": rows, "attrs": attrs, "about": {"names": names}}
    store.write("proposed", content, key=f"upgrade {file.name}")


def _adopt_posterior(file: Path, store: Store, data: int) -> None:
    digest = _copied(file, file.parent)
    started = {"fit": "fit-0", "data": data, "about": {"settings": None}}
    store.write("fit_started", started, key="upgrade fit")
    ended = {"fit": "fit-0", "state": "done", "posterior": digest, "outcome": {}}
    store.write("fit_ended", ended, key="upgrade posterior")


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else str(value)
