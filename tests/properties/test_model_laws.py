"""Laws of `PhaseProperty` that hold whatever was measured."""

from functools import cache

import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import tieline as tl

N = 16
GRID = 12
SEEDS = st.integers(0, 9)  # of worlds that all laws share, so that each is learned once as it is
# A fit costs some tenths of a second.
FEW = settings(
    max_examples=5,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
ENGINES = pytest.mark.parametrize("axes", [["x"], ["x", "y"]], ids=["exact", "fast"])
# The exact engine is a sum. The fast one is a walk: optimisers stop after some steps and passes at a
# threshold, so that rounding alone moves an answer by a fiftieth of its standard deviation.
PHASE_TOLERANCE = {1: 1e-6, 2: 0.1}
VALUE_TOLERANCE = {1: 1e-6, 2: 0.5}  # in predicted standard deviations
# Settings of the fast engine's experts are few and scattered, and phases stand at other places among them.
RENAMED = {1: 1e-6, 2: 1.0}
ROUNDING = {1: 1e-6, 2: 0.1}  # where a law holds for every number on the way


def world(seed, axes):
    """A jump across x = 0.5 and places of any kind; some labels and values are missing."""
    rng = np.random.default_rng(seed)
    variables = {a: ("specimen", rng.random(N), {"role": "process", "units": "1"}) for a in axes}
    x = variables["x"][1]
    phase = np.where(rng.random(N) < 0.4, "", np.where(x > 0.5, "fcc", "bcc"))
    value = np.where(x > 0.5, 1.0, -1.0) + np.sin(3 * x) + 0.1 * rng.standard_normal(N)
    variables["phase"] = ("specimen", phase, {"role": "structure"})
    hidden = np.where(rng.random(N) < 0.3, np.nan, value)
    variables["hardness"] = ("specimen", hidden, {"role": "property", "units": "GPa"})
    return xr.Dataset(variables, {"specimen": np.arange(N)})


def grid(seed, axes):
    rng = np.random.default_rng(seed + 1)
    attrs = {"role": "process", "units": "1"}
    return xr.Dataset({a: ("specimen", rng.random(GRID), attrs) for a in axes})


def predict(table, places, axes):
    return tl.PhaseProperty(axes, "phase", "hardness").fit(table, seed=0).predict(places)


@cache
def predicted(seed, *axes):
    """What is predicted in a world as it is."""
    return predict(world(seed, axes), grid(seed, axes), list(axes))


def assert_alike(one, other, phase_tolerance, value_tolerance):
    """Two predictions agree, values to a share of their standard deviation."""
    apart = np.abs(one["phase_probability"].values - other["phase_probability"].values)
    assert apart.max() <= phase_tolerance
    sd = one["hardness_sd"].values
    assert (np.abs(one["hardness"].values - other["hardness"].values) / sd).max() <= value_tolerance
    assert np.abs(np.log(other["hardness_sd"].values / sd)).max() <= value_tolerance


@ENGINES
@FEW
@given(seed=SEEDS)
def test_the_order_of_specimens_is_irrelevant(axes, seed):
    table, places = world(seed, axes), grid(seed, axes)
    shuffled = table.isel(specimen=np.random.default_rng(seed).permutation(N))
    one, other = predicted(seed, *axes), predict(shuffled, places, axes)
    assert_alike(one, other, PHASE_TOLERANCE[len(axes)], VALUE_TOLERANCE[len(axes)])


@ENGINES
@FEW
@given(seed=SEEDS, factor=st.sampled_from([1e-6, 1e-3, 7.0, 1e3, 1e9]), shift=st.sampled_from([0.0, 5.0]))
def test_a_change_of_a_propertys_unit_leaves_the_answer(axes, seed, factor, shift):
    table, places = world(seed, axes), grid(seed, axes)
    changed = table.assign(hardness=(table["hardness"] + shift) * factor)
    changed["hardness"].attrs = {"role": "property", "units": "Pa"}
    one, other = predicted(seed, *axes), predict(changed, places, axes)
    back = other.assign(
        hardness=other["hardness"] / factor - shift, hardness_sd=other["hardness_sd"] / factor
    )
    assert_alike(one, back, ROUNDING[len(axes)], ROUNDING[len(axes)])


@ENGINES
@FEW
@given(seed=SEEDS, factor=st.sampled_from([1e-9, 0.1, 64.0, 1e6]), shift=st.sampled_from([-3.0, 0.0, 50.0]))
def test_an_affine_change_of_an_axis_leaves_the_answer(axes, seed, factor, shift):
    table, places = world(seed, axes), grid(seed, axes)
    moved, asked = (t.assign(x=(t["x"] + shift) * factor) for t in (table, places))
    one, other = predicted(seed, *axes), predict(moved, asked, axes)
    assert_alike(one, other, ROUNDING[len(axes)], ROUNDING[len(axes)])


@ENGINES
@FEW
@given(seed=SEEDS)
def test_other_names_of_the_phases_permute_the_answer(axes, seed):
    table, places = world(seed, axes), grid(seed, axes)
    names = {"bcc": "z", "fcc": "a", "": ""}
    labels = [names[v] for v in table["phase"].values.tolist()]
    renamed = table.assign(phase=("specimen", labels, {"role": "structure"}))
    one, other = predicted(seed, *axes), predict(renamed, places, axes)
    back = other.assign_coords(phase=[{"z": "bcc", "a": "fcc"}[p] for p in other["phase"].values.tolist()])
    back = back.sel(phase=one["phase"])
    assert_alike(one, back, PHASE_TOLERANCE[len(axes)], RENAMED[len(axes)])


@FEW
@given(seed=SEEDS)
def test_the_names_of_the_axes_are_irrelevant(seed):
    axes = ["x", "y"]
    table, places = world(seed, axes), grid(seed, axes)
    names = {"x": "pressure", "y": "time"}
    one = predicted(seed, *axes)
    other = predict(table.rename(names), places.rename(names), ["pressure", "time"])
    assert_alike(one, other, 0.0, 0.0)


@FEW
@given(seed=SEEDS)
def test_a_line_read_backwards_is_the_same_line(seed):
    table, places = world(seed, ["x"]), grid(seed, ["x"])
    one = predicted(seed, "x")
    other = predict(table.assign(x=-table["x"]), places.assign(x=-places["x"]), ["x"])
    assert_alike(one, other, PHASE_TOLERANCE[1], VALUE_TOLERANCE[1])
