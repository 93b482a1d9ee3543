"""Networks over the elements of compositions: what they must not know, must not mind, and must learn."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr
from scipy.stats import multivariate_normal
from ternaries import ternaries

from tieline.features.elements import element_properties
from tieline.models import network_ensemble
from tieline.models.aligned_network import LEAST_NOISE, AlignedNetwork, _misfit
from tieline.models.attention_network import AttentionNetwork
from tieline.models.element_slots import Slots, element_features
from tieline.models.encoder_network import Batch, EncoderShape, random_weights, unpack
from tieline.models.network_ensemble import Lesson, fit_networks
from tieline.schema import compositions

KINDS = [AttentionNetwork, AlignedNetwork]
METALS = ("Ti", "Fe", "Cu", "Zr", "Al", "Mg", "Nb", "Ni")


def untrained(kind, n_properties=3):
    encoder = EncoderShape(element_features().shape[1], len(element_features()), 2)
    network = kind(encoder, n_properties)
    rng = np.random.default_rng(0)
    weights = random_weights(network.pieces, rng)
    # A network begins with some zeros, under which a fault could hide.
    return network, weights + 0.1 * rng.standard_normal(weights.shape).astype(np.float32)


def batch_of(slots, values=None):
    numbers = np.repeat([[0.3, -1.0]], len(slots), 0)
    return Batch(slots.element, slots.share, numbers, values, np.ones((len(slots), 3)))


def answer(network, weights, slots):
    return network.mean(weights, element_features(), batch_of(slots), np)


def test_slots_hold_each_element_once_with_its_fraction():
    slots = Slots.of(compositions(["Fe2O3", "Cu", "LiCoO2"]))
    known = element_properties()["element"].values
    assert slots.share.shape == (3, 3)
    assert known[slots.element[0, :2]].tolist() == ["O", "Fe"]
    np.testing.assert_allclose(slots.share[0], [0.6, 0.4, 0.0])
    np.testing.assert_allclose(slots.share[1], [1.0, 0.0, 0.0])


@pytest.mark.parametrize("kind", KINDS)
def test_neither_the_order_of_elements_nor_empty_slots_matter(kind):
    network, weights = untrained(kind)
    slots = Slots.of(compositions(["LiFePO4", "MgO", "W"]))
    turned = Slots(slots.element[:, ::-1], slots.share[:, ::-1])
    filled = [(0, 0), (0, 3)]
    wider = Slots(np.pad(slots.element, filled, constant_values=7), np.pad(slots.share, filled))
    found = answer(network, weights, slots)
    assert np.isfinite(found).all()
    assert np.ptp(found[:, 0]) > 1e-3
    np.testing.assert_allclose(answer(network, weights, turned), found, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(answer(network, weights, wider), found, rtol=1e-4, atol=1e-4)
    compiled = jax.jit(lambda batch: network.mean(weights, element_features(), batch, jnp))
    np.testing.assert_allclose(compiled(batch_of(slots)), found, rtol=1e-4, atol=1e-4)


def test_the_covariance_of_what_is_left_enters_as_in_the_normal():
    rng = np.random.default_rng(0)
    root, error = rng.standard_normal((3, 3)), rng.standard_normal((4, 3))
    seen = np.ones((4, 3), dtype=bool)
    seen[1, 2] = seen[3, :2] = False
    factor = np.eye(3) + np.tril(root)
    covariance = factor @ factor.T + LEAST_NOISE * np.eye(3)
    found = np.asarray(_misfit(jnp.where(seen, error, 0.0), seen, root, jnp))
    for i, has in enumerate(seen):
        wanted = multivariate_normal(cov=covariance[np.ix_(has, has)]).logpdf(error[i, has])
        np.testing.assert_allclose(found[i], -wanted - 0.5 * has.sum() * np.log(2 * np.pi), rtol=1e-4)


def test_weights_are_unpacked_into_their_pieces():
    network, weights = untrained(AlignedNetwork)
    pieces = unpack(weights, network.pieces, np)
    assert {name: piece.shape for name, piece in pieces.items()} == network.pieces
    assert sum(piece.size for piece in pieces.values()) == len(weights)


@pytest.fixture
def quick(monkeypatch):
    for name, value in {"FEWEST_STEPS": 50, "PASSES": 1, "N_TWINS": 1, "N_NETWORKS": 2}.items():
        monkeypatch.setattr(network_ensemble, name, value)


def lesson(n=120, seed=0):
    """One property that the elements decide, and one of chance; some values of the first are missing."""
    composition = compositions(ternaries(np.random.default_rng(seed), n, METALS, most=3))
    bond = element_properties()["cohesive_energy"].sel(element=composition["element"])
    rng = np.random.default_rng(seed)
    y = np.column_stack([(composition.values @ bond.values - 5) / 1.2, rng.standard_normal(n)])
    y[::7, 0] = np.nan
    return Lesson(rng.standard_normal((n, 3)), Slots.of(composition), y, np.ones(y.shape))


IS_READ = np.array([True, False, True])
HALVES = [np.arange(60), np.arange(60, 120)]


@pytest.mark.parametrize("kind", KINDS)
def test_networks_learn_and_do_not_know_what_was_left_out(kind, quick):
    given = lesson()
    ensemble, (said,) = fit_networks(kind, given, IS_READ, [HALVES], 0)
    seen = np.isfinite(given.y[:, 0])
    assert np.corrcoef(said[seen, 0], given.y[seen, 0])[0, 1] > 0.8
    assert abs(np.corrcoef(said[:, 1], given.y[:, 1])[0, 1]) < 0.3
    found = ensemble.mean(given.x, given.slots)
    assert np.corrcoef(found[seen, 0], given.y[seen, 0])[0, 1] > 0.9
    assert len(ensemble.weights) == 2
    changed = given.x.copy()
    changed[:, ~IS_READ] += 5
    np.testing.assert_array_equal(ensemble.mean(changed, given.slots), found)
    again, _ = fit_networks(kind, given, IS_READ, [HALVES], 0)
    np.testing.assert_array_equal(again.weights, ensemble.weights)


def test_networks_that_have_learned_something_alike_need_fewer_labels(quick):
    given, other = lesson(), lesson(seed=1)
    y = given.y.copy()
    y[np.arange(120) % 10 > 0] = np.nan
    few = given._replace(y=y)

    def off(earlier):
        _, (said,) = fit_networks(AttentionNetwork, few, IS_READ, [HALVES], 0, earlier)
        return np.nanmean(np.abs(said - given.y)[:, 0])

    assert off(other) < 0.95 * off(None)


def test_a_value_that_counts_nothing_teaches_nothing(quick):
    given = lesson()
    wrong = given.y.copy()
    wrong[:60, 0] += 30.0
    weight = np.ones(wrong.shape)
    weight[:60, 0] = 0.0
    found, _ = fit_networks(AttentionNetwork, given._replace(y=wrong, weight=weight), IS_READ, [HALVES], 0)
    assert np.nanmax(np.abs(found.mean(given.x, given.slots)[:, 0])) < 10


def test_slots_of_a_composition_that_is_not_known_are_empty():
    composition = xr.DataArray(
        [[0.5, 0.5], [np.nan, np.nan]], dims=("specimen", "element"), coords={"element": ["Mg", "O"]}
    )
    slots = Slots.of(composition)
    assert slots.share[1].tolist() == [0.0, 0.0]
