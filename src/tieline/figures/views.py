"""Two-dimensional views of a design, for maps.

A `Rectangle` of two inputs and a `Triangle` of three elements answer the same questions: which places to
predict (`pixels`), where a specimen lies (`locate`), how far it is from the view (`distance`), where the rest
of the design is held (`resting`), and how to draw the frame (`furnish`, `outline`).
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import xarray as xr
from scipy.ndimage import zoom

from tieline.errors import TielineError
from tieline.figures.rectangle import N_PIXELS, Rectangle
from tieline.figures.resting import is_category
from tieline.figures.triangle import Triangle, shares_among
from tieline.models.posterior import Posterior
from tieline.planning.pool import check_pool, design_names, is_complete, join

REFINEMENT = 6  # predictions are refined linearly, so that boundaries look like lines and not like stairs
FLOOR_STEP = 0.05  # in mole fraction: the corners of a closer look are round compositions
WORTH_A_CLOSER_LOOK = 0.8  # sides of a triangle longer than this are drawn whole
MOST_VIEWS = 6  # pairs of inputs drawn when there are more than two

View = Rectangle | Triangle


@dataclass(frozen=True)
class Chart:
    """A view, and what is predicted at its pixels."""

    view: View
    predicted: xr.Dataset


def charts(posterior: Posterior, proposals: xr.Dataset | None = None) -> list[Chart]:
    """Predict all over each view of a design, for any number of maps of it.

    Args:
        posterior: what a model learned.
        proposals (specimen): further places that have to be in view, in any unit.
    """
    if proposals is not None:
        proposals = check_pool(posterior, proposals, called="proposals")
    return [Chart(view, posterior.predict(view.pixels())) for view in views(posterior, proposals)]


def views(posterior: Posterior, proposals: xr.Dataset | None = None) -> list[View]:
    """Choose the views of a design: one where it has two dimensions, pairs of inputs where it has more.

    Of a composition its three elements that vary most are one view. Categories span none.

    Args:
        posterior: says what the design is, and where the specimens are.
        proposals (specimen): further places that have to be in view.
    """
    names = design_names(posterior)
    table = posterior.table[names].reset_coords(drop=True)
    table = table.isel(specimen=np.flatnonzero(is_complete(table)))
    reach = table if proposals is None else join(table, proposals[names].reset_coords(drop=True))
    compositions = [name for name in names if "element" in table[name].dims]
    numbers = [name for name in names if name not in compositions and not is_category(table[name])]
    found: list[View] = [_triangle(name, table, reach) for name in compositions if table.sizes["element"] > 2]
    found += [Rectangle(pair, table, reach) for pair in combinations(numbers, 2)]
    if not found:
        n_categories = len(names) - len(compositions) - len(numbers)
        raise _too_thin(
            ("two elements" if compositions else f"{len(numbers)} input{'s' * (len(numbers) != 1)}")
            + (f" and {n_categories} of categories" if n_categories else "")
        )
    return found[:MOST_VIEWS]


def is_line(posterior: Posterior) -> bool:
    """Tell whether a design has one dimension: one column of numbers or two elements, categories aside."""
    table = posterior.table
    wide = [name for name in design_names(posterior) if not is_category(table[name])]
    return len(wide) == 1 and ("element" not in table[wide[0]].dims or table.sizes["element"] == 2)


def has_views(posterior: Posterior) -> bool:
    """Tell whether a design can be drawn as maps."""
    table = posterior.table
    wide = [name for name in design_names(posterior) if not is_category(table[name])]
    n_numbers = sum("element" not in table[name].dims for name in wide)
    return n_numbers > 1 or (len(wide) > n_numbers and table.sizes["element"] > 2)


def _triangle(name: str, table: xr.Dataset, reach: xr.Dataset) -> Triangle:
    """Take the three elements that vary most, and look closer where little of the triangle is used."""
    spread = table[name].std("specimen")
    kept = np.sort(np.argsort(-spread.values, kind="stable")[:3])
    first, second, third = elements = tuple(str(e) for e in table["element"].values[kept])
    lowest = np.floor(shares_among(reach[name], elements).min(0) / FLOOR_STEP + 1e-9) * FLOOR_STEP
    if 1 - lowest.sum() > WORTH_A_CLOSER_LOOK:
        lowest = np.zeros(3)
    a, b, c = (float(v) for v in lowest)
    return Triangle(name, (first, second, third), table, (a, b, c))


def refine(values: np.ndarray) -> np.ndarray:
    """Turn predictions (specimen, ...) at `pixels` into a fine raster (row, column, ...), bottom first."""
    raster = values.reshape(N_PIXELS, N_PIXELS, *values.shape[1:])
    factors = (REFINEMENT, REFINEMENT) + (1,) * (raster.ndim - 2)
    return np.asarray(zoom(raster, factors, order=1))


def _too_thin(found: str) -> TielineError:
    return TielineError(
        "A map needs a design of two dimensions or more.", found=found, hint="tl.figures.line"
    )
