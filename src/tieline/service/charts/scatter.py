"""Where specimens lie among clusters: a plane of fingerprints that answers to the pointer."""

from typing import Any

import numpy as np

from tieline.figures.fingerprints import plane_of
from tieline.figures.style import PAPER, UNSURE
from tieline.models.fingerprint.fingerprint_posterior import FingerprintPosterior
from tieline.service.charts.looks import axis, colours_of, layout, numbers, with_opacity

MARKS = ("circle", "square", "diamond", "triangle-up", "cross", "pentagon", "star", "hexagon")
N_ELLIPSE = 60


def scatter(posterior: FingerprintPosterior) -> dict[str, Any]:
    """Draw specimens in the plane in which clusters are furthest apart, open where less than 80 % sure.

    Clusters differ by colour and by mark; around each the ellipse of two standard deviations.
    """
    table, plane = posterior.table, plane_of(posterior)
    points = posterior.embed(table)["fingerprint"].values @ plane
    belongs = posterior.responsibilities(table)
    probability = belongs["cluster_probability"].values.max(1)
    likely = belongs["most_likely_cluster"].values.astype(str)
    names = table["specimen"].values.astype(str)
    colours = colours_of(posterior.clusters)
    traces = []
    for k, cluster in enumerate(posterior.clusters):
        x, y = _ellipse(posterior, plane, k)
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": numbers(x),
                "y": numbers(y),
                "line": {"color": colours[cluster], "width": 1.2},
                "fill": "toself",
                "fillcolor": with_opacity(colours[cluster], 0.08),
                "hoverinfo": "skip",
                "showlegend": False,
                "legendgroup": cluster,
            }
        )
    for k, cluster in enumerate(posterior.clusters):
        mine = likely == cluster
        sure = probability[mine] >= UNSURE
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": cluster,
                "legendgroup": cluster,
                "x": numbers(points[mine, 0]),
                "y": numbers(points[mine, 1]),
                "text": names[mine].tolist(),
                "customdata": [f"{100 * p:.0f}" for p in probability[mine]],
                "hovertemplate": f"%{{text}}: {cluster}, %{{customdata}} %<extra></extra>",
                "marker": {
                    "symbol": MARKS[k % len(MARKS)],
                    "size": 9,
                    "color": [colours[cluster] if one else PAPER for one in sure],
                    "line": {"color": colours[cluster], "width": 1.5},
                },
            }
        )
    return {
        "data": traces,
        "layout": layout(
            xaxis=axis("first direction"),
            yaxis=axis("second direction", scaleanchor="x"),
            height=480,
            legend={"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0},
            margin={"l": 60, "r": 20, "t": 50, "b": 50},
        ),
    }


def _ellipse(posterior: FingerprintPosterior, plane: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Two standard deviations around the centre of a cluster."""
    covariance = plane.T @ (posterior.population.variance[k][:, None] * plane)
    size, direction = np.linalg.eigh(covariance)
    angle = np.linspace(0, 2 * np.pi, N_ELLIPSE)
    circle = np.stack([np.cos(angle), np.sin(angle)])
    around = direction @ (2 * np.sqrt(np.maximum(size, 0))[:, None] * circle)
    centre = posterior.population.centre[k] @ plane
    return centre[0] + around[0], centre[1] + around[1]
