"""From a table of spectra to arrays, with everything that cannot stand refused by name."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from tieline.errors import NotIdentified, SchemaError
from tieline.models.arrays import Array, Mask
from tieline.models.spectral_references import References
from tieline.schema import require, require_table
from tieline.schema.wording import name_some

READER = "SpectralComposition"
SAME_CHANNEL = 0.02  # of the axis' unit: nearer than two peaks that an instrument tells apart
SMALL = 0.01  # share of the counts beside the references' channels that is worth a note
FEWEST_CHANNELS = 0.5  # share of the references' channels that an unknown must have


@dataclass(frozen=True)
class Spectra:
    """Spectra of one table.

    Attributes:
        counts (specimen, channel): NaN where not measured.
        channels (channel): the axis, such as m/z in u.
        axis: name of the axis.
        notes: what was set aside.
        rows (specimen): where they stand in the table.
    """

    counts: Array
    channels: Array
    axis: str
    notes: tuple[str, ...] = ()
    rows: np.ndarray | None = None

    def of_rows(self, table: xr.Dataset, name: str | None) -> np.ndarray:
        """The values of a variable in the rows that were read; their numbers, if there is no variable."""
        rows = np.arange(len(self.counts)) if self.rows is None else self.rows
        return rows if name is None else table[name].values[rows].astype(str)


def read_spectra(table: xr.Dataset, name: str) -> Spectra:
    """Read the spectra of a table.

    Raises:
        SchemaError: they are missing, negative, infinite or without an axis.
    """
    require_table(table, hint="tieline.represent(record) gives one row for each spectrum")
    require(table, [name], READER)
    variable = table[name]
    others = [str(d) for d in variable.dims if d != "specimen"]
    if "specimen" not in variable.dims or len(others) != 1 or others[0] not in variable.coords:
        raise SchemaError(
            f"'{name}' holds one spectrum for each specimen, on an axis with coordinates.",
            found=f"dimensions {name_some(variable.dims)}; coordinates {name_some(variable.coords)}",
            hint=f"xarray.DataArray(counts, dims=('specimen', 'mz'), coords={{'mz': [...]}}, name='{name}')",
        )
    if variable.dtype.kind not in "biuf":
        raise SchemaError(
            f"'{name}' holds text or objects where counts should be.",
            found=f"type {variable.dtype}",
            hint=f"table.assign({name}=table['{name}'].astype(float))",
        )
    values = variable.transpose("specimen", others[0])
    counts, channels = values.values.astype(float), variable[others[0]].values.astype(float)
    _check_channels(channels, others[0])
    _refuse(np.isinf(counts), values, "holds infinite values", "set them to NaN (not measured)")
    _refuse(
        counts < 0,
        values,
        "holds negative counts",
        "a detector counts from 0: undo the subtraction of a background, or set these to NaN (not measured)",
    )
    return Spectra(counts, channels, others[0])


def read_references(table: xr.Dataset, spectrum: str, reference: str) -> tuple[Spectra, np.ndarray]:
    """Read the spectra of pure compounds, and which compound each is of.

    Returns:
        Spectra of the labelled rows that were measured, with channels that all of them have; and their
        labels.

    Raises:
        NotIdentified: there are fewer than two compounds, or no two spectra of any of them.
    """
    spectra = read_spectra(table, spectrum)
    require(table, [reference], READER)
    label = np.array([_label(v) for v in np.atleast_1d(table[reference].values)])
    # A row without a label or without counts tells nothing of pure compounds.
    is_used = (label != "") & np.isfinite(spectra.counts).any(1) & (np.nansum(spectra.counts, 1) > 0)
    all_labels, counts, label = label, spectra.counts[is_used], label[is_used]
    compounds, n_spectra = np.unique(label, return_counts=True)
    if len(compounds) < 2:
        raise NotIdentified(
            "A composition is told between at least two compounds.",
            found=f"spectra of {name_some(compounds) or 'no compound'}",
            hint=f"measure references of other compounds, and name them in '{reference}'",
        )
    if n_spectra.max() < 2:
        raise NotIdentified(
            "How much spectra of one compound scatter cannot be told from one spectrum of each.",
            found=f"one spectrum of each of {name_some(compounds)}",
            hint="measure several spots of at least one compound, better of each",
        )
    is_whole = np.asarray(np.isfinite(counts).all(axis=0))
    if (is_whole & (counts > 0).any(0)).sum() <= len(compounds):
        raise NotIdentified(
            "There are too few channels with counts in every reference.",
            found=f"{is_whole.sum()} channels for {len(compounds)} compounds",
            hint="integrate the same peaks in all spectra",
        )
    dark = np.isfinite(spectra.counts).any(1) & (np.nansum(spectra.counts, 1) == 0) & ~is_used
    empty = sorted(set(all_labels[dark].tolist()) - {""})
    notes = [f"References without any count were left aside: of {name_some(empty)}."] if empty else []
    notes += _notes(compounds, n_spectra, is_whole)
    kept = Spectra(
        counts[:, is_whole], spectra.channels[is_whole], spectra.axis, tuple(notes), np.flatnonzero(is_used)
    )
    return kept, label


@dataclass(frozen=True)
class Unknowns:
    """Unknown spectra on the channels of the references.

    Attributes:
        spectra: the spectra, or their means over spots.
        names: identities of the rows.
        n_spots (specimen): how many spots each is the mean of.
        is_empty (specimen): nothing was counted.
        group (specimen): which rows belong together, if that was said.
    """

    spectra: Spectra
    names: np.ndarray
    n_spots: np.ndarray
    is_empty: np.ndarray
    group: np.ndarray | None = None


def read_unknowns(
    table: xr.Dataset, name: str, references: References, by: str | None = None, group: str | None = None
) -> Unknowns:
    """Read unknown spectra.

    Args:
        table: on `specimen`.
        name: of the variable of spectra.
        references: whose channels they are brought to.
        by: variable whose equal values are averaged.
        group: variable of rows that belong together.

    Raises:
        SchemaError: they are missing, negative, or over other channels.
    """
    spectra = match_channels(read_spectra(table, name), references.channels, references.axis)
    rows = np.arange(len(spectra.counts))
    names = table["specimen"].values if "specimen" in table.coords else rows
    require(table, [n for n in (by, group) if n], READER)
    groups = None if group is None else table[group].values.astype(str)
    n_spots = np.ones(len(rows), dtype=int)
    if by is not None:
        label = table[by].values.astype(str)
        names, first = np.unique(label, return_index=True)
        names = names[np.argsort(first)]
        counted = [spectra.counts[(label == n) & np.isfinite(spectra.counts).any(1)] for n in names]
        n_spots = np.array([max(len(c), 1) for c in counted])
        means = [c.mean(0) if len(c) else np.full(len(spectra.channels), np.nan) for c in counted]
        spectra = Spectra(np.stack(means), spectra.channels, spectra.axis, spectra.notes)
        groups = None
    is_empty = ~(np.nansum(spectra.counts, axis=1) > 0)
    seen = np.isfinite(spectra.counts[:, np.isfinite(spectra.counts).any(0)])
    n_holes = int((~seen[~is_empty].all(1)).sum())
    if n_holes:
        note = f"Spectra that lack some of the channels that others have: {n_holes}."
        spectra = replace(spectra, notes=(*spectra.notes, note))
    return Unknowns(spectra, names, n_spots, is_empty, groups)


def match_channels(unknown: Spectra, channels: Array, axis: str) -> Spectra:
    """Bring unknown spectra onto the channels of the references; those that they lack are NaN.

    Raises:
        SchemaError: the axis is another one, or most channels are missing.
    """
    if unknown.axis != axis:
        raise SchemaError(
            f"The references are spectra over '{axis}', these over '{unknown.axis}'.",
            hint=f"table.rename({unknown.axis}='{axis}'), if it is the same quantity",
        )
    order = np.argsort(unknown.channels)
    place = unknown.channels[order]
    right = np.searchsorted(place, channels).clip(0, len(place) - 1)
    left = (right - 1).clip(0)
    nearest = np.where(np.abs(channels - place[left]) <= np.abs(place[right] - channels), left, right)
    apart = place[nearest] - channels
    is_there = np.abs(apart) <= _reach(channels)
    if is_there.mean() < FEWEST_CHANNELS:
        raise SchemaError(
            f"These spectra lack {(~is_there).sum()} of the {len(channels)} channels of the references.",
            found=f"the nearest channels lie {np.median(apart):+.3g} away in the median",
            hint="integrate the peaks of the references, after calibrating the axis: "
            "tieline.features.spectra.calibrate",
        )
    taken = order[nearest[is_there]]
    counts = np.full((len(unknown.counts), len(channels)), np.nan)
    counts[:, is_there] = unknown.counts[:, taken]
    notes = list(unknown.notes)
    if not is_there.all():
        notes.append(f"{(~is_there).sum()} of {len(channels)} channels of the references are missing.")
    total = np.nansum(unknown.counts)
    beside = total - np.nansum(counts)
    if beside > SMALL * total:
        notes.append(f"{beside / total:.0%} of the counts lie in channels that the references lack.")
    return Spectra(counts, channels, axis, tuple(notes))


def _reach(channels: Array) -> Array:
    """How far another spectrum's channel may lie away: never half of the way to the next channel."""
    order = np.argsort(channels)
    gap = np.diff(channels[order], prepend=-np.inf, append=np.inf)
    reach = np.empty_like(channels)
    reach[order] = np.minimum(SAME_CHANNEL, 0.45 * np.minimum(gap[:-1], gap[1:]))
    return reach


def _label(value: object) -> str:
    return "" if value is None or value != value else str(value).strip()


def _check_channels(channels: Array, axis: str) -> None:
    if not np.isfinite(channels).all():
        raise SchemaError(
            f"The axis '{axis}' holds values that are no numbers.", hint="give every channel one"
        )
    values, times = np.unique(channels, return_counts=True)
    if (times > 1).any():
        raise SchemaError(
            f"The axis '{axis}' holds channels more than once.",
            found=name_some(f"{v:g}" for v in values[times > 1]),
            hint="add up the counts of equal channels",
        )


def _refuse(wrong: Mask, values: xr.DataArray, what: str, hint: str) -> None:
    if not wrong.any():
        return
    row, column = np.nonzero(wrong)
    axis = str(values.dims[1])
    cells = [
        f"{float(values.values[i, j]):g} at {axis} {float(values[axis][j]):g}"
        for i, j in zip(row, column, strict=True)
    ]
    names = values["specimen"].values[row] if "specimen" in values.coords else row
    raise SchemaError(
        f"'{values.name}' {what}.",
        found="; ".join(f"{cell} ({name})" for cell, name in list(zip(cells, names, strict=True))[:3])
        + (f" and {len(cells) - 3} more" if len(cells) > 3 else ""),
        hint=hint,
    )


def _notes(compounds: np.ndarray, n_spectra: np.ndarray, is_whole: np.ndarray) -> Iterator[str]:
    few = [f"{c} ({n})" for c, n in zip(compounds, n_spectra, strict=True) if n < 3]
    if few:
        yield f"Few spectra of {name_some(few)}: their scatter is taken from the other compounds."
    if not is_whole.all():
        left_out = f"{(~is_whole).sum()} of {len(is_whole)} channels were left out"
        yield f"{left_out}: not measured in every reference."
