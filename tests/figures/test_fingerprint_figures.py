"""Figures of fingerprints show what posteriors answer."""

import numpy as np
import pytest
from fingerprint_specimens import MODALITIES, specimens

import tieline as tl


@pytest.fixture(scope="module")
def posterior():
    return tl.Fingerprint(MODALITIES, n_clusters=3, n_latent=3, n_epochs=15).fit(specimens(), seed=0)


def test_every_specimen_is_a_point_and_every_cluster_an_ellipse(posterior):
    (axes,) = tl.figures.fingerprint(posterior).axes
    assert sum(len(c.get_offsets()) for c in axes.collections) == 150
    assert len(axes.patches) == 3


def test_a_fingerprint_of_one_number_is_drawn_too():
    found = tl.Fingerprint({"recipe": ["power", "pressure"]}, n_clusters=2, n_latent=1, n_epochs=1).fit(
        specimens(40)
    )
    assert tl.figures.fingerprint(found).axes


def test_a_card_of_every_cluster_and_modality(posterior):
    figure = tl.figures.cluster_cards(posterior)
    assert len(figure.axes) == 9
    curve = figure.axes[1].lines[0].get_ydata()
    np.testing.assert_allclose(curve, posterior.prototypes()["stress"].isel(cluster=0))


def test_curves_are_drawn_with_their_intervals(posterior):
    asked = specimens(5, seed=1)
    figure = tl.figures.cross_modal(posterior, asked, "stress", given="image", n=3)
    assert len(figure.axes) == 3
    measured = figure.axes[1].lines[1].get_ydata()
    np.testing.assert_allclose(measured, asked["stress"].isel(specimen=1))


def test_images_are_drawn_as_measured_and_as_predicted(posterior):
    figure = tl.figures.cross_modal(posterior, specimens(5, seed=1), "image", given=["stress", "recipe"], n=4)
    assert len(figure.axes) == 8


def test_numbers_have_no_such_figure(posterior):
    with pytest.raises(tl.SchemaError, match="'recipe' is no image and no curve"):
        tl.figures.cross_modal(posterior, specimens(5), "recipe", given="image")


def test_errors_are_written_into_the_table_of_modalities(posterior):
    figure = tl.figures.which_modality(posterior)
    error = posterior.diagnose()["relative_error"]
    texts = [t.get_text() for t in figure.axes[0].texts]
    assert len(texts) == int(error.notnull().sum())
    assert f"{float(error.sel(target='stress', given='image')):.2f}" in texts


def test_a_notebook_shows_its_clusters_and_whether_to_trust_it(posterior):
    shown = posterior._repr_html_()
    assert "image, stress, recipe" in shown
    assert posterior.diagnose().attrs["sentence"] in shown
