import numpy as np
import pytest
from mixed_spectra import mixed_spectra

import tieline as tl
from tieline.insight.evidence import spectral_evidence


@pytest.fixture(scope="module")
def world():
    return mixed_spectra()[0]


@pytest.fixture(scope="module")
def posterior():
    return mixed_spectra()[1]


@pytest.fixture(scope="module")
def evidence(posterior, world):
    return spectral_evidence(posterior, world.unknowns, by="pellet")


def test_contributions_are_shares_of_what_compounds_would_show_alone(posterior, world, evidence):
    found = posterior.predict(world.unknowns, by="pellet")
    parts = (evidence["contribution"] / evidence["alone"]).transpose("specimen", "compound", "mz")
    np.testing.assert_allclose(parts.max("mz"), found["share"], atol=1e-9)
    np.testing.assert_allclose(parts.min("mz"), found["share"], atol=1e-9)


def test_contributions_and_what_is_left_make_up_the_counts(evidence, posterior, world):
    left = evidence["counts"] - evidence["contribution"].sum("compound")
    assert (np.sign(left.values) == np.sign(evidence["residual"].values)).mean() == 1
    found = posterior.predict(world.unknowns, by="pellet")
    strange, plain = (evidence["residual"].values[found["is_none_of_references"].values == is_so].max()
                      for is_so in (True, False))  # fmt: skip
    assert strange > 10 * plain


def test_a_dark_spectrum_has_no_evidence(posterior, world):
    dark = world.unknowns.isel(specimen=slice(0, 2)).copy(deep=True)
    dark["area"][0] = 0
    evidence = spectral_evidence(posterior, dark)
    assert evidence["contribution"].isel(specimen=0).isnull().all()
    assert evidence["contribution"].isel(specimen=1).notnull().all()


def test_too_many_spectra_are_refused(posterior, world):
    many = world.unknowns.isel(specimen=np.arange(600) % world.unknowns.sizes["specimen"])
    with pytest.raises(tl.SchemaError, match="At most 500 spectra"):
        spectral_evidence(posterior, many)
