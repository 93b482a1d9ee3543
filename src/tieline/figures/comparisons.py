"""A comparison of models at a glance: errors, predictions of what was left out, and the learning curve."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tieline.evaluation.comparison import Comparison
from tieline.figures.scales import name_axis
from tieline.figures.style import ACCENT, INK, PENCIL, settings, sheet

MOST_LETTERS = 24  # of the labels below a table, side by side


def comparison(found: Comparison) -> Figure:
    """Draw a row for each target.

    Left: the error of every model with its standard error; open where it was dropped on the way. Middle: what
    the recommended one predicted of left-out rows, against the truth. Right: its error against the number of
    specimens that it learned from, if it has a learning curve.

    Args:
        found: from `tl.compare`.
    """
    targets = [str(t) for t in found.scores["target"].values]
    n_models = found.scores.sizes["candidate"]
    with settings():
        figure = sheet(9.2, (0.18 * n_models + 1.7) * len(targets))
        panels = figure.subplots(len(targets), 3, squeeze=False, width_ratios=[1.3, 1, 1])
        for row, target in zip(panels, targets, strict=True):
            _draw_errors(row[0], found, target)
            if "predicted" in found.left_out[target]:
                _draw_agreement(row[1], found, target)
            else:
                _draw_confusion(row[1], found, target)
            if target in found.curves:
                _draw_curve(row[2], found, target)
            else:
                row[2].remove()
    return figure


def _draw_errors(axes: Axes, found: Comparison, target: str) -> None:
    scores = found.scores.sel(target=target).sortby("loss", ascending=False)
    rows = np.arange(scores.sizes["candidate"])
    names = [str(n) for n in scores["candidate"].values]
    for i, name in enumerate(names):
        loss, error = scores["loss"].values[i], scores["loss_se"].values[i]
        colour = ACCENT if name == found.recommended[target] else PENCIL
        face = colour if scores["is_finished"].values[i] else "white"
        axes.errorbar(loss, i, xerr=error, fmt="o", color=colour, mfc=face, markersize=5, elinewidth=1)
    axes.set_yticks(rows, [name.replace("_", " ") for name in names], fontsize=8)
    axes.set_xlim(left=0)
    axes.set_ylim(-0.6, len(rows) - 0.4)
    what = "log loss" if found.task.is_classification else f"error of {target.replace('_', ' ')}"
    name_axis(axes.xaxis, _variable(found, target), what, n_ticks=4)


def _draw_agreement(axes: Axes, found: Comparison, target: str) -> None:
    left_out = found.left_out[target]
    guess = left_out["predicted"].sel(candidate=found.recommended[target]).values
    truth = left_out["truth"].values.astype(float)
    axes.plot(truth, guess, "o", color=ACCENT, markersize=3, alpha=0.5, mec="none")
    ends = [np.nanmin([truth, guess]), np.nanmax([truth, guess])]
    axes.plot(ends, ends, color=INK, linewidth=0.8, zorder=0)
    name_axis(axes.xaxis, _variable(found, target), f"measured {target.replace('_', ' ')}", n_ticks=4)
    name_axis(axes.yaxis, _variable(found, target), "predicted, left out", n_ticks=4)


def _draw_confusion(axes: Axes, found: Comparison, target: str) -> None:
    left_out = found.left_out[target]
    names = left_out["label"].values.astype(str)
    chance = left_out["chance"].sel(candidate=found.recommended[target]).values
    truth, guess = left_out["truth"].values.astype(str), names[np.nan_to_num(chance).argmax(1)]
    counts = np.array([[np.sum((truth == a) & (guess == b)) for b in names] for a in names])
    axes.imshow(counts / np.maximum(counts.sum(1, keepdims=True), 1), cmap="Blues", vmin=0, vmax=1.4)
    for (i, j), count in np.ndenumerate(counts):
        axes.text(j, i, str(count), ha="center", va="center", fontsize=8, color=INK)
    axes.set(xticks=range(len(names)), xticklabels=names, yticks=range(len(names)), yticklabels=names)
    if max(map(len, names)) * len(names) > MOST_LETTERS:
        axes.tick_params(axis="x", rotation=40)
        for text in axes.get_xticklabels():
            text.set(ha="right", rotation_mode="anchor")
    axes.set(xlabel="told, left out", ylabel=target.replace("_", " "))


def _draw_curve(axes: Axes, found: Comparison, target: str) -> None:
    curve = found.curves[target]
    n, loss, error = (curve[name].values for name in ("n_learned", "loss", "loss_se"))
    axes.errorbar(n, loss, error, fmt="o", color=ACCENT, markersize=5, elinewidth=1)
    exponent = curve.attrs["exponent"]
    line = np.geomspace(n[0], 2 * n[-1], 50)
    axes.plot(line, loss[-1] * (line / n[-1]) ** -exponent, color=ACCENT, linewidth=1)
    axes.set_xscale("log")
    axes.set_xticks(n, [f"{value:.0f}" for value in n], minor=False)
    axes.minorticks_off()
    axes.set_ylim(bottom=0)
    axes.set_xlabel("specimens learned from")
    what = "log loss" if found.task.is_classification else "error"
    name_axis(axes.yaxis, _variable(found, target), what, n_ticks=4)


def _variable(found: Comparison, target: str) -> xr.DataArray:
    """The target as a variable with its unit; of labels without."""
    variable = found.task.table[target]
    return variable.drop_attrs() if found.task.is_classification else variable
