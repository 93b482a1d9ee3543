"""Images and spectra as electron microscopes and spectrometers write them, read by rosettasciio.

Some damaged files keep that library busy without end: it works in a process of its own, see `signal_files`.
"""

import io
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import h5py
import numpy as np

from tieline.errors import MissingExtra, SchemaError, UnitError, not_installed
from tieline.readers.faults import FAULTS, first_words
from tieline.readers.headers import identifier
from tieline.readers.source import Source
from tieline.schema.wording import name_some
from tieline.units import canonical, convert

# Those that lead to no other file, and whose ending means one format.
ENDINGS = {
    *(".dm3", ".dm4", ".emd", ".ser", ".mrc", ".hspy", ".bcf", ".spx", ".spd", ".spc", ".eds", ".elid"),
    *(".msa", ".emsa", ".wdf", ".tvf", ".sur", ".pro"),
}
HDF5 = b"\x89HDF"
HINT = "export one image as .tif, or one spectrum as .msa, in the program that wrote it"
IMAGES = "images"
# Unit of an axis: what the axis is, and the unit that it is brought to.
AXES = {"1/cm": ("wavenumber", "1/cm"), "nm": ("wavelength", "nm"), "µm": ("wavelength", "nm"),
        "eV": ("energy", "eV"), "keV": ("energy", "eV")}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Signal:
    """One image or spectrum.

    Attributes:
        specimen: identity, as the file gives it.
        node: of the record that it belongs to.
        values: intensities, (y, x) of an image, or along the axis of a spectrum.
        units: of the values, "1" if they are not counts.
        dim: name of the axis of a spectrum; "" for an image.
        axis: of a spectrum, rising; empty for an image.
        axis_units: of the axis; of an image, of the edge of a pixel; "" if not told.
        pixel: edge of a pixel of an image; NaN if not told, or for a spectrum.
        note: what was done to it.
    """

    specimen: str | int
    node: str
    values: np.ndarray
    units: str
    dim: str = ""
    axis: np.ndarray = field(default_factory=lambda: np.empty(0))
    axis_units: str = ""
    pixel: float = np.nan
    note: str = ""


def obstacle(name: str) -> MissingExtra | None:
    """Why files such as one of this name cannot be read here, if they cannot."""
    if find_spec("rsciio") is not None:
        return None
    why = ImportError("No module named 'rsciio'")
    return not_installed(f"Files such as '{name}' need", "microscopy", why)


def read_signals(source: Source) -> list[Signal]:
    """Read the image and the spectra of a file, named like it; of a map of spectra their mean.

    Raises:
        SchemaError: the file is damaged, leads to another one, or holds several images or spectra of a kind.
    """
    _refuse_links(source)
    parts = _parts(source)
    found, others = [], []
    for part in parts:
        signal = _signal(part, source)
        if signal is None:
            others.append("an array of " + " x ".join(map(str, np.shape(part["data"]))))
        else:
            found.append(signal)
    nodes = [signal.node for signal in found]
    twice = sorted({node for node in nodes if nodes.count(node) > 1})
    if twice:
        listed = [f"{node} ({nodes.count(node)})" for node in twice]
        raise _refused(source, f"several of a kind: {', '.join(listed)}")
    if not found:
        raise _refused(source, name_some(others) or "nothing")
    return found


def _parts(source: Source) -> list[Mapping[str, Any]]:
    from rsciio import IO_PLUGINS, exceptions  # type: ignore[import-not-found] - an extra

    ending = source.path.suffix.lower().removeprefix(".")
    # Packed .mrcz is another format, which claims the ending of the plain one too.
    plugin = next(p["api"] for p in IO_PLUGINS if ending in p["file_extensions"] and p["name"] != "MRCZ")
    own = tuple(e for e in vars(exceptions).values() if isinstance(e, type) and issubclass(e, Exception))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on what of a file's remarks it does not know
            return import_module(plugin).file_reader(str(source.path))
    except (*FAULTS, *own, ImportError) as error:
        raise _refused(source, first_words(error)) from error


def _refuse_links(source: Source) -> None:
    """See that an HDF5 file holds its own numbers: what it leads to may be anybody's."""
    if not source.data.startswith(HDF5):
        return

    def foreign(name: str, node: object) -> str | None:
        is_link = isinstance(node, h5py.ExternalLink)
        is_elsewhere = isinstance(node, h5py.Dataset) and bool(node.external or node.is_virtual)
        return name if is_link or is_elsewhere else None  # a name ends the search

    try:
        with h5py.File(io.BytesIO(source.data), "r") as file:
            name = file.visititems_links(foreign) or file.visititems(foreign)
    except FAULTS as error:
        raise _refused(source, first_words(error)) from error
    if name:
        raise _refused(source, f"'{name}' lies in another file")


def _signal(part: Mapping[str, Any], source: Source) -> Signal | None:
    """What a part of a file is; None if it is neither an image nor spectra."""
    try:
        values = np.asarray(part["data"])
        axes = sorted(part["axes"], key=lambda axis: axis.get("index_in_array") or 0)
        told = part.get("metadata", {}).get("Signal", {})
        if values.dtype.kind not in "biuf" or values.ndim != len(axes) or not values.size:
            return None
        along = [i for i, axis in enumerate(axes) if not axis.get("navigate")]
        units = "counts" if "count" in str(told.get("quantity", "")).lower() else "1"
        if len(along) == 2 and values.ndim == 2:
            return _image(values, axes[1], units, source)
        if len(along) == 1:
            return _spectrum(values, axes, along[0], str(told.get("signal_type", "")), units, source)
    except FAULTS as error:
        raise _refused(source, first_words(error)) from error
    return None


def _image(values: np.ndarray, axis: Mapping[str, Any], units: str, source: Source) -> Signal:
    scale = np.array([axis.get("scale", np.nan)], dtype=float)
    try:
        pixel = float(convert(scale, _unit(axis), "nm")[0])
    except UnitError:  # the pixels of a camera have no length
        pixel = np.nan
    return Signal(source.path.stem, IMAGES, values, units, axis_units="nm", pixel=pixel)


def _spectrum(
    values: np.ndarray,
    axes: Sequence[Mapping[str, Any]],
    place: int,
    kind: str,
    units: str,
    source: Source,
) -> Signal:
    axis, n = _places(axes[place], values.shape[place]), values.size // values.shape[place]
    mean = np.moveaxis(values, place, -1).reshape(n, -1).mean(0, dtype=float)
    told = _unit(axes[place])
    node, dim, unit = _kind(told, kind, str(axes[place].get("name") or "channel"), source)
    if unit != told:
        axis = convert(axis, told, unit)
    if axis.size > 1 and axis[0] > axis[-1]:
        axis, mean = axis[::-1], mean[::-1]
    if not np.isfinite(axis).all() or not (np.diff(axis) > 0).all():
        raise _refused(source, f"{dim} from {axis[0]:g} to {axis[-1]:g}, which does not rise all along")
    note = f"{source.name}: the mean of {n:,} spectra of a map." if n > 1 else ""
    return Signal(source.path.stem, node, mean, units, dim, axis, unit, note=note)


def _places(axis: Mapping[str, Any], n: int) -> np.ndarray:
    if "axis" in axis:
        return np.asarray(axis["axis"], dtype=float)
    return float(axis["offset"]) + float(axis["scale"]) * np.arange(n)


def _kind(told: str, kind: str, name: str, source: Source) -> tuple[str, str, str]:
    """Node of a record, name of the axis of a spectrum, and its unit, by what its file says of it."""
    dim, unit = AXES.get(told, (identifier(name), told))
    if kind.startswith("EDS") and dim == "energy":
        return "eds", dim, "keV"
    if kind == "EELS" and dim == "energy":
        return "eels", "energy_loss", unit
    if dim == "wavenumber" and (source.path.suffix.lower() == ".wdf" or "raman" in name.lower()):
        return "raman", "raman_shift", unit
    return f"{dim}_spectra", dim, unit


def _unit(axis: Mapping[str, Any]) -> str:
    """Unit of an axis, "" if none or an unknown one is told."""
    told = str(axis.get("units") or "").strip()
    try:
        return canonical(told) if told else ""
    except UnitError:
        return ""


def _refused(source: Source, found: str) -> SchemaError:
    return SchemaError(
        f"'{source.name}' cannot be read as one image or one spectrum of a kind.", found=found, hint=HINT
    )
