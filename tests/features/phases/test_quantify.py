import numpy as np
import pytest
import xarray as xr

import tieline as tl
from tieline.errors import SchemaError
from tieline.features.phases import powder_sticks, quantify_phases

CELL = """data_{name}
_cell_length_a {a}
_cell_length_b {a}
_cell_length_c {c}
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma {gamma}
_space_group_name_H-M_alt '{group}'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
{atoms}
"""
NICKEL_OXIDE = CELL.format(
    name="NiO", a=4.1769, c=4.1769, gamma=90, group="F m -3 m", atoms="Ni1 Ni 0 0 0\nO1 O 0.5 0.5 0.5"
)
ZINC_OXIDE = CELL.format(
    name="ZnO",
    a=3.2498,
    c=5.2066,
    gamma=120,
    group="P 63 m c",
    atoms="Zn1 Zn 0.333333 0.666667 0\nO1 O 0.333333 0.666667 0.3821",
)


@pytest.fixture(scope="module")
def world():
    return tl.worlds.diffraction(2, n_specimens=40, n_angles=1300, vegard=0.005)


@pytest.fixture(scope="module")
def lines(world):
    return {str(p): world.sticks.sel(phase=p) for p in world.truth["phase"].values}


@pytest.fixture(scope="module")
def found(world, lines):
    return quantify_phases(world.patterns.isel(measurement=slice(0, 40, 5)), lines)


def test_lines_of_oxides_stand_and_shine_as_on_published_cards():
    # Powder diffraction files 47-1049 and 36-1451: place and relative intensity of the first lines.
    for cif, places, heights in (
        (NICKEL_OXIDE, [37.25, 43.28, 62.88], [61, 100, 35]),
        (ZINC_OXIDE, [31.77, 34.42, 36.25], [57, 44, 100]),
    ):
        sticks = powder_sticks(cif, wavelength=1.5406, two_theta=(20, 65))
        first = sticks.isel(line=slice(0, 3))
        np.testing.assert_allclose(first["two_theta"], places, atol=0.1)
        height = 100 * first["intensity"] / sticks["intensity"].max()
        np.testing.assert_allclose(height, heights, atol=18)


def test_density_is_that_of_the_mineral():
    assert powder_sticks(NICKEL_OXIDE).attrs["density"] == pytest.approx(6.81, abs=0.02)
    assert powder_sticks(ZINC_OXIDE).attrs["density"] == pytest.approx(5.68, abs=0.02)


def test_shares_of_simulated_mixtures(world, found):
    truth = world.truth["fraction"].values[::5]
    assert np.abs(found["share"].values - truth).mean() < 0.03
    held = (found["share_low"].values <= truth + 1e-3) & (truth <= found["share_high"].values + 1e-3)
    assert held.mean() > 0.8
    assert not found["is_none_of_references"].any()


def test_without_a_component_something_is_none_of_the_references(world, lines, found):
    first = world.patterns.isel(measurement=[0])
    main = str(found["share"].isel(measurement=0).idxmax("reference").values)
    others = {name: sticks for name, sticks in lines.items() if name != main}
    answer = quantify_phases(first, others)
    assert answer["is_none_of_references"].all()


def test_a_displaced_specimen_is_noticed(world, lines, found):
    moved = world.patterns.isel(measurement=slice(0, 40, 5))
    moved = moved.assign_coords(two_theta=moved["two_theta"] + 0.15)
    answer = quantify_phases(moved, lines)
    np.testing.assert_allclose(answer["share"], found["share"], atol=0.03)
    assert float(np.median(answer["displacement"] - found["displacement"])) == pytest.approx(0.16, abs=0.05)


def test_refuses_what_is_no_structure(tmp_path):
    with pytest.raises(SchemaError, match="cannot be read"):
        powder_sticks(tmp_path / "none.cif")
    with pytest.raises(SchemaError, match="a space group and atoms"):
        powder_sticks("data_empty\n_cell_length_a 4\n")
    with pytest.raises(SchemaError, match="wavelength"):
        powder_sticks(NICKEL_OXIDE, wavelength=0)


def test_refuses_damaged_patterns_and_references(world, lines):
    with pytest.raises(SchemaError, match="one reference at least"):
        quantify_phases(world.patterns, {})
    with pytest.raises(SchemaError, match="has no lines"):
        quantify_phases(world.patterns, {"A": xr.Dataset()})
    negative = world.patterns.assign(intensity=world.patterns["intensity"] - 500)
    with pytest.raises(SchemaError, match="not negative"):
        quantify_phases(negative, lines)
    flat = world.patterns.assign(intensity=world.patterns["intensity"] * 0 + 3)
    with pytest.raises(SchemaError, match="same intensity"):
        quantify_phases(flat, lines)


def test_figures_show_answers_only(found):
    assert len(tl.figures.quantified(found).axes) == 2
    with pytest.raises(SchemaError, match="quantify_phases"):
        tl.figures.quantified(xr.Dataset())
    with pytest.raises(SchemaError, match="find_phases"):
        tl.figures.phases(xr.Dataset(), xr.Dataset())
