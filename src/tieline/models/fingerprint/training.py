"""Training: networks by gradients of the collapsed bound, clusters and laws by full passes of EM between."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import softmax

from tieline.models.arrays import Array, Mask
from tieline.models.fingerprint.bound import Batch, Prior, bound_terms, divergence
from tieline.models.fingerprint.corrections import Correction, log_uncorrected, without_corrections
from tieline.models.fingerprint.form import Form, Width
from tieline.models.fingerprint.messages import fuse, messages, product
from tieline.models.fingerprint.mixture_search import MOST_SEARCHED, improve
from tieline.models.fingerprint.networks import Networks, Plan, flatten
from tieline.models.fingerprint.population import Population, Seen, maximise
from tieline.models.fingerprint.steps import OPTIMISER, Course, random_subsets, train_epoch

TRUSTS = (1.0, 0.7, 0.5, 0.35, 0.2, 0.1, 0.03, 0.01)
MOST_SUBSETS = 4
N_SWEEPS = 2  # over all modalities
FEWEST_SHARE = 20  # an equal share divided by this is too few specimens for a cluster


@dataclass(frozen=True)
class Training:
    """How networks learn.

    Attributes:
        n_epochs: passes over all specimens, at most.
        batch_size: specimens a step.
        rate: greatest rate of learning; it rises over a tenth of the steps and falls over the others.
        decay: of weights, relative to the rate.
        corruption: noise on what encoders are fed, in standard deviations.
        warm_up: share of epochs during which clusters keep their places.
        patience: epochs without a better bound on held-out specimens, after which training ends.
        agreement: weight, beside the bound, of each modality alone telling the clusters that all tell.
    """

    n_epochs: int = 150
    batch_size: int = 128
    rate: float = 7e-3
    decay: float = 0.02
    corruption: float = 0.2
    warm_up: float = 0.4
    patience: int = 40
    agreement: float = 20.0


@dataclass(frozen=True, eq=False)
class Material:
    """All that training reads, specimens that are held out included.

    Attributes:
        forms: of the modalities.
        weights: of the modalities.
        inputs: of the encoders (specimen, entry), one for each modality.
        is_seen: (specimen, entry), one for each modality.
        is_measured: (specimen, modality).
        seen: curves that physics speaks of, without a latent Gaussian.
        features: what clusters are split by (specimen, feature).
        is_held_out: (specimen).
        corrections: of laws, by networks.
    """

    forms: tuple[Form, ...]
    weights: tuple[float, ...]
    inputs: tuple[Array, ...]
    is_seen: tuple[Mask, ...]
    is_measured: Mask
    seen: Seen
    features: Array
    is_held_out: Mask
    corrections: tuple[Correction, ...] = ()


@dataclass(frozen=True, eq=False)
class Trained:
    """What training ends with.

    Attributes:
        networks: at the best bound on held-out specimens.
        population: clusters that go with them.
        history: mean terms of the bound (epoch, term), of what was trained on, and its sum when held out.
    """

    networks: Networks
    population: Population
    history: Array

    @property
    def bound(self) -> float:
        """The best bound of held-out specimens, nats each."""
        return float(self.history[:, -1].max())


def train(
    material: Material, population: Population, anchor: Array, width: Width, settings: Training, seed: int
) -> Trained:
    """Train networks around clusters.

    Args:
        material: what is read.
        population: clusters to begin with, with their places in the latent space.
        anchor: log probability of the first guess of clusters (specimen, cluster); it fades during warm-up.
        width: of the networks.
        settings: of the training.
        seed: of weights, batches and subsets.
    """
    rng = np.random.default_rng(seed)
    networks = Networks(material.forms, width, rng=rng)
    plan, numbers = Plan.of(networks), jnp.asarray(flatten(networks))
    state = OPTIMISER.init(numbers)
    rows = np.flatnonzero(~material.is_held_out)
    known, exam = jax.tree.map(jnp.asarray, batch_of(material, rows)), _exam(material, width, rng)
    size = batch_size(len(rows), settings.batch_size)
    n_steps = len(rows) // size
    rates = one_cycle(settings.rate, settings.n_epochs * n_steps).reshape(settings.n_epochs, n_steps)
    n_warm = int(settings.warm_up * settings.n_epochs)
    best, history, best_epoch = (networks, population), [], -1
    for epoch in range(settings.n_epochs):
        faded = anchor[rows] * max(0.0, 1 - epoch / max(n_warm, 1))
        log_laws = (_log_laws(population, material)[rows] + faded).astype(np.float32)
        numbers, state, terms = train_epoch(
            numbers,
            state,
            known._replace(log_laws=jnp.asarray(log_laws)),
            jax.tree.map(jnp.asarray, prior_of(population, material.corrections)),
            _course(material.is_measured[rows], rates[epoch], size, width.n_latent, settings, rng),
            plan=plan,
            forms=material.forms,
            weights=material.weights,
        )
        networks = with_trust(plan.build(np.asarray(numbers)), np.ones(len(material.forms)))
        seen = seen_by_networks(networks, material, rows)
        if epoch >= n_warm:
            population = _rescued(population, seen, material.features[rows], seed + epoch)
        population = _update(population, seen, faded, epoch < n_warm)
        history.append(np.append(np.asarray(terms), exam.bound(networks, population, material)))
        if epoch >= n_warm and (best_epoch < 0 or history[-1][-1] > history[best_epoch][-1]):
            best, best_epoch = (networks, population), epoch
        if best_epoch >= 0 and epoch - best_epoch > settings.patience:
            break
    return Trained(_tempered(best[0], best[1], material, exam), best[1], np.array(history))


@dataclass(frozen=True, eq=False)
class Exam:
    """Specimens that training does not see, each with many subsets of what was measured.

    Attributes:
        batch: all of these cases.
        specimens: that are examined, in order.
        rows: the specimen of each case.
        noise: of the latent place, the same in every epoch.
    """

    batch: Batch
    specimens: np.ndarray
    rows: np.ndarray
    noise: np.ndarray

    def bound(self, networks: Networks, population: Population, material: Material) -> float:
        """Mean over all cases, nats."""
        said = self.messages(networks, material)
        return self.bound_of(said, networks, population, material)

    def messages(self, networks: Networks, material: Material) -> tuple[Array, Array]:
        """What modalities say of every case: every specimen is read once, however often it is asked."""
        inputs = [x[self.specimens].astype(np.float32) for x in material.inputs]
        mean, precision = messages(networks, inputs)
        at = np.searchsorted(self.specimens, self.rows)
        return mean[:, at], precision[:, at]

    def bound_of(
        self, said: tuple[Array, Array], networks: Networks, population: Population, material: Material
    ) -> float:
        """Mean over all cases, messages given: the bound, less how far the part is from the whole; nats."""
        log_laws = _log_laws(population, material)[self.rows].astype(np.float32)
        batch, prior = self.batch._replace(log_laws=log_laws), prior_of(population, material.corrections)
        whole, part = product(*said, material.is_measured[self.rows]), product(*said, batch.is_used)
        given = (material.forms, material.weights, prior, batch, *whole, self.noise)
        bound = bound_terms(networks, *given).sum(0, dtype=float)
        return float((bound - divergence(whole, part)).mean())


def with_trust(networks: Networks, trust: Array) -> Networks:
    """The same networks, their messages trusted otherwise."""
    return eqx.tree_at(lambda n: n.trust, networks, trust.astype(np.float32))


def _tempered(networks: Networks, population: Population, material: Material, exam: Exam) -> Networks:
    """Trust the messages of each modality as far as specimens that training did not see say it is right.

    Encoders that have learned their specimens by heart are too sure of others, and would outvote the rest.
    """
    if not material.is_held_out.any():
        return networks
    trust = np.ones(len(material.forms))
    mean, precision = exam.messages(networks, material)
    best = exam.bound_of((mean, precision), networks, population, material)
    for m in np.tile(np.arange(len(trust)), N_SWEEPS):
        for factor in TRUSTS:
            trial = trust.copy()
            trial[m] = factor
            said = mean, precision * trial[:, None, None].astype(np.float32)
            bound = exam.bound_of(said, networks, population, material)
            if bound > best:
                trust, best = trial, bound
    return with_trust(networks, trust)


def _exam(material: Material, width: Width, rng: np.random.Generator) -> Exam:
    """Where no specimen can be spared, those that are learned from."""
    held = np.flatnonzero(material.is_held_out)
    held = held if len(held) else np.arange(len(material.is_held_out))
    subsets = _examined(len(material.forms))
    rows = np.tile(held, len(subsets))
    used = np.concatenate([material.is_measured[held] & subset for subset in subsets])
    rows, used = rows[used.any(1)], used[used.any(1)]
    noise = rng.standard_normal((len(rows), width.n_latent), dtype=np.float32)
    return Exam(batch_of(material, rows)._replace(is_used=used), held, rows, noise)


def _examined(n: int) -> list[np.ndarray]:
    """All subsets of up to four modalities; of more, all of them, all but one, and one alone."""
    if n <= MOST_SUBSETS:
        return [np.array(s) for s in itertools.product((False, True), repeat=n) if any(s)]
    one = np.eye(n, dtype=bool)
    return [np.ones(n, bool), *~one, *one]


def _log_laws(population: Population, material: Material) -> Array:
    """Log likelihood of curves under laws without corrections (specimen, cluster); 0 where there are none."""
    if not material.seen.curves:
        return np.zeros((len(material.is_held_out), population.n_clusters))
    return log_uncorrected(population, material.seen.curves, material.corrections)


def _rescued(population: Population, seen: Seen, features: Array, seed: int) -> Population:
    """Give a cluster that hardly anybody belongs to a part of another one, if the bound rises by that."""
    if population.weight.min() * population.n_clusters * FEWEST_SHARE > 1:
        return population
    rng = np.random.default_rng(seed)
    few = rng.permutation(len(features))[:MOST_SEARCHED]
    return improve(population, seen.rows(few), features[few], seed)


def _course(
    is_measured: Mask, rate: Array, size: int, n_latent: int, settings: Training, rng: np.random.Generator
) -> Course:
    rows = rng.permutation(len(is_measured))[: len(rate) * size].reshape(len(rate), size)
    return Course(
        jnp.asarray(rows),
        jnp.asarray(random_subsets(is_measured[rows], rng)),
        jnp.asarray(rng.standard_normal((*rows.shape, n_latent), dtype=np.float32)),
        jnp.asarray(rate.astype(np.float32)),
        jnp.asarray(np.float32(settings.decay)),
        jnp.asarray(np.float32(settings.corruption)),
        jnp.asarray(rng.integers(2**32, size=(len(rate), 4), dtype=np.uint32)),
        jnp.asarray(np.float32(settings.agreement)),
    )


def _update(population: Population, seen: Seen, anchor: Array, is_warming: bool) -> Population:
    """One step of EM on all specimens; during warm-up, clusters keep their places."""
    updated = maximise(population, seen, softmax(population.log_joint(seen) + anchor, axis=1))
    if is_warming:
        return replace(updated, centre=population.centre, variance=population.variance)
    return updated


def seen_by_networks(networks: Networks, material: Material, rows: np.ndarray) -> Seen:
    """What networks and physics say of specimens, all their modalities used."""
    inputs = [x[rows].astype(np.float32) for x in material.inputs]
    mean, variance = fuse(networks, inputs, material.is_measured[rows])
    curves = material.seen.rows(rows).curves
    curves = without_corrections(curves, material.corrections, networks, mean)
    return Seen(mean.astype(float), variance.astype(float), curves)


def batch_of(material: Material, rows: np.ndarray) -> Batch:
    """Specimens as networks read them."""
    inputs = tuple(x[rows].astype(np.float32) for x in material.inputs)
    is_seen = tuple(s[rows] for s in material.is_seen)
    return Batch(inputs, inputs, is_seen, material.is_measured[rows], np.zeros((len(rows), 1), np.float32))


def prior_of(population: Population, corrections: Sequence[Correction] = ()) -> Prior:
    """Clusters as networks read them."""
    parts = (population.weight, population.centre, population.variance)
    corrected = {c.modality: c.standard(population.laws[c.law]) for c in corrections}
    return Prior(*(p.astype(np.float32) for p in parts), corrected=corrected)


def batch_size(n_specimens: int, usual: int) -> int:
    """Specimens a step: fewer where there are few, so that an epoch has steps; more where there are many."""
    fewer = min(n_specimens, max(8, min(usual, n_specimens // 8)))
    return max(fewer, min(n_specimens // 200, 512))


def one_cycle(rate: float, n_steps: int) -> Array:
    """Rates that rise over the first tenth of the steps and fall to nothing over the others (step)."""
    at = (np.arange(n_steps) + 1) / n_steps
    rising, falling = at / 0.1, 0.5 * (1 + np.cos(np.pi * (at - 0.1) / 0.9))
    return rate * np.where(at < 0.1, rising, falling)
