"""Can the posterior be believed? Predictions of specimens left out, against what was measured."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.special import ndtri
from scipy.stats import beta, binom

from tieline.figures.scales import name_axis, power_of
from tieline.figures.style import ACCENT, INK, PAPER, PENCIL, given_labels, settings, sheet
from tieline.models.diagnosis import HALF_OF_90
from tieline.models.posterior import Posterior
from tieline.planning.wording import percent

N_BINS = 5  # of the reliability diagram: with 20 to 100 labels more would be noise


def calibration(posterior: Posterior) -> Figure:
    """Draw predicted against measured, and what was promised against what was kept.

    Uses predictions of each specimen from the others where `posterior.diagnose()` has them. Grey bands hold
    what chance alone does to a perfectly calibrated model in 90 of 100 cases.
    """
    found = posterior.diagnose()
    properties = list(posterior.model.properties)
    truth = given_labels(posterior)
    has_labels = "loo_phase_probability" in found and found.sizes.get("phase", 1) > 1 and (truth != "").any()
    n_rows = len(properties) + has_labels
    with settings():
        figure = sheet(7.4, 3.4 * n_rows)
        panels = figure.subplots(n_rows, 2, squeeze=False)
        for row, name in zip(panels, properties, strict=False):
            measured = posterior.table[name]
            mean, sd, left_out = _predictions(posterior, found, name)
            _draw_agreement(row[0], measured, mean, sd, name, left_out)
            _draw_coverage(row[1], (measured.values - mean) / sd)
        if has_labels:
            _draw_phase_reliability(panels[-1, 0], found["loo_phase_probability"], truth)
            _draw_confusion(panels[-1, 1], found["loo_phase_probability"], truth)
    return figure


def _predictions(posterior: Posterior, found: xr.Dataset, name: str) -> tuple[np.ndarray, np.ndarray, bool]:
    """Mean and sd at the specimens, and whether each was left out of its own prediction."""
    if "loo_mean" in found:
        mean, sd = (found[v].sel(property=name).values for v in ("loo_mean", "loo_sd"))
        return mean, sd, True
    predicted = posterior.predict(posterior.table)
    return predicted[name].values, predicted[f"{name}_sd"].values, False


def _draw_agreement(
    axes: Axes, measured: xr.DataArray, mean: np.ndarray, sd: np.ndarray, name: str, left_out: bool
) -> None:
    values = measured.values
    seen = np.isfinite(values) & np.isfinite(mean) & np.isfinite(sd)
    values, mean, sd = values[seen], mean[seen], sd[seen]
    axes.errorbar(
        values,
        mean,
        HALF_OF_90 * sd,
        fmt="o",
        color=ACCENT,
        ecolor=ACCENT,
        elinewidth=0.8,
        markersize=4,
        alpha=0.8,
        mec=PAPER,
        mew=0.5,
    )
    ends = np.array([min(values.min(), mean.min()), max(values.max(), mean.max())])
    axes.plot(ends, ends, color=INK, linewidth=0.8, zorder=1)
    kept = np.mean(np.abs(values - mean) <= HALF_OF_90 * sd)
    axes.set_title(f"90 % intervals hold {percent(float(kept))} of {values.size}", loc="left")
    power = power_of(*axes.get_xlim(), *axes.get_ylim())
    name_axis(axes.xaxis, measured, f"measured {name}", power=power)
    source = "predicted from the others" if left_out else "predicted, specimen included"
    name_axis(axes.yaxis, measured, source, power=power)
    _head_row(axes, name.replace("_", " "))


def _head_row(axes: Axes, words: str) -> None:
    """Write above the title of a row's first panel what the row is about."""
    axes.annotate(
        words,
        (0, 1),
        xycoords="axes fraction",
        xytext=(0, 22),
        textcoords="offset points",
        fontsize=11,
        fontweight="bold",
    )


def _draw_coverage(axes: Axes, z: np.ndarray) -> None:
    z = np.abs(z[np.isfinite(z)])
    promised = np.linspace(0, 1, 101)
    kept = (z[:, None] <= ndtri((1 + promised) / 2)).mean(0)
    low, high = (binom.ppf(q, z.size, promised) / z.size for q in (0.05, 0.95))
    axes.fill_between(promised, low, high, color=PENCIL, alpha=0.25, linewidth=0, label="chance alone (90 %)")
    axes.plot([0, 1], [0, 1], color=INK, linewidth=0.8)
    axes.plot(promised, kept, color=ACCENT, linewidth=1.6, label="kept")
    axes.set(
        xlabel="promised coverage of central intervals",
        ylabel="share of measurements inside",
        xlim=(0, 1),
        ylim=(0, 1),
    )
    axes.set_title("above the line: too careful", loc="left")
    axes.legend(loc="upper left")


def _draw_phase_reliability(axes: Axes, probability: xr.DataArray, truth: np.ndarray) -> None:
    """Of the times a phase was given such a probability, how often was it that phase?"""
    share = probability.transpose("specimen", "phase").values
    is_phase = truth[:, None] == probability["phase"].values.astype(str)
    use = (truth != "") & np.isfinite(share).all(1)
    share, is_phase = share[use].ravel(), is_phase[use].ravel()
    bins = np.minimum((share * N_BINS).astype(int), N_BINS - 1)
    axes.plot([0, 1], [0, 1], color=INK, linewidth=0.8, zorder=1)
    for k in np.unique(bins):
        mine = bins == k
        hits, tries = is_phase[mine].sum(), mine.sum()
        low, high = beta.ppf([0.05, 0.95], hits + 0.5, tries - hits + 0.5)  # Jeffreys interval
        at, rate = share[mine].mean(), hits / tries
        axes.plot([at, at], [low, high], color=ACCENT, linewidth=1.0)
        axes.plot(at, rate, "o", color=ACCENT, markersize=5, mec=PAPER, mew=0.5)
        axes.annotate(
            f"{tries}",
            (at, high),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            fontsize=7,
            color=PENCIL,
        )
    axes.set(
        xlabel="probability promised to a phase",
        ylabel="share that was that phase",
        xlim=(-0.03, 1.03),
        ylim=(-0.03, 1.1),
    )
    axes.set_title("numbers: how many promises", loc="left")
    _head_row(axes, "phases")


def _draw_confusion(axes: Axes, probability: xr.DataArray, truth: np.ndarray) -> None:
    phases = probability["phase"].values.astype(str)
    share = probability.transpose("specimen", "phase").values
    use = (truth != "") & np.isfinite(share).all(1) & np.isin(truth, phases)
    guess = phases[np.nan_to_num(share).argmax(1)]
    counts = np.array([[np.sum(use & (truth == t) & (guess == g)) for g in phases] for t in phases])
    axes.imshow(counts / np.maximum(counts.sum(1, keepdims=True), 1), cmap="Blues", vmin=0, vmax=1.4)
    for (i, j), count in np.ndenumerate(counts):
        if count:
            axes.text(j, i, str(count), ha="center", va="center", fontsize=9, color=INK)
    axes.set(xticks=range(len(phases)), xticklabels=phases, yticks=range(len(phases)), yticklabels=phases)
    axes.set(xlabel="most likely phase from the others", ylabel="label given")
    right = np.trace(counts)
    axes.set_title(f"{right} of {counts.sum()} labels found again", loc="left")
