"""A view of a design: a rectangle of two inputs."""

from dataclasses import dataclass, field

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from tieline.figures.resting import Held, distance_from_rest, resting_columns, say_rest
from tieline.figures.scales import name_axis

N_PIXELS = 60  # a side, where the posterior is asked: 3600 predictions a map
MARGIN = 0.02  # share of the range left around the places in view


@dataclass(frozen=True)
class Rectangle:
    """Two inputs span the view; the others rest at their median, or at the commonest category.

    Attributes:
        names: of the two inputs, across and up.
        table (specimen): the design of the specimens, which says where the others rest.
        reach (specimen): the design of everything that has to be in view.
        held: where others are held instead.
    """

    names: tuple[str, str]
    table: xr.Dataset
    reach: xr.Dataset
    held: Held = field(default_factory=dict)

    def _bounds(self, name: str) -> tuple[float, float]:
        values = self.reach[name].values
        low, high = values.min(), values.max()
        edge = MARGIN * (high - low if high > low else abs(high) or 1.0)
        return float(low - edge), float(high + edge)

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Left, right, bottom, top in the units of the inputs."""
        return (*self._bounds(self.names[0]), *self._bounds(self.names[1]))

    @property
    def others(self) -> list[str]:
        """The inputs that the view does not span."""
        return [str(v) for v in self.table.data_vars if v not in self.names]

    def pixels(self) -> xr.Dataset:
        """Lay out N_PIXELS x N_PIXELS places, row by row from the bottom left."""
        left, right, bottom, top = self.extent
        x, y = np.meshgrid(np.linspace(left, right, N_PIXELS), np.linspace(bottom, top, N_PIXELS))
        chosen = dict(zip(self.names, (x.ravel(), y.ravel()), strict=True))
        columns = {name: ("specimen", values, self.table[name].attrs) for name, values in chosen.items()}
        columns |= resting_columns(self.table, self.others, x.size, self.held)
        elements = {"element": self.table["element"].values} if "element" in self.table.dims else {}
        return xr.Dataset(
            {str(v): columns[str(v)] for v in self.table.data_vars},
            {"specimen": np.arange(x.size), **elements},
        )

    def locate(self, places: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
        """Give the coordinates of places on the axes."""
        return places[self.names[0]].values, places[self.names[1]].values

    def distance(self, places: xr.Dataset) -> np.ndarray:
        """Measure how far places are from the view, as a share of the range of the resting inputs."""
        return distance_from_rest(self.table, self.others, places, self.held)

    def resting(self) -> str:
        """Say where the other inputs rest."""
        return say_rest(self.table, self.others, self.held)

    def furnish(self, axes: Axes) -> None:
        """Draw frame, ticks and labels."""
        left, right, bottom, top = self.extent
        axes.set(xlim=(left, right), ylim=(bottom, top))
        for axis, name in zip((axes.xaxis, axes.yaxis), self.names, strict=True):
            name_axis(axis, self.table[name], name)

    def outline(self, axes: Axes) -> None:
        """Return what images are clipped to: nothing, the axes themselves do it."""
