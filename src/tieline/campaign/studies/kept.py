"""Measurements that are kept with a campaign to be studied: the file as it came, and what was read in it.

The file itself is attached, as the log says. `studies/KIND/` has what was read, named by the checksum of the
file, with what was said about it beside; `aside/` in there what was left out. The log says what was kept,
left out and learned, with which settings, and the checksum of what was made.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr

import tieline
from tieline.campaign.campaign import Campaign
from tieline.campaign.places import write_whole
from tieline.campaign.store.event import Event, now
from tieline.campaign.store.seal import sha256_of
from tieline.errors import NotFound
from tieline.schema import open_netcdf, save_netcdf

FOLDER, ASIDE = "studies", "aside"
KEPT, LEFT_OUT, LEARNED = "kept", "left_out", "learned"  # deeds of a study, as the log has them


@dataclass(frozen=True)
class Kept:
    """A measurement that is kept.

    Attributes:
        digest: checksum of its file.
        name: what the file was called.
        about: what was said about it, when and by whom.
        place: of what was read.
    """

    digest: str
    name: str
    about: Mapping[str, Any]
    place: Path

    def read(self) -> xr.Dataset:
        """What was read in the file."""
        data = open_netcdf(self.place)
        assert isinstance(data, xr.Dataset)
        return data


def note_study(
    campaign: Campaign,
    study: str,
    deed: str,
    name: str,
    *,
    settings: Mapping[str, Any],
    of: str = "",
    made: Path | None = None,
    by: str,
) -> Event:
    """Let the log hold what was done in a study.

    Args:
        campaign: that the study belongs to.
        study: its kind.
        deed: `kept`, `left_out` or `learned`.
        name: of the file, or of what was learned from.
        settings: that it was done with.
        of: checksum of the file, as it was attached; "" for none.
        made: the file of what was read or learned, whose checksum the log keeps.
        by: who did it.
    """
    content = {"study": study, "deed": deed, "name": name, "of": of, "settings": dict(settings)}
    content |= {"made": "" if made is None else sha256_of(made), "tieline": tieline.__version__}
    return campaign.store.write("studied", content, by=by)


def keep(
    campaign: Campaign,
    kind: str,
    file: Path,
    data: xr.Dataset,
    about: Mapping[str, Any],
    by: str,
    settings: Mapping[str, Any],
) -> Kept:
    """Keep a file, and what was read in it; the same file once more takes the place of its earlier reading.

    Args:
        campaign: that it belongs to.
        kind: of the study.
        file: as it came.
        data: what was read.
        about: what is to be known of it.
        by: who keeps it.
        settings: that it was read with, for the log.
    """
    event = campaign.attach(file, by=by)
    digest = str(event.told["sha256"])
    folder = campaign.path / FOLDER / kind
    folder.mkdir(parents=True, exist_ok=True)
    place = save_netcdf(data, folder / f"{digest}.nc")
    note_study(campaign, kind, KEPT, file.name, settings=settings, of=digest, made=place, by=by)
    said = {"name": file.name, "at": now(), "by": by, **about}
    write_whole(folder / f"{digest}.json", json.dumps(said))
    return Kept(digest, file.name, said, place)


def kept(campaign: Campaign, kind: str) -> list[Kept]:
    """What is kept for a study, the earliest first."""
    found = []
    for file in (campaign.path / FOLDER / kind).glob("*.json"):
        about = json.loads(file.read_text(encoding="utf-8"))
        found.append(Kept(file.stem, about["name"], about, file.with_suffix(".nc")))
    return sorted(found, key=lambda one: (one.about["at"], one.name))


def set_aside(campaign: Campaign, kind: str, digest: str, by: str) -> Kept:
    """Leave a file out of a study; nothing of it is lost.

    Args:
        campaign: that it belongs to.
        kind: of the study.
        digest: of the file.
        by: who leaves it out.

    Raises:
        NotFound: there is no such file.
    """
    found = next((one for one in kept(campaign, kind) if one.digest == digest), None)
    if found is None:
        raise NotFound("This file is not here any more.", found="a page from before", hint="look at it again")
    note_study(campaign, kind, LEFT_OUT, found.name, settings={}, of=digest, by=by)
    there = found.place.parent / ASIDE
    there.mkdir(exist_ok=True)
    about = {**found.about, "aside": {"at": now(), "by": by}}
    write_whole(there / f"{digest}.json", json.dumps(about))
    found.place.with_suffix(".json").unlink()
    found.place.replace(there / found.place.name)
    return found


def take_over(
    campaign: Campaign, columns: xr.Dataset, name: str, by: str, notes: Sequence[str] = ()
) -> list[str]:
    """Make what was found columns of the campaign, as a file that is imported; returns the notes on it.

    Args:
        campaign: that gets them.
        columns (specimen): with roles and units.
        name: of the file, without its ending. Taken over again under this name, it replaces what was there.
        by: who does it.
        notes: on how they came about, which the record keeps.

    Raises:
        TielineError: they contradict what is there.
    """
    folder = campaign.path / FOLDER
    folder.mkdir(exist_ok=True)
    record = xr.DataTree.from_dict({"/specimens": columns})
    record.attrs["notes"] = list(notes)
    file = save_netcdf(record, folder / f"{name}.nc")
    try:
        return campaign.import_file(file, by=by)
    finally:
        file.unlink()
