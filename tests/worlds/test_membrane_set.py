from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import xarray as xr

import tieline as tl
from tieline.worlds import membrane, membrane_plan, membrane_set

SETTINGS = {"size": 16, "chunk": 2, "settings": {"voxel_size": 1.0}}


def solid_share(volume):
    return xr.Dataset({"solid_share": volume.mean().assign_attrs(units="1", role="structure")})


def another(volume):
    return solid_share(volume)


@pytest.fixture
def plan():
    return membrane_plan(5, n_points=(8, 12), seed=1)


def test_a_plan_keeps_to_its_ranges_and_stretches_one_axis():
    plan = membrane_plan(400, seed=3)
    stretch = np.stack([plan[f"stretch_{axis}"] for axis in "xyz"])
    assert ((stretch < 1).sum(0) == 1).all()
    assert (stretch < 1).mean(1) == pytest.approx(1 / 3, abs=0.08)
    assert stretch.min() == pytest.approx(0.5, abs=0.02)
    assert (plan["n_points"].min().item(), plan["n_points"].max().item()) == (40, 170)
    assert set(plan["radius"].values) == {3.4}
    assert plan.identical(membrane_plan(400, seed=3))


def test_two_axes_can_be_stretched():
    plan = membrane_plan(50, n_stretched=2, radius=(2.0, 3.0))
    assert (sum(plan[f"stretch_{axis}"].values < 1 for axis in "xyz") == 2).all()
    assert plan["radius"].values.std() > 0


@pytest.mark.parametrize(
    "settings",
    [{"n": 0}, {"n": 3, "stretch": (1.0, 0.5)}, {"n": 3, "n_stretched": 4}, {"n": 3, "n_points": (2, 9)}],
)
def test_refuses_a_plan_that_runs_backwards(settings):
    with pytest.raises(tl.TielineError, match="lower to a higher"):
        membrane_plan(**settings)


def test_a_set_is_records_of_the_membranes_that_were_planned(plan, tmp_path):
    told = []
    paths = membrane_set(
        plan, tmp_path / "set", describe=solid_share, progress=lambda *n: told.append(n), **SETTINGS
    )
    records = [tl.open_netcdf(path) for path in paths]
    assert told == [(0, 5), (2, 5), (4, 5), (5, 5)]
    assert [r["specimens"].sizes["specimen"] for r in records] == [2, 2, 1]
    assert tl.check(records[0])
    last = records[2]
    row = {name: plan[name].values[4].item() for name in ("n_points", "radius", "seed")}
    stretch = [plan[f"stretch_{axis}"].values[4].item() for axis in "xyz"]
    made = membrane(stretch=stretch, size=16, voxel_size=1.0, **row)
    np.testing.assert_array_equal(last["volumes"]["volume"].values[0], made.values)
    assert last["volumes"]["volume"].dtype == np.uint8
    assert last["volumes"]["volume"].attrs["flag_meanings"] == "pore solid"
    assert last["specimens"]["solid_share"].item() == made.values.mean()
    assert last["specimens"]["solid_share"].attrs["units"] == "1"


def test_a_broken_off_set_goes_on(plan, tmp_path):
    paths = membrane_set(plan, tmp_path, **SETTINGS)
    kept = paths[0].stat().st_mtime_ns
    paths[1].unlink()
    told = []
    membrane_set(plan, tmp_path, progress=lambda *n: told.append(n), **SETTINGS)
    assert told == [(3, 5), (5, 5)]
    assert paths[0].stat().st_mtime_ns == kept


def test_an_executor_makes_the_same_set(plan, tmp_path):
    alone = membrane_set(plan, tmp_path / "alone", **SETTINGS)
    with ThreadPoolExecutor(2) as executor:
        together = membrane_set(plan, tmp_path / "together", executor=executor, **SETTINGS)
    for one, other in zip(alone, together, strict=True):
        assert tl.open_netcdf(one).identical(tl.open_netcdf(other))


@pytest.mark.parametrize(
    "changed", [{"size": 20}, {"describe": another}, {"settings": {"smooth": 1.0}}, {"keep_volumes": False}]
)
def test_a_folder_holds_one_set(plan, tmp_path, changed):
    membrane_set(plan, tmp_path, **SETTINGS)
    with pytest.raises(tl.TielineError, match="another plan"):
        membrane_set(plan, tmp_path, **SETTINGS | changed)


def test_descriptions_alone_take_no_room(plan, tmp_path):
    (path,) = membrane_set(plan, tmp_path, size=16, describe=solid_share, keep_volumes=False)
    record = tl.open_netcdf(path)
    assert list(record.children) == ["specimens"]
    assert record["specimens"]["solid_share"].sizes == {"specimen": 5}


def test_a_plan_has_its_columns(plan, tmp_path):
    with pytest.raises(tl.SchemaError, match="reads 'radius'"):
        membrane_set(plan.drop_vars("radius"), tmp_path)
