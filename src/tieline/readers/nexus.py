"""Diffraction patterns in HDF5 files of the NeXus convention: groups NXdata, their signal and its axes."""

import io
import re
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np

from tieline.errors import SchemaError
from tieline.readers.faults import FAULTS, first_words
from tieline.readers.headers import identifier
from tieline.readers.patterns import TWO_THETA, Pattern, rising
from tieline.readers.source import LARGEST_FILE, Source
from tieline.units import convert

ANGLE = re.compile(rf"{TWO_THETA.pattern}|tth|ttheta|polar_angle")
DEEPEST = 20  # groups within groups


def read_nexus(source: Source) -> list[Pattern]:
    """Read the patterns of a file: one, named like it, or one for each row of its signal.

    Of several groups with a signal over two_theta, the one that the file names as its default is read.

    Raises:
        SchemaError: it is damaged, holds none, or several without a default.
    """
    try:
        with h5py.File(io.BytesIO(source.data), "r") as file:
            groups = _groups(file)
            if len(groups) > 1:
                groups = [group for group in groups if group.name == _default(file)] or groups
            if len(groups) != 1:
                listed = ", ".join(str(group.name) for group in groups)
                raise _refused(source, f"several: {listed}" if groups else "no signal over two_theta")
            return _patterns(groups[0], source)
    except FAULTS as error:
        raise _refused(source, first_words(error)) from error


def _refused(source: Source, found: str) -> SchemaError:
    return SchemaError(
        f"'{source.name}' has not one group of diffraction patterns.",
        found=found,
        hint="a group NXdata with the attributes signal and axes, the last of which is two_theta in degrees; "
        "of several, the attribute default of the file names one",
    )


def _groups(file: h5py.File) -> list[h5py.Group]:
    """Groups NXdata whose signal has two_theta as its last axis."""
    found: list[h5py.Group] = []

    def look(_: str, node: h5py.Group | h5py.Dataset) -> None:
        if isinstance(node, h5py.Group) and _text(node.attrs.get("NX_class")) == "NXdata":
            found.append(node)

    file.visititems(look)  # it follows no link into another file
    return [group for group in found if _axis(group)]


def _default(file: h5py.File) -> str:
    """The group that a file names as the one to be looked at first."""
    node: h5py.Group = file
    for _ in range(DEEPEST):  # a damaged file may name a circle
        further = node.get(_text(node.attrs.get("default")) or "-")
        if not isinstance(further, h5py.Group):
            break
        node = further
    return str(node.name)


def _axes(group: h5py.Group) -> list[str]:
    said: Any = group.attrs.get("axes", [])
    return [_text(name) for name in np.atleast_1d(said)]


def _axis(group: h5py.Group) -> str:
    """Name of the axis of angles; "" if the last axis is none."""
    names = _axes(group)
    signal = _text(group.attrs.get("signal"))
    is_there = bool(signal) and signal in group and bool(names) and names[-1] in group
    return names[-1] if is_there and ANGLE.fullmatch(identifier(names[-1])) else ""


def _patterns(group: h5py.Group, source: Source) -> list[Pattern]:
    axis, signal = _axis(group), _text(group.attrs["signal"])
    units = _text(group[axis].attrs.get("units")) or "deg"
    angles = convert(_numbers(group, axis, source), units, "deg")
    counts = _numbers(group, signal, source)
    if angles.ndim != 1 or counts.ndim not in (1, 2) or counts.shape[-1] != angles.size:
        raise _refused(source, f"a signal of shape {counts.shape} over angles of shape {angles.shape}")
    if counts.ndim == 1:
        return [Pattern(source.path.stem, *rising(angles, counts, source.name))]
    names = list(_names(group, len(counts), source))
    return [Pattern(n, *rising(angles, row, source.name)) for n, row in zip(names, counts, strict=True)]


def _names(group: h5py.Group, n: int, source: Source) -> Iterator[str]:
    """Names of specimens, where the first axis has them as text; else the file's, numbered."""
    told = group.get(_axes(group)[0])
    if isinstance(told, h5py.Dataset) and told.shape == (n,) and h5py.check_string_dtype(told.dtype):
        yield from (str(name) for name in told.asstr()[:])
    else:
        yield from (f"{source.path.stem}-{row + 1}" for row in range(n))


def _numbers(group: h5py.Group, name: str, source: Source) -> np.ndarray:
    """Numbers of a data set, which must lie in the file itself and be no larger than a file may be."""
    data = group[name]
    is_elsewhere = isinstance(group.get(name, getlink=True), h5py.ExternalLink)
    if is_elsewhere or not isinstance(data, h5py.Dataset) or data.external or data.is_virtual:
        raise _refused(source, f"'{name}' lies in another file")
    if data.dtype.kind not in "iuf" or data.nbytes > LARGEST_FILE:
        raise _refused(source, f"'{name}' of {data.dtype} and {data.nbytes / 1e6:.0f} MB")
    return data[...].astype(float)


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return "" if value is None else str(value)
