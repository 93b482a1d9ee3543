"""What spectra are made of: a bar for every compound, with its interval."""

from typing import Any

import xarray as xr

from tieline.figures.style import INK, PENCIL, PHASE_COLOURS
from tieline.service.charts.looks import axis, layout, numbers, specimen_names

BAR = 17  # pixels
STRANGE = {"shape": "/", "fillmode": "overlay", "fgcolor": "#FFFFFF", "size": 8, "solidity": 0.35}


def shares(found: xr.Dataset) -> dict[str, Any]:
    """Draw the share of each compound in each spectrum; hatched where something is none of the references.

    Args:
        found: what the posterior of `SpectralComposition` predicted.
    """
    names = specimen_names(found)
    is_strange = found["is_none_of_references"].values
    shapes = [STRANGE["shape"] if one else "" for one in is_strange]
    between = "%{customdata[0]} to %{customdata[1]}"
    traces = []
    for k, compound in enumerate(found["compound"].values):
        share, low, high = (
            found[v].sel(compound=compound).values for v in ("share", "share_low", "share_high")
        )
        error = {"type": "data", "symmetric": False, "array": numbers(100 * (high - share)), "color": INK}
        error |= {"arrayminus": numbers(100 * (share - low)), "thickness": 1.2, "width": 3}
        traces.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": str(compound),
                "x": numbers(100 * share),
                "y": names,
                "customdata": [[f"{100 * a:.0f}", f"{100 * b:.0f}"] for a, b in zip(low, high, strict=True)],
                "hovertemplate": f"%{{y}}: %{{x:.0f}} % {compound} ({between})<extra></extra>",
                "error_x": error,
                "marker": {
                    "color": PHASE_COLOURS[k % len(PHASE_COLOURS)],
                    "line": {"color": PENCIL, "width": 0.5},
                    "pattern": STRANGE | {"shape": shapes},
                },
            }
        )
    height = 110 + len(names) * (BAR * found.sizes["compound"] + 14)
    return {
        "data": traces,
        "layout": layout(
            barmode="group",
            bargap=0.2,
            height=height,
            xaxis=axis("share (%)", range=[0, 100]),
            yaxis=axis("", autorange="reversed", showgrid=False, type="category"),
            legend={"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0, "traceorder": "normal"},
            margin={"l": 60, "r": 20, "t": 40, "b": 50},
        ),
    }
