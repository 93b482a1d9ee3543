"""Where something is so on a raster, as areas and lines that a page draws."""

import itertools
from typing import Any

import numpy as np
from contourpy import FillType, LineType, contour_generator

from tieline.service.charts.looks import numbers

Extent = tuple[float, float, float, float]


def area(raster: np.ndarray, extent: Extent, low: float, high: float, **look: Any) -> dict[str, Any]:
    """The area in which a raster (row, column) lies between two values, holes included.

    Args:
        raster: bottom row first.
        extent: left, right, bottom, top.
        low: least value.
        high: largest value.
        look: of the area, as Plotly says it.
    """
    lines = contour_generator(*_grid(raster, extent), raster, fill_type=FillType.OuterOffset)
    filled: Any = lines.filled(low, high)  # its form depends on the fill type
    points, offsets = filled
    parts = [p[a:b] for p, o in zip(points, offsets, strict=True) for a, b in itertools.pairwise(o)]
    return _drawn(parts, {"mode": "none", "fill": "toself", **look})


def edge(raster: np.ndarray, extent: Extent, level: float, **look: Any) -> dict[str, Any]:
    """The line on which a raster (row, column) has a value."""
    lines: Any = contour_generator(*_grid(raster, extent), raster, line_type=LineType.Separate).lines(level)
    return _drawn(list(lines), {"mode": "lines", **look})


def _grid(raster: np.ndarray, extent: Extent) -> tuple[np.ndarray, np.ndarray]:
    left, right, bottom, top = extent
    return np.linspace(left, right, raster.shape[1]), np.linspace(bottom, top, raster.shape[0])


def _drawn(parts: list[np.ndarray], look: dict[str, Any]) -> dict[str, Any]:
    """Parts one after the other, with a gap between them."""
    gap = np.full((1, 2), np.nan)
    points = np.concatenate([row for part in parts for row in (part, gap)]) if parts else np.empty((0, 2))
    return {
        "type": "scatter",
        "x": numbers(points[:, 0]),
        "y": numbers(points[:, 1]),
        "hoverinfo": "skip",
        "showlegend": False,
        **look,
    }
