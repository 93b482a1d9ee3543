"""Patterns of a record, checked at the door and made ready."""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy.ndimage import gaussian_filter1d

from tieline.errors import NotIdentified, SchemaError
from tieline.features.phases.arrays import Array, Indices, Mask
from tieline.features.phases.axis import Axis, axis_of
from tieline.features.phases.background import background_of, line_width
from tieline.schema.wording import name_some

FEWEST_SPECIMENS = 3
CHANNELS_PER_LINE = 6.0  # on the logarithmic axis
CHANNELS = (200, 500)  # fewest and most
BACKGROUND_LINES = 6.0  # half the window of the background, in widths of a line
WIDEST_BACKGROUND = 1 / 7  # the same, of the range of the axis
MOST_NEGATIVE = 0.1  # of all counts: what a subtracted background may leave below zero
TEXTURE = 0.2  # relative error of lines between specimens of one phase
FLOOR = 0.02  # of a strong line: what no description need get right


@dataclass(frozen=True)
class Patterns:
    """Patterns of specimens, one each.

    Attributes:
        axis: of the channels.
        intensity (row, channel): counts, or any other unit.
        rows (row): which specimen each is of.
        notes: what was averaged or filled in.
    """

    axis: Axis
    intensity: Array
    rows: Indices
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Lines:
    """Patterns without background, on an axis where strain is a shift.

    Attributes:
        place (channel): logarithm of the reciprocal spacing, in even steps.
        counts (row, channel): of sum one.
        weight (row, channel): root of the weight, of mean square one.
        total (row): counts of the lines of each pattern.
        background (row, channel of the axis): what was taken off.
    """

    place: Array
    counts: Array
    weight: Array
    total: Array
    background: Array

    @property
    def step(self) -> float:
        """Of a channel."""
        return float(self.place[1] - self.place[0])


def read_patterns(node: xr.Dataset, specimens: np.ndarray) -> Patterns:
    """Read patterns, averaging repeats.

    Args:
        node: intensity (measurement, axis), with the coordinate specimen (measurement).
        specimens: all that there are, in order.

    Raises:
        SchemaError: intensities are missing, negative or infinite, or the axis is not one.
        NotIdentified: there are too few patterns, or nothing differs.
    """
    axis, values, whose = _intensity(node)
    strangers = sorted({str(s) for s in whose} - {str(s) for s in specimens})
    if strangers:
        raise SchemaError(
            "There are patterns of specimens that are not in the table.",
            found=name_some(strangers),
            hint="add their rows to /specimens, or leave these patterns out",
        )
    place = {s: i for i, s in enumerate(specimens.tolist())}
    where = np.array([place[s] for s in whose.tolist()])
    values, seen, notes = _filled(values, whose)
    rows = np.unique(where[seen])
    averaged = (
        np.stack([values[seen][where[seen] == row].mean(0) for row in rows]) if len(rows) else values[:0]
    )
    if seen.sum() > len(rows):
        notes.append(f"Repeated patterns of {seen.sum() - len(rows)} specimens were averaged.")
    notes += _refuse_absurd(averaged, specimens[rows])
    return Patterns(axis, averaged, rows, tuple(notes))


def read_each(node: xr.Dataset) -> Patterns:
    """Read patterns one by one, repeats as they are; `rows` says which measurements were seen.

    Raises:
        SchemaError: intensities are missing, negative or infinite, or the axis is not one.
    """
    axis, values, whose = _intensity(node)
    values, seen, notes = _filled(values, whose)
    if not seen.any():
        raise NotIdentified("There is no pattern to quantify.", found=f"{len(whose)} measurements")
    notes += _refuse_impossible(values[seen], whose[seen])
    return Patterns(axis, values[seen], np.flatnonzero(seen), tuple(notes))


def lines_of(patterns: Patterns) -> Lines:
    """Take the background off, and lay the rest on the logarithmic axis."""
    width = line_width(patterns.intensity)
    n = patterns.intensity.shape[1]
    half_window = int(np.clip(BACKGROUND_LINES * width, 3, WIDEST_BACKGROUND * n))
    background = background_of(patterns.intensity, half_window)
    logarithm = patterns.axis.logarithm
    n_channels = int(np.clip(CHANNELS_PER_LINE * n / width, *CHANNELS))
    place = np.linspace(logarithm[0], logarithm[-1], n_channels)
    net, whole = (
        np.stack([np.interp(place, logarithm, row) for row in rows])
        for rows in (patterns.intensity - background, np.maximum(patterns.intensity, 0))
    )
    total = np.maximum(net, 0).sum(1)
    if (total <= 0).any():
        raise NotIdentified(
            f"{(total <= 0).sum()} patterns have no lines above their background.",
            found=f"{len(total)} patterns",
            hint="leave them out, or set them to NaN where the measurement failed",
        )
    counts = net / total[:, None]
    return Lines(place, counts, _weight(counts, whole / total[:, None]), total, background)


def _weight(counts: Array, whole: Array) -> Array:
    """Root of the weights: counting noise with the background's, texture, and a floor."""
    level, noisy = (gaussian_filter1d(np.maximum(rows, 0), 2.0, axis=1) for rows in (counts, whole))
    strong = np.quantile(level, 0.99)
    variance = FLOOR * strong * noisy + (TEXTURE * level) ** 2 + (FLOOR * strong) ** 2
    weight = 1 / np.sqrt(variance)
    return weight / np.sqrt((weight**2).mean())


def _intensity(node: xr.Dataset) -> tuple[Axis, Array, np.ndarray]:
    """The axis, the intensities (measurement, channel), and whose each is."""
    if "intensity" not in node or "measurement" not in node["intensity"].dims:
        raise SchemaError(
            "Diffraction patterns are 'intensity' on (measurement, two_theta).",
            found=f"variables {name_some(node.data_vars)}",
            hint="tieline.load reads patterns in this form",
        )
    intensity = node["intensity"]
    if "specimen" not in intensity.coords or intensity["specimen"].dims != ("measurement",):
        raise SchemaError(
            "Every pattern says whose it is: a coordinate 'specimen' on 'measurement'.",
            found=f"coordinates {name_some(intensity.coords)}",
        )
    if intensity.dtype.kind not in "iuf" or np.isinf(intensity.values.astype(float)).any():
        raise SchemaError(
            "Intensities are finite numbers, NaN where the detector failed.", found=f"{intensity.dtype}"
        )
    axis = axis_of(intensity)
    values = intensity.transpose("measurement", axis.name).values.astype(float)
    return axis, values, intensity["specimen"].values


def _filled(values: Array, whose: np.ndarray) -> tuple[Array, Mask, list[str]]:
    """Fill holes of a few channels in, and say which patterns were seen."""
    hole = np.isnan(values)
    seen = ~np.asarray(hole.all(1))
    holey = seen & hole.any(1)
    too_many = whose[holey & (hole.mean(1) > 0.1)]
    if len(too_many):
        raise SchemaError(
            "Patterns lack more than a tenth of their channels.",
            found=name_some([str(s) for s in too_many]),
            hint="cut all patterns to the range that was measured",
        )
    channel = np.arange(values.shape[1])
    filled = values.copy()
    for row in np.flatnonzero(holey):
        known = ~hole[row]
        filled[row] = np.interp(channel, channel[known], values[row, known])
    notes = [f"{(~seen).sum()} patterns are NaN throughout and were left out."] if (~seen).any() else []
    if holey.any():
        notes.append(f"Holes in {holey.sum()} patterns were filled in from the channels beside them.")
    return filled, seen, notes


def _refuse_absurd(intensity: Array, specimens: np.ndarray) -> list[str]:
    if len(intensity) < FEWEST_SPECIMENS:
        raise NotIdentified(
            f"Phases are told from how patterns differ: at least {FEWEST_SPECIMENS} specimens with one.",
            found=f"{len(intensity)}",
            hint="for one pattern, compare it with references: quantify_phases",
        )
    notes = _refuse_impossible(intensity, specimens)
    if np.ptp(intensity / intensity.sum(1, keepdims=True), axis=0).max() < 1e-9 * intensity.max():
        raise NotIdentified(
            "All patterns are the same: nothing tells how many phases there are.",
            found=f"{len(intensity)} patterns",
        )
    return notes


def _refuse_impossible(intensity: Array, specimens: np.ndarray) -> list[str]:
    below = np.maximum(-intensity, 0).sum(1)
    share = below / np.maximum(np.abs(intensity).sum(1), 1e-300)
    if (share > MOST_NEGATIVE).any():
        raise SchemaError(
            "Counts of a pattern are not negative, but for the noise that a subtracted background leaves.",
            found=f"{share.max():.0%} of the counts of {specimens[share.argmax()]} below zero",
            hint="take counts as measured: the background is taken off here",
        )
    flat = np.ptp(intensity, axis=1) == 0
    if flat.any():
        raise SchemaError(
            "Some patterns have the same intensity in every channel.",
            found=name_some([str(s) for s in specimens[flat]]),
            hint="set them to NaN, or leave them out: they were not measured",
        )
    return [f"{(share > 0).sum()} patterns have negative counts."] if (share > 0).any() else []
