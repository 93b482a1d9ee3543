import numpy as np
import pytest
import xarray as xr

from tieline.errors import SchemaError
from tieline.features.composition import (
    composition_from_coordinates,
    simplex_coordinates,
    simplex_grid,
    ternary_xy,
)


def composition(rows, elements="ABCDEFG"):
    rows = np.asarray(rows, dtype=float)
    return xr.DataArray(
        rows, dims=("specimen", "element"), coords={"element": list(elements)[: rows.shape[1]]}
    )


def distances(points):
    return np.linalg.norm(points[:, None] - points[None], axis=-1)


@pytest.mark.parametrize("n_elements", [2, 3, 5])
def test_pure_elements_are_one_apart_and_the_mixture_is_the_origin(n_elements):
    corners = simplex_coordinates(composition(np.eye(n_elements)))
    assert corners.shape == (n_elements, n_elements - 1)
    np.testing.assert_allclose(distances(corners), 1 - np.eye(n_elements), atol=1e-14)
    middle = simplex_coordinates(composition([[1 / n_elements] * n_elements]))
    np.testing.assert_allclose(middle, 0, atol=1e-15)


def test_distance_is_that_of_the_mole_fractions():
    rows = np.random.default_rng(0).dirichlet(np.ones(4), size=6)
    expected = np.sqrt(((rows[:, None] - rows[None]) ** 2).sum(-1) / 2)
    np.testing.assert_allclose(distances(simplex_coordinates(composition(rows))), expected, atol=1e-14)


def test_ternary_coordinates_are_the_usual_triangle_turned():
    rows = composition(np.random.default_rng(1).dirichlet(np.ones(3), size=8))
    np.testing.assert_allclose(distances(simplex_coordinates(rows)), distances(ternary_xy(rows)), atol=1e-14)


def test_coordinates_and_back():
    rows = np.random.default_rng(2).dirichlet(np.ones(5), size=6)
    coordinates = simplex_coordinates(composition(rows))
    np.testing.assert_allclose(composition_from_coordinates(coordinates, "ABCDE"), rows, atol=1e-14)
    with pytest.raises(SchemaError, match="3 elements have 2 coordinates") as caught:
        composition_from_coordinates(coordinates, "ABC")
    assert "4 coordinates for A, B, C" in caught.value.found


def test_the_order_of_dimensions_does_not_matter():
    rows = composition([[0.2, 0.3, 0.5], [1, 0, 0]])
    np.testing.assert_array_equal(simplex_coordinates(rows.T), simplex_coordinates(rows))


def test_an_unmeasured_composition_stays_unknown():
    assert np.isnan(simplex_coordinates(composition([[np.nan] * 3]))).all()


def test_the_corners_of_a_ternary_figure():
    np.testing.assert_allclose(ternary_xy(composition(np.eye(3))), [[0, 0], [1, 0], [0.5, np.sqrt(3) / 2]])
    with pytest.raises(SchemaError, match="three elements") as caught:
        ternary_xy(composition(np.eye(4)))
    assert caught.value.found == "A, B, C, D"


def test_what_is_no_composition_is_refused():
    with pytest.raises(SchemaError, match="'specimen' and 'element'") as caught:
        simplex_coordinates(xr.DataArray([1.0, 2.0], dims="specimen"))
    assert caught.value.found == "specimen"


def test_a_grid_holds_every_multiple_of_the_step_once():
    grid = simplex_grid(["Fe", "Ga", "Pd"], step=0.05)
    counts = np.rint(grid.composition.values / 0.05).astype(int)
    np.testing.assert_allclose(grid.composition, counts * 0.05, atol=1e-15)
    assert (counts.sum(axis=1) == 20).all()
    assert (counts >= 0).all()
    assert len({tuple(row) for row in counts.tolist()}) == grid.sizes["specimen"] == 21 * 22 // 2
    assert grid.element.values.tolist() == ["Fe", "Ga", "Pd"]
    assert grid.composition.attrs == {"role": "synthesis", "units": "1"}


def test_a_grid_of_two_elements_is_a_line():
    assert simplex_grid(["A", "B"], step=0.5).composition.values.tolist() == [[0, 1], [0.5, 0.5], [1, 0]]


@pytest.mark.parametrize("step", [0.3, 0, -0.1, 2])
def test_a_step_that_does_not_divide_one_is_refused(step):
    with pytest.raises(SchemaError, match="step must divide 1") as caught:
        simplex_grid(["A", "B"], step=step)
    assert caught.value.found == f"step={step:g}"


def test_grids_without_end_are_refused():
    with pytest.raises(SchemaError, match="4,598,126 compositions"):
        simplex_grid(list("ABCDE"), step=0.01)
    with pytest.raises(SchemaError, match="at least two elements"):
        simplex_grid(["A"], step=0.1)
