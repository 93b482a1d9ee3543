"""Two-dimensional views of a design: a rectangle of two inputs, or the triangle of three elements.

Both views answer the same four questions: which places to predict (`pixels`), where a specimen lies
(`locate`), how far it is from the view (`distance`), and how to draw the frame (`furnish`).
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.patches import Polygon
from scipy.ndimage import zoom

from tieline.errors import TielineError
from tieline.figures.style import INK, PENCIL
from tieline.planning.pool import design_matrix, design_names, is_composition
from tieline.planning.wording import label, spoken_unit

N_PIXELS = 72  # a side, where the posterior is asked; then refined linearly
REFINEMENT = 5  # so that boundaries look like lines and not like stairs
HEIGHT = np.sqrt(3) / 2  # of a triangle with sides of 1
CORNERS = np.array([[0, 0], [1, 0], [0.5, HEIGHT]])
MARGIN = 0.02  # share of the range left around the measured places
MOST_VIEWS = 6  # pairs of inputs drawn when there are more than two


@dataclass(frozen=True)
class Rectangle:
    """Two inputs span the view; the others rest at their median."""

    names: tuple[str, str]
    table: xr.Dataset

    def _bounds(self, name: str) -> tuple[float, float]:
        values = self.table[name].values
        low, high = np.nanmin(values), np.nanmax(values)
        edge = MARGIN * (high - low if high > low else abs(high) or 1.0)
        return float(low - edge), float(high + edge)

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Left, right, bottom, top in the units of the inputs."""
        return (*self._bounds(self.names[0]), *self._bounds(self.names[1]))

    def pixels(self) -> xr.Dataset:
        """Lay out N_PIXELS x N_PIXELS places, row by row from the bottom left."""
        left, right, bottom, top = self.extent
        x, y = np.meshgrid(np.linspace(left, right, N_PIXELS), np.linspace(bottom, top, N_PIXELS))
        chosen = dict(zip(self.names, (x.ravel(), y.ravel()), strict=True))
        resting = {str(v): np.full(x.size, np.nanmedian(self.table[v].values)) for v in self.table.data_vars}
        columns = {
            name: ("specimen", chosen.get(name, rest), self.table[name].attrs)
            for name, rest in resting.items()
        }
        return xr.Dataset(columns, {"specimen": np.arange(x.size)})

    def locate(self, places: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
        """Give the coordinates of places on the axes."""
        return places[self.names[0]].values, places[self.names[1]].values

    def distance(self, places: xr.Dataset) -> np.ndarray:
        """Measure how far places are from the view, as a share of the range of the resting inputs."""
        others = [str(v) for v in self.table.data_vars if v not in self.names]
        away = [
            np.abs(places[v].values - np.nanmedian(self.table[v].values))
            / (np.ptp(self.table[v].values) or 1.0)
            for v in others
        ]
        return np.max(away, axis=0) if away else np.zeros(places.sizes["specimen"])

    def resting(self) -> str:
        """Say where the other inputs rest."""
        others = [v for v in self.table.data_vars if v not in self.names]
        values = (
            f"{v} = {np.nanmedian(self.table[v].values):.3g} {spoken_unit(self.table[v])}" for v in others
        )
        return ", ".join(value.strip() for value in values)

    def furnish(self, axes: Axes) -> None:
        """Draw frame, ticks and labels."""
        left, right, bottom, top = self.extent
        axes.set(xlim=(left, right), ylim=(bottom, top))
        axes.set_xlabel(label(self.table[self.names[0]], self.names[0]))
        axes.set_ylabel(label(self.table[self.names[1]], self.names[1]))

    def outline(self, axes: Axes) -> None:
        """Return what images are clipped to: nothing, the axes themselves do it."""


@dataclass(frozen=True)
class Triangle:
    """Three elements span the view; the others, if any, rest at their median share."""

    name: str
    elements: tuple[str, str, str]
    table: xr.Dataset
    extent: tuple[float, float, float, float] = (0.0, 1.0, 0.0, HEIGHT)

    def _rest(self) -> xr.DataArray:
        others = [e for e in self.table["element"].values if e not in self.elements]
        return self.table[self.name].sel(element=others).median("specimen")

    def pixels(self) -> xr.Dataset:
        """Lay out N_PIXELS x N_PIXELS compositions; those beyond an edge repeat the nearest place on it."""
        x, y = np.meshgrid(np.linspace(0, 1, N_PIXELS), np.linspace(0, HEIGHT, N_PIXELS))
        top = y.ravel() / HEIGHT
        right = x.ravel() - top / 2
        shares = np.clip(np.stack([1 - right - top, right, top], -1), 0, None)
        shares /= shares.sum(1, keepdims=True)
        rest = self._rest()
        every = xr.DataArray(
            np.zeros((x.size, self.table.sizes["element"])),
            {"specimen": np.arange(x.size), "element": self.table["element"].values},
            ("specimen", "element"),
        )
        every.loc[{"element": list(self.elements)}] = shares * (1 - float(rest.sum()))
        every.loc[{"element": rest["element"].values}] = rest.values
        return xr.Dataset({self.name: every.assign_attrs(self.table[self.name].attrs)})

    def locate(self, places: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
        """Give the coordinates of compositions on the axes."""
        shares = places[self.name].sel(element=list(self.elements)).transpose("specimen", "element").values
        x, y = (shares / shares.sum(1, keepdims=True) @ CORNERS).T
        return x, y

    def distance(self, places: xr.Dataset) -> np.ndarray:
        """Measure how far the resting elements are from their median, in mole fraction."""
        rest = self._rest()
        if rest.size == 0:
            return np.zeros(places.sizes["specimen"])
        away = places[self.name].sel(element=rest["element"].values) - rest
        return np.abs(away.transpose("specimen", "element").values).max(1)

    def resting(self) -> str:
        """Say where the other elements rest."""
        return ", ".join(f"{float(v):.1%} {v['element'].item()}" for v in self._rest())

    def furnish(self, axes: Axes) -> None:
        """Draw the triangle, a light grid and ticks in percent along each side."""
        axes.set_aspect("equal")
        axes.axis("off")
        axes.set(xlim=(-0.1, 1.1), ylim=(-0.11, HEIGHT + 0.08))
        axes.add_patch(Polygon(CORNERS, closed=True, fill=False, edgecolor=INK, linewidth=0.9, zorder=4))
        # Along each side the fraction of the corner it runs to grows counter-clockwise.
        for start, end, dx, dy in ((0, 1, 0, -0.035), (1, 2, 0.035, 0.012), (2, 0, -0.03, 0.018)):
            third = 3 - start - end
            for percent in (20, 40, 60, 80):
                x, y = CORNERS[start] + percent / 100 * (CORNERS[end] - CORNERS[start])
                far_x, far_y = CORNERS[third] + percent / 100 * (CORNERS[end] - CORNERS[third])
                axes.plot([x, far_x], [y, far_y], color=PENCIL, linewidth=0.4, alpha=0.5, zorder=3)
                axes.text(x + dx, y + dy, str(percent), ha="center", va="center", fontsize=7, color=INK)
        beyond = ((-0.05, -0.04), (0.05, -0.04), (0, 0.045))
        for (x, y), element, (dx, dy) in zip(CORNERS, self.elements, beyond, strict=True):
            axes.text(x + dx, y + dy, element, ha="center", va="center", fontsize=10, fontweight="bold")
        axes.text(0.5, -0.085, "at.%", ha="center", va="center", fontsize=8, color=INK)

    def outline(self, axes: Axes) -> Polygon:
        """Return what images are clipped to."""
        return Polygon(CORNERS, closed=True, transform=axes.transData)


View = Rectangle | Triangle


def views(posterior) -> list[View]:
    """Choose the views of a design: one where it has two dimensions, pairs of inputs where it has more."""
    names = design_names(posterior)
    table = posterior.table[names].reset_coords(drop=True)
    table = table.isel(specimen=np.flatnonzero(np.isfinite(design_matrix(table)).all(1)))
    if is_composition(posterior):
        spread = table[names[0]].std("specimen")
        if spread.size < 3:
            raise _too_thin("two elements")
        kept = np.sort(np.argsort(-spread.values, kind="stable")[:3])
        first, second, third = (str(e) for e in table["element"].values[kept])
        return [Triangle(names[0], (first, second, third), table)]
    if len(names) < 2:
        raise _too_thin("one input")
    return [Rectangle(pair, table) for pair in list(combinations(names, 2))[:MOST_VIEWS]]


def refine(values: np.ndarray) -> np.ndarray:
    """Turn predictions (specimen, ...) at `pixels` into a fine raster (row, column, ...), bottom first."""
    raster = values.reshape(N_PIXELS, N_PIXELS, *values.shape[1:])
    factors = (REFINEMENT, REFINEMENT) + (1,) * (raster.ndim - 2)
    return np.asarray(zoom(raster, factors, order=1))


def _too_thin(found: str) -> TielineError:
    return TielineError(
        "A map needs a design of two dimensions or more.", found=found, hint="tl.figures.line"
    )
