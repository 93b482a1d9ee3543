"""Images and spectra of many specimens -> the nodes of a record, one for each kind."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from tieline.errors import SchemaError
from tieline.readers.common_axis import common_axis
from tieline.readers.signals import IMAGES, Signal
from tieline.schema.volumes import shape_text
from tieline.schema.wording import name_some


def stack_signals(signals: Sequence[Signal]) -> tuple[dict[str, xr.Dataset], list[str]]:
    """Put images beside images and spectra beside spectra of their kind.

    Returns:
        By path of the node: of images, image (measurement, y, x) with the coordinate pixel_size; of spectra,
        intensity (measurement, and their axis); with the coordinate specimen. And notes on what was averaged
        or interpolated.

    Raises:
        SchemaError: images differ in size, or spectra have no range in common.
    """
    nodes, notes = {}, [signal.note for signal in signals if signal.note]
    for node in dict.fromkeys(signal.node for signal in signals):
        own = [signal for signal in signals if signal.node == node]
        if node == IMAGES:
            nodes[f"/{node}"] = _images(own)
        else:
            nodes[f"/{node}"], note = _spectra(own)
            notes += [note] if note else []
    return nodes, notes


def _images(signals: Sequence[Signal]) -> xr.Dataset:
    first = signals[0].values
    others = [f"{s.specimen}: {shape_text(s.values.shape)}" for s in signals if s.values.shape != first.shape]
    if others:
        raise SchemaError(
            "The images of one record have one size.",
            found=f"{signals[0].specimen}: {shape_text(first.shape)}; {name_some(others)}",
            hint="crop them to one size before export, or keep those of one size in the folder",
        )
    stacked = np.stack([signal.values for signal in signals])
    attrs = {"units": _units(signals), "role": "structure"}
    return xr.Dataset(
        {"image": (("measurement", "y", "x"), stacked, attrs)},
        _owners(signals)
        | {"pixel_size": ("measurement", np.array([s.pixel for s in signals]), {"units": "nm"})},
    )


def _spectra(signals: Sequence[Signal]) -> tuple[xr.Dataset, str]:
    units = dict.fromkeys((signal.dim, signal.axis_units) for signal in signals)
    if len(units) > 1:
        raise SchemaError(
            f"The spectra in /{signals[0].node} are not over one axis.",
            found=name_some([f"{dim} in {unit or 'no unit'}" for dim, unit in units]),
            hint="load those over one axis at a time",
        )
    ((dim, unit),) = units
    axis, note = common_axis([(s.specimen, s.axis) for s in signals], f"{signals[0].node} spectra", dim, unit)
    values = np.stack([np.interp(axis, s.axis, s.values) if note else s.values for s in signals])
    attrs = {"units": _units(signals), "role": "structure"}
    along = (dim, axis, {"units": unit} if unit else {})
    return xr.Dataset(
        {"intensity": (("measurement", dim), values, attrs)}, _owners(signals) | {dim: along}
    ), note


def _units(signals: Sequence[Signal]) -> str:
    units = {signal.units for signal in signals}
    return units.pop() if len(units) == 1 else "1"


def _owners(signals: Sequence[Signal]) -> dict[str, tuple[str, np.ndarray]]:
    return {"specimen": ("measurement", np.array([signal.specimen for signal in signals]))}
