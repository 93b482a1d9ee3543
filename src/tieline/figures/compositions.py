"""Predicted spectra with their bands, how properties of compositions go together, what elements do."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tieline.errors import SchemaError
from tieline.figures.scales import few, name_axis
from tieline.figures.style import ACCENT, INK, PAPER, PENCIL, PHASE_COLOURS, settings, sheet
from tieline.planning.wording import label
from tieline.schema.wording import name_known, name_some

MOST_SPECTRA = 12  # panels of one figure
COLUMNS = 3
MOST_WRITTEN = 9  # properties of which every correlation is written into its cell


def predicted_spectra(predicted: xr.Dataset, name: str, measured: xr.Dataset | None = None) -> Figure:
    """Draw predicted spectra, a panel a specimen: the median, and the band that holds the whole of it.

    The band is simultaneous: nine of ten spectra lie in theirs with all their bins. Within it, darker, are
    the intervals that hold nine of ten single bins.

    Args:
        predicted: what `CompositionProperties`' posterior predicted, at most twelve specimens.
        name: of the spectrum.
        measured: on the same specimens, drawn over it.

    Raises:
        SchemaError: no such spectrum was predicted; there are too many specimens; or a specimen or the
            spectrum is missing in what was measured.
    """
    spectra = {str(v).removesuffix("_band"): v for v in predicted.data_vars if str(v).endswith("_band")}
    if name not in spectra:
        raise SchemaError(f"'{name}' is no predicted spectrum.", found=name_known(spectra, name))
    if (n := predicted.sizes["specimen"]) > MOST_SPECTRA:
        raise SchemaError(
            f"A figure of spectra shows at most {MOST_SPECTRA} specimens.",
            found=f"{n} specimens",
            hint=f"predicted.isel(specimen=slice(0, {MOST_SPECTRA}))",
        )
    truth = None if measured is None else _beside(predicted, name, measured)
    n_columns = min(COLUMNS, n)
    n_rows = -(-n // n_columns)
    with settings():
        figure = sheet(2.6 * n_columns + 0.6, 1.75 * n_rows + 0.75)
        grid = figure.subplots(n_rows, n_columns, squeeze=False, sharex=True, sharey=True)
        for i, axes in enumerate(grid.flat):
            if i >= n:
                axes.remove()
                continue
            _draw_spectrum(axes, predicted.isel(specimen=i), name, None if truth is None else truth[i])
        first = predicted[name]
        axis = str(first.dims[1])
        figure.supxlabel(label(predicted[axis], axis), fontsize=9)
        figure.supylabel(label(first, name), fontsize=9)
        handles, words = grid[0, 0].get_legend_handles_labels()
        figure.legend(handles, words, loc="outside upper center", ncols=len(words))
    return figure


def property_correlation(found: xr.Dataset) -> Figure:
    """Draw how properties go together over compositions, and at one specimen.

    Args:
        found: of `tieline.insight.compositions.property_correlation`.

    Raises:
        SchemaError: it is something else.
    """
    _require(found, ("over_compositions", "at_one_specimen"), "property_correlation(posterior)")
    names = [str(name).replace("_", " ") for name in found["property"].values]
    n = len(names)
    is_small = n <= MOST_WRITTEN
    with settings():
        side = max(0.42 * n, 2.2) if is_small else 3.6
        figure = sheet(2 * side + (2.2 if is_small else 1.6), side + (1.5 if is_small else 0.9))
        panels = figure.subplots(1, 2, sharey=True)
        for axes, part, title in zip(
            panels,
            ("over_compositions", "at_one_specimen"),
            ("Over compositions", "Beyond composition"),
            strict=True,
        ):
            values = found[part].values
            image = axes.imshow(values, cmap="RdBu_r", vmin=-1, vmax=1, aspect="equal")
            axes.set_title(title, loc="left")
            if is_small:
                axes.set_xticks(range(n), names, rotation=40, ha="right", rotation_mode="anchor")
                axes.set_yticks(range(n), names)
                for (i, j), value in np.ndenumerate(values):
                    colour = PAPER if abs(value) > 0.6 else INK
                    text = f"{value:.1f}".replace("-", "\N{MINUS SIGN}")
                    axes.text(j, i, text, ha="center", va="center", fontsize=7, color=colour)
            else:
                places = np.unique(np.linspace(0, n - 1, 6).round().astype(int))
                axes.set_xticks(places, [names[i] for i in places], rotation=40, ha="right")
                axes.set_yticks(places, [names[i] for i in places])
        figure.colorbar(image, ax=list(panels), shrink=0.8, label="correlation", ticks=few(4))
    return figure


def element_effects(found: xr.Dataset, *, n: int = 12) -> Figure:
    """Draw what elements and pairs of elements do to a property: effects with their standard errors.

    Args:
        found: of `tieline.insight.compositions.element_effects`.
        n: elements, and pairs, with the largest effects.

    Raises:
        SchemaError: it is something else.
    """
    _require(found, ("effect", "pair_effect"), "element_effects(posterior, name)")
    has_pairs = found.sizes["pair"] > 0
    n_bars = max(min(n, found.sizes["element"]), min(n, found.sizes["pair"]))
    with settings():
        figure = sheet(6.8 if has_pairs else 3.8, 0.2 * n_bars + 1.1)
        panels = figure.subplots(1, 2 if has_pairs else 1, squeeze=False)[0]
        name = str(found.attrs["property"])
        for axes, dim, what in zip(panels, ("element", "pair"), ("effect", "pair_effect"), strict=False):
            _draw_effects(axes, found.isel({dim: slice(0, n)}), dim, what)
            title = "One element" if dim == "element" else "A pair, beyond both"
            axes.set_title(title, loc="left")
            name_axis(axes.xaxis, found[what], f"change of {name}", n_ticks=4)
    return figure


def _draw_spectrum(axes: Axes, one: xr.Dataset, name: str, truth: np.ndarray | None) -> None:
    axis = str(one[name].dims[0])
    x = one[axis].values
    band, quantile = one[f"{name}_band"], one[f"{name}_quantile"]
    axes.fill_between(
        x,
        band.sel(side="low"),
        band.sel(side="high"),
        color=ACCENT,
        alpha=0.15,
        linewidth=0,
        label="90 %, all bins together",
    )
    axes.fill_between(
        x,
        quantile.sel(probability=0.05),
        quantile.sel(probability=0.95),
        color=ACCENT,
        alpha=0.3,
        linewidth=0,
        label="90 %, bin by bin",
    )
    axes.plot(x, quantile.sel(probability=0.5), color=ACCENT, linewidth=1.4, label="median")
    if truth is not None:
        axes.plot(x, truth, color=INK, linewidth=0.9, label="measured")
    words = str(one["formula"].item()) if "formula" in one.coords else str(one["specimen"].item())
    is_new = bool(one["new_system"].item()) if "new_system" in one else False
    axes.set_title(words + (" · new system" if is_new else ""), loc="left", fontsize=8)
    axes.xaxis.set_major_locator(few(4))
    axes.yaxis.set_major_locator(few(4))


def _draw_effects(axes: Axes, found: xr.Dataset, dim: str, what: str) -> None:
    values, error = found[what].values, found[f"{what}_se"].values
    place = np.arange(len(values))
    colours = [PHASE_COLOURS[4] if value > 0 else ACCENT for value in values]
    axes.barh(place, values, 0.72, color=colours)
    axes.errorbar(values, place, xerr=error, fmt="none", ecolor=INK, elinewidth=1)
    axes.axvline(0, color=PENCIL, linewidth=0.8)
    axes.set_yticks(place, [str(one) for one in found[dim].values])
    axes.set_ylim(len(values) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)


def _beside(predicted: xr.Dataset, name: str, measured: xr.Dataset) -> np.ndarray:
    """What was measured on the specimens of a prediction (specimen, axis)."""
    if name not in measured:
        known = [str(variable) for variable in measured.data_vars]
        raise SchemaError(f"'{name}' is not in what was measured.", found=name_known(known, name))
    row = {specimen: i for i, specimen in enumerate(measured["specimen"].values.tolist())}
    wanted = predicted["specimen"].values.tolist()
    if lost := [specimen for specimen in wanted if specimen not in row]:
        raise SchemaError(
            "What was measured lacks specimens of the prediction.", found=name_some(map(str, lost))
        )
    values = measured[name].transpose("specimen", predicted[name].dims[1]).values
    return values[[row[specimen] for specimen in wanted]]


def _require(found: xr.Dataset, names: Sequence[str], maker: str) -> None:
    if not set(names) <= set(map(str, found.data_vars)):
        raise SchemaError(
            f"This is not what {maker} gives.",
            found=name_some(map(str, found.data_vars)) or "nothing",
            hint=f"from tieline.insight.compositions import {maker.split('(')[0]}",
        )
