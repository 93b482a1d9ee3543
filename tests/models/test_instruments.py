from functools import cache

import numpy as np
import pytest
import xarray as xr
from scattered import AXES, scattered
from scipy.optimize import check_grad

import tieline as tl
from tieline.errors import SchemaError
from tieline.models.experts import Expert, Layout, Pairs, _negative
from tieline.models.fusion_answer import FusionAnswer

N = 50


def truth(places):
    x, y = places["x"].values, places["y"].values
    side = x + 0.3 * y > 0.6
    return np.where(side, "fcc", "bcc"), np.where(side, 3.0, 1.0) + np.sin(3 * x)


def two_labs(seed, n=N, offset=1.0):
    """A third of the values come from a lab that reads higher by that many standard deviations."""
    rng, table = np.random.default_rng(seed), scattered(seed, n)
    phase, value = truth(table)
    away = rng.random(n) < 0.35
    value = value + offset * value.std() * away + 0.05 * rng.standard_normal(n)
    return table.assign(
        phase=("specimen", np.where(rng.random(n) < 0.5, "", phase).astype(object)),
        hardness=("specimen", value, {"role": "property", "units": "GPa"}),
        lab=("specimen", np.where(away, "away", "home").astype(object)),
    )


def fit(table, design=AXES, **settings):
    return tl.PhaseProperty(design, "phase", "hardness", **settings).fit(table, seed=1)


def error(posterior, places):
    return float(np.sqrt(np.mean((posterior.predict(places)["hardness"].values - truth(places)[1]) ** 2)))


@cache
def fits(seed):
    """Without a word of the labs, and with it."""
    return fit(two_labs(seed)), fit(two_labs(seed), instrument="lab")


@pytest.fixture(scope="module")
def fitted():
    return fits(0)[1]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_an_offset_no_longer_spoils_the_property(seed):
    blind, aware = fits(seed)
    places = scattered(100 + seed, 300)
    assert error(aware, places) < 0.6 * error(blind, places)


def test_chains_know_of_offsets_too():
    aware = fit(two_labs(0), instrument="lab", inference="mcmc", n_sweeps=30)
    places = scattered(100, 100)
    assert error(aware, places) < 0.6 * error(fits(0)[0], places)


def test_draws_agree_with_the_prediction(fitted):
    places = scattered(7, 20)
    prediction, draws = fitted.predict(places), fitted.functions(places, 400).isel(property=0)
    apart = np.abs(draws.mean("draw").values - prediction["hardness"].values)
    assert (apart < 0.4 * prediction["hardness_sd"].values).all()


def test_left_out_values_are_predicted_as_their_own_instrument_reads_them(fitted):
    found, table = fitted.diagnose(), two_labs(0)
    residual = table["hardness"].values - found["loo_mean"].sel(property="hardness").values
    for lab in ("home", "away"):
        assert abs(np.median(residual[table["lab"].values == lab])) < 0.15
    assert float(found["coverage_90"].sel(property="hardness")) > 0.8


def test_the_offset_is_found_in_the_unit_of_the_property(fitted):
    table = two_labs(0)
    found, wanted = fitted.offsets(), truth(table)[1].std()
    assert found["instrument"].values.tolist() == ["home", "away"]
    away = found.sel(instrument="away", property="hardness")
    assert abs(float(away["offset"]) - wanted) < 3 * float(away["offset_sd"])
    assert 0 < float(away["offset_sd"]) < 0.2 * wanted
    assert str(away["units"].values) == "GPa"
    assert (found.sel(instrument="home")[["offset", "offset_sd"]].to_dataarray() == 0).all()
    with pytest.raises(SchemaError, match="several instruments"):
        fit(table, "x", inference="exact").offsets()


def test_the_commonest_instrument_is_the_reference_and_said_to_be(fitted):
    assert "Properties are predicted as instrument home measures them." in fitted.notes


def test_one_instrument_changes_nothing():
    table, places = two_labs(0).assign(lab=("specimen", np.full(N, "home"))), scattered(3, 10)
    one, none = fit(table, instrument="lab"), fits(0)[0]
    xr.testing.assert_identical(one.predict(places), none.predict(places))


def test_it_is_kept_in_a_file(fitted, tmp_path):
    again, places = tl.load_posterior(fitted.save(tmp_path / "posterior.nc")), scattered(4, 10)
    xr.testing.assert_identical(again.predict(places), fitted.predict(places))
    assert again.model == fitted.model


def test_a_line_of_several_instruments_is_solved_fast():
    line = two_labs(0, 20)
    posterior = fit(line, "x", instrument="lab")
    assert isinstance(posterior.answer, FusionAnswer)
    assert "2 instruments on a line: the fast engine was used." in posterior.notes
    with pytest.raises(SchemaError, match="one label set and one instrument"):
        fit(line, "x", instrument="lab", inference="exact")


def test_every_measured_specimen_has_an_instrument():
    table = two_labs(0)
    unmeasured = table.assign(hardness=table["hardness"].where(table["specimen"] != 4))
    nameless = ("specimen", np.where(np.arange(N) == 4, "", table["lab"].values).astype(object))
    assert fit(unmeasured.assign(lab=nameless), instrument="lab").phases == ("bcc", "fcc")
    with pytest.raises(SchemaError, match="every measured specimen") as caught:
        fit(table.assign(lab=nameless), instrument="lab")
    assert caught.value.found == "nothing for 1 of 50, such as 4"


def test_an_unknown_or_twofold_column_is_refused():
    with pytest.raises(SchemaError, match="reads 'labb'"):
        fit(two_labs(0), instrument="labb")
    with pytest.raises(SchemaError, match="every variable for one purpose"):
        fit(two_labs(0), instrument="hardness")
    two = two_labs(0).assign(lab=(("specimen", "part"), np.ones((N, 2))))
    with pytest.raises(SchemaError, match="not one name a specimen"):
        fit(two, instrument="lab")


def test_a_world_of_the_model_can_be_fitted():
    model = tl.PhaseProperty(AXES, "phase", "hardness", instrument="lab")
    assert model.fit(model.simulate(scattered(0, 12), seed=0)).predict(scattered(1, 3)).sizes["specimen"] == 3


# One expert alone.

RNG = np.random.default_rng(0)
X, Y, ERROR = RNG.random((14, 2)), RNG.standard_normal(14), np.full(14, 0.01)
MEMBERSHIP = np.column_stack([np.linspace(0, 1, 14), np.linspace(1, 0, 14)])
INSTRUMENT = np.arange(14) % 3
LAYOUT = Layout(2, 2, has_offsets=True)
THETA = LAYOUT.prior()[0] + 0.1


def test_the_gradient_is_that_of_the_density():
    pairs = Pairs.of(X, Y, ERROR, MEMBERSHIP, INSTRUMENT)
    apart = check_grad(
        lambda t: _negative(LAYOUT, t, pairs)[0], lambda t: _negative(LAYOUT, t, pairs)[1], THETA
    )
    assert apart < 1e-4 * np.linalg.norm(_negative(LAYOUT, THETA, pairs)[1])


def test_leave_one_out_is_leaving_one_out_on_its_own_instrument():
    """An offset is one more input: values of one instrument other than the reference share it."""
    whole = Expert.at(LAYOUT, THETA, Pairs.of(X, Y, ERROR, MEMBERSHIP, INSTRUMENT))
    mean, variance = whole.leave_one_out(X, 2, INSTRUMENT)
    offset = LAYOUT.offset_variance(THETA)
    for i in (0, 1, 5):
        rest = np.arange(14) != i
        pairs = Pairs.of(X[rest], Y[rest], ERROR[rest], MEMBERSHIP[rest], INSTRUMENT[rest])
        left = Expert.at(LAYOUT, THETA, pairs)
        alike = (pairs.instrument == INSTRUMENT[i]) & (INSTRUMENT[i] > 0)
        for k in range(2):
            cross = left.cross(X[[i]], k)[:, 0] + offset * alike
            prior = left.variance(k) + offset * (INSTRUMENT[i] > 0)
            covariance = left.root @ left.root.T
            assert mean[i, k] == pytest.approx(cross @ np.linalg.solve(covariance, pairs.y))
            assert variance[i, k] == pytest.approx(prior - cross @ np.linalg.solve(covariance, cross))
