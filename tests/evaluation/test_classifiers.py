import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

import tieline as tl
from tieline.evaluation.classifiers import (
    compare_classifiers,
    further_classifiers,
    regularisations,
    study_classifiers,
)
from tieline.evaluation.folds import LeakWarning, grouped_folds


@pytest.fixture(scope="module")
def world():
    return tl.worlds.tofsims(0, n_mixtures=8)


@pytest.fixture(scope="module")
def compared(world):
    return compare_classifiers(world.references, study_classifiers(), world.unknowns)


def test_pure_compounds_are_told_as_in_the_study(compared):
    published = {"decision_tree": 0.97, "ada_boost": 0.97}  # Table 4.7; 1.0 for all others
    for name in study_classifiers():
        accuracy = float(compared["accuracy"].sel(classifier=name))
        assert accuracy >= published.get(name, 1.0) - 0.07, name
        assert float(compared["f_score"].sel(classifier=name)) == pytest.approx(accuracy, abs=0.03)


def test_probabilities_of_unknowns_sum_to_one(compared, world):
    chance = compared["class_probability"]
    assert chance.dims == ("classifier", "unknown", "compound")
    np.testing.assert_allclose(chance.sum("compound"), 1)
    error = abs(chance.values - world.truth["share"].values).mean((1, 2))
    by_name = dict(zip(compared["classifier"].values, error, strict=True))
    assert by_name["logistic_regression"] < by_name["k_nearest"] < by_name["decision_tree"]


def test_scores_are_those_of_scikit_learn(world):
    counts, label = world.references["area"].values, world.references["reference"].values
    folds = list(StratifiedKFold(5, shuffle=True, random_state=1).split(counts, label))
    model = {"lr": LogisticRegression(C=0.001, max_iter=500)}
    ours = compare_classifiers(world.references, model, folds=folds)
    theirs = cross_val_predict(make_pipeline(MinMaxScaler(clip=True), model["lr"]), counts, label, cv=folds)
    assert ours["predicted"].values[0].tolist() == theirs.tolist()


def test_too_strong_a_penalty_collapses_as_in_the_study(world):
    grid = {
        n: m for n, m in regularisations().items() if n in ("none", "l1, C=0.01", "l2, C=1", "l2, C=0.01")
    }
    found = compare_classifiers(world.references, grid)["accuracy"]
    assert len(regularisations()) == 16
    assert float(found.sel(classifier="l1, C=0.01")) < 0.3  # Table 4.8: 0.13
    assert float(found.sel(classifier="none")) == float(found.sel(classifier="l2, C=1")) == 1


def test_spots_of_one_pellet_are_tested_together():
    worlds = [tl.worlds.tofsims(0, n_spots=3), tl.worlds.tofsims(0, n_spots=6)]
    table = worlds[1].references
    table["pellet"] = ("specimen", [f"{p} {i % 2}" for i, p in enumerate(table["pellet"].values)])
    found = compare_classifiers(table, {"lr": LogisticRegression(max_iter=500)}, group="pellet")
    assert found["accuracy"].values.tolist() == [1]
    rows = np.arange(30)
    with pytest.warns(LeakWarning, match="Li2CO3 0"):
        compare_classifiers(
            table,
            {"lr": LogisticRegression(max_iter=500)},
            group="pellet",
            folds=[(rows[::2], rows[1::2]), (rows[2::3], rows[::3])],
        )


def test_a_compound_with_one_pellet_cannot_be_tested_by_pellet(world):
    with pytest.raises(tl.NotIdentified, match="one group only"):
        compare_classifiers(world.references, further_classifiers(), group="pellet")


def test_unknowns_with_other_peaks_are_refused(world):
    fewer = world.unknowns.isel(mz=slice(0, 10))
    with pytest.raises(tl.SchemaError, match="other peaks"):
        compare_classifiers(world.references, {"lr": LogisticRegression()}, fewer)


def test_steps_of_scaling_are_learned_from_the_training_fold_only(world):
    label = world.references["reference"].values
    folds = grouped_folds(label, n_folds=2)
    steps = ("total_count", "log", "standard")
    bright = world.references.copy(deep=True)
    bright["area"][folds[0][1]] *= 3  # a total count takes this out; nothing else may see it
    model = {"d": further_classifiers()["discriminant"]}
    one, other = (
        compare_classifiers(t, model, scaling=steps, folds=folds[:1]) for t in (world.references, bright)
    )
    assert one["predicted"].values.tolist() == other["predicted"].values.tolist()
