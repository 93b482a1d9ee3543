"""What a simulated world is: a truth, and what a laboratory saw of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any

import numpy as np
import xarray as xr

from tieline.worlds.random_functions import Function

AXES = ("x", "y", "z")
ELEMENTS = ("Fe", "Ga", "Pd")

PropertyFunction = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Space:
    """The design space: axes in the unit box, or the compositions of three elements."""

    n_dimensions: int
    is_composition: bool = False

    def even_points(self, rng: np.random.Generator, n_points: int) -> np.ndarray:
        """Spread points evenly from a random start: the R_d sequence (Roberts 2018)."""
        ratio = 2.0  # the root of r^(d+1) = r + 1, by fixed-point iteration
        for _ in range(30):
            ratio = (1 + ratio) ** (1 / (self.n_dimensions + 1))
        step = ratio ** -np.arange(1.0, self.n_dimensions + 1)
        return self._fold((rng.random(self.n_dimensions) + np.arange(n_points)[:, None] * step) % 1)

    def uniform_points(self, rng: np.random.Generator, n_points: int) -> np.ndarray:
        """Draw points independently."""
        return self._fold(rng.random((n_points, self.n_dimensions)))

    def _fold(self, points: np.ndarray) -> np.ndarray:
        """Mirror the far half of the square into the triangle of compositions."""
        if not self.is_composition:
            return points
        return np.where(points.sum(1, keepdims=True) > 1, 1 - points, points)

    def dataset(self, points: np.ndarray) -> xr.Dataset:
        """Write points as design variables on `specimen`."""
        coords: dict[str, Any] = {"specimen": np.arange(len(points))}
        attrs = {"role": "synthesis", "units": "1" if self.is_composition else ""}
        if self.is_composition:
            fractions = np.column_stack([1 - points.sum(1), points])
            variables: dict[str, Any] = {"composition": (("specimen", "element"), fractions, attrs)}
            return xr.Dataset(variables, coords | {"element": list(ELEMENTS)})
        variables = {AXES[axis]: ("specimen", points[:, axis], attrs) for axis in range(self.n_dimensions)}
        return xr.Dataset(variables, coords)

    def points(self, design: xr.Dataset) -> np.ndarray:
        """Read design variables back; the opposite of `dataset`."""
        if self.is_composition:
            return design["composition"].sel(element=list(ELEMENTS[1:])).values
        return np.column_stack([design[AXES[axis]].values for axis in range(self.n_dimensions)])


@dataclass(frozen=True, eq=False)
class World:
    """A simulated truth, and what a laboratory saw of it.

    Attributes:
        table: what was seen, on `specimen`: the design, `phase` ("" where unlabelled) and the
            properties (NaN where unmeasured).
        grid: held-out places, the design variables on `specimen`.
        settings: everything that was asked for or drawn, by name; `noise_sd` is by property.
        space: the design space.
        phase_scores: points to one score a phase, in the order of `phases`; the greatest wins.
        property_functions: for each property, points and phase numbers to noise-free values.
    """

    table: xr.Dataset
    grid: xr.Dataset
    settings: Mapping[str, Any]
    space: Space
    phase_scores: Function
    property_functions: Mapping[str, PropertyFunction]

    @property
    def phases(self) -> list[str]:
        """The names of the phases."""
        return list(ascii_uppercase[: self.settings["n_phases"]])

    @property
    def design(self) -> str | list[str]:
        """The design as models take it: the name of the composition, or of each axis."""
        return "composition" if self.space.is_composition else list(AXES[: self.space.n_dimensions])

    @property
    def properties(self) -> list[str]:
        """The names of the properties."""
        return list(self.property_functions)

    def truth(self, design: xr.Dataset) -> xr.Dataset:
        """Tell what is really there.

        Args:
            design (specimen): places, with the variables that `grid` has.

        Returns:
            (specimen): `phase`, and each property without noise.
        """
        points = self.space.points(design)
        phase = self.phase_scores(points).argmax(1)
        truth = xr.Dataset(coords={"specimen": design["specimen"]})
        truth["phase"] = ("specimen", np.array(self.phases)[phase], {"role": "structure"})
        for name, function in self.property_functions.items():
            truth[name] = ("specimen", function(points, phase), {"role": "property", "units": ""})
        return truth
