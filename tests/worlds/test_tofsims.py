import numpy as np
import pytest
import xarray as xr

import tieline as tl
from tieline.schema import check
from tieline.worlds.tofsims import COMPOUNDS


@pytest.fixture(scope="module")
def world():
    return tl.worlds.tofsims(3)


def test_it_has_the_form_of_the_study(world):
    assert world.references["area"].sizes == {"specimen": 60, "mz": 300}
    assert world.references["reference"].to_series().value_counts().to_dict() == dict.fromkeys(COMPOUNDS, 12)
    assert world.unknowns.sizes["specimen"] == 30
    assert float(world.references["mz"].max()) < 120
    for table in (world.references, world.unknowns):
        check(table)


def test_the_same_seed_draws_the_same_world(world):
    again, other = tl.worlds.tofsims(3), tl.worlds.tofsims(4)
    xr.testing.assert_identical(again.references, world.references)
    xr.testing.assert_identical(again.truth, world.truth)
    assert not other.references["area"].equals(world.references["area"])


def test_mixtures_are_of_two_compounds_with_shares_of_sum_one(world):
    share = world.truth["share"]
    np.testing.assert_allclose(share.sum("compound"), 1)
    assert ((share > 0).sum("compound") == 2).all()
    assert float(share.where(share > 0).min()) >= 0.1


def test_characteristic_ions_are_stronger_in_their_compound(world):
    for compound in COMPOUNDS:
        planted = world.characteristic(compound)
        assert len(planted) == {"Li2O": 0, "LiOH": 14}.get(compound, 15)
        level = world.ions["level"].sel(mz=planted)
        shared = world.ions["characteristic_of"].sel(mz=planted).str.contains(" ")
        assert (level.idxmax("compound") == compound).where(~shared, True).mean() > 0.9 if planted else True


def test_spots_scatter_as_they_are_said_to():
    world = tl.worlds.tofsims(0, n_spots=400, n_mixtures=1, dose=20.0)
    of_one = np.log(world.references["area"][:400].values)
    scatter = np.var(of_one - of_one.mean(0), axis=0)
    assert np.sqrt(scatter.mean()) == pytest.approx(np.hypot(0.25, 0.15), rel=0.03)
    dose = (of_one - of_one.mean(0)).mean(1)
    assert dose.std() == pytest.approx(0.15, rel=0.1)


def test_without_noise_between_spots_counts_are_poissons():
    world = tl.worlds.tofsims(0, n_spots=300, spot_noise=1e-9, dose_noise=1e-9)
    of_one = world.references["area"][:300].values
    ratio = of_one.var(0, ddof=1) / of_one.mean(0)
    assert ratio.mean() == pytest.approx(1, abs=0.03)


def test_a_matrix_effect_scales_whole_compounds():
    plain, bent = (tl.worlds.tofsims(1, matrix_effect=sd) for sd in (0.0, 0.5))
    xr.testing.assert_identical(plain.references, bent.references)
    xr.testing.assert_identical(plain.truth["share"], bent.truth["share"])
    assert (plain.truth["yield_factor"] == 1).all()
    assert float(np.log(bent.truth["yield_factor"]).std()) == pytest.approx(0.5, abs=0.1)


def test_contaminated_and_strange_mixtures_are_told():
    world = tl.worlds.tofsims(2, contamination=0.5, strangers=0.5)
    assert 0 < int(world.truth["is_contaminated"].sum()) < 30
    assert 0 < int(world.truth["has_stranger"].sum()) < 30
    film = world.ions["ion"].values == "C2H"
    counts = world.unknowns["area"][:, film].values[:, 0]
    assert np.median(counts[world.truth["is_contaminated"].values]) > 5 * np.median(
        counts[~world.truth["is_contaminated"].values]
    )


@pytest.mark.parametrize("wrong", [{"n_peaks": 20}, {"dose": 0}, {"contamination": 2}, {"n_spots": 0}])
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(tl.TielineError, match="Found"):
        tl.worlds.tofsims(0, **wrong)
