import numpy as np
import pytest
import xarray as xr

from tieline.errors import NotIdentified, SchemaError, UnitError
from tieline.models.encoding import coordinates, encode

RNG = np.random.default_rng(0)
AMOUNTS = RNG.dirichlet(np.ones(3), 8)


def table(**changes):
    """Eight ternary alloys with a temperature, labels and a hardness; some cells are empty."""
    variables = {
        "composition": (("specimen", "element"), AMOUNTS, {"role": "synthesis", "units": "1"}),
        "temperature": ("specimen", np.linspace(300, 1000, 8), {"role": "process", "units": "K"}),
        "phase": ("specimen", ["bcc", "fcc", "", "bcc", "fcc", "", "bcc", ""], {"role": "structure"}),
        "hardness": ("specimen", [1.0, 2, 3, np.nan, 5, 6, 7, np.nan], {"role": "property", "units": "GPa"}),
    }
    coords = {"specimen": list("abcdefgh"), "element": ["Fe", "Ga", "Pd"]}
    return xr.Dataset(variables | changes, coords)


def read(data=None, design=("temperature",), phase="phase", properties=("hardness",), n_phases=None):
    return encode(table() if data is None else data, design, [phase] if phase else [], properties, n_phases)


def test_the_design_fills_the_unit_box():
    _, seen, _, _ = read()
    assert seen.x.min() == 0
    assert seen.x.max() == 1


def test_a_place_is_scaled_as_the_table_was():
    encoding, seen, rows, _ = read(design=("composition", "temperature"))
    np.testing.assert_allclose(encoding.scaled(table()), np.vstack([seen.x, encoding.scaled(table())[7:]]))
    assert rows.tolist() == list(range(7))


def test_all_directions_of_a_composition_share_one_width():
    _, seen, rows, _ = read(design=("composition",))
    ours = np.linalg.norm(seen.x[:, None] - seen.x, axis=-1)
    theirs = np.linalg.norm(AMOUNTS[rows][:, None] - AMOUNTS[rows], axis=-1)
    off = ~np.eye(len(rows), dtype=bool)
    ratio = ours[off] / theirs[off]
    np.testing.assert_allclose(ratio, ratio[0])


def test_no_element_is_singled_out():
    turned = table().isel(element=[2, 0, 1])
    one, other = coordinates(table(), ["composition"]), coordinates(turned, ["composition"])
    for a, b in ((0, 1), (2, 5), (3, 7)):
        assert np.linalg.norm(one[a] - one[b]) == pytest.approx(np.linalg.norm(other[a] - other[b]))


def test_a_design_that_never_changes_stays_finite():
    constant = table(temperature=("specimen", np.full(8, 500.0), {"role": "process", "units": "K"}))
    _, seen, _, notes = read(constant)
    assert (seen.x == 0).all()
    assert notes == [
        "temperature: always 500",
        "All specimens have the same design: nothing can be said of any other place.",
    ]


def test_one_composition_for_all_specimens_is_noted():
    same = table(composition=(("specimen", "element"), np.tile([0.5, 0.3, 0.2], (8, 1))))
    _, seen, _, notes = read(same, design=("composition",))
    assert (seen.x == 0).all()
    assert notes == ["All specimens have the same design: nothing can be said of any other place."]


def test_properties_have_mean_zero_and_unit_deviation():
    encoding, seen, rows, _ = read()
    np.testing.assert_allclose([np.nanmean(seen.y), np.nanstd(seen.y)], [0, 1], atol=1e-12)
    back = seen.y[:, 0] * encoding.scale[0] + encoding.centre[0]
    np.testing.assert_allclose(back, table().hardness.values[rows])


def test_standard_errors_are_scaled_like_their_values_and_unknown_ones_are_none():
    errors = ("specimen", [0.1, np.nan, 0.3, 0.1, 0.1, 0.1, 0.1, 0.1], {"role": "property", "units": "GPa"})
    encoding, seen, _, _ = read(table(hardness_sd=errors))
    np.testing.assert_allclose(seen.error[:3, 0], np.array([0.1, 0, 0.3]) ** 2 / encoding.scale[0] ** 2)


def test_rows_that_say_nothing_are_not_read():
    _, seen, rows, _ = read()
    assert rows.tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert seen.labelled.tolist() == [True, True, False, True, True, False, True]
    assert np.isnan(seen.y[:, 0]).tolist() == [False, False, False, True, False, False, False]


def test_rows_without_a_design_are_left_out_and_said_so():
    gap = table(temperature=("specimen", [np.nan, *range(7)], {"role": "process", "units": "K"}))
    _, _, rows, notes = read(gap)
    assert 0 not in rows
    assert "1 specimens have no complete design and were left out." in notes


def test_phases_stand_in_the_order_of_the_alphabet():
    encoding, seen, _, _ = read()
    assert encoding.labels == ("bcc", "fcc")
    np.testing.assert_array_equal(seen.label[:2], [[1, 0], [0, 1]])


def test_numbers_can_be_labels():
    numbered = table(phase=("specimen", [0.0, 2, np.nan, 0, 2, np.nan, 0, np.nan], {"role": "structure"}))
    encoding, seen, _, _ = read(numbered)
    assert encoding.labels == ("0", "2")
    assert seen.labelled.sum() == 5


def test_more_phases_than_labels_get_names_of_their_own():
    named = table(phase=("specimen", ["1", "fcc", "", "1", "fcc", "", "1", ""], {"role": "structure"}))
    encoding, seen, _, _ = read(named, n_phases=4)
    assert encoding.labels == ("1", "fcc", "2", "3")
    np.testing.assert_array_equal(seen.label[0], [1, 0, 0, 0])


def test_probabilities_are_labels_too():
    probability = np.array([[0.7, 0.3]] * 5 + [[np.nan, np.nan]] * 3)
    data = table().drop_vars("phase").assign(p=(("specimen", "phase"), probability, {"role": "structure"}))
    encoding, seen, _, notes = read(data.assign_coords(phase=["bcc", "fcc"]), phase="p")
    assert encoding.labels == ("bcc", "fcc")
    np.testing.assert_allclose(seen.label[0], [0.7, 0.3])
    assert seen.labelled.sum() == 5
    assert notes == []


@pytest.mark.parametrize("dimension", ["phase", "cluster"])
@pytest.mark.parametrize("row", [[0.7, 0.7], [1.5, -0.5], [0.5, np.nan], [np.inf, 0.0]])
def test_what_is_no_probability_is_refused_by_row(dimension, row):
    probability = np.full((8, 2), 0.5)
    probability[2] = row
    data = table().drop_vars("phase").assign(p=(("specimen", dimension), probability, {"role": "structure"}))
    with pytest.raises(SchemaError, match="'p' holds no probabilities of phases in 1 of 8 rows") as caught:
        read(data.assign_coords({dimension: ["bcc", "fcc"]}), phase="p")
    assert caught.value.found.endswith("in row c")


def test_fewer_phases_than_are_labelled_are_refused():
    with pytest.raises(SchemaError, match="n_phases=1 is fewer than the phases that are labelled") as caught:
        read(n_phases=1)
    assert caught.value.found == "bcc, fcc"


@pytest.mark.parametrize(
    ("arguments", "name", "nearest"),
    [
        ({"design": ("temperatur",)}, "temperatur", "temperature"),
        ({"phase": "phases"}, "phases", "phase"),
        ({"properties": ("hardnes",)}, "hardnes", "hardness"),
    ],
)
def test_a_missing_column_is_named_with_the_nearest(arguments, name, nearest):
    with pytest.raises(SchemaError, match=f"PhaseProperty reads '{name}', which this table lacks") as caught:
        read(**arguments)
    assert f"Did you mean '{nearest}'?" in caught.value.found


@pytest.mark.parametrize("text", [["12", "13"] * 4, ["hard", "soft"] * 4])
def test_text_is_no_property(text):
    with pytest.raises(SchemaError, match="'hardness' is not one number a specimen") as caught:
        read(table(hardness=("specimen", text)))
    assert text[0] in caught.value.found


def test_text_is_no_design():
    with pytest.raises(SchemaError, match="'temperature' is not a number") as caught:
        read(table(temperature=("specimen", ["hot"] * 8)))
    assert caught.value.found == "values such as 'hot'"


def test_text_is_no_standard_error():
    with pytest.raises(SchemaError, match="'hardness_sd' is read as the standard error"):
        read(table(hardness_sd=("specimen", ["small"] * 8)))


def test_a_value_and_its_standard_error_have_one_unit():
    errors = {"role": "property", "units": "MPa"}
    with pytest.raises(UnitError, match="'hardness_sd' must be in the unit of 'hardness'") as caught:
        read(table(hardness_sd=("specimen", np.full(8, 0.1), errors)))
    assert caught.value.found == "'MPa' beside 'GPa'"


@pytest.mark.parametrize(
    ("amounts", "what"),
    [
        (2 * AMOUNTS, "does not sum to 1 over 'element'"),
        (AMOUNTS - [0.9, -0.9, 0.0], "holds negative fractions"),
    ],
)
def test_a_composition_that_is_none_is_refused(amounts, what):
    with pytest.raises(SchemaError, match=f"'composition' {what}"):
        read(table(composition=(("specimen", "element"), amounts)), design=("composition",))


@pytest.mark.parametrize("name", ["temperature", "hardness"])
def test_infinite_values_are_refused_by_row(name):
    with pytest.raises(SchemaError, match=f"'{name}' holds infinite values") as caught:
        read(table(**{name: ("specimen", [1.0, np.inf, *range(6)], {"units": "1"})}))
    assert caught.value.found == "inf in row b"


def test_the_same_specimen_twice_is_refused():
    with pytest.raises(SchemaError, match="Specimens appear more than once: a"):
        read(table().assign_coords(specimen=list("aacdefgh")))


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (table().isel(specimen=slice(0, 0)), "0"),
        (table().isel(specimen=[0, 1]), "2"),
        (table(temperature=("specimen", np.full(8, np.nan))), "0"),
        (table(hardness=("specimen", np.full(8, np.nan)), phase=("specimen", [""] * 8)), "0"),
    ],
    ids=["empty", "two", "no design", "nothing measured"],
)
def test_fewer_than_three_specimens_cannot_be_learned_from(data, found):
    with pytest.raises(NotIdentified, match="at least 3 specimens") as caught:
        read(data)
    assert caught.value.found == found


def test_a_property_that_was_never_measured_is_named():
    with pytest.raises(NotIdentified, match="The property 'hardness' was never measured") as caught:
        read(table(hardness=("specimen", np.full(8, np.nan))))
    assert "properties" in caught.value.hint


@pytest.mark.parametrize("value", [0.0, 5.0, -2e-300])
def test_a_constant_property_is_noted_and_stays_finite(value):
    _, seen, _, notes = read(table(hardness=("specimen", np.full(8, value), {"units": "GPa"})))
    assert (seen.y == 0).all()
    assert notes == [f"hardness: always {value:g}"]


def test_labels_of_one_phase_are_noted():
    _, _, _, notes = read(table(phase=("specimen", ["bcc"] * 8, {"role": "structure"})))
    assert notes == ["phase: one phase only (bcc)"]
