"""Volumes that are kept with a campaign: scans, told apart into pore and solid, and described."""

from collections.abc import Sequence
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

KIND = "volumes"
GREYS = 2  # different values, up to which a volume is pore and solid as it came


@dataclass(frozen=True)
class Found:
    """A volume that a campaign has.

    Attributes:
        key: that tells it from others.
        specimen: whose it is.
        stamp: that tells this reading from earlier ones.
        digest: checksum of its file, if it was added by itself; "" if it came with the data.
    """

    key: str
    specimen: str
    stamp: str
    digest: str = ""


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
    if porosity is None and threshold is None and len(values) == GREYS:
        threshold = float(values[1] if pores_are == "dark" else values[0])
    if porosity is not None or threshold is not None:
        from tieline.features.volumes.segmentation import segment  # it loads the compiler of voxels

        scan = segment(scan, porosity=porosity, threshold=threshold, pores_are=pores_are)
    about = {"specimen": specimen or file.stem}
    return keep(campaign, KIND, file, scan.to_dataset(name="volume"), about, by)


def find_volumes(campaign: Campaign) -> list[Found]:
    """All volumes: those that came with the data, and those that were added."""
    found = []
    if campaign.has_record and (node := _node(campaign)) is not None:
        stamp = str(campaign.store.fact("record"))
        found += [Found(f"data-{i}", str(name), stamp) for i, name in enumerate(node["specimen"].values)]
    added = [(one, str(one.about["specimen"])) for one in kept(campaign, KIND)]
    return found + [Found(one.digest, name, one.about["at"], one.digest) for one, name in added]


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


def described(volume: xr.DataArray) -> dict[str, Any] | None:
    """Numbers that describe a volume, each with its unit; None where pore and solid are not told apart."""
    if not is_segmented(volume):
        return None
    from tieline.features.volumes.describe import describe

    return {str(n): (v.item(), str(v.attrs["units"])) for n, v in describe(volume).data_vars.items()}


def take_descriptors(
    campaign: Campaign, specimens: Sequence[str], numbers: Sequence[dict[str, Any]], by: str
) -> list[str]:
    """Make descriptors columns of the campaign, several volumes of one specimen by their mean.

    Args:
        campaign: that gets them.
        specimens: one for each volume.
        numbers: of each, as `described` gives them.
        by: who does it.
    """
    names = list(dict.fromkeys(specimens))
    columns = {}
    for name, (_, units) in numbers[0].items():
        means = []
        for specimen in names:
            values = [n[name][0] for s, n in zip(specimens, numbers, strict=True) if s == specimen]
            means.append(float(np.mean(values)))
        columns[name] = ("specimen", means, {"role": "property", "units": units})
    return take_over(campaign, xr.Dataset(columns, {"specimen": names}), "volumes-in-numbers", by)


def _node(campaign: Campaign) -> xr.Dataset | None:
    """The volumes that came with the data; None if there are none."""
    children = campaign.record().children
    node = children[VOLUMES].to_dataset() if VOLUMES in children else None
    is_one = node is not None and "volume" in node and set(node["volume"].dims) == {"measurement", *AXES}
    return node if is_one else None
