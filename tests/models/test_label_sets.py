import numpy as np
import pytest
import xarray as xr
from scattered import AXES, scattered

import tieline as tl
from tieline.errors import SchemaError
from tieline.models.fusion_answer import FusionAnswer
from tieline.models.observations import Observations, label_evidence

N = 60


def truth(places):
    x, y = places["x"].values, places["y"].values
    return np.where(x + 0.3 * y > 0.8, "c", np.where(y > 0.45 + 0.3 * x, "b", "a"))


def spoiled(labels, share, rng):
    """Labels of which that share names another phase."""
    wrong = np.array([rng.choice([k for k in "abc" if k != label]) for label in labels])
    return np.where(rng.random(len(labels)) < share, wrong, labels)


def hidden(labels, share, rng):
    return ("specimen", np.where(rng.random(len(labels)) < share, "", labels).astype(object))


def two_sets(seed, n=N):
    """Careful labels on 40 % of the specimens and careless ones, 30 % of them wrong, on 75 %."""
    rng, table = np.random.default_rng(seed), scattered(seed, n)
    right = truth(table)
    value = np.select([right == "a", right == "b"], [0.0, 2.0], 4.0) + 0.2 * rng.standard_normal(n)
    return table.assign(
        xrd=hidden(right, 0.6, rng),
        raman=hidden(spoiled(right, 0.3, rng), 0.25, rng),
        hardness=("specimen", value, {"role": "property", "units": "GPa"}),
    )


def pooled(table):
    """The labels of both sets in one column, specimens of two labels in two rows."""
    rows = [table.assign(phase=table[name]) for name in ("xrd", "raman")]
    joined = xr.concat([part.isel(specimen=part["phase"].values != "") for part in rows], "specimen")
    return joined.assign_coords(specimen=np.arange(joined.sizes["specimen"]))


def log_loss(posterior, places):
    probability = posterior.predict(places)["phase_probability"]
    right = probability.sel(phase=xr.DataArray(truth(places), dims="specimen"))
    return float(-np.log(right).mean())


@pytest.fixture(scope="module")
def fitted():
    return tl.PhaseProperty(AXES, ["xrd", "raman"]).fit(two_sets(0))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_careless_set_is_found_and_spoils_the_map_less_than_in_one_column(seed):
    table, places = two_sets(seed), scattered(100 + seed, 300)
    apart = tl.PhaseProperty(AXES, ["xrd", "raman"]).fit(table)
    errors = apart.label_errors()
    assert errors.dims == ("label_set",)
    assert float(errors.sel(label_set="raman")) > 3 * float(errors.sel(label_set="xrd"))
    assert 0.12 < float(errors.sel(label_set="raman")) < 0.45
    together = tl.PhaseProperty(AXES, "phase").fit(pooled(table))
    assert log_loss(apart, places) < log_loss(together, places)


def test_the_order_of_the_sets_hardly_matters(fitted):
    other = tl.PhaseProperty(AXES, ["raman", "xrd"]).fit(two_sets(0))
    places = scattered(9, 40)
    one, two = (p.predict(places)["phase_probability"].sel(phase=list("abc")) for p in (fitted, other))
    assert float(np.abs(one - two).mean()) < 0.05
    assert list(other.label_errors().label_set.values) == ["raman", "xrd"]


def test_sets_that_know_different_phases_name_their_union():
    table = two_sets(3)
    xrd, raman = table["xrd"], table["raman"]
    table = table.assign(xrd=xrd.where(xrd != "c", ""), raman=raman.where(raman != "a", ""))
    assert tl.PhaseProperty(AXES, ["xrd", "raman"]).fit(table).phases == ("a", "b", "c")


def test_one_name_in_a_list_is_that_name():
    assert tl.PhaseProperty(AXES, ["xrd"]).phase == "xrd"
    assert tl.PhaseProperty(AXES, ["xrd"]) == tl.PhaseProperty(AXES, "xrd")
    assert tl.PhaseProperty(AXES, [], ["hardness"]).phase is None


def test_diagnosis_is_one_row_a_specimen_and_counts_every_label(fitted):
    found, table = fitted.diagnose(), two_sets(0)
    n_labels = int((table["xrd"].values != "").sum() + (table["raman"].values != "").sum())
    assert found.sizes["specimen"] == N
    assert int(found["n_labelled"]) == n_labels
    assert 0.5 < float(found["label_accuracy"]) < 0.95  # three careless labels in ten cannot be guessed


def test_two_sets_are_kept_in_a_file(fitted, tmp_path):
    again = tl.load_posterior(fitted.save(tmp_path / "posterior.nc"))
    assert again.model == fitted.model
    xr.testing.assert_identical(again.label_errors(), fitted.label_errors())
    places = scattered(4, 10)
    xr.testing.assert_identical(again.predict(places), fitted.predict(places))


def test_the_model_draws_every_set():
    world = tl.PhaseProperty(AXES, ["xrd", "raman"]).simulate(scattered(0, 8), seed=0)
    np.testing.assert_array_equal(world["xrd"], world["raman"])


def test_chains_learn_each_rate_too():
    model = tl.PhaseProperty(AXES, ["xrd", "raman"], "hardness", inference="mcmc", n_sweeps=40)
    errors = model.fit(two_sets(0), seed=1).label_errors()
    assert float(errors.sel(label_set="raman")) > 3 * float(errors.sel(label_set="xrd"))
    assert (errors["error_rate_sd"] > 0).all()


def test_exact_inference_has_one_label_set():
    line = two_sets(0, 20)
    with pytest.raises(SchemaError, match="one label set and one instrument") as caught:
        tl.PhaseProperty("x", ["xrd", "raman"], inference="exact").fit(line)
    assert caught.value.found == "2 label sets"
    posterior = tl.PhaseProperty("x", ["xrd", "raman"]).fit(line)
    assert isinstance(posterior.answer, FusionAnswer)
    assert "2 label sets on a line: the fast engine was used." in posterior.notes


def test_a_line_solved_exactly_says_how_often_labels_are_wrong():
    line = two_sets(0, 20)
    errors = tl.PhaseProperty("x", "xrd").fit(line).label_errors()
    assert 0 < float(errors.sel(label_set="xrd")) < 0.15


def test_without_labels_there_are_no_error_rates():
    table = two_sets(0).assign(xrd=("specimen", np.full(N, "", dtype=object)))
    with pytest.raises(SchemaError, match="need labels"):
        tl.PhaseProperty(AXES, "xrd", "hardness").fit(table).label_errors()


def test_of_one_phase_no_label_is_wrong():
    table = two_sets(0).assign({name: ("specimen", np.full(N, "a")) for name in ("xrd", "raman")})
    assert (tl.PhaseProperty(AXES, ["xrd", "raman"], n_phases=1).fit(table).label_errors() == 0).all()


@pytest.mark.parametrize(
    ("phase", "match"),
    [
        (["xrd", "xrd"], "every variable for one purpose"),
        (["xrd", "hardness"], "every variable for one purpose"),
        (["xrd", "x"], "every variable for one purpose"),
    ],
)
def test_a_label_set_has_one_purpose(phase, match):
    with pytest.raises(SchemaError, match=match):
        tl.PhaseProperty(AXES, phase, "hardness")


def test_a_set_that_the_table_lacks_is_named():
    with pytest.raises(SchemaError, match="reads 'ramn'"):
        tl.PhaseProperty(AXES, ["xrd", "ramn"]).fit(two_sets(0))


def test_labels_of_one_specimen_add_up():
    first, second = np.array([[1.0, 0.0], [np.nan, np.nan]]), np.array([[0.0, 1.0], [0.0, 1.0]])
    seen = Observations(np.zeros((2, 1)), first, np.zeros((2, 0)), np.zeros((2, 0)), (second,))
    expected = label_evidence(first, 0.1) + label_evidence(second, 0.4)
    np.testing.assert_allclose(seen.label_evidence(np.array([0.1, 0.4])), expected)
    assert seen.labelled.all()
    np.testing.assert_array_equal(seen.label_counts, [1, 2])
    wide = seen.with_phases(3)
    np.testing.assert_array_equal(wide.label[0], [1, 0, 0])
    assert np.isnan(wide.label[1]).all()
    np.testing.assert_array_equal(wide.further[0], [[0, 1, 0], [0, 1, 0]])
    assert not wide.without_labels(2).labelled.any()
