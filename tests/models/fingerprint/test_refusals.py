"""Bad input is refused by the name of its modality, before anything is computed."""

import numpy as np
import pytest
from fingerprint_specimens import specimens

import tieline as tl

MODALITIES = {"image": "network", "stress": tl.physics.Line(), "recipe": ["power", "pressure"]}


def refused(change, kind, match, modalities=MODALITIES):
    table = specimens(12)
    with pytest.raises(kind, match=match):
        tl.Fingerprint(modalities, n_clusters=2).fit(change(table))


def set_nan(table, *names, rows=slice(None)):
    for name in names:
        table[name][rows] = np.nan
    return table


def test_a_modality_that_is_missing():
    refused(lambda t: t.drop_vars("image"), tl.SchemaError, "reads 'image', which this table lacks")


def test_a_modality_that_was_never_measured():
    refused(lambda t: set_nan(t, "image"), tl.NotIdentified, "Modality 'image' was never measured")


def test_a_modality_of_one_specimen_only():
    refused(
        lambda t: set_nan(t, "image", rows=slice(1, None)),
        tl.NotIdentified,
        "'image' was measured on one specimen",
    )


def test_constant_images():
    refused(
        lambda t: t.assign(image=t["image"] * 0 + 4),
        tl.NotIdentified,
        "'image' is the same for every specimen",
    )


def test_a_column_of_one_value_is_named():
    refused(
        lambda t: t.assign(power=t["power"] * 0 + 4), tl.NotIdentified, r"'recipe' is the same(.|\n)*power"
    )


def test_a_specimen_with_nothing_measured_is_named():
    names = ("image", "stress", "power", "pressure")
    refused(lambda t: set_nan(t, *names, rows=[7]), tl.NotIdentified, r"nothing measured(.|\n)*7")


def test_infinite_values():
    def change(table):
        table["stress"][3, 2] = np.inf
        return table

    refused(change, tl.SchemaError, r"'stress' holds infinite values(.|\n)*specimens 3")


def test_a_law_on_images():
    refused(
        lambda t: t,
        tl.SchemaError,
        "'image' follows a law, which needs a curve",
        {"image": tl.physics.Line()},
    )


def test_several_variables_that_are_no_columns():
    refused(lambda t: t, tl.SchemaError, "'both' cannot be read from 'image'", {"both": ["image", "stress"]})


def test_text_among_numbers():
    refused(
        lambda t: t.assign(power=("specimen", np.array(["a"] * 12))),
        tl.SchemaError,
        "'power' is no column of numbers",
    )


@pytest.mark.parametrize(
    ("likelihood", "match"), [("bernoulli", "to be 0 or 1"), ("poisson", "to hold counts")]
)
def test_values_that_do_not_suit_the_likelihood(likelihood, match):
    refused(
        lambda t: t,
        tl.SchemaError,
        match,
        {"recipe": tl.Modality(variables=["power"], likelihood=likelihood)},
    )


def test_one_label_only():
    refused(
        lambda t: t.assign(grade=("specimen", np.array(["A"] * 12))),
        tl.NotIdentified,
        "'grade' has one label only",
        {"grade": tl.Modality(likelihood="categorical")},
    )


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"modalities": {}}, "at least one modality"),
        ({"modalities": {"image": "netwrok"}}, "'image' is set to something else"),
        ({"modalities": ["image"], "n_clusters": 0}, "at least 1"),
        ({"modalities": ["image"], "start": "imge"}, "Did you mean 'image'"),
    ],
)
def test_settings_that_make_no_sense(settings, match):
    with pytest.raises(tl.SchemaError, match=match):
        tl.Fingerprint(**settings)


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"likelihood": "gausian"}, "Did you mean 'gaussian'"),
        ({"likelihood": "poisson", "law": tl.physics.Line()}, "Gaussian scatter"),
        ({"weight": 0}, "weight of a modality is positive"),
    ],
)
def test_a_modality_that_makes_no_sense(settings, match):
    with pytest.raises(tl.SchemaError, match=match):
        tl.Modality(**settings)


@pytest.fixture(scope="module")
def posterior():
    model = tl.Fingerprint({"image": "network", "stress": tl.physics.Line()}, n_clusters=2, n_epochs=1)
    return model.fit(specimens(30))


def test_another_shape_than_was_learned(posterior):
    with pytest.raises(tl.SchemaError, match=r"'image' has another shape(.|\n)*6 x 4"):
        posterior.predict(specimens(5).isel(x=slice(0, 4)))


def test_a_modality_that_was_not_learned(posterior):
    with pytest.raises(tl.SchemaError, match="Did you mean 'image'"):
        posterior.predict(specimens(5), "stress", given="images")


def test_a_rule_that_does_not_exist(posterior):
    with pytest.raises(tl.SchemaError, match="no rule 'bayes'"):
        posterior.responsibilities(specimens(5), rule="bayes")


def test_a_cluster_that_does_not_exist(posterior):
    with pytest.raises(tl.SchemaError, match="no 'cluster 9'"):
        posterior.sample("cluster 9")
