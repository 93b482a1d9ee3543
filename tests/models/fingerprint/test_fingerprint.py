"""Fingerprints of small specimens whose clusters are known."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from fingerprint_specimens import MODALITIES, STIFFNESS, specimens
from sklearn.metrics import adjusted_rand_score

import tieline as tl

MODEL = tl.Fingerprint(MODALITIES, n_clusters=3, n_latent=3, n_epochs=40)


@pytest.fixture(scope="module")
def table():
    return specimens()


@pytest.fixture(scope="module")
def posterior(table):
    return MODEL.fit(table, seed=0)


@pytest.fixture(scope="module")
def asked():
    return specimens(100, seed=1)


@pytest.fixture(scope="module")
def no_law():
    """Counts, flags and labels, in clusters that no law tells."""
    table = specimens(120, seed=2)
    rng = np.random.default_rng(3)
    cluster = table["cluster_truth"].values
    table["counts"] = (("specimen", "bin"), rng.poisson(2 + 8 * np.eye(3)[cluster]).astype(float))
    table["flags"] = (
        ("specimen", "site"),
        (rng.random((120, 6)) < 0.1 + 0.8 * np.eye(3)[cluster].repeat(2, 1)).astype(float),
    )
    table["grade"] = ("specimen", np.where(rng.random(120) < 0.1, "", np.array(["A", "B", "C"])[cluster]))
    model = tl.Fingerprint(
        {
            "counts": tl.Modality(likelihood="poisson"),
            "flags": tl.Modality(likelihood="bernoulli"),
            "grade": tl.Modality(likelihood="categorical"),
        },
        n_clusters=(1, 2, 3, 4),
        n_latent=2,
        n_epochs=60,
    )
    return model.fit(table, seed=0)


def ari(found, table):
    return adjusted_rand_score(table["cluster_truth"], found["most_likely_cluster"])


@pytest.mark.parametrize("given", [None, "image", "stress", "recipe", ["image", "recipe"]], ids=str)
def test_clusters_are_told_by_any_modalities(posterior, asked, given):
    assert ari(posterior.responsibilities(asked, given=given), asked) > 0.9


def test_naive_bayes_tells_them_too(posterior, asked):
    found = posterior.responsibilities(asked, given=["image", "recipe"], rule="naive_bayes")
    assert ari(found, asked) > 0.9
    np.testing.assert_allclose(found["cluster_probability"].sum("cluster"), 1)


def test_naive_bayes_of_one_modality_is_that_modality(posterior, asked):
    one = posterior.responsibilities(asked, given="image")["cluster_probability"]
    bayes = posterior.responsibilities(asked, given="image", rule="naive_bayes")["cluster_probability"]
    np.testing.assert_allclose(one, bayes, atol=1e-9)


def test_laws_have_the_parameters_of_the_clusters(posterior):
    cards = posterior.prototypes()
    slopes = np.sort(cards["stress_parameter"].sel(stress_of="slope"))
    np.testing.assert_allclose(slopes, STIFFNESS, atol=0.05)
    assert cards["image"].dims == ("cluster", "y", "x")
    assert float(cards["cluster_weight"].sum()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("target", "given", "name", "error"),
    [
        ("stress", "image", "stress", 0.2),
        ("image", "stress", "image", 0.8),
        ("recipe", "image", "power", 0.5),
        ("recipe", ["image", "stress"], "power", 0.5),
    ],
)
def test_modalities_are_predicted_from_others_with_intervals(posterior, asked, target, given, name, error):
    predicted, truth = posterior.predict(asked, target, given=given), asked[name]
    assert float(np.sqrt(((predicted[name] - truth) ** 2).mean())) < error * float(truth.std())
    inside = (predicted[f"{name}_low"] <= truth) & (truth <= predicted[f"{name}_high"])
    assert float(inside.mean()) > 0.88
    assert float(predicted[f"{name}_sd"].mean()) < 0.8 * float(truth.std())
    assert predicted[name].attrs["units"] == truth.attrs["units"]


def test_intervals_widen_with_their_level(posterior, asked):
    narrow, wide = (posterior.predict(asked, "stress", given="image", level=p) for p in (0.5, 0.99))
    assert (wide["stress_high"] - wide["stress_low"] > narrow["stress_high"] - narrow["stress_low"]).all()


def test_what_is_to_be_predicted_is_not_used(posterior, asked):
    changed = asked.assign(stress=asked["stress"] * 0)
    xr.testing.assert_identical(
        posterior.predict(changed, "stress")["stress"], posterior.predict(asked, "stress")["stress"]
    )


def test_a_modality_that_is_absent_is_a_modality_of_nan(posterior, asked):
    without = posterior.predict(asked.drop_vars("image"), "stress")
    empty = posterior.predict(asked.assign(image=asked["image"] * np.nan), "stress")
    np.testing.assert_allclose(without["stress"], empty["stress"])


def test_each_specimen_may_lack_something_else(posterior, asked):
    holes = asked.copy(deep=True)
    holes["image"][::2] = np.nan
    found = posterior.embed(holes)["fingerprint"]
    whole, recipe = posterior.embed(asked), posterior.embed(asked, given=["stress", "recipe"])
    np.testing.assert_allclose(found[1::2], whole["fingerprint"][1::2], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found[::2], recipe["fingerprint"][::2], rtol=1e-4, atol=1e-5)


def test_more_modalities_make_a_fingerprint_surer(posterior, asked):
    one, all_three = posterior.embed(asked, given="image"), posterior.embed(asked)
    assert (all_three["fingerprint_sd"] < one["fingerprint_sd"]).all()


def test_of_a_specimen_nothing_is_known_of_the_population_is_told(posterior, table, asked):
    unknown = asked.assign(image=asked["image"] * np.nan)
    population = posterior.population
    found = posterior.responsibilities(unknown, given="image")
    np.testing.assert_allclose(found["cluster_probability"], population.weight[None].repeat(100, 0))
    fingerprint = posterior.embed(unknown, given="image")["fingerprint"]
    np.testing.assert_allclose(fingerprint, (population.weight @ population.centre)[None].repeat(100, 0))
    drawn = posterior.functions(unknown, n=400, given="image").sel(property="power").values
    predicted = posterior.predict(unknown, "recipe", given="image")
    mean, sd = float(table["power"].mean()), float(table["power"].std())
    for average, spread in (
        (float(predicted["power"][0]), float(predicted["power_sd"][0])),
        (drawn.mean(), drawn.std()),
    ):
        assert average == pytest.approx(mean, abs=0.2 * sd)
        assert spread == pytest.approx(sd, rel=0.2)


def test_figures_of_one_modality_are_of_those_that_have_it(posterior, table):
    lacking = table.assign(image=table["image"].where(table["specimen"] % 2 == 0))
    held = lacking.isel(specimen=posterior.is_held_out)
    have = held.isel(specimen=held["image"].notnull().any(("y", "x")))
    some, only = (
        replace(posterior, table=t, is_held_out=np.ones(t.sizes["specimen"], bool)).diagnose()
        for t in (held, have)
    )
    given = {"given": "image"}
    np.testing.assert_allclose(some["relative_error"].sel(given), only["relative_error"].sel(given))
    assert held.sizes["specimen"] > have.sizes["specimen"] > 0


def test_units_are_converted(posterior, asked):
    other = asked.assign(power=(asked["power"] / 1000).assign_attrs(units="kW"))
    np.testing.assert_allclose(
        posterior.embed(other)["fingerprint"], posterior.embed(asked)["fingerprint"], rtol=1e-3, atol=1e-4
    )


def test_specimens_of_a_cluster_belong_to_it(posterior):
    drawn = posterior.sample("cluster 2", 40, seed=1)
    assert drawn["image"].shape == (40, 6, 5)
    likely = posterior.responsibilities(drawn)["most_likely_cluster"]
    assert float((likely == "cluster 2").mean()) > 0.9


def test_what_was_never_seen_is_strange(posterior, asked):
    strange = asked.assign(image=asked["image"].isel(y=slice(None, None, -1)))
    usual, unusual = posterior.score(asked), posterior.score(strange)
    assert float(unusual["log_evidence"].mean()) < float(usual["log_evidence"].mean()) - 10
    assert float(usual["share_stranger"].median()) > 0.2
    assert float(unusual["share_stranger"].median()) < 0.1


def test_the_evidence_is_above_the_bound(posterior, asked):
    found = posterior.score(asked)
    assert float((found["log_evidence"] - found["bound"]).mean()) > 0


def test_functions_are_draws_of_columns(posterior, asked):
    draws = posterior.functions(asked.drop_vars(["power", "pressure"]), 300, seed=0)
    assert draws.dims == ("draw", "specimen", "property")
    assert draws["property"].values.tolist() == ["power", "pressure"]
    mean = posterior.predict(asked, "recipe")["power"]
    np.testing.assert_allclose(draws.sel(property="power").mean("draw"), mean, atol=3)


def test_history_tells_every_term(posterior):
    history = posterior.history
    assert history["term"].values.tolist() == ["image", "stress", "recipe", "clusters", "entropy"]
    assert float(history["held_out_bound"].max()) > float(history["held_out_bound"][0])


def test_the_diagnosis_predicts_held_out_specimens(posterior):
    found = posterior.diagnose()
    assert found.attrs["verdict"] in {"green", "amber"}
    assert found.attrs["sentence"].endswith(".")
    assert float(found["relative_error"].sel(target="stress", given="image")) < 0.3
    assert np.isnan(found["relative_error"].sel(target="stress", given="stress"))
    assert float(found["n_specimens"].sum()) == pytest.approx(150, abs=0.2)


def test_what_is_saved_answers_the_same(posterior, asked, tmp_path):
    loaded = tl.load_posterior(posterior.save(tmp_path / "fingerprint.nc"))
    xr.testing.assert_identical(loaded.predict(asked), posterior.predict(asked))
    xr.testing.assert_identical(loaded.diagnose(), posterior.diagnose())
    assert repr(loaded) == repr(posterior)


def test_the_same_seed_gives_the_same_bytes(posterior, table, asked):
    again = MODEL.fit(table, seed=0)
    xr.testing.assert_identical(again.predict(asked), posterior.predict(asked))
    assert not MODEL.fit(table, seed=1).predict(asked).identical(posterior.predict(asked))


def test_its_input_is_left_alone(posterior, asked):
    before = asked.copy(deep=True)
    posterior.predict(asked)
    posterior.score(asked)
    xr.testing.assert_identical(asked, before)


def test_the_number_of_clusters_is_found(no_law):
    assert no_law.n_clusters_tried.tolist() == [1, 2, 3, 4]
    assert no_law.population.n_clusters == 3


def test_counts_flags_and_labels_are_predicted(no_law):
    table = no_law.table
    predicted = no_law.predict(table, "grade")
    best = predicted["grade_probability"].idxmax("grade_label")
    known = table["grade"] != ""
    assert float((best == table["grade"])[known].mean()) > 0.9
    counts = no_law.predict(table, "counts", given=["flags", "grade"])
    assert float(counts["counts"].min()) >= 0
    assert float((counts["counts"] - table["counts"]).std()) < float(table["counts"].std())
    flags = no_law.predict(table, "flags", given="counts")
    assert float(flags["flags"].min()) >= 0
    assert float(flags["flags"].max()) <= 1


def test_restarts_are_told(table):
    few = table.isel(specimen=slice(0, 30))
    found = tl.Fingerprint({"recipe": ["power", "pressure"]}, n_clusters=2, n_epochs=2, restarts=2).fit(few)
    assert len(found.bounds) == 2


def test_points_inside_a_curve_may_be_missing(table, asked):
    holes = table.copy(deep=True)
    holes["stress"] = holes["stress"].where(np.random.default_rng(0).random(holes["stress"].shape) > 0.3)
    found = MODEL.fit(holes, seed=0)
    assert ari(found.responsibilities(asked, given="stress"), asked) > 0.9
    np.testing.assert_allclose(
        np.sort(found.prototypes()["stress_parameter"].values.ravel()), STIFFNESS, atol=0.1
    )


def test_laws_of_your_own_are_saved_without_their_functions(table, asked, tmp_path):
    model = tl.Fingerprint(
        {
            "image": "network",
            "stress": tl.physics.Formula(lambda t, p: p[0] * t, (1.0,), ("slope",)),
            "recipe": ["power", "pressure"],
        },
        n_clusters=3,
        n_latent=3,
        n_epochs=2,
    )
    found = model.fit(table, seed=0)
    loaded = tl.load_posterior(found.save(tmp_path / "own.nc"))
    xr.testing.assert_identical(loaded.predict(asked, "stress"), found.predict(asked, "stress"))
    with pytest.raises(tl.SchemaError, match="lost its function"):
        loaded.model.fit(table)
