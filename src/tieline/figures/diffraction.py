"""Phases of a spread and their patterns; one pattern, and what its references contribute."""

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tieline.errors import SchemaError
from tieline.figures.style import INK, PAPER, PENCIL, UNSURE, phase_colours, settings, sheet
from tieline.figures.triangle import Triangle

AXIS_LABELS = {"two_theta": "2θ / °", "q": "q"}


def phases(found: xr.Dataset, table: xr.Dataset, composition: str = "composition") -> Figure:
    """Draw the main phase of every specimen over three elements, and the pattern of every phase.

    A dot's size is how large the share of its main phase is; it is hollow where that phase is less likely
    than 80 % to be the main one, and crossed where something is none of the phases.

    Args:
        found: what `find_phases` answered.
        table: with the composition of the same specimens, of three elements.
        composition: its name.

    Raises:
        SchemaError: there are not three elements, or this is no answer of `find_phases`.
    """
    if "phase_probability" not in found or "pattern" not in found:
        raise SchemaError(
            "A figure of phases shows what `find_phases` found.",
            found=", ".join(map(str, found.data_vars)),
        )
    if composition not in table or table[composition].sizes.get("element") != 3:
        raise SchemaError("A figure of phases lies over three elements.", found=", ".join(map(str, table)))
    elements = tuple(str(e) for e in table["element"].values)
    colours = phase_colours(found["phase"].values)
    with settings():
        figure = sheet(9.0, 4.2)
        left, right = figure.subplots(1, 2, width_ratios=(1.05, 1))
        view = Triangle(composition, (elements[0], elements[1], elements[2]), table[[composition]])
        view.furnish(left)
        x, y = view.locate(table)
        probability = found["phase_probability"].values
        seen = np.isfinite(probability).all(1)
        main = np.nan_to_num(probability).argmax(1)
        share = np.take_along_axis(np.nan_to_num(found["share"].values), main[:, None], 1)[:, 0]
        for k, (phase, colour) in enumerate(colours.items()):
            for is_sure in (True, False):
                chosen = seen & (main == k) & ((probability.max(1) >= UNSURE) == is_sure)
                left.scatter(
                    x[chosen],
                    y[chosen],
                    6 + 34 * share[chosen],
                    facecolor=colour if is_sure else PAPER,
                    edgecolor=colour,
                    linewidth=1.0,
                    zorder=5,
                    label=f"phase {phase}" if is_sure else None,
                )
        strange = found["is_none_of_phases"].values
        if strange.any():
            left.scatter(x[strange], y[strange], 60, marker="x", color=INK, linewidth=1, zorder=6)
        left.set_title("Main phase", loc="left")
        _stacked(right, found, colours)
    return figure


def quantified(found: xr.Dataset, measurement: int = 0) -> Figure:
    """Draw one pattern with what each reference contributes, and what is left over.

    Args:
        found: what `quantify_phases` answered.
        measurement: which of its patterns.

    Raises:
        SchemaError: this is no answer of `quantify_phases`.
    """
    if "contribution" not in found:
        raise SchemaError(
            "A figure of a quantified pattern shows what `quantify_phases` found.",
            found=", ".join(map(str, found.data_vars)),
        )
    one = found.isel(measurement=measurement)
    place, observed = one["two_theta"].values, one["observed"].values
    colours = phase_colours(one["reference"].values)
    with settings():
        figure = sheet(8.0, 4.4)
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        base = np.zeros(len(place))
        for reference, colour in colours.items():
            part = one["contribution"].sel(reference=reference).values
            share, low, high = (
                float(one[v].sel(reference=reference)) for v in ("share", "share_low", "share_high")
            )
            label = f"{reference}: {share:.0%} ({low:.0%} to {high:.0%})"
            above.fill_between(place, base, base + part, color=colour, linewidth=0, label=label)
            base = base + part
        above.plot(place, observed, ".", color=INK, markersize=1.5, label="measured, without background")
        above.set(ylabel="counts", xlim=(place[0], place[-1]))
        above.legend(loc="upper right")
        strange = ", something is none of the references" if one["is_none_of_references"] else ""
        above.set_title(f"{one['specimen'].values}{strange}", loc="left")
        below.plot(place, observed - base, color=PENCIL, linewidth=0.6)
        below.axhline(0, color=INK, linewidth=0.6)
        below.set(xlabel=AXIS_LABELS["two_theta"], ylabel="left over")
        figure.align_ylabels()
    return figure


def _stacked(axes: Axes, found: xr.Dataset, colours: Mapping[str, tuple[float, float, float]]) -> None:
    """Patterns of all phases, one above the other."""
    axis = next(name for name in AXIS_LABELS if name in found["pattern"].dims)
    place = found[axis].values
    n = len(colours)
    for k, (phase, colour) in enumerate(colours.items()):
        pattern = found["pattern"].values[k]
        base = n - 1 - k
        axes.fill_between(place, base, base + 0.9 * pattern / pattern.max(), color=colour, linewidth=0.4)
        axes.text(place[-1], base + 0.82, f"phase {phase}", ha="right", va="top", fontsize=8, color=INK)
        axes.axhline(base, color=PENCIL, linewidth=0.4)
    axes.set(yticks=[], xlim=(place[0], place[-1]), ylim=(-0.05, n), xlabel=AXIS_LABELS[axis])
    axes.spines["left"].set_visible(False)
    axes.set_title("Patterns of the phases", loc="left")
