"""Volumes that are kept with a campaign: scans, told apart into pore and solid, and described."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from tieline.campaign.campaign import Campaign
from tieline.campaign.studies.kept import Kept, keep, kept, take_over
from tieline.errors import SchemaError
from tieline.features.represent import VOLUMES
from tieline.readers.apart import volume_apart
from tieline.schema.volumes import AXES
from tieline.units import convert

KIND = "volumes"
COVARIANCE = "covariance"  # begins the names of numbers at distances that count voxels
SAME_SIZE = 1e-6  # relative difference of voxels that were only written in another unit
GREYS = 2  # different values, up to which a volume is pore and solid as it came


@dataclass(frozen=True)
class Description:
    """A volume in numbers.

    Attributes:
        numbers: by name, each with its unit; NaN where there is none.
        voxel: edge of a voxel, with its unit.
    """

    numbers: Mapping[str, tuple[float, str]]
    voxel: tuple[float, str]

    def as_plain(self) -> dict[str, Any]:
        """As JSON can hold it."""
        numbers = {n: [v if np.isfinite(v) else None, unit] for n, (v, unit) in self.numbers.items()}
        return {"numbers": numbers, "voxel": list(self.voxel)}

    @classmethod
    def of_plain(cls, said: Mapping[str, Any]) -> "Description":
        """As `as_plain` gave it."""
        numbers = {n: (np.nan if v is None else v, unit) for n, (v, unit) in said["numbers"].items()}
        return cls(numbers, tuple(said["voxel"]))


@dataclass(frozen=True)
class Found:
    """A volume that a campaign has.

    Attributes:
        key: that tells it from others.
        specimen: whose it is.
        stamp: that tells this reading from earlier ones.
        digest: checksum of its file, if it was added by itself; "" if it came with the data.
        note: what was taken for pore unasked; "" for nothing.
        known: its numbers, if they were found when it was added.
    """

    key: str
    specimen: str
    stamp: str
    digest: str = ""
    note: str = ""
    known: Description | None = None


def add_volume(
    campaign: Campaign,
    file: Path,
    *,
    specimen: str,
    voxel_size: float,
    units: str,
    porosity: float | None = None,
    threshold: float | None = None,
    pores_are: str = "dark",
    by: str,
) -> Kept:
    """Read a scan in a process of its own, tell pore from solid if it is said how, and keep it.

    Args:
        campaign: that it belongs to.
        file: a stack of TIFF images.
        specimen: whose it is; the name of the file if it is not given.
        voxel_size: edge of a voxel.
        units: of the voxel size.
        porosity: as measured, between 0 and 1.
        threshold: grey value between pore and solid.
        pores_are: dark or bright.
        by: who adds it.

    Raises:
        SchemaError: it cannot be read, or what is said of it cannot be.
        UnitError: the unit is unknown.
    """
    if porosity is not None and threshold is not None:
        raise SchemaError(
            "Pore is told from solid by a porosity or by a grey value.",
            found=f"a porosity of {porosity:g} and a grey value of {threshold:g}",
            hint="leave one of them empty",
        )
    scan = volume_apart(file, voxel_size, units)
    values = np.unique(scan.values)
    note = ""
    if porosity is None and threshold is None and len(values) == GREYS:
        threshold = float(values[1] if pores_are == "dark" else values[0])
        if pores_are == "dark":  # which is also what a form says of which nobody thought
            note = (
                f"Of its two grey values, {values[0]:g} was taken for pore and {values[1]:g} for solid. "
                "If it is the other way round, add the scan once more, with bright pores."
            )
    if porosity is not None or threshold is not None:
        from tieline.features.volumes.segmentation import segment  # it loads the compiler of voxels

        scan = segment(scan, porosity=porosity, threshold=threshold, pores_are=pores_are)
    known = described(scan)  # it takes seconds, which whoever looks need not wait
    about = {"specimen": specimen or file.stem, "note": note, "known": known and known.as_plain()}
    settings = {"specimen": about["specimen"], "voxel_size": voxel_size, "units": units}
    settings |= {"porosity": porosity, "threshold": threshold, "pores_are": pores_are}
    return keep(campaign, KIND, file, scan.to_dataset(name="volume"), about, by, settings)


def find_volumes(campaign: Campaign) -> list[Found]:
    """All volumes: those that came with the data, and those that were added."""
    found = []
    if campaign.has_record and (node := _node(campaign)) is not None:
        stamp = str(campaign.store.fact("record"))
        found += [Found(f"data-{i}", str(name), stamp) for i, name in enumerate(node["specimen"].values)]
    return found + [
        Found(
            one.digest,
            str(one.about["specimen"]),
            one.about["at"],
            one.digest,
            str(one.about.get("note", "")),
            Description.of_plain(one.about["known"]) if one.about.get("known") else None,
        )
        for one in kept(campaign, KIND)
    ]


def read_volume(campaign: Campaign, found: Found) -> xr.DataArray:
    """Grey values, or pore and solid (x, y, z)."""
    if found.digest:
        return next(one for one in kept(campaign, KIND) if one.digest == found.digest).read()["volume"]
    node = _node(campaign)
    assert node is not None  # it was found there
    return node["volume"][int(found.key.removeprefix("data-"))]


def is_segmented(volume: xr.DataArray) -> bool:
    """Whether pore and solid are told apart."""
    return "flag_meanings" in volume.attrs


def described(volume: xr.DataArray) -> Description | None:
    """Numbers that describe a volume; None where pore and solid are not told apart."""
    if not is_segmented(volume):
        return None
    from tieline.features.volumes.describe import describe

    numbers = {str(n): (v.item(), str(v.attrs["units"])) for n, v in describe(volume).data_vars.items()}
    return Description(numbers, voxel_of(volume))


def voxel_of(volume: xr.DataArray) -> tuple[float, str]:
    """Edge of a voxel, with its unit; 1 where it was not told."""
    return float(volume.attrs.get("voxel_size", 1.0)), str(volume.attrs.get("voxel_size_units", "1"))


def take_descriptors(
    campaign: Campaign, volumes: Sequence[tuple[Found, Description]], by: str
) -> tuple[list[str], int]:
    """Make descriptors columns of the campaign, several volumes of one specimen by their mean.

    They are structure, so that a model learns none of them unasked.

    Args:
        campaign: that gets them.
        volumes: each with its numbers, which are brought to the units of the first.
        by: who does it.

    Returns:
        Notes, and how many columns there are.

    Raises:
        UnitError: the voxels of some have a size in a unit, and those of others have none.
    """
    owners = np.array([found.specimen for found, _ in volumes])
    names = list(dict.fromkeys(owners.tolist()))
    first, edges = volumes[0][1], []
    notes = [f"{found.specimen}: {found.note}" for found, _ in volumes if found.note]
    for _, one in volumes:
        edges.append(float(convert(*one.voxel, first.voxel[1])))
    is_same_size = np.allclose(edges, edges[0], rtol=SAME_SIZE)
    if not is_same_size:
        notes.append(
            f"{COVARIANCE}: left out. Its distances count voxels, whose size differs between volumes."
        )
    columns = {}
    for name, (_, units) in first.numbers.items():
        if is_same_size or not name.startswith(COVARIANCE):
            values = np.array([convert(*one.numbers[name], units) for _, one in volumes])
            means = [_mean(values[owners == specimen]) for specimen in names]
            columns[name] = ("specimen", means, {"role": "structure", "units": units})
    table = xr.Dataset(columns, {"specimen": names})
    return take_over(campaign, table, "volumes-in-numbers", by, notes), len(columns)


def _mean(values: np.ndarray) -> float:
    """Mean of what is known; NaN where nothing is."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else np.nan


def _node(campaign: Campaign) -> xr.Dataset | None:
    """The volumes that came with the data; None if there are none."""
    children = campaign.record().children
    node = children[VOLUMES].to_dataset() if VOLUMES in children else None
    is_one = node is not None and "volume" in node and set(node["volume"].dims) == {"measurement", *AXES}
    return node if is_one else None
