import numpy as np
import pytest
from mixed_spectra import mixed_spectra

import tieline as tl
from tieline.insight.characteristic_ions import characteristic_ions
from tieline.insight.components import principal_components
from tieline.insight.evidence import spectral_evidence


@pytest.fixture(scope="module")
def world():
    return mixed_spectra()[0]


@pytest.fixture(scope="module")
def posterior():
    return mixed_spectra()[1]


@pytest.fixture(scope="module")
def found(posterior, world):
    return posterior.predict(world.unknowns, by="pellet")


@pytest.fixture(scope="module")
def evidence(posterior, world):
    return spectral_evidence(posterior, world.unknowns, by="pellet")


@pytest.fixture(scope="module")
def ions(posterior):
    return characteristic_ions(posterior, n=5, elements=("Li", "C", "N", "O", "H"), n_bootstraps=1)


def test_bars_are_the_shares_and_lines_the_intervals(found, ions):
    (axes,) = tl.figures.composition(found, ions).axes
    widths = np.array([bar.get_width() for bar in axes.patches]).reshape(5, 4)
    np.testing.assert_allclose(widths, found["share"].values.T)
    segments = np.concatenate([line.get_segments() for line in axes.collections]).reshape(5, 4, 2, 2)
    np.testing.assert_allclose(segments[..., 0, 0], found["share_low"].values.T)
    np.testing.assert_allclose(segments[..., 1, 0], found["share_high"].values.T)
    assert [label.get_text() for label in axes.get_yticklabels()] == found["specimen"].values.tolist()


def test_what_is_none_of_the_references_is_hatched(found):
    (axes,) = tl.figures.composition(found).axes
    hatched = np.array([bar.get_hatch() is not None for bar in axes.patches]).reshape(5, 4)
    np.testing.assert_array_equal(hatched, np.tile(found["is_none_of_references"].values, (5, 1)))
    assert hatched.any()


def test_too_many_specimens_are_refused(posterior):
    many = posterior.predict(tl.worlds.tofsims(1, n_peaks=120, n_mixtures=60).unknowns)
    with pytest.raises(tl.SchemaError, match="at most 40 specimens"):
        tl.figures.composition(many)


def test_every_compound_has_a_circle_with_its_ions(world, ions):
    figure = tl.figures.ion_profiles(
        world.references, ions, world.unknowns[["area"]].isel(specimen=slice(0, 6))
    )
    assert [axes.get_title() for axes in figure.axes] == ions["compound"].values.tolist()
    labels = [label.get_text() for label in figure.axes[3].get_xticklabels()]
    assert "LiH2" in labels or "6LiH2" in labels
    assert [text.get_text() for text in figure.legends[0].get_texts()][-2:] == ["mixture 1", "mixture 2"]


def test_scores_have_their_explained_variance_on_the_axes(world):
    components = principal_components(world.references, world.unknowns)
    one, other = tl.figures.scores(components).axes
    assert one.get_xlabel() == f"component 1 ({float(components['explained'][0]):.0%})"
    assert other.get_ylabel() == f"component 4 ({float(components['explained'][3]):.0%})"
    assert len(one.patches) == 5


def test_an_ellipse_holds_the_spots_that_it_should(world):
    components = principal_components(world.references)
    (one, _), label = tl.figures.scores(components).axes, components["reference"].values
    for ellipse, compound in zip(one.patches, components["compound"].values, strict=True):
        own = components["score"].values[label == compound][:, :2]
        inside = ellipse.get_path().contains_points(ellipse.get_patch_transform().inverted().transform(own))
        assert inside.mean() >= 0.75


def test_preprocessings_are_drawn_side_by_side(world):
    figure = tl.figures.preprocessings(world.references, world.unknowns, scalings=("log", "min_max"))
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["log", "min max"]
    with pytest.raises(tl.SchemaError, match="Did you mean 'min_max'"):
        tl.figures.preprocessings(world.references, scalings=("minmax",))


def test_peaks_that_no_reference_explains_are_named(evidence, found):
    strange = str(found["specimen"].values[found["is_none_of_references"].values][0])
    above, below = tl.figures.explained_spectrum(evidence, strange).axes
    assert above.get_title(loc="left") == strange
    worst = float(evidence["residual"].sel(specimen=strange).idxmax("mz"))
    named = [text.get_text() for text in below.texts]
    assert f"{worst:.2f}" in named
    assert len(named) <= 6


def test_a_compound_fills_its_ions_as_far_as_its_share(evidence, found, ions):
    figure = tl.figures.ion_evidence(evidence, ions, n=3)
    for axes, compound in zip(figure.axes, ions["compound"].values, strict=True):
        own = evidence["compound"].values.tolist().index(compound)
        widths = [bar.get_width() for bar in axes.containers[own]]
        np.testing.assert_allclose(widths, float(found["share"].isel(specimen=0)[own]), atol=1e-9)


def test_evidence_of_an_unknown_name_is_refused(evidence, found, ions):
    with pytest.raises(tl.SchemaError, match="no spectrum 'mixture 99'"):
        tl.figures.explained_spectrum(evidence, "mixture 99")
    with pytest.raises(tl.SchemaError, match="spectral_evidence"):
        tl.figures.ion_evidence(found, ions)


def test_ions_of_other_spectra_are_refused(evidence, ions):
    with pytest.raises(tl.SchemaError, match="at none of the peaks"):
        tl.figures.ion_evidence(evidence, ions.assign(mz=ions["mz"] + 7.3))
    others = ions.assign_coords(compound=[f"other {i}" for i in range(ions.sizes["compound"])])
    with pytest.raises(tl.SchemaError, match="not those of the compounds"):
        tl.figures.ion_evidence(evidence, others)
    with pytest.raises(tl.SchemaError, match="not those of the compounds"):
        tl.figures.ion_evidence(evidence, evidence.drop_dims("compound"))
