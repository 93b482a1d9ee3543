"""Compositions as points: coordinates of the simplex, ternary figures, candidate lattices."""

from collections.abc import Sequence
from itertools import combinations
from math import comb, sqrt

import numpy as np
import xarray as xr
from scipy.linalg import helmert

from tieline.errors import SchemaError

LARGEST_GRID = 2_000_000  # compositions; beyond this a lattice is a mistake in the step

# Where the three pure elements stand in a ternary figure.
TERNARY_CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, sqrt(3) / 2]])


def simplex_coordinates(composition: xr.DataArray) -> np.ndarray:
    """Place compositions in a regular simplex of unit edge, centred on the equimolar composition.

    The map is linear and treats all elements alike: two compositions are sqrt(sum((x - y)**2) / 2) apart, so
    pure elements have distance 1. For three elements this is the usual ternary triangle up to a rotation.
    A Gaussian process on these coordinates does not depend on which element is called the balance.

    Args:
        composition (specimen, element): mole fractions; NaN where not measured.

    Returns:
        (specimen, coordinate): n_elements - 1 dimensionless coordinates.
    """
    fractions = fractions_of(composition)
    return fractions @ _basis(fractions.shape[1])


def composition_from_coordinates(coordinates: np.ndarray, elements: Sequence[str]) -> np.ndarray:
    """Undo `simplex_coordinates`.

    Args:
        coordinates (specimen, coordinate): one fewer than there are elements.
        elements: symbols, in the order they had.

    Returns:
        (specimen, element): numbers that sum to one; negative where a point lies outside the simplex.
    """
    if coordinates.shape[-1] != len(elements) - 1:
        raise SchemaError(
            f"{len(elements)} elements have {len(elements) - 1} coordinates.",
            found=f"{coordinates.shape[-1]} coordinates for {', '.join(elements)}",
        )
    # The columns of the basis are orthogonal, each of length 1 / sqrt(2).
    return 1 / len(elements) + 2 * coordinates @ _basis(len(elements)).T


def ternary_xy(composition: xr.DataArray) -> np.ndarray:
    """Place ternary compositions in the plane of a figure.

    Args:
        composition (specimen, element): mole fractions of three elements. The first stands at (0, 0), the
            second at (1, 0), the third at (1/2, sqrt(3)/2).

    Returns:
        (specimen, 2): x and y.

    Raises:
        SchemaError: there are not exactly three elements.
    """
    fractions = fractions_of(composition)
    if fractions.shape[1] != 3:
        raise SchemaError(
            "A ternary figure shows three elements.",
            found=", ".join(str(element) for element in composition["element"].values),
            hint="show a section: fix the other elements and keep three",
        )
    return fractions @ TERNARY_CORNERS


def simplex_grid(elements: Sequence[str], step: float) -> xr.Dataset:
    """Lay a regular lattice of candidate compositions over the simplex.

    Args:
        elements: symbols, at least two.
        step: distance of neighbours, mole fraction; 1/step must be whole.

    Returns:
        Dataset with `composition` (specimen, element): every composition whose mole fractions are multiples
        of `step`, from the last pure element to the first.

    Raises:
        SchemaError: the step does not divide 1, or the lattice would have millions of points.

    Example:
        >>> simplex_grid(["Fe", "Ga", "Pd"], step=0.5).sizes["specimen"]
        6
    """
    n_steps = round(1 / step) if step > 0 else 0
    if n_steps < 1 or abs(n_steps * step - 1) > 1e-9:
        raise SchemaError("The step must divide 1.", found=f"step={step:g}", hint="0.01, 0.02, 0.05 or 0.1")
    n_elements = len(elements)
    if n_elements < 2:
        raise SchemaError("A lattice of compositions needs at least two elements.", found=", ".join(elements))
    n_points = comb(n_steps + n_elements - 1, n_elements - 1)
    if n_points > LARGEST_GRID:
        raise SchemaError(
            f"This lattice would have {n_points:,} compositions.",
            found=f"{n_elements} elements in steps of {step:g}",
            hint="a larger step, or fewer elements",
        )
    # Stars and bars: the places of n_elements - 1 bars among n_steps stars are one composition each.
    bars = np.array(list(combinations(range(n_steps + n_elements - 1), n_elements - 1)))
    edges = np.column_stack([np.full(n_points, -1), bars, np.full(n_points, n_steps + n_elements - 1)])
    fractions = (np.diff(edges) - 1) / n_steps
    attrs = {"role": "synthesis", "units": "1"}
    return xr.Dataset(
        {"composition": (("specimen", "element"), fractions, attrs)},
        coords={"specimen": np.arange(n_points), "element": np.array(elements)},
    )


def fractions_of(composition: xr.DataArray) -> np.ndarray:
    """Mole fractions (specimen, element) of a composition variable, whatever the order of its dimensions."""
    if set(composition.dims) != {"specimen", "element"}:
        raise SchemaError(
            "A composition has the dimensions 'specimen' and 'element'.",
            found=", ".join(map(str, composition.dims)),
            hint="tieline.table(dataframe, composition=[...]) makes one",
        )
    return composition.transpose("specimen", "element").values.astype(float)


def _basis(n_elements: int) -> np.ndarray:
    """Return (element, coordinate): Helmert's contrasts, scaled so that the simplex has unit edge."""
    return helmert(n_elements).T / sqrt(2)
