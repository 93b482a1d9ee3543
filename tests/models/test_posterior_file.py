import json
import math

import numpy as np
import pytest
import xarray as xr

import tieline as tl
from tieline.errors import SchemaError

X = np.linspace(0, 1, 12)


@pytest.fixture(scope="module")
def posterior():
    table = xr.Dataset(
        {
            "x": ("specimen", X, {"role": "process", "units": "1"}),
            "phase": ("specimen", np.where(X > 0.5, "fcc", "bcc"), {"role": "structure"}),
            "hardness": ("specimen", np.where(X > 0.5, 3.0, 1.0) + X, {"role": "property", "units": "GPa"}),
        },
        {"specimen": [f"s{i}" for i in range(12)]},
    )
    return tl.PhaseProperty(design=["x"], phase="phase", properties=["hardness"]).fit(table)


@pytest.fixture
def file(posterior, tmp_path):
    return posterior.save(tmp_path / "posterior.nc")


def rewritten(file, change):
    """The same file with another structure or format."""
    tree = tl.open_netcdf(file)
    change(tree)
    return tl.save_netcdf(tree, file.with_name("changed.nc"))


def with_structure(file, change):
    def edit(tree):
        structure = json.loads(tree.attrs["structure"])
        change(structure)
        tree.attrs["structure"] = json.dumps(structure)

    return rewritten(file, edit)


def test_everything_that_was_saved_is_loaded(posterior, file):
    loaded = tl.load_posterior(file)
    assert loaded.model == posterior.model
    assert loaded.notes == posterior.notes
    assert loaded.phases == posterior.phases
    xr.testing.assert_identical(loaded.table, posterior.table)
    np.testing.assert_array_equal(loaded.rows, posterior.rows)


def test_saving_again_changes_nothing(file):
    again = tl.load_posterior(file).save(file.with_name("again.nc"))
    one, other = tl.open_netcdf(file), tl.open_netcdf(again)
    assert one.attrs == other.attrs
    xr.testing.assert_identical(one["arrays"].to_dataset(), other["arrays"].to_dataset())


def test_an_array_that_stands_in_several_places_is_kept_once(file):
    def places(part):
        if not isinstance(part, dict | list):
            return []
        if "array" in part:
            return [(part["array"], part["start"], math.prod(part["shape"]))]
        return [
            place
            for inside in (part.values() if isinstance(part, dict) else part)
            for place in places(inside)
        ]

    tree = tl.open_netcdf(file)
    mentioned = places(json.loads(tree.attrs["structure"]))
    assert len(set(mentioned)) < len(mentioned)
    sizes = {kind: tree["arrays"][kind].size for kind in tree["arrays"].data_vars}
    assert sum(size for _, _, size in set(mentioned)) == sum(sizes.values())


def test_a_file_of_something_else_is_refused(tmp_path):
    path = tl.save_netcdf(xr.Dataset({"x": ("specimen", X)}), tmp_path / "table.nc")
    with pytest.raises(SchemaError, match=r"table\.nc is not a posterior") as caught:
        tl.load_posterior(path)
    assert "none" in caught.value.found


def test_another_version_is_refused_by_its_name(file):
    path = rewritten(file, lambda tree: tree.attrs.update(format="tieline posterior 99"))
    with pytest.raises(SchemaError, match="not a posterior that this version") as caught:
        tl.load_posterior(path)
    assert "99" in caught.value.found


def test_a_part_that_is_not_on_the_list_is_refused(file):
    path = with_structure(file, lambda structure: structure["model"].update(part="Popen"))
    with pytest.raises(SchemaError, match="damaged") as caught:
        tl.load_posterior(path)
    assert "unknown part 'Popen'" in caught.value.found


def test_a_missing_field_is_damage(file):
    path = with_structure(file, lambda structure: structure["encoding"]["fields"].pop("centre"))
    with pytest.raises(SchemaError, match="damaged"):
        tl.load_posterior(path)


def test_a_missing_array_is_damage(file):
    def drop(tree):
        tree["arrays"] = xr.DataTree(tree["arrays"].to_dataset().drop_vars("float64"))

    with pytest.raises(SchemaError, match="damaged") as caught:
        tl.load_posterior(rewritten(file, drop))
    assert "float64" in caught.value.found


def test_a_structure_that_is_no_json_is_damage(file):
    path = rewritten(file, lambda tree: tree.attrs.update(structure="{"))
    with pytest.raises(SchemaError, match="damaged"):
        tl.load_posterior(path)


def test_settings_that_no_model_has_are_refused(file):
    path = with_structure(file, lambda structure: structure["model"]["fields"].update(inference="guess"))
    with pytest.raises(SchemaError, match="inference must be one of"):
        tl.load_posterior(path)


def test_a_file_cut_short_is_refused(file):
    file.write_bytes(file.read_bytes()[:2000])
    with pytest.raises(SchemaError):
        tl.load_posterior(file)
