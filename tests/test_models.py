"""What every model promises, whatever its engine."""

from dataclasses import dataclass

import numpy as np
import pytest
import xarray as xr

import tieline as tl
from tieline.models.posterior import label_sets
from tieline.schema import check

GRID_SIZE = 30


@dataclass(frozen=True)
class Case:
    """A model and a world that it can learn."""

    name: str
    model: tl.PhaseProperty | tl.GaussianProcess | tl.CompositionProperties
    dimensions: int | str  # or "composition"

    def __str__(self):
        return self.name


CASES = [
    Case("exact line", tl.PhaseProperty(["x"], "phase", ["strength", "cost"]), 1),
    Case("fast line", tl.PhaseProperty(["x"], "phase", ["strength", "cost"], inference="fast"), 1),
    Case("fast plane", tl.PhaseProperty(["x", "y"], "phase", ["strength", "cost"]), 2),
    Case("composition", tl.PhaseProperty("composition", "phase", ["strength", "cost"]), "composition"),
    Case("two label sets", tl.PhaseProperty(["x", "y"], ["phase", "raman"], ["strength", "cost"]), 2),
    Case("structure only, line", tl.PhaseProperty(["x"], "phase"), 1),
    Case("structure only", tl.PhaseProperty(["x", "y"], "phase"), 2),
    Case("property only, line", tl.PhaseProperty(["x"], properties=["strength"]), 1),
    Case("property only", tl.PhaseProperty(["x", "y"], properties=["strength"]), 2),
    Case("smooth line", tl.GaussianProcess(["x"], ["strength"]), 1),
    Case("smooth plane", tl.GaussianProcess(["x", "y"], ["strength", "cost"]), 2),
    Case("smooth composition", tl.GaussianProcess("composition", ["strength", "cost"]), "composition"),
    Case("elements", tl.CompositionProperties("composition", ["strength", "cost"]), "composition"),
    Case("smooth categories", tl.GaussianProcess(["x", "substrate"], "strength", kernel="rbf"), 1),
]
PHASES = [case for case in CASES if isinstance(case.model, tl.PhaseProperty)]
UNITS = {"strength": "MPa", "cost": "EUR/kg"}


def places(dimensions, n, seed):
    rng = np.random.default_rng(seed)
    if dimensions == "composition":
        attrs = {"role": "synthesis", "units": "1"}
        variables = {"composition": (("specimen", "element"), rng.dirichlet(np.ones(3), n), attrs)}
        return xr.Dataset(variables, {"specimen": np.arange(n), "element": ["Fe", "Ga", "Pd"]})
    attrs = {"role": "process", "units": "K"}
    variables = {a: ("specimen", 300 + 700 * rng.random(n), attrs) for a in "xy"[:dimensions]}
    substrate = np.array(["glass", "steel"])[rng.integers(2, size=n)]
    variables["substrate"] = ("specimen", substrate, {"role": "process"})
    return xr.Dataset(variables, {"specimen": np.arange(n)})


def table(dimensions):
    """Two phases, a strength that jumps and a cost that does not; each modality on some specimens only."""
    n = 22
    seen, rng = places(dimensions, n, seed=1), np.random.default_rng(2)
    first = seen["composition"][:, 0] if dimensions == "composition" else (seen["x"] - 300) / 700
    right = first.values > np.median(first)
    strength = 200 + 100 * right + 30 * first.values + 2 * rng.standard_normal(n)
    cost = 5 + first.values**2 + 0.02 * rng.standard_normal(n)
    row = np.arange(n)
    label = np.where(row % 3 == 0, "", np.where(right, "fcc", "bcc"))
    return seen.assign(
        phase=("specimen", label, {"role": "structure"}),
        raman=("specimen", np.where(row % 2 == 0, label, ""), {"role": "structure"}),
        strength=("specimen", np.where(row % 4 == 1, np.nan, strength), {"role": "property", "units": "MPa"}),
        cost=("specimen", np.where(row % 5 == 2, np.nan, cost), {"role": "property", "units": "EUR/kg"}),
        remark=("specimen", np.where(row == 0, "cracked", ""), {"role": "process", "units": "1"}),
    )


@pytest.fixture(scope="module", params=CASES, ids=str)
def case(request):
    return request.param


@pytest.fixture
def phases(case, posterior):
    """The phases that the model knows."""
    if case not in PHASES:
        pytest.skip("knows no phases")
    return list(posterior.phases)


@pytest.fixture(scope="module")
def data(case):
    return table(case.dimensions)


@pytest.fixture(scope="module")
def posterior(case, data):
    return case.model.fit(data, seed=0)


@pytest.fixture(scope="module")
def again(case, data):
    """The same fit once more, of nothing but what the model reads."""
    return case.model.fit(data[columns(case.model)], seed=0)


@pytest.fixture(scope="module")
def grid(case):
    return places(case.dimensions, GRID_SIZE, seed=3)


@pytest.fixture(scope="module")
def prediction(posterior, grid):
    return posterior.predict(grid)


def columns(model):
    return [*model.design_names, *label_sets(model), *model.properties]


def numbers(dataset):
    return {name: v for name, v in dataset.data_vars.items() if v.dtype.kind == "f"}


def test_it_says_what_it_reads(case):
    assert set(type(case.model).reads) <= set(type(case.model).__dataclass_fields__)


def test_it_needs_nothing_but_what_it_reads(again, prediction, grid):
    xr.testing.assert_identical(again.predict(grid), prediction)


def test_each_thing_that_it_reads_is_missed_by_name(case, data):
    for name in columns(case.model):
        with pytest.raises(tl.SchemaError, match=f"reads '{name}', which this table lacks"):
            case.model.fit(data.drop_vars(name))


def test_the_same_seed_gives_the_same_bytes(posterior, again, grid):
    xr.testing.assert_identical(again.diagnose(), posterior.diagnose())
    draws = [p.functions(grid, 5, seed=4) for p in (posterior, again)]
    xr.testing.assert_identical(draws[0], draws[1])


@pytest.mark.usefixtures("prediction")
def test_its_input_is_left_alone(case, data, posterior, grid):
    posterior.functions(grid, 2)
    posterior.diagnose()
    xr.testing.assert_identical(data, table(case.dimensions))
    xr.testing.assert_identical(grid, places(case.dimensions, GRID_SIZE, seed=3))


def test_a_specimen_without_any_measurement_changes_nothing(case, data, prediction, grid):
    extra = data.isel(specimen=[0]).assign_coords(specimen=[99])
    extra = extra.assign(phase=extra["phase"].astype(object).where(False, ""))
    extra = extra.assign({name: extra[name].where(False) for name in ("strength", "cost")})
    longer = xr.concat([data, extra], "specimen", data_vars="minimal", coords="minimal", compat="override")
    longer = longer.assign(phase=longer["phase"].astype(str))
    for name in data.data_vars:
        longer[name].attrs = data[name].attrs
    xr.testing.assert_identical(case.model.fit(longer, seed=0).predict(grid), prediction)


def test_probabilities_are_answered_for_every_phase(phases, prediction):
    probability = prediction["phase_probability"]
    assert probability.dims == ("specimen", "phase")
    assert probability["phase"].values.tolist() == phases
    assert float(probability.min()) >= 0
    np.testing.assert_allclose(probability.sum("phase"), 1)


@pytest.mark.usefixtures("phases")
def test_the_most_likely_phase_has_the_largest_probability(prediction):
    named = prediction["phase_probability"].idxmax("phase")
    assert (named == prediction["most_likely_phase"]).all()


@pytest.mark.usefixtures("phases")
def test_entropy_is_that_of_the_probabilities(prediction):
    p = prediction["phase_probability"].values
    wanted = -np.sum(p * np.log(p, where=p > 0, out=np.zeros_like(p)), axis=1)
    np.testing.assert_allclose(prediction["phase_entropy"], wanted, atol=1e-12)


def test_every_property_is_answered_by_its_name_in_its_unit(case, prediction):
    if case in PHASES:
        assert prediction["phase_probability"].attrs["units"] == "1"
        assert prediction["phase_entropy"].attrs["units"] == "nat"
    for name in case.model.properties:
        assert prediction[name].dims == prediction[f"{name}_sd"].dims == ("specimen",)
        assert prediction[name].attrs["units"] == UNITS[name]
        assert prediction[f"{name}_sd"].attrs["units"] == UNITS[name]
        assert prediction[f"{name}_variance"].attrs["units"] == f"({UNITS[name]})^2"
    unknown = {"strength", "cost"} - set(case.model.properties)
    assert not unknown & set(prediction.data_vars)


def test_parts_of_the_variance_add_up(case, prediction):
    for name in case.model.properties:
        parts = prediction[f"{name}_variance"]
        within = ["within_region", "between_region"] if case in PHASES else ["function"]
        between = "learner" if isinstance(case.model, tl.CompositionProperties) else "hyperparameter"
        assert parts["part"].values.tolist() == ["noise", *within, f"between_{between}"]
        assert float(parts.min()) >= 0
        np.testing.assert_allclose(parts.sum("part"), prediction[f"{name}_sd"] ** 2)


def test_no_answer_is_nan_or_infinite(posterior, prediction, grid):
    assert all(np.isfinite(v).all() for v in numbers(prediction).values())
    assert np.isfinite(posterior.functions(grid, 20)).all()


def test_answers_stand_on_the_specimens_that_were_asked_for(posterior, grid):
    asked = grid.assign_coords(specimen=[f"candidate {i}" for i in range(GRID_SIZE)]).isel(specimen=[4, 2])
    assert posterior.predict(asked)["specimen"].values.tolist() == ["candidate 4", "candidate 2"]


def test_a_place_is_answered_alike_whatever_else_is_asked(posterior, prediction, grid):
    alone = posterior.predict(grid.isel(specimen=[7]))
    for name, values in numbers(alone).items():
        np.testing.assert_allclose(values[0], prediction[name][7], rtol=1e-6, atol=1e-9)


def test_functions_are_draws_of_specimens_and_properties(case, posterior, grid):
    draws = posterior.functions(grid, 6, seed=1)
    assert draws.dims == ("draw", "specimen", "property")
    assert draws.shape == (6, GRID_SIZE, len(case.model.properties))
    assert draws["property"].values.tolist() == list(case.model.properties)
    assert draws["units"].values.tolist() == [UNITS[name] for name in case.model.properties]


def test_functions_are_draws_of_phases(phases, posterior, grid):
    draws = posterior.functions(grid, 6, seed=1)
    assert draws["phase_draw"].dims == ("draw", "specimen")
    assert set(np.unique(draws["phase_draw"])) <= set(range(len(phases)))
    assert draws.attrs["phases"] == phases


def test_another_seed_draws_other_functions(case, posterior, grid):
    one, other = posterior.functions(grid, 6, seed=1), posterior.functions(grid, 6, seed=2)
    assert (one != other).all()  # where there is no property, of nothing


def test_functions_have_the_predicted_moments(case, posterior, prediction, grid):
    n = 400
    draws = posterior.functions(grid, n, seed=5)
    if case in PHASES:
        which = np.arange(len(posterior.phases))
        frequency = (draws["phase_draw"].values[:, :, None] == which).mean(0)
        # Five standard errors at a half, and what maps of finite rank may be off by.
        np.testing.assert_allclose(frequency, prediction["phase_probability"], atol=2.5 / np.sqrt(n) + 0.03)
    for name in case.model.properties:
        mean, parts = prediction[name], prediction[f"{name}_variance"]
        sd = np.sqrt(parts.sum("part") - parts.sel(part="noise"))
        spread = np.ptp(prediction[name].values)
        apart = np.abs(draws.sel(property=name).mean("draw") - mean)
        assert (apart < (5 / np.sqrt(n) + 0.1) * sd + 0.03 * spread).all()


def test_the_diagnosis_is_a_verdict_a_sentence_and_an_action(case, posterior, data):
    found = posterior.diagnose()
    assert found.attrs["verdict"] in {"green", "amber", "red"}
    assert found.attrs["sentence"].endswith(".")
    assert found.attrs["action"].endswith(".")
    assert found["loo_mean"].dims == ("specimen", "property")
    np.testing.assert_array_equal(found["specimen"], data["specimen"])
    for name in case.model.properties:
        assert (found["loo_mean"].sel(property=name).notnull() == data[name].notnull()).all()


def test_it_shows_itself_in_one_line(case, posterior):
    shown = repr(posterior)
    assert "\n" not in shown
    assert len(shown) < 200
    assert all(name in shown for name in case.model.properties)


def test_what_is_saved_predicts_the_same(posterior, prediction, grid, tmp_path):
    loaded = tl.load_posterior(posterior.save(tmp_path / "posterior.nc"))
    xr.testing.assert_identical(loaded.predict(grid), prediction)
    xr.testing.assert_identical(loaded.functions(grid, 3, seed=2), posterior.functions(grid, 3, seed=2))
    xr.testing.assert_identical(loaded.diagnose(), posterior.diagnose())


def test_it_draws_worlds_that_it_can_learn(case, grid):
    world = case.model.simulate(grid, seed=6)
    check(world)
    assert {*case.model.design_names, *case.model.properties} <= set(world.data_vars)
    for name in case.model.design_names:
        xr.testing.assert_identical(world[name], grid[name])
    fitted = case.model.fit(world, seed=0).predict(grid)
    assert all(np.isfinite(v).all() for v in numbers(fitted).values())


def test_the_same_seed_draws_the_same_world(case, grid):
    xr.testing.assert_identical(case.model.simulate(grid, seed=6), case.model.simulate(grid, seed=6))
    one, other = case.model.simulate(grid, seed=6), case.model.simulate(grid, seed=7)
    assert not one.identical(other)
