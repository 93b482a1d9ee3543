"""Laws with a small learned correction, on curves that depart from their law as the pressure says."""

import numpy as np
import pytest
from fingerprint_specimens import GRID, MODALITIES, STIFFNESS, specimens

import tieline as tl
from tieline.models.fingerprint.bound import Batch, bound_terms
from tieline.models.fingerprint.corrections import Correction, corrections_of, without_corrections
from tieline.models.fingerprint.form import Form, Width
from tieline.models.fingerprint.networks import Networks
from tieline.models.fingerprint.population import Curves, Seen, first_population, maximise
from tieline.models.fingerprint.training import prior_of

CORRECTED = tl.Modality(law=tl.physics.Line(through_origin=True), correction=0.2)
MODEL = tl.Fingerprint(MODALITIES | {"stress": CORRECTED}, n_clusters=3, n_latent=3, n_epochs=40)


def bent(n, seed):
    """Stress has an arc whose height goes with the pressure, which no line has."""
    table = specimens(n, seed=seed)
    arc = (table["pressure"].values / 5 - 1)[:, None] * np.sin(np.pi * GRID)
    return table.assign(stress=table["stress"] + 3 * arc)


@pytest.fixture(scope="module")
def posterior():
    return MODEL.fit(bent(200, 0), seed=0)


@pytest.fixture(scope="module")
def asked():
    return bent(100, 1)


def test_a_correction_tells_what_the_law_cannot(posterior, asked):
    found = posterior.predict(asked, "stress", given="recipe")
    knowing = STIFFNESS[asked["cluster_truth"]][:, None] * GRID  # the best that lines can do
    error = float(((found["stress"] - asked["stress"]) ** 2).mean())
    assert error < 0.5 * float(((knowing - asked["stress"]) ** 2).mean())
    inside = (found["stress_low"] <= asked["stress"]) & (asked["stress"] <= found["stress_high"])
    assert float(inside.mean()) > 0.85


def test_the_law_keeps_its_meaning_and_the_correction_its_place(posterior):
    slopes = posterior.prototypes()["stress_parameter"].values.ravel()
    np.testing.assert_allclose(np.sort(slopes), STIFFNESS, atol=0.1)
    share = posterior.diagnose()["correction_share"]
    assert 0.005 < float(share.sel(target="stress")) < 0.1
    assert np.isnan(share.sel(target=["image", "recipe"])).all()


def test_parameters_are_exact_least_squares_of_what_is_left(posterior):
    table = posterior.table.isel(specimen=np.flatnonzero(~posterior.is_held_out))
    view, law = posterior.views[1], CORRECTED.law
    curves = Curves.of("stress", law, view.grid, view.raw(table))
    z = posterior.embed(table)["fingerprint"].values
    (left,) = without_corrections([curves], corrections_of(MODEL, posterior.views), posterior.networks, z)
    member = posterior.responsibilities(table)["cluster_probability"].values
    again = posterior.population.laws[0].refit(left, member)
    wanted = (member.T @ left.values) @ GRID / (GRID @ GRID) / member.sum(0)
    np.testing.assert_allclose(again.parameter[:, 0], wanted, rtol=1e-8)
    np.testing.assert_allclose(posterior.population.laws[0].parameter[:, 0], wanted, atol=0.05)


def test_draws_and_files_have_the_correction(posterior, asked, tmp_path):
    arc = np.sin(np.pi * GRID)
    drawn = posterior.sample("cluster 1", n=400, seed=0)["stress"].values
    line = posterior.population.laws[0].curve[0]
    height = (drawn - line) @ arc / (arc @ arc)
    assert height.std() > 2 * 0.1 / np.sqrt(arc @ arc)  # more than noise alone has
    again = tl.load_posterior(posterior.save(tmp_path / "corrected.nc"))
    found, before = (p.predict(asked, "stress", given="image")["stress"] for p in (again, posterior))
    np.testing.assert_allclose(found, before)


def test_the_bound_of_a_silent_correction_is_that_of_the_law_alone():
    rng = np.random.default_rng(0)
    curves = Curves.of("stress", tl.physics.Line(), GRID, rng.standard_normal((6, 10)))
    mean, variance = np.zeros((6, 2)), np.ones((6, 2))
    population = first_population(Seen(mean, variance, (curves,)), rng.dirichlet(np.ones(3), 6))
    blank = Batch((curves.values,), (curves.values,), (curves.is_seen,), np.ones((6, 1), bool), np.zeros(1))

    def bound(form, networks, log_laws, corrections):
        prior = prior_of(population, corrections)
        batch = blank._replace(log_laws=log_laws)
        return bound_terms(networks, (form,), (1.0,), prior, batch, mean, variance, mean).sum(0)

    plain, corrected = Form((10,), has_decoder=False), Form((10,), correction=0.5)
    silent = Networks((corrected,), Width(2, 8), rng=rng)
    silent.decoders[0].dense.weights[-1][:] = 0
    without = bound(plain, Networks((plain,), Width(2, 8), rng=rng), population.log_laws([curves]), ())
    correction = Correction(0, 0, 0.5, np.zeros(10), np.ones(10))
    np.testing.assert_allclose(bound(corrected, silent, np.zeros((6, 1)), (correction,)), without, rtol=1e-4)


def test_every_maximisation_raises_the_bound_of_frozen_networks(posterior):
    table = posterior.table
    view = posterior.views[1]
    curves = Curves.of("stress", CORRECTED.law, view.grid, view.raw(table))
    embedded = posterior.embed(table)
    z, variance = embedded["fingerprint"].values, embedded["fingerprint_sd"].values ** 2
    left = without_corrections([curves], corrections_of(MODEL, posterior.views), posterior.networks, z)
    seen = Seen(z, variance, left)
    rng = np.random.default_rng(0)
    population = maximise(posterior.population, seen, rng.dirichlet(np.ones(3), len(z)))
    bounds = []
    for _ in range(8):
        joint = population.log_joint(seen)
        bounds.append(np.logaddexp.reduce(joint, axis=1).sum())
        member = np.exp(joint - np.logaddexp.reduce(joint, axis=1)[:, None])
        population = maximise(population, seen, member)
    assert (np.diff(bounds) > -1e-6 * len(z)).all()


@pytest.mark.parametrize(
    "settings", [{"correction": -0.1, "law": tl.physics.Line()}, {"correction": 0.1}], ids=str
)
def test_a_correction_without_a_law_is_refused(settings):
    with pytest.raises(tl.SchemaError, match="goes with a law that it corrects"):
        tl.Modality(**settings)
