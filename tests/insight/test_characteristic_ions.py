import numpy as np
import pytest

import tieline as tl
from tieline.insight.characteristic_ions import characteristic_ions


@pytest.fixture(scope="module")
def world():
    return tl.worlds.tofsims(21)


@pytest.fixture(scope="module")
def posterior(world):
    return tl.SpectralComposition().fit(world.references)


def recovered(found, world):
    return [
        len(set(found["mz"].sel(compound=c).values) & set(world.characteristic(c)))
        for c in found["compound"].values
        if c != "Li2O"
    ]


def test_planted_ions_are_recovered(posterior, world):
    assert min(recovered(characteristic_ions(posterior, n_bootstraps=1), world)) >= 13


def test_coefficients_recover_fewer_as_in_the_study(posterior, world):
    by = [characteristic_ions(posterior, by=way, n_bootstraps=1) for way in ("specificity", "coefficient")]
    ours, theirs = (np.mean(recovered(found, world)) for found in by)
    assert ours > theirs >= 9


def test_a_peak_is_listed_with_what_it_rests_on(posterior):
    found = characteristic_ions(posterior, n=6, elements=("Li", "C", "N", "O", "H"), n_bootstraps=10)
    assert found["mz"].shape == (5, 6)
    assert (found["score"].diff("rank") <= 0).all()
    assert (found["frequency"].sel(rank=1) >= 0.9).all()
    assert ((found["frequency"] >= 0) & (found["frequency"] <= 1)).all()
    others = found["compound"].values != "Li2O"
    assert (found["level"] > found["next_level"])[others].all()
    assert "LiH2" in found["ion"].sel(compound="LiH").values


def test_a_compound_without_ions_of_its_own_is_less_sure(posterior):
    found = characteristic_ions(posterior, n_bootstraps=1)["score"].mean("rank")
    assert found.idxmin("compound") == "Li2O"


def test_the_same_seed_gives_the_same_list(posterior):
    assert characteristic_ions(posterior, seed=3).identical(characteristic_ions(posterior, seed=3))


def test_what_makes_no_sense_is_refused(posterior):
    with pytest.raises(tl.SchemaError, match="Did you mean 'coefficient'"):
        characteristic_ions(posterior, by="coefficients")
    with pytest.raises(tl.SchemaError, match="n=5000"):
        characteristic_ions(posterior, n=5000)
