"""A design of one dimension: properties with bands, boundaries, and which phase is where."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from tieline.figures.lines import along, position_along
from tieline.figures.style import ACCENT, INK, PAPER, PENCIL, given_labels, phases_of
from tieline.models.diagnosis import HALF_OF_90
from tieline.models.posterior import Posterior
from tieline.planning.wording import label, spoken_unit
from tieline.service.charts.looks import axis, colours_of, layout, numbers, specimen_names, with_opacity

GAP = 0.05  # share of the height between panels
PHASE_HEIGHT = 0.45  # of the panel of phases, in heights of a property


def line(posterior: Posterior, stars: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Draw each property with the band that holds 90 % of new measurements; below, which phase is where.

    Args:
        posterior: what was learned, over one input or two elements.
        stars: proposals with `x` and `text`.
    """
    places, x, column = along(posterior)
    predicted = posterior.predict(places)
    phases = phases_of(predicted)
    has_phases = len(phases) > 1
    properties = list(posterior.model.properties)
    heights = [1.0] * len(properties) + [PHASE_HEIGHT] * has_phases
    panels = _panels(heights)
    traces: list[dict[str, Any]] = []
    axes: dict[str, Any] = {}
    for n, (name, domain) in enumerate(zip(properties, panels, strict=False), start=1):
        traces += _property(posterior, predicted, x, name, _axis_name(n), shows_legend=n == 1)
        axes[_axis_key(n)] = axis(label(posterior.table[name], name), domain=domain)
    if has_phases:
        n = len(panels)
        traces += _phases(predicted, x, _axis_name(n))
        axes[_axis_key(n)] = axis("probability", domain=panels[-1], range=[0, 1])
    title = label(column, str(column.name))
    below = axis(
        title, range=[float(x.min()), float(x.max())], anchor=_axis_name(len(panels)), showgrid=False
    )
    shapes = [_mark(star, panels) for star in stars]
    notes = [_number(star) for star in stars]
    return {
        "data": traces,
        "layout": layout(
            xaxis=below,
            **axes,
            shapes=shapes,
            annotations=notes,
            height=130 + round(260 * sum(heights)),
            hovermode="x unified",
            legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
            margin={"l": 60, "r": 20, "t": 60, "b": 50},
        ),
    }


def _panels(heights: list[float]) -> list[list[float]]:
    """Shares of the height that panels have, the first on top."""
    room = 1 - GAP * (len(heights) - 1)
    top, domains = 1.0, []
    for height in heights:
        share = room * height / sum(heights)
        domains.append([max(top - share, 0.0), top])
        top -= share + GAP
    return domains


def _axis_name(n: int) -> str:
    return "y" if n == 1 else f"y{n}"


def _axis_key(n: int) -> str:
    return "yaxis" if n == 1 else f"yaxis{n}"


def _property(
    posterior: Posterior, predicted: xr.Dataset, x: np.ndarray, name: str, on: str, *, shows_legend: bool
) -> list[dict[str, Any]]:
    mean, sd = predicted[name].values, predicted[f"{name}_sd"].values
    low, high = mean - HALF_OF_90 * sd, mean + HALF_OF_90 * sd
    unit = spoken_unit(posterior.table[name])
    both = {"type": "scatter", "yaxis": on, "legendgroup": "line", "showlegend": False}
    band = both | {
        "x": numbers([*x, *x[::-1]]),
        "y": numbers([*low, *high[::-1]]),
        "fill": "toself",
        "mode": "none",
    }
    band |= {
        "fillcolor": with_opacity(ACCENT, 0.18),
        "hoverinfo": "skip",
        "name": "90 % of new values",
        "showlegend": shows_legend,
        "legendgroup": "band",
    }
    told = f"expected {name.replace('_', ' ')}: %{{y:.4g}} ± %{{customdata:.2g}} {unit}".rstrip()
    middle = both | {
        "x": numbers(x),
        "y": numbers(mean),
        "mode": "lines",
        "line": {"color": ACCENT, "width": 2.2},
    }
    middle |= {
        "customdata": numbers(sd),
        "hovertemplate": f"{told}<extra></extra>",
        "name": "expected",
        "showlegend": shows_legend,
    }
    return [band, middle, *_measured(posterior, predicted, name, on, shows_legend=shows_legend)]


def _measured(
    posterior: Posterior, predicted: xr.Dataset, name: str, on: str, *, shows_legend: bool
) -> list[dict[str, Any]]:
    seen = np.flatnonzero(np.isfinite(posterior.results[name].values))
    if not seen.size:
        return []
    labels = given_labels(posterior)[seen]
    colours = colours_of(phases_of(predicted))
    names = np.array(specimen_names(posterior.table), dtype=object)[seen]
    text = [f"{n}{f', {v}' if v else ''}" for n, v in zip(names, labels, strict=True)]
    trace: dict[str, Any] = {
        "type": "scatter",
        "mode": "markers",
        "yaxis": on,
        "x": numbers(position_along(posterior, posterior.table)[seen]),
        "y": numbers(posterior.results[name].values[seen]),
        "text": text,
        "hovertemplate": f"%{{text}}: %{{y:.4g}} {spoken_unit(posterior.table[name])}<extra></extra>",
        "marker": {
            "size": 9,
            "color": [colours.get(v, PAPER) for v in labels],
            "line": {"color": INK, "width": 1.2},
        },
        "name": "measured",
        "legendgroup": "measured",
        "showlegend": shows_legend,
    }
    if f"{name}_sd" in posterior.table:
        error = numbers(posterior.table[f"{name}_sd"].values[seen])
        trace["error_y"] = {"type": "data", "array": error, "color": PENCIL, "thickness": 1}
    return [trace]


def _phases(predicted: xr.Dataset, x: np.ndarray, on: str) -> list[dict[str, Any]]:
    """Probabilities of phases, one on top of the other."""
    colours = colours_of(phases_of(predicted))
    probability = predicted["phase_probability"].transpose("phase", "specimen").values
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "yaxis": on,
            "stackgroup": "phases",
            "x": numbers(x),
            "y": numbers(share),
            "name": phase,
            "line": {"width": 0.8, "color": INK},
            "fillcolor": with_opacity(colours[phase], 0.6),
            "hovertemplate": f"{phase}: %{{y:.0%}}<extra></extra>",
        }
        for phase, share in zip(phases_of(predicted), probability, strict=True)
    ]


def _mark(star: dict[str, Any], panels: list[list[float]]) -> dict[str, Any]:
    """A dashed line through all panels where a proposal lies."""
    line = {"color": INK, "width": 1, "dash": "dash"}
    return {
        "type": "line",
        "x0": star["x"],
        "x1": star["x"],
        "yref": "paper",
        "y0": panels[-1][0],
        "y1": 1,
        "line": line,
        "layer": "below",
    }


def _number(star: dict[str, Any]) -> dict[str, Any]:
    return {
        "x": star["x"],
        "y": 1,
        "yref": "paper",
        "yanchor": "bottom",
        "text": f"★ {star['number']}",
        "showarrow": False,
        "hovertext": star["text"],
    }
