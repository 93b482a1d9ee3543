"""A view of a design: the triangle of three elements."""

from dataclasses import dataclass, field

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.patches import Polygon

from tieline.figures.rectangle import N_PIXELS
from tieline.figures.resting import Held, distance_from_rest, resting_columns, say_rest
from tieline.figures.style import INK, PENCIL

HEIGHT = np.sqrt(3) / 2  # of a triangle with sides of 1
CORNERS = np.array([[0, 0], [1, 0], [0.5, HEIGHT]])


@dataclass(frozen=True)
class Triangle:
    """Three elements span the view; the others, if any, rest at their median share.

    Where the specimens leave a good part of the triangle alone, the view is the corner, or the middle, that
    they are in: again a triangle, in which no element falls below its `floor`.

    Further inputs rest as in a `Rectangle`.

    Attributes:
        name: of the composition.
        elements: lower left, lower right, top.
        table (specimen): the design of the specimens.
        floor: the smallest share of each of the three elements in view.
        held: where further inputs are held instead of where they rest.
    """

    name: str
    elements: tuple[str, str, str]
    table: xr.Dataset
    floor: tuple[float, float, float] = (0.0, 0.0, 0.0)
    held: Held = field(default_factory=dict)

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Left, right, bottom, top, as shares of the triangle's side."""
        return (0.0, 1.0, 0.0, float(HEIGHT))

    @property
    def side(self) -> float:
        """What a side of the triangle spans, in mole fraction."""
        return 1 - sum(self.floor)

    @property
    def others(self) -> list[str]:
        """The inputs that the view does not span."""
        return [str(v) for v in self.table.data_vars if v != self.name]

    def _rest(self) -> xr.DataArray:
        others = [e for e in self.table["element"].values if e not in self.elements]
        return self.table[self.name].sel(element=others).median("specimen")

    def pixels(self) -> xr.Dataset:
        """Lay out N_PIXELS x N_PIXELS compositions; those beyond an edge repeat the nearest place on it."""
        x, y = np.meshgrid(np.linspace(0, 1, N_PIXELS), np.linspace(0, HEIGHT, N_PIXELS))
        top = y.ravel() / HEIGHT
        right = x.ravel() - top / 2
        shares = np.clip(np.stack([1 - right - top, right, top], -1), 0, None)
        shares = np.array(self.floor) + self.side * shares / shares.sum(1, keepdims=True)
        rest = self._rest()
        every = xr.DataArray(
            np.zeros((x.size, self.table.sizes["element"])),
            {"specimen": np.arange(x.size), "element": self.table["element"].values},
            ("specimen", "element"),
        )
        every.loc[{"element": list(self.elements)}] = shares * (1 - float(rest.sum()))
        every.loc[{"element": rest["element"].values}] = rest.values
        found = xr.Dataset({self.name: every.assign_attrs(self.table[self.name].attrs)})
        return found.assign(resting_columns(self.table, self.others, x.size, self.held))

    def locate(self, places: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
        """Give the coordinates of compositions on the axes."""
        x, y = ((shares_among(places[self.name], self.elements) - self.floor) / self.side @ CORNERS).T
        return x, y

    def distance(self, places: xr.Dataset) -> np.ndarray:
        """Measure how far the resting elements are from their median, in mole fraction, and other inputs."""
        rest, others = self._rest(), distance_from_rest(self.table, self.others, places, self.held)
        if rest.size == 0:
            return others
        away = places[self.name].sel(element=rest["element"].values) - rest
        return np.maximum(np.abs(away.transpose("specimen", "element").values).max(1), others)

    def resting(self) -> str:
        """Say where the other elements and inputs rest."""
        elements = [f"{float(v):.1%} {v['element'].item()}" for v in self._rest()]
        return ", ".join([*elements, *filter(None, [say_rest(self.table, self.others, self.held)])])

    def furnish(self, axes: Axes) -> None:
        """Draw the triangle, a light grid and ticks in percent along each side."""
        axes.set_aspect("equal")
        axes.axis("off")
        axes.set(xlim=(-0.1, 1.1), ylim=(-0.11, HEIGHT + 0.08))
        axes.add_patch(Polygon(CORNERS, closed=True, fill=False, edgecolor=INK, linewidth=0.9, zorder=4))
        # Along each side the fraction of the corner it runs to grows counter-clockwise.
        for start, end, dx, dy in ((0, 1, 0, -0.035), (1, 2, 0.035, 0.012), (2, 0, -0.03, 0.018)):
            third = 3 - start - end
            for percent in self.ticks(end):
                share = (percent / 100 - self.floor[end]) / self.side
                x, y = CORNERS[start] + share * (CORNERS[end] - CORNERS[start])
                far_x, far_y = CORNERS[third] + share * (CORNERS[end] - CORNERS[third])
                axes.plot([x, far_x], [y, far_y], color=PENCIL, linewidth=0.4, alpha=0.5, zorder=3)
                axes.text(x + dx, y + dy, f"{percent:g}", ha="center", va="center", fontsize=7, color=INK)
        beyond = ((-0.05, -0.04), (0.05, -0.04), (0, 0.045))
        for (x, y), element, (dx, dy) in zip(CORNERS, self.elements, beyond, strict=True):
            axes.text(x + dx, y + dy, element, ha="center", va="center", fontsize=10, fontweight="bold")
        axes.text(0.5, -0.085, "at.%", ha="center", va="center", fontsize=8, color=INK)

    def ticks(self, element: int) -> np.ndarray:
        """Round percentages strictly between the ends of a side, four or five of them."""
        low, span = 100 * self.floor[element], 100 * self.side
        step = next(s for s in (1, 2, 5, 10, 20) if span / s <= 6)
        ticks = step * np.arange(np.floor(low / step), np.ceil((low + span) / step) + 1)
        return ticks[(ticks > low + 0.02 * span) & (ticks < low + 0.98 * span)]

    def outline(self, axes: Axes) -> Polygon:
        """Return what images are clipped to."""
        return Polygon(CORNERS, closed=True, transform=axes.transData)


def shares_among(composition: xr.DataArray, elements: tuple[str, ...]) -> np.ndarray:
    """Shares of some elements among each other, (specimen, element)."""
    shares = composition.sel(element=list(elements)).transpose("specimen", "element").values
    return shares / shares.sum(1, keepdims=True)
