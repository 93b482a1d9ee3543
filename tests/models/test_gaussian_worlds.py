"""Worlds from the prior of `GaussianProcess`, and whether it is as sure of them as it should be."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from scattered import scattered
from scipy.stats import norm
from smooth_worlds import smooth_table

import tieline as tl
from tieline.models.gaussian_kernel import LEVEL

MODEL = tl.GaussianProcess(["x", "y"], "value")
N_SEEN, N_ASKED = 25, 25
HALF_OF_90 = norm.ppf(0.95)


def answers(n_worlds, spoil=lambda posterior: posterior):
    """Standardised errors (world, place) of predictions at fresh places of fresh worlds."""
    found = []
    for seed in range(n_worlds):
        world = MODEL.simulate(scattered(seed, N_SEEN + N_ASKED), seed=seed)
        posterior = spoil(MODEL.fit(world.isel(specimen=slice(N_SEEN))))
        asked = world.isel(specimen=slice(N_SEEN, None))
        predicted = posterior.predict(asked)
        found.append((asked["value"].values - predicted["value"].values) / predicted["value_sd"].values)
    return np.array(found)


def is_calibrated(errors):
    """Whether 90 % intervals hold what they promise, within four standard errors between worlds and 3 %."""
    kept = (np.abs(errors) < HALF_OF_90).mean(1)
    return abs(kept.mean() - 0.9) < 4 * kept.std() / np.sqrt(len(kept)) + 0.03


def too_sure(posterior):
    """A planted fault: standard deviations a third too small."""
    fits = []
    for fit in posterior.fit.fits:
        hyper = fit.hyper
        shrunk = replace(hyper, signal=hyper.signal / 2.25, residual=hyper.residual / 2.25)
        fits.append(replace(fit, hyper=shrunk))
    return replace(posterior, fit=replace(posterior.fit, fits=tuple(fits)))


def test_intervals_hold_what_they_promise_and_a_fault_is_found():
    assert is_calibrated(answers(40))
    assert not is_calibrated(answers(40, too_sure))


@pytest.mark.slow
def test_intervals_hold_what_they_promise_in_many_worlds():
    errors = answers(200)
    kept = (np.abs(errors) < HALF_OF_90).mean()
    assert 0.87 < kept < 0.93
    assert not is_calibrated(answers(200, too_sure))


def test_worlds_have_the_moments_of_the_prior():
    """At one place, over worlds: level, signal and noise, whose variances are log-normal."""
    design = scattered(0, 2)
    values = np.array([MODEL.simulate(design, seed=s)["value"].values[0] for s in range(3000)])
    assert values.mean() == pytest.approx(0, abs=0.15)
    wanted = LEVEL + np.exp(0.5) + np.exp(-4 + 1.5**2 / 2)
    assert values.var() == pytest.approx(wanted, rel=0.3)


def test_every_kind_of_design_and_several_campaigns():
    table = smooth_table(["temperature", "alloy", "substrate"]).assign(
        round=("specimen", np.repeat(["a", "b"], 12))
    )
    design = table.drop_vars(["hardness", "cost"])
    model = tl.GaussianProcess(["temperature", "alloy", "substrate"], ["hardness", "cost"], campaign="round")
    world = model.simulate(design, seed=1)
    xr.testing.assert_identical(world.drop_vars(["hardness", "cost"]), design)
    assert np.isfinite(world["hardness"]).all()
    assert np.isfinite(world["cost"]).all()
    assert model.simulate(design.drop_vars("round"), seed=1)["round"].values.tolist() == ["1"] * 24
    model.fit(world).predict(world)


def test_a_design_that_lacks_a_variable_is_refused():
    with pytest.raises(tl.SchemaError, match="reads 'y'"):
        MODEL.simulate(scattered(0, 3).drop_vars("y"))
