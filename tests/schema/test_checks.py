import numpy as np
import pytest
import xarray as xr

import tieline as tl
from tieline.errors import SchemaError
from tieline.schema import require

PROPERTY = {"role": "property", "units": "GPa"}


def table(**variables):
    """Four specimens with two phases and a hardness, and whatever else a test wants."""
    known = {
        "hardness": ("specimen", [1.0, 2.0, 3.0, np.nan], PROPERTY),
        "phase": ("specimen", ["bcc", "fcc", "", "fcc"], {"role": "structure"}),
    }
    return xr.Dataset(known | variables, coords={"specimen": ["a", "b", "c", "d"]})


def record(specimens=None, **nodes):
    parts = {"/specimens": table() if specimens is None else specimens}
    return xr.DataTree.from_dict(parts | {f"/{name}": node for name, node in nodes.items()})


def patterns(*specimens):
    intensity = np.ones((len(specimens), 3))
    return xr.Dataset(
        {"intensity": (("measurement", "two_theta"), intensity)},
        coords={"specimen": ("measurement", list(specimens))},
    )


def test_a_sound_table_and_record_raise_no_note():
    assert tl.check(table()) == []
    assert tl.check(record(xrd=patterns("a", "c", "a"))) == []


@pytest.mark.parametrize(
    ("variable", "note"),
    [
        (("specimen", [np.nan] * 4, PROPERTY), "x: never measured"),
        (("specimen", [2.0, 2.0, np.nan, 2.0], PROPERTY), "x: always 2"),
        (("specimen", [1.0, 2.0, 3.0, 4.0], {"role": "process"}), "x: no units"),
        (("specimen", [1.0, 2.0, 3.0, 4.0], {"units": "K"}), "x: no role; it is taken for a property"),
        (("specimen", ["bcc", "", "bcc", ""], {"role": "structure"}), "x: one phase only (bcc)"),
        (("specimen", [1.0, np.nan, 1.0, 1.0], {"role": "structure"}), "x: one phase only (1.0)"),
        (("specimen", ["", "", "", ""], {"role": "structure"}), "x: no specimen is labelled"),
        (("specimen", ["1", "2", "", "3"], PROPERTY), "x: numbers kept as text, which models do not read"),
    ],
)
def test_what_can_stand_is_noted(variable, note):
    assert tl.check(table(x=variable)) == [note]


def test_few_specimens_are_noted():
    assert "only 2 specimens: too few to learn from" in tl.check(table().isel(specimen=[0, 1]))


@pytest.mark.parametrize(
    ("variable", "what", "found"),
    [
        (("specimen", [1, np.inf, 3, 4], PROPERTY), "'x' holds infinite values", "inf in row b"),
        (("specimen", ["12,5", "1", "2", "n/a"], PROPERTY), "'x' holds text", "'12,5' in row a, 'n/a'"),
        (("specimen", [1.0, 2, 3, 4], {"role": "sructure"}), "'x' has the role 'sructure'", "'structure'"),
        ((("other",), [1.0], PROPERTY), "'x' does not vary with the specimen", "dimensions other"),
    ],
)  # fmt: skip
def test_what_cannot_stand_is_named(variable, what, found):
    with pytest.raises(SchemaError) as caught:
        tl.check(table(x=variable))
    assert what in caught.value.what
    assert found in caught.value.found


def test_a_standard_error_is_not_negative():
    with pytest.raises(SchemaError, match="'hardness_sd' is a standard error") as caught:
        tl.check(table(hardness_sd=("specimen", [0.1, 0.1, -0.2, 0.1], PROPERTY)))
    assert caught.value.found == "-0.2 in row c"


def test_compositions_and_probabilities_sum_to_one():
    halves = np.full((4, 2), 0.5)
    unknown = np.array([[0.5, 0.5], [np.nan, np.nan], [1, 0], [0, 1]])
    for dimension in ("element", "phase"):
        name = "composition" if dimension == "element" else "phase_probability"
        attrs = {"role": "synthesis" if dimension == "element" else "structure", "units": "1"}
        assert (
            tl.check(table().drop_vars("phase").assign({name: (("specimen", dimension), halves, attrs)}))
            == []
        )
        assert (
            tl.check(table().drop_vars("phase").assign({name: (("specimen", dimension), unknown, attrs)}))
            == []
        )
        for row, found in (([0.5, 0.6], "1.1 in row c"), ([0.5, np.nan], "nan in row c")):
            wrong = halves.copy()
            wrong[2] = row
            with pytest.raises(SchemaError, match=f"'{name}' does not sum to 1 over '{dimension}'") as caught:
                tl.check(table().drop_vars("phase").assign({name: (("specimen", dimension), wrong, attrs)}))
            assert caught.value.found == found


def test_fractions_are_not_negative():
    fractions = np.array([[1.5, -0.5]] * 4)
    with pytest.raises(SchemaError, match="'composition' holds negative fractions") as caught:
        tl.check(table(composition=(("specimen", "element"), fractions, {"role": "synthesis"})))
    assert caught.value.found == "-0.5 in row a, -0.5 in row b, -0.5 in row c and 1 more"


def test_a_specimen_twice_is_refused_unless_repeats_were_allowed():
    twice = table().assign_coords(specimen=["a", "b", "a", "c"])
    with pytest.raises(SchemaError, match="more than once: a"):
        tl.check(twice)
    twice.specimen.attrs["repeats"] = "allowed"
    assert tl.check(twice) == []


def test_a_table_without_specimens_is_refused():
    with pytest.raises(SchemaError, match="coordinate 'specimen'") as caught:
        tl.check(table().rename(specimen="specimens"))
    assert "Did you mean 'specimens'?" in caught.value.found
    with pytest.raises(SchemaError, match=r"A table is an xarray.Dataset") as caught:
        tl.check([1, 2])  # pyright: ignore[reportArgumentType]
    assert caught.value.found == "list"


def test_a_measurement_belongs_to_a_specimen():
    with pytest.raises(SchemaError, match="/xrd measures specimens that /specimens does not know: aa, x9"):
        tl.check(record(xrd=patterns("a", "x9", "aa")))
    with pytest.raises(SchemaError, match="/xrd needs the dimension 'measurement'") as caught:
        tl.check(record(xrd=patterns("a").rename(measurement="scan")))
    assert "scan" in caught.value.found


def test_nodes_below_nodes_are_checked_too():
    nested = xr.DataTree.from_dict({"/specimens": table(), "/images/sem": patterns("zz")})
    with pytest.raises(SchemaError, match=r"/images/sem measures specimens .*: zz"):
        tl.check(nested)


def test_numbers_and_text_of_the_same_identity_agree():
    numbered = table().assign_coords(specimen=[1, 2, 3, 4])
    assert tl.check(record(numbered, xrd=patterns("1", "4"))) == []


def test_a_record_has_specimens():
    with pytest.raises(SchemaError, match="node /specimens") as caught:
        tl.check(xr.DataTree.from_dict({"/xrd": patterns("a")}))
    assert caught.value.found == "/xrd"


def test_parents_are_specimens_and_nobody_descends_from_itself():
    assert tl.check(record(table(parent=("specimen", ["", "a", "b", "a"])))) == []
    with pytest.raises(SchemaError, match="The parent of 'b' is 'z'"):
        tl.check(record(table(parent=("specimen", ["", "z", "", ""]))))
    with pytest.raises(SchemaError, match="descend from itself") as caught:
        tl.check(record(table(parent=("specimen", ["c", "a", "b", ""]))))
    assert caught.value.found == "a -> c -> b -> a"


def test_require_names_the_reader_and_the_nearest_variable():
    labelled = table().rename(phase="phase_label")
    with pytest.raises(SchemaError) as caught:
        require(labelled, ["hardness", "phase"], reader="PhaseProperty")
    assert caught.value.what == "PhaseProperty reads 'phase', which this table lacks."
    assert caught.value.found == "hardness, phase_label.  Did you mean 'phase_label'?"
    assert caught.value.hint == "table.rename(phase_label='phase')"
    require(labelled, ["phase_label"], reader="PhaseProperty")
