"""Maps that answer to the pointer: which phase is where, how large a property is, and how unsure both are."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from scipy.ndimage import zoom

from tieline.figures.maps import FAINT, NEAR, SURE_STRENGTH, UNSURE_STRENGTH
from tieline.figures.rectangle import N_PIXELS
from tieline.figures.style import INK, PAPER, UNSURE, given_labels, phases_of
from tieline.figures.triangle import HEIGHT, Triangle
from tieline.figures.views import View
from tieline.models.posterior import Posterior
from tieline.planning.wording import label, spoken_unit
from tieline.service.charts.frames import bar_below, cell_names, furnish, mask
from tieline.service.charts.looks import (
    HATCH,
    STAR,
    colours_of,
    numbers,
    scale,
    specimen_names,
    with_opacity,
)
from tieline.service.charts.regions import area, edge

REFINEMENT = 3  # of predictions, so that boundaries look like lines; a page need not be as fine as paper


def phase_map(
    posterior: Posterior, view: View, predicted: xr.Dataset, stars: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """Draw which phase is where: pale and hatched where the most likely phase has less than 80 %.

    Args:
        posterior: what was learned.
        view: rectangle or triangle.
        predicted: at the pixels of the view.
        stars: proposals with `x`, `y` and `text`.
    """
    phases = phases_of(predicted)
    colours = colours_of(phases)
    probability = _raster(predicted["phase_probability"].transpose("specimen", "phase").values)
    top = probability.max(-1)
    traces = []
    for k, phase in enumerate(phases):
        lead = probability[..., k] - np.delete(probability, k, axis=-1).max(-1, initial=0)
        for low, high, strength in ((-1.0, UNSURE, UNSURE_STRENGTH), (UNSURE, 2.0, SURE_STRENGTH)):
            inside = np.minimum(lead, np.minimum(top - low, high - top))
            fill = with_opacity(colours[phase], strength)
            traces.append(area(inside, view.extent, 0.0, 9.0, fillcolor=fill))
        traces.append(
            {
                "type": "scatter",
                "x": [None],
                "y": [None],
                "mode": "markers",
                "name": phase,
                "marker": {
                    "symbol": "square",
                    "size": 13,
                    "color": with_opacity(colours[phase], SURE_STRENGTH),
                },
            }
        )
    traces += [_hatching(top, view), *_boundaries(probability, view), mask(view)]
    traces += [_pointer(view, predicted, posterior), *_specimens(posterior, view, colours), _stars(stars)]
    traces = [t for t in traces if t]
    return {"data": traces, "layout": furnish(view, posterior, traces)}


def property_map(
    posterior: Posterior,
    name: str,
    view: View,
    predicted: xr.Dataset,
    stars: Sequence[dict[str, Any]],
    *,
    of_sd: bool = False,
) -> dict[str, Any]:
    """Draw a property, or the standard deviation of a new measurement of it.

    Args:
        posterior: what was learned.
        name: of the property.
        view: rectangle or triangle.
        predicted: at the pixels of the view.
        stars: proposals with `x`, `y` and `text`.
        of_sd: draw the standard deviation.
    """
    values = predicted[f"{name}_sd" if of_sd else name].values.reshape(N_PIXELS, N_PIXELS)
    measured = posterior.results[name].values
    known = np.concatenate([values.ravel(), measured[np.isfinite(measured)]]) if not of_sd else values.ravel()
    low, high = (
        (0.0, float(values.max())) if of_sd else (float(np.quantile(known, q)) for q in (0.005, 0.995))
    )
    colours = {"colorscale": scale("Purples" if of_sd else "viridis")}
    words = label(posterior.table[name], name)
    left, right, bottom, top = view.extent
    image = {
        "type": "heatmap",
        "x": numbers(np.linspace(left, right, N_PIXELS)),
        "y": numbers(np.linspace(bottom, top, N_PIXELS)),
        "z": numbers(values),
        "zmin": low,
        "zmax": high,
        "zsmooth": "best",
        "hoverinfo": "skip",
        "colorbar": bar_below(view, f"± {words}" if of_sd else words),
        **colours,
    }
    traces = [image]
    if "phase_probability" in predicted:
        probability = _raster(predicted["phase_probability"].transpose("specimen", "phase").values)
        traces += [_hatching(probability.max(-1), view), *_boundaries(probability, view)]
    traces += [
        mask(view),
        _pointer(view, predicted, posterior),
        *_values(posterior, name, view, low, high, of_sd),
        _stars(stars),
    ]
    traces = [t for t in traces if t]
    return {"data": traces, "layout": furnish(view, posterior, traces)}


def _raster(values: np.ndarray) -> np.ndarray:
    """Predictions (specimen, ...) at the pixels of a view as a finer raster (row, column, ...)."""
    raster = values.reshape(N_PIXELS, N_PIXELS, *values.shape[1:])
    return np.asarray(zoom(raster, (REFINEMENT, REFINEMENT) + (1,) * (raster.ndim - 2), order=1))


def _hatching(top: np.ndarray, view: View) -> dict[str, Any]:
    fillpattern = HATCH | {"fillmode": "overlay"}
    return area(
        top,
        view.extent,
        -1.0,
        UNSURE,
        fillpattern=fillpattern,
        fillcolor="rgba(0,0,0,0)",
        name="less than 80 % sure",
        showlegend=True,
    )


def _boundaries(probability: np.ndarray, view: View) -> list[dict[str, Any]]:
    """Lines where the most likely phase changes, and the paper beyond the edges of a triangle."""
    look = {"line": {"color": INK, "width": 1.2}}
    lines = []
    for k in np.unique(probability.argmax(-1))[:-1]:
        lead = probability[..., k] - np.delete(probability, k, axis=-1).max(-1)
        lines.append(edge(lead, view.extent, 0.0, **look))
    return lines


def _pointer(view: View, predicted: xr.Dataset, posterior: Posterior) -> dict[str, Any]:
    """What is told where the pointer is: the place, every phase with its probability, every property."""
    left, right, bottom, top = view.extent
    words, columns = cell_names(view)
    if "phase_probability" in predicted:
        shares = 100 * predicted["phase_probability"].transpose("phase", "specimen").values
        for phase, share in zip(phases_of(predicted), shares, strict=True):
            words.append(f"{phase}: %{{customdata[{len(columns)}]:.0f}} %")
            columns.append(share)
    for name in posterior.model.properties:
        words.append(
            f"{name.replace('_', ' ')}: %{{customdata[{len(columns)}]:.3g}} ± "
            f"%{{customdata[{len(columns) + 1}]:.2g}} {spoken_unit(posterior.table[name])}".rstrip()
        )
        columns += [predicted[name].values, predicted[f"{name}_sd"].values]
    data = np.stack(columns, -1).reshape(N_PIXELS, N_PIXELS, -1)
    inside = np.ones((N_PIXELS, N_PIXELS))
    if isinstance(view, Triangle):
        x, y = np.meshgrid(np.linspace(0, 1, N_PIXELS), np.linspace(0, HEIGHT, N_PIXELS))
        share = y / HEIGHT
        is_out = (x - share / 2 < -1e-9) | (x + share / 2 > 1 + 1e-9)
        inside = np.where(is_out, np.nan, inside)
    return {
        "type": "heatmap",
        "x": numbers(np.linspace(left, right, N_PIXELS)),
        "y": numbers(np.linspace(bottom, top, N_PIXELS)),
        "z": numbers(inside),
        "customdata": _short(data),
        "opacity": 0,
        "showscale": False,
        "hoverongaps": False,
        "hovertemplate": "<br>".join(words) + "<extra></extra>",
    }


def _short(data: np.ndarray) -> list[Any]:
    """Three digits are enough below a pointer."""
    return [[[float(f"{v:.3g}") for v in cell] for cell in row] for row in data]


def _specimens(posterior: Posterior, view: View, colours: dict[str, str]) -> list[dict[str, Any]]:
    """Specimens: those with a label in its colour, the others as small dots."""
    labels = given_labels(posterior)
    groups = [("labelled", labels != "", 10, PAPER, 1.2), ("no label", labels == "", 5, INK, 0.0)]
    traces = []
    for words, rows, size, ring, width in groups:
        if not rows.any():
            continue
        fill = [colours.get(v, INK) for v in labels[rows]]
        text = _told(posterior, rows, labels)
        traces.append(
            _points(
                view,
                posterior.table.isel(specimen=np.flatnonzero(rows)),
                words,
                text,
                {"size": size, "color": fill, "line": {"color": ring, "width": width}},
            )
        )
    return traces


def _values(
    posterior: Posterior, name: str, view: View, low: float, high: float, of_sd: bool
) -> list[dict[str, Any]]:
    """Specimens that have a value, in its colour."""
    rows = np.isfinite(posterior.results[name].values)
    table = posterior.table.isel(specimen=np.flatnonzero(rows))
    look: dict[str, Any] = {"size": 10, "line": {"color": PAPER, "width": 1.4}, "color": INK}
    if not of_sd:
        look |= {
            "color": numbers(table[name].values),
            "cmin": low,
            "cmax": high,
            "colorscale": scale("viridis"),
        }
    words = [_points(view, table, "", [""] * table.sizes["specimen"], {"size": 13, "color": INK})]
    words[0] |= {"hoverinfo": "skip", "showlegend": False}
    return [*words, _points(view, table, "measured", _told(posterior, rows, given_labels(posterior)), look)]


def _points(
    view: View, table: xr.Dataset, words: str, text: list[str], marker: dict[str, Any]
) -> dict[str, Any]:
    x, y = view.locate(table)
    opacity = numbers(np.where(view.distance(table) <= NEAR, 1.0, FAINT))
    return {
        "type": "scatter",
        "mode": "markers",
        "name": words,
        "x": numbers(x),
        "y": numbers(y),
        "text": text,
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {**marker, "opacity": opacity},
    }


def _told(posterior: Posterior, rows: np.ndarray, labels: np.ndarray) -> list[str]:
    """What is known of specimens, one text each."""
    texts = []
    names = specimen_names(posterior.table)
    for i in np.flatnonzero(rows):
        lines = [f"<b>{names[i]}</b>", *([f"labelled {labels[i]}"] if labels[i] else [])]
        for name in posterior.model.properties:
            value = float(posterior.results[name].values[i])
            if np.isfinite(value):
                unit = spoken_unit(posterior.table[name])
                lines.append(f"measured {name.replace('_', ' ')}: {value:.4g} {unit}".rstrip())
        texts.append("<br>".join(lines))
    return texts


def _stars(stars: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Proposals, numbered."""
    if not stars:
        return {}
    return {
        "type": "scatter",
        "mode": "markers+text",
        "name": "next experiment",
        "x": [s["x"] for s in stars],
        "y": [s["y"] for s in stars],
        "text": [str(s["number"]) for s in stars],
        "textfont": {"size": 9, "color": INK},
        "hovertext": [s["text"] for s in stars],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "marker": {**STAR, "size": 21},
    }
