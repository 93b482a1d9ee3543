"""Why an unknown spectrum is said to be of these compounds: its peaks, and the ions of each compound."""

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tieline.errors import SchemaError
from tieline.figures.spectra import channels_at
from tieline.figures.style import INK, PENCIL, phase_colours, settings, sheet
from tieline.schema.wording import name_some

STRANGE = 5.0  # standard errors above what the references explain, from which a peak is named
MOST_NAMED = 6
ROOM = 0.05  # of the axis, that a name takes
LONGEST = 1.25  # of a bar; a mark beyond stands at the end
WIDTH = 1.8  # points, of a peak


def explained_spectrum(evidence: xr.Dataset, specimen: object = None) -> Figure:
    """Draw the peaks of one spectrum with what every compound adds, on a root scale, and what is left over.

    Peaks far above what the references explain are named by their place.

    Args:
        evidence: of `spectral_evidence`.
        specimen: which of its spectra; the first if not said.

    Raises:
        SchemaError: this is no evidence, or there is no such specimen.
    """
    one = _one(evidence, specimen)
    axis, place = _axis(one)
    colours = phase_colours(one["compound"].values)
    counts, parts = one["counts"].values, one["contribution"].values
    with settings():
        figure = sheet(8.0, 4.4)
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        base = np.zeros(len(place))
        for (compound, colour), part in zip(colours.items(), parts, strict=True):
            top = base + part
            # On a root scale the parts of a bar are drawn between the roots of their sums.
            above.vlines(place, np.sqrt(base), np.sqrt(top), color=colour, linewidth=WIDTH, label=compound)
            base = top
        above.plot(place, np.sqrt(counts), "_", color=INK, markersize=5, label="measured")
        _root_ticks(above, float(np.nanmax(counts)))
        above.set(ylabel="counts", ylim=(0, None))
        above.set_title(str(one["specimen"].values), loc="left")
        residual = one["residual"].values
        below.vlines(place, 0, residual, color=PENCIL, linewidth=0.8)
        below.axhline(0, color=INK, linewidth=0.6)
        below.set_yscale("symlog", linthresh=10)
        for j in _named(place, np.nan_to_num(residual)):
            at = (place[j], residual[j])
            below.annotate(f"{place[j]:.2f}", at, ha="center", va="bottom", fontsize=7, color=INK)
        below.margins(y=0.3)
        below.set(xlabel=_label(axis), ylabel="left over\n(std. errors)", xlim=(0, place.max() * 1.02))
        figure.legend(loc="outside lower center", ncols=6)
        figure.align_ylabels()
    return figure


def ion_evidence(evidence: xr.Dataset, ions: xr.Dataset, specimen: object = None, *, n: int = 5) -> Figure:
    """Draw the ions that tell each compound, in one spectrum: what was counted, and whose counts they are.

    A bar of full length is what the compound would show if there were nothing else: the own colour then
    reaches as far as its share, and the mark of what was measured to the end of the bar.

    Args:
        evidence: of `spectral_evidence`.
        ions: of `characteristic_ions`.
        specimen: which spectrum; the first if not said.
        n: ions of each compound.

    Raises:
        SchemaError: this is no evidence, there is no such specimen, or the ions are of other spectra.
    """
    one = _one(evidence, specimen)
    axis, place = _axis(one)
    colours = phase_colours(one["compound"].values)
    compounds = _compounds_of(ions, one)
    n_rows = -(-len(compounds) // 2)
    with settings():
        figure = sheet(8.0, 0.6 + (0.18 * n + 0.6) * n_rows)
        panels = figure.subplots(n_rows, 2, squeeze=False, sharex=True).ravel()
        for axes, compound in zip(panels, compounds, strict=False):
            peaks = ions.sel(compound=compound).isel(rank=slice(0, n))
            chosen = channels_at(place, peaks[axis].values)
            names = [
                f"{ion or 'not assigned'} {m:.2f}"
                for ion, m in zip(peaks["ion"].values, peaks[axis].values, strict=True)
            ]
            _draw_ions(axes, one.isel({axis: chosen}), compound, names, colours)
            axes.set_title(compound, loc="left", color=colours[compound])
        for axes in panels[len(compounds) :]:
            axes.remove()
        for axes in panels[: len(compounds)][-2:]:
            axes.tick_params(labelbottom=True)
            axes.set_xlabel("of what the compound would show alone")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=6)
    return figure


def _compounds_of(ions: xr.Dataset, one: xr.Dataset) -> list[str]:
    """The compounds that ions tell, all of which the evidence has to know."""
    known = [str(c) for c in one["compound"].values]
    found = [str(c) for c in ions["compound"].values] if "compound" in ions.coords else []
    if not found or not set(found) <= set(known):
        raise SchemaError(
            "The ions are not those of the compounds in the evidence.",
            found=f"{name_some(found) or 'no compounds'} beside {name_some(known)}",
            hint="characteristic_ions(...) of the same references",
        )
    return found


def _named(place: np.ndarray, residual: np.ndarray) -> list[int]:
    """Peaks far above what the references explain, the farthest first, none too near another to be read."""
    room, chosen = np.ptp(place) * ROOM, []
    for j in np.argsort(-residual)[: int((residual > STRANGE).sum())]:
        if len(chosen) < MOST_NAMED and all(abs(place[j] - place[i]) > room for i in chosen):
            chosen.append(int(j))
    return chosen


def _draw_ions(
    axes: Axes, peaks: xr.Dataset, compound: str, names: list[str], colours: Mapping[str, object]
) -> None:
    """Bars of one compound's ions, relative to what it would show alone."""
    counts, parts = peaks["counts"].values, peaks["contribution"].values
    alone = peaks["alone"].sel(compound=compound).values
    scale = 1 / np.where(alone > 0, alone, 1)
    row, base = np.arange(len(names)), np.zeros(len(names))
    for (other, colour), part in zip(colours.items(), parts, strict=True):
        axes.barh(row, part * scale, 0.7, base, color=colour, label=other)
        base = base + part * scale
    axes.plot(
        np.minimum(counts * scale, LONGEST),
        row,
        "|",
        color=INK,
        markersize=9,
        markeredgewidth=1.5,
        label="measured",
    )
    for i, value in enumerate(counts):
        told = "not measured" if np.isnan(value) else f"{value:,.0f}"
        axes.text(LONGEST + 0.03, i, told, va="center", fontsize=7, color=PENCIL)
    axes.set_yticks(row, names)
    axes.set(xlim=(0, LONGEST), ylim=(len(names) - 0.4, -0.6), xticks=(0, 0.5, 1))
    axes.axvline(1, color=PENCIL, linewidth=0.5, zorder=0)


def _one(evidence: xr.Dataset, specimen: object) -> xr.Dataset:
    if "contribution" not in evidence or "residual" not in evidence:
        raise SchemaError(
            "This figure shows what `spectral_evidence` found.",
            found=", ".join(map(str, evidence.data_vars)),
        )
    if specimen is None:
        return evidence.isel(specimen=0)
    if specimen not in evidence["specimen"].values:
        raise SchemaError(
            f"There is no spectrum '{specimen}'.",
            found=", ".join(map(str, evidence["specimen"].values[:5])),
        )
    return evidence.sel(specimen=specimen)


def _axis(one: xr.Dataset) -> tuple[str, np.ndarray]:
    name = str(one["counts"].dims[0])
    return name, one[name].values


def _label(axis: str) -> str:
    return "m/z / u" if axis == "mz" else axis.replace("_", " ")


def _root_ticks(axes: Axes, largest: float) -> None:
    """Counts beside an axis of their roots."""
    power = 10.0 ** np.floor(np.log10(max(largest, 1)))
    ticks = [0, power / 100, power / 10, power / 4, power / 2, power, 2 * power, 5 * power]
    ticks = [t for t in ticks if t <= largest * 1.05]
    axes.set_yticks(np.sqrt(ticks), [f"{t:,.0f}" for t in ticks])
