"""Fingerprints beside the other models: clusters as structure, properties as goals."""

import dataclasses

import equinox as eqx
import numpy as np
import pytest
import xarray as xr
from fingerprint_specimens import MODALITIES, specimens

import tieline as tl
from tieline.models.fingerprint.networks import flatten


def test_clusters_are_the_structure_of_a_phase_map():
    table = specimens()
    found = tl.Fingerprint(MODALITIES, n_clusters=3, n_latent=3, n_epochs=40).fit(table, seed=0)
    clusters = found.responsibilities(table)["cluster_probability"].rename(cluster="phase")
    few = np.arange(40)
    mapped = table[["power", "pressure"]].assign(structure=clusters).isel(specimen=few)
    for name in ("power", "pressure"):
        mapped[name].attrs["role"] = "process"
    posterior = tl.PhaseProperty(["power", "pressure"], phase="structure").fit(mapped, seed=0)
    predicted = posterior.predict(table)
    likely = found.responsibilities(table)["most_likely_cluster"].values
    assert set(posterior.phases) == set(found.clusters)
    assert float(np.mean(predicted["most_likely_phase"].values[40:] == likely[40:])) > 0.9


def test_worlds_of_the_prior_have_the_form_of_their_design_and_clusters_that_differ():
    design = specimens(80)
    model = tl.Fingerprint(MODALITIES, n_clusters=3, n_latent=3)
    world, same, other = (model.simulate(design, seed=seed) for seed in (1, 1, 2))
    xr.testing.assert_identical(world, same)
    assert not world.identical(other)
    assert {name: v.dims for name, v in world.data_vars.items()} == {
        name: v.dims for name, v in design.data_vars.items()
    }
    assert world["stress"].attrs == design["stress"].attrs
    cluster, top = world["cluster_truth"].values, world["stress"].values[:, -1]
    within = np.mean([top[cluster == k].std() for k in np.unique(cluster)])
    assert within < 0.5 * top.std()


@pytest.fixture(scope="module")
def films():
    rng = np.random.default_rng(0)
    power = rng.uniform(0, 1, 120)
    hardness = 5 - 8 * (power - 0.7) ** 2 + 0.05 * rng.standard_normal(120)
    spectrum = np.exp(-0.5 * ((np.arange(16) - 16 * power[:, None]) / 2) ** 2)
    table = xr.Dataset(
        {
            "power": ("specimen", power, {"units": "W", "role": "process"}),
            "spectrum": (
                ("specimen", "energy"),
                spectrum + 0.05 * rng.standard_normal((120, 16)),
                {"units": "1"},
            ),
            "hardness": ("specimen", hardness, {"units": "GPa", "role": "property"}),
        },
        coords={"specimen": np.arange(120)},
    )
    model = tl.Fingerprint(
        ["power", "spectrum", "hardness"],
        n_clusters=1,
        n_latent=2,
        n_epochs=60,
        design="power",
        properties="hardness",
    )
    return model.fit(table, seed=0)


def test_a_modality_that_claims_too_much_is_believed_less(films):
    """Hardness has its best in the middle: it leaves open on which side the spectrum is."""
    trust = np.array([1, 1, 100], np.float32)
    loud = eqx.tree_at(lambda n: n.trust, films.networks, trust)
    shouting = dataclasses.replace(films, numbers=flatten(loud))

    def error(given):
        found = shouting.predict(films.table, "spectrum", given=given)["spectrum"]
        return float(((found - films.table["spectrum"]) ** 2).mean())

    assert shouting.trust(1, (True, False, True))[2] < 0.1
    assert error(["power", "hardness"]) < 1.5 * error(["power"])  # twelve times, if all were believed
    np.testing.assert_array_equal(shouting.trust(1, (True, False, False)), 1)  # nothing else to believe


def test_what_is_to_be_made_next_is_proposed(films):
    pool = xr.Dataset(
        {"power": ("specimen", np.linspace(0, 1, 41), {"units": "W"})}, {"specimen": np.arange(41)}
    )
    best = tl.propose(films, pool, tl.Maximize("hardness"), n=2, seed=0)
    assert (abs(best["power"] - 0.7) < 0.25).all()
    assert all("hardness" in reason for reason in best["reason"].values)


def test_functions_are_those_of_the_properties(films):
    draws = films.functions(films.table.isel(specimen=[0, 1]), 5)
    assert draws["property"].values.tolist() == ["hardness"]
    assert draws["units"].values.tolist() == ["GPa"]


def test_a_design_that_no_modality_reads_is_refused():
    with pytest.raises(tl.SchemaError, match=r"design names 'powr'(.|\n)*Did you mean 'power'"):
        tl.Fingerprint(["power"], design="powr")
