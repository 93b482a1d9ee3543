"""Laws of `GaussianProcess` that hold whatever was measured."""

import numpy as np
import xarray as xr
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from scattered import AXES, scattered

import tieline as tl

N = 14
SEEDS = st.integers(0, 10_000)
FEW = settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
# The optimiser of the hyperparameters stops after a step that gains little, so that rounding alone moves
# answers by this share of their standard deviation.
TOLERANCE = 0.05
NAMES = ["hardness", "strength"]


def world(seed):
    """Two properties with gaps, one of them with standard errors and limits."""
    rng, table = np.random.default_rng(seed), scattered(seed, N)
    x, y = (table[axis].values for axis in AXES)
    attrs = {"role": "property", "units": "GPa"}
    hardness = np.sin(3 * x) + y + 0.1 * rng.standard_normal(N)
    strength = np.where(rng.random(N) < 0.4, np.nan, hardness**2 + 0.2 * rng.standard_normal(N))
    flag = np.where(np.arange(N) % 5 == 1, "below", "")
    return table.assign(
        hardness=("specimen", hardness, attrs),
        hardness_sd=("specimen", 0.1 * rng.random(N), attrs),
        hardness_flag=("specimen", flag, {"role": "property"}),
        strength=("specimen", strength, attrs),
    )


def places(seed):
    return scattered(seed + 1, 10).isel(specimen=slice(10))


def predict(table, grid, names=NAMES):
    return tl.GaussianProcess(AXES, names).fit(table).predict(grid)


def assert_alike(one, other, tolerance=TOLERANCE):
    for name in NAMES:
        sd = one[f"{name}_sd"].values
        assert (np.abs(one[name].values - other[name].values) / sd).max() <= tolerance
        assert np.abs(np.log(other[f"{name}_sd"].values / sd)).max() <= tolerance


@FEW
@given(seed=SEEDS)
def test_the_order_of_specimens_is_irrelevant(seed):
    table, grid = world(seed), places(seed)
    shuffled = table.isel(specimen=np.random.default_rng(seed).permutation(N))
    assert_alike(predict(table, grid), predict(shuffled, grid))


@FEW
@given(seed=SEEDS, factor=st.sampled_from([1e-6, 7.0, 1e9]), shift=st.sampled_from([0.0, 5.0]))
def test_a_change_of_a_propertys_unit_leaves_the_answer(seed, factor, shift):
    table, grid = world(seed), places(seed)
    changed = table.assign(
        hardness=(table["hardness"] + shift) * factor, hardness_sd=table["hardness_sd"] * factor
    )
    for name in ("hardness", "hardness_sd"):
        changed[name].attrs = {"role": "property", "units": "Pa"}
    other = predict(changed, grid)
    back = other.assign(
        hardness=other["hardness"] / factor - shift, hardness_sd=other["hardness_sd"] / factor
    )
    assert_alike(predict(table, grid), back)


@FEW
@given(seed=SEEDS, factor=st.sampled_from([1e-9, 64.0]), shift=st.sampled_from([-3.0, 50.0]))
def test_an_affine_change_of_an_axis_leaves_the_answer(seed, factor, shift):
    table, grid = world(seed), places(seed)
    moved, asked = (t.assign(x=(t["x"] + shift) * factor) for t in (table, grid))
    assert_alike(predict(table, grid), predict(moved, asked))


@FEW
@given(seed=SEEDS)
def test_a_property_and_its_negative_are_mirror_images(seed):
    table, grid = world(seed), places(seed)
    flag = np.where(table["hardness_flag"] == "below", "above", "")
    flipped = table.assign(
        hardness=-table["hardness"],
        strength=-table["strength"],
        hardness_flag=("specimen", flag),
    )
    one, other = predict(table, grid), predict(flipped, grid)
    assert_alike(one, other.assign({name: -other[name] for name in NAMES}))


@FEW
@given(seed=SEEDS)
def test_a_specimen_of_which_nothing_is_known_changes_nothing(seed):
    table, grid = world(seed), places(seed)
    unmeasured = table.isel(specimen=[0]).assign(hardness_flag=("specimen", [""]))
    for name in NAMES:
        unmeasured[name] = ("specimen", [np.nan], table[name].attrs)
    longer = xr.concat([table, unmeasured.assign_coords(specimen=[N])], "specimen")
    xr.testing.assert_equal(predict(table, grid), predict(longer, grid))


@FEW
@given(seed=SEEDS)
def test_the_names_of_the_axes_are_irrelevant(seed):
    table, grid = world(seed), places(seed)
    names = {"x": "pressure", "y": "time"}
    renamed = tl.GaussianProcess(["pressure", "time"], NAMES).fit(table.rename(names))
    xr.testing.assert_equal(predict(table, grid), renamed.predict(grid.rename(names)))
