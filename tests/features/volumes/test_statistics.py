import numpy as np
import pytest
import xarray as xr
from scipy.ndimage import distance_transform_edt, label

import tieline as tl
from tieline.features import volumes
from tieline.features.volumes.counting import squared_distances
from tieline.worlds import membrane


def noise(shape=(12, 14, 16), porosity=0.5, seed=0):
    return np.random.default_rng(seed).random(shape) < porosity


def ball(radius, size=48):
    """A solid ball in open space, with its middle off the lattice."""
    places = np.stack(np.meshgrid(*[np.arange(size)] * 3, indexing="ij"), -1) - (size / 2 + 0.17)
    return (places**2).sum(-1) <= radius**2


def test_porosity_is_exact():
    is_pore = noise()
    assert float(volumes.porosity(is_pore, pore=1)) == is_pore.mean()
    assert float(volumes.porosity(~is_pore, pore=0)) == is_pore.mean()


@pytest.mark.parametrize("axis", range(3))
def test_two_points_are_counted_as_a_loop_would(axis):
    is_pore = noise()
    found = volumes.two_point(is_pore, lags=(0, 1, 5), pore=1)
    rolled = np.moveaxis(is_pore, axis, 0)
    expected = [rolled.mean(), *((rolled[lag:] & rolled[:-lag]).mean() for lag in (1, 5))]
    np.testing.assert_allclose(found[axis], expected)


def test_two_points_far_apart_in_noise_are_independent():
    found = volumes.two_point(noise((80, 80, 80), 0.3), lags=(10,), pore=1)
    np.testing.assert_allclose(found, 0.09, atol=0.002)


def test_lags_have_the_unit_of_the_voxels():
    made = membrane(20, size=24, voxel_size=0.5)
    found = volumes.two_point(made, "y", lags=(1, 4))
    assert found["lag"].values.tolist() == [0.5, 2.0]
    assert found["lag"].attrs["units"] == "µm"


def test_chords_are_the_runs_along_an_axis():
    is_pore = np.array([1, 1, 0, 1, 0, 0, 1, 1, 1], bool)[:, None, None]
    assert volumes.chord_lengths(is_pore, "x", pore=1).values.tolist() == [1, 1, 1, 0, 0, 0, 0, 0, 0]
    assert volumes.chord_lengths(is_pore, "x", of="solid", pore=1).values.tolist()[:3] == [1, 1, 0]
    assert volumes.chord_lengths(is_pore, pore=1).sel(axis="y").values.tolist()[:2] == [6, 0]


def test_chords_hold_every_pore_voxel_once():
    is_pore = noise()
    found = volumes.chord_lengths(is_pore, pore=1)
    assert (found * found["length"]).sum("length").values.tolist() == [is_pore.sum()] * 3


@pytest.mark.parametrize("radius", [10, 17])
def test_surface_of_a_ball(radius):
    found = float(volumes.specific_surface(ball(radius), pore=0))
    between_centres = 47 * 48**2  # along each axis, faces are looked for in this volume
    assert found * between_centres == pytest.approx(4 * np.pi * radius**2, rel=0.02)


def test_a_coarser_voxel_has_less_surface_in_a_volume():
    fine, coarse = (membrane(20, size=24, voxel_size=v) for v in (0.1, 0.2))
    ratio = float(volumes.specific_surface(fine) / volumes.specific_surface(coarse))
    assert ratio == pytest.approx(2)
    assert volumes.specific_surface(fine).attrs["units"] == "1/µm"


@pytest.mark.parametrize("porosity", [0.02, 0.5, 0.97, 0.9999])
def test_distances_are_those_of_scipy(porosity):
    is_pore = noise((17, 40, 23), porosity, 3)
    is_pore[0, 0, 0] = False
    expected = distance_transform_edt(is_pore)
    np.testing.assert_array_equal(squared_distances(is_pore.view(np.uint8)), np.round(expected**2))


def test_far_distances_are_those_of_scipy_too():
    is_pore = np.ones((3, 4, 200), bool)
    is_pore[0, 0, 0] = False
    expected = distance_transform_edt(is_pore)
    np.testing.assert_array_equal(squared_distances(is_pore.view(np.uint8)), np.round(expected**2))


def test_pore_sizes_are_quantiles_of_the_distances():
    is_pore = noise(porosity=0.9)
    distances = distance_transform_edt(is_pore)[is_pore]
    found = volumes.pore_sizes(is_pore, quantiles=(0, 0.3, 0.8, 1), pore=1)
    np.testing.assert_allclose(found, np.quantile(distances, (0, 0.3, 0.8, 1), method="inverted_cdf"))


def test_pores_without_solid_and_solid_without_pores_have_no_size():
    assert np.isinf(volumes.pore_sizes(np.ones((4, 4, 4), bool), pore=1)).all()
    assert np.isnan(volumes.pore_sizes(np.zeros((4, 4, 4), bool), pore=1)).all()


def test_percolation_counts_the_parts_that_touch_both_faces():
    is_pore = noise(porosity=0.34)
    labels, _ = label(is_pore)
    for axis, name in enumerate("xyz"):
        ends = [set(np.take(labels, side, axis).ravel()) - {0} for side in (0, -1)]
        expected = np.isin(labels, list(ends[0] & ends[1])).sum() / is_pore.sum()
        assert float(volumes.percolation(is_pore, name, pore=1)) == pytest.approx(expected)


def test_a_description_has_numbers_with_units():
    described = volumes.describe(membrane(40, (1, 0.5, 1), size=48, radius=2.0, seed=2))
    assert all(np.isfinite(v) and v.attrs["units"] for v in described.data_vars.values())
    assert described["pore_chord_y"] > described["pore_chord_x"]
    assert described["surface_y"] < described["surface_x"]
    assert described["covariance_y_8"] > described["covariance_x_8"]
    assert described["surface_x"].attrs["units"] == "1/µm"


@pytest.mark.parametrize("value", [0, 1])
def test_a_volume_without_a_surface_is_described_by_what_it_has(value):
    described = volumes.describe(np.full((10, 10, 10), value), pore=0)
    assert float(described["porosity"]) == 1 - value
    assert float(described["surface_x"]) == 0
    assert np.isnan(described["covariance_x_2"])


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda v: volumes.two_point(v, lags=(24,)), "Lags run"),
        (lambda v: volumes.two_point(v, lags=()), "Lags run"),
        (lambda v: volumes.chord_lengths(v, of="void"), "of pore or of solid"),
        (lambda v: volumes.pore_sizes(v, quantiles=(2,)), "Quantiles"),
        (lambda v: volumes.percolation(v, "X"), "no axis 'X'"),
        (lambda v: volumes.describe(v.values), "which value of this volume is pore"),
        (lambda v: volumes.describe(v.values * 3.5, pore=0), None),
        (lambda v: volumes.describe(v + v.x, pore=0), "two values"),
        (lambda v: volumes.describe(v, pore=7), "none of this volume's"),
        (lambda v: volumes.describe("scan.tif", pore=0), "array of voxels"),
    ],
)
def test_refuses_what_cannot_be_counted(ask, said):
    made = membrane(20, size=24, porosity=0.7)
    if said is None:
        assert ask(made)["porosity"] == pytest.approx(0.7, abs=1e-3)
        return
    with pytest.raises(tl.SchemaError, match=said):
        ask(made)


def test_a_record_of_volumes_becomes_a_table():
    made = [membrane(20, size=24, radius=2.0, seed=s).assign_attrs(seed=0) for s in range(3)]
    node = xr.Dataset({"volume": xr.concat(made, "measurement", combine_attrs="drop_conflicts")})
    record = xr.DataTree.from_dict(
        {
            "/specimens": xr.Dataset(
                {"porosity": ("specimen", [0.8, 0.7, 0.6], {"units": "1", "role": "property"})},
                {"specimen": ["A", "B", "C"]},
            ),
            "/volumes": node.assign_coords(specimen=("measurement", ["C", "A", "C"])),
        }
    )
    table = tl.represent(record)
    one, other = (volumes.describe(made[i]) for i in (0, 2))
    assert table["porosity"].values.tolist() == [0.8, 0.7, 0.6]
    assert table["surface_x"].values[0] == volumes.describe(made[1])["surface_x"].item()
    assert np.isnan(table["surface_x"].values[1])
    assert table["surface_x"].values[2] == pytest.approx((one["surface_x"] + other["surface_x"]).item() / 2)
    assert any("described by 32 numbers" in note for note in table.attrs["notes"])
    assert any("porosity of the sheet kept" in note for note in table.attrs["notes"])
