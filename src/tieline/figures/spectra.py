"""What spectra are made of: bars of shares with intervals, the ions that say so, components with ellipses."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse

from tieline.errors import SchemaError
from tieline.features.spectra import PeakScaling
from tieline.figures.style import INK, PAPER, PENCIL, PHASE_COLOURS, settings, sheet
from tieline.insight.components import principal_components
from tieline.models.spectral_reading import SAME_CHANNEL

MOST_BARS = 40  # spectra of one figure; more could not be read
SCALINGS = ("none", "log", "standard", "peak_maximum", "min_max", "poisson")  # of the study's comparison


def composition(found: xr.Dataset, ions: xr.Dataset | None = None) -> Figure:
    """Draw the share of every compound with its interval; hatched where something is none of the references.

    Args:
        found: what `SpectralComposition`'s posterior predicted, at most forty specimens.
        ions: of `characteristic_ions`; the first three of each compound are named in the legend.

    Raises:
        SchemaError: there are too many specimens, or this is no prediction of shares.
    """
    if "share" not in found or found.sizes["specimen"] > MOST_BARS:
        raise SchemaError(
            f"A figure of compositions shows the predicted shares of at most {MOST_BARS} specimens.",
            found=f"{found.sizes.get('specimen', 0)} specimens of {', '.join(map(str, found.data_vars))}",
            hint="found.isel(specimen=slice(0, 40)), or predict(table, by='pellet')",
        )
    names = [str(n) for n in found["specimen"].values]
    compounds = [str(c) for c in found["compound"].values]
    height = 0.8 / len(compounds)
    with settings():
        figure = sheet(7.4, 1.1 + max(len(names) * (0.13 * len(compounds) + 0.12), 1.2))
        axes = figure.subplots()
        for k, compound in enumerate(compounds):
            one = found.sel(compound=compound)
            share, low, high = (one[v].values for v in ("share", "share_low", "share_high"))
            place = np.arange(len(names)) + (k - (len(compounds) - 1) / 2) * height
            drawn = np.nan_to_num(share)
            bars = axes.barh(place, drawn, height * 0.9, color=_colour(k), label=_legend(compound, ions))
            for bar, is_strange in zip(bars, found["is_none_of_references"].values, strict=True):
                if is_strange:
                    bar.set(hatch="////", edgecolor=PAPER)
            axes.hlines(place, low, high, color=INK, linewidth=1)
        axes.set_yticks(np.arange(len(names)), names)
        axes.set(xlim=(0, 1), ylim=(len(names) - 0.5, -0.5), xlabel="share")
        axes.set_title(f"Shares with {found.attrs.get('level', 0.9):.0%} intervals", loc="left")
        figure.legend(loc="outside lower center", ncols=1 if ions is not None else len(compounds))
        if found["is_none_of_references"].any():
            axes.text(
                1, 1.01, "hatched: none of the references too", transform=axes.transAxes, ha="right", size=8
            )
    return figure


def ion_profiles(
    table: xr.Dataset, ions: xr.Dataset, unknowns: xr.Dataset | None = None, *, n: int = 5
) -> Figure:
    """Draw how strong the first ions of each compound are in all compounds, one circle a compound.

    Every peak goes from its least to its most over all spectra, as in the study's polar figure.

    Args:
        table: references, area (specimen, mz) and reference (specimen).
        ions: of `characteristic_ions`.
        unknowns: spectra to be drawn as lines, averaged by their names without the spot; at most four kinds.
        n: ions of each compound.

    Raises:
        SchemaError: an ion is at none of the table's peaks.
    """
    compounds = [str(c) for c in ions["compound"].values]
    axis = next(str(d) for d in table["area"].dims if d != "specimen")
    means = [table["area"].values[table["reference"].values == c].mean(0) for c in compounds]
    kinds: dict[str, np.ndarray] = {}
    if unknowns is not None:
        kind = np.array([str(s).rsplit(", spot", 1)[0] for s in unknowns["specimen"].values])
        kinds = {k: unknowns["area"].values[kind == k].mean(0) for k in list(dict.fromkeys(kind))[:4]}
    stacked = np.stack([*means, *kinds.values()])
    low, width = stacked.min(0), np.ptp(stacked, axis=0)
    scaled = (stacked - low) / np.where(width > 0, width, 1)
    columns = -(-len(compounds) // 2) if len(compounds) > 3 else len(compounds)
    rows = -(-len(compounds) // columns)
    with settings():
        figure = sheet(2.6 * columns, 2.9 * rows + 0.4)
        panels = figure.subplots(rows, columns, squeeze=False, subplot_kw={"projection": "polar"}).ravel()
        for k, (axes, compound) in enumerate(zip(panels, compounds, strict=False)):
            peaks = ions.sel(compound=compound).isel(rank=slice(0, n))
            places = channels_at(table[axis].values, peaks[axis].values)
            _draw_profile(axes, scaled[:, places], k, len(compounds))
            labels = [
                str(i) or f"{m:.2f}" for i, m in zip(peaks["ion"].values, peaks[axis].values, strict=True)
            ]
            axes.set_xticks(_angles(len(places)), labels)
            axes.set_title(compound, color=_colour(k), pad=14)
        for axes in panels[len(compounds) :]:
            axes.remove()
        names = [*compounds, *kinds]
        handles = [_handle(panels[0], i, len(compounds)) for i in range(len(names))]
        figure.legend(handles, names, loc="outside lower center", ncols=min(len(names), 5))
    return figure


def channels_at(axis: np.ndarray, places: np.ndarray) -> list[int]:
    """Number of the channel at each of some places of ions.

    Raises:
        SchemaError: there is none so near that it could be the same peak.
    """
    apart = np.abs(axis[:, None] - places)
    nearest = apart.argmin(0)
    off = apart.min(0) > SAME_CHANNEL
    if off.any():
        raise SchemaError(
            "Some ions are at none of the peaks.",
            found=f"{places[off][0]:.4f}, the nearest peak being at {axis[nearest[off][0]]:.4f}",
            hint="characteristic_ions(...) of spectra with the same peaks",
        )
    return nearest.tolist()


def scores(components: xr.Dataset) -> Figure:
    """Draw the scores of the first components with the ellipse of each compound; unknowns as crosses.

    Args:
        components: of `principal_components`, two or four of them.
    """
    pairs = [(0, 1), (2, 3)][: components.sizes["component"] // 2]
    with settings():
        figure = sheet(3.7 * len(pairs), 3.7)
        for axes, pair in zip(np.atleast_1d(figure.subplots(1, len(pairs))), pairs, strict=True):
            _draw_scores(axes, components, pair)
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=6)
    return figure


def preprocessings(
    table: xr.Dataset, unknowns: xr.Dataset | None = None, *, scalings: Sequence[str] = SCALINGS
) -> Figure:
    """Draw the scores of the first two components after each way of scaling: Fig. 4.16 of the study.

    Args:
        table: references, area (specimen, mz) and reference (specimen).
        unknowns: spectra over the same peaks, as crosses.
        scalings: methods of `PeakScaling`.
    """
    for name in scalings:
        PeakScaling(name).fit(np.ones((2, 2)))  # refuse a misspelt name before anything is drawn
    columns = min(3, len(scalings))
    rows = -(-len(scalings) // columns)
    with settings():
        figure = sheet(2.6 * columns, 2.6 * rows + 0.4)
        panels = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes, name in zip(panels, scalings, strict=False):
            _draw_scores(axes, principal_components(table, unknowns, scaling=name, n=2), (0, 1))
            axes.set_title(name.replace("_", " "), loc="left")
        for axes in panels[len(scalings) :]:
            axes.remove()
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=6)
    return figure


def _draw_scores(axes: Axes, components: xr.Dataset, pair: tuple[int, int]) -> None:
    label, score = components["reference"].values, components["score"].values[:, list(pair)]
    for k, compound in enumerate(components["compound"].values):
        own = score[label == compound]
        axes.plot(*own.T, ".", color=_colour(k), markersize=5, label=str(compound))
        axes.add_patch(_ellipse(components.sel(compound=compound), pair, _colour(k)))
    if "unknown_score" in components:
        axes.plot(
            *components["unknown_score"].values[:, list(pair)].T,
            "x",
            color=INK,
            markersize=4,
            label="unknown",
        )
    explained = components["explained"].values
    names = [f"component {i + 1} ({explained[i]:.0%})" for i in pair]
    axes.set(xlabel=names[0], ylabel=names[1])


def _ellipse(one: xr.Dataset, pair: tuple[int, int], colour: str) -> Ellipse:
    value, vector = np.linalg.eigh(one["ellipse"].values[np.ix_(pair, pair)])
    angle = float(np.degrees(np.arctan2(vector[1, 1], vector[0, 1])))
    centre = one["centre"].values[list(pair)]
    width, height = 2 * np.sqrt(np.maximum(value[::-1], 0))
    return Ellipse(
        (centre[0], centre[1]), width, height, angle=angle, fill=False, edgecolor=colour, linewidth=1
    )


def _draw_profile(axes: Axes, profiles: np.ndarray, own: int, n_compounds: int) -> None:
    """One circle: the own compound filled, other compounds pale, unknowns as lines."""
    angle = np.append(_angles(profiles.shape[1]), 0)
    for i, row in enumerate(profiles):
        radius = np.append(row, row[0])
        if i < n_compounds:
            axes.fill(angle, radius, color=_colour(i), alpha=0.55 if i == own else 0.12, linewidth=0)
        else:
            axes.plot(angle, radius, color=INK, linewidth=1, linestyle=_line(i - n_compounds))
    axes.set(ylim=(0, 1.02), yticks=(0.5, 1.0), yticklabels=[])
    axes.grid(color=PENCIL, alpha=0.3, linewidth=0.5)
    axes.tick_params(axis="x", pad=1)


def _handle(axes: Axes, i: int, n_compounds: int):
    if i < n_compounds:
        return axes.fill([], [], color=_colour(i), alpha=0.55)[0]
    return axes.plot([], [], color=INK, linewidth=1, linestyle=_line(i - n_compounds))[0]


def _angles(n: int) -> np.ndarray:
    return np.linspace(0, 2 * np.pi, n, endpoint=False)


def _line(i: int) -> str:
    return ("-", "--", ":", "-.")[i % 4]


def _colour(k: int) -> str:
    return PHASE_COLOURS[k % len(PHASE_COLOURS)]


def _legend(compound: str, ions: xr.Dataset | None) -> str:
    if ions is None:
        return compound
    axis = next(str(v) for v in ions.data_vars)
    first = ions.sel(compound=compound).isel(rank=slice(0, 3))
    names = [
        f"{i} ({m:.2f})" if i else f"{m:.2f}"
        for i, m in zip(first["ion"].values, first[axis].values, strict=True)
    ]
    return f"{compound}: {', '.join(names)}"
