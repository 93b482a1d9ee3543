import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.preprocessing import MinMaxScaler

import tieline as tl
from tieline.insight.components import principal_components, top_loadings


@pytest.fixture(scope="module")
def world():
    return tl.worlds.tofsims(4)


@pytest.fixture(scope="module")
def components(world):
    return principal_components(world.references, world.unknowns)


def test_they_are_those_of_scikit_learn(components, world):
    scaled = MinMaxScaler().fit_transform(world.references["area"].values)
    theirs = PCA(4, svd_solver="full").fit(scaled)
    np.testing.assert_allclose(components["explained"], theirs.explained_variance_ratio_)
    np.testing.assert_allclose(abs(components["loading"]), abs(theirs.components_), atol=1e-9)
    np.testing.assert_allclose(abs(components["score"]), abs(theirs.transform(scaled)), atol=1e-9)


def test_the_strongest_loading_is_positive(components):
    loading = components["loading"].values
    assert (np.take_along_axis(loading, np.abs(loading).argmax(1)[:, None], 1) > 0).all()


def test_most_pure_spots_lie_in_their_own_ellipses(world):
    found = principal_components(world.references, world.references)
    own = [
        bool(found["is_inside"].sel(unknown=s, compound=c))
        for s, c in zip(found["unknown"].values, found["reference"].values, strict=True)
    ]
    others = found["is_inside"].values.sum() - sum(own)
    assert np.mean(own) > 0.85
    assert others == 0


def test_a_mixture_lies_in_no_ellipse(components):
    # The study's rule failed for its second mixture; here for nearly all of them.
    assert components["is_inside"].sum("compound").mean() < 0.3


def test_top_loadings_are_of_the_component_that_tells_best(components):
    found = top_loadings(components, "LiH", 15)
    assert found.sizes["rank"] == 15
    best = components["separation"].sel(compound="LiH")
    assert found.attrs["component"] == int(best["component"][best.values.argmax()])
    assert (abs(found["loading"]).diff("rank") <= 0).all()


def test_what_cannot_be_answered_is_told(components, world):
    with pytest.raises(tl.SchemaError, match="'NaCl' is not among"):
        top_loadings(components, "NaCl")
    with pytest.raises(tl.NotIdentified, match="needs at least 3 spectra"):
        principal_components(world.references.isel(specimen=np.r_[0:14]))
    with pytest.raises(tl.SchemaError, match="n=1"):
        principal_components(world.references, n=1)
