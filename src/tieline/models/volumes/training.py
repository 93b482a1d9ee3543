"""Training: passes over the volumes, each time shifted, mirrored and turned, until others gain nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

from tieline.errors import NotConverged
from tieline.models.arrays import Array
from tieline.models.volumes.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from tieline.models.volumes.network import Network
from tieline.models.volumes.objective import Terms, bound_terms
from tieline.models.volumes.reading import Volumes
from tieline.models.volumes.shape import NetworkShape
from tieline.models.volumes.texture import Texture

Progress = Callable[[int, int, float], object]
WARM_UP = (
    300  # steps over which the divergence gains its full weight; latent variables would not be used else
)
LAST_RATE = 0.03  # of the rate of learning, at the last step
CHUNK = 50  # volumes that are answered at once
HISTORY = ("training", "validation", "voxels", "texture", "divergence")


@dataclass(frozen=True)
class Course:
    """How a network is trained.

    Attributes:
        n_epochs: passes over the volumes, at most.
        batch_size: volumes a step.
        rate: of learning, at the first step; it falls along a cosine.
        patience: epochs without a better bound on held-out volumes, after which training ends.
        views: what is done to volumes at random before they are seen: "shift", "mirror", "turn".
        seed: of weights, order, views and draws.
    """

    n_epochs: int
    batch_size: int
    rate: float
    patience: int
    views: tuple[str, ...]
    seed: int


@dataclass(frozen=True, eq=False)
class Trained:
    """What training ends with.

    Attributes:
        weights: of the network with the best bound on held-out volumes.
        history (epoch, term): negative bounds and their terms, nats a volume; the terms are of held-out
            volumes.
    """

    weights: tuple[Array, ...]
    history: Array


def train(
    volumes: Volumes,
    held_out: np.ndarray,
    texture: Texture,
    shape: NetworkShape,
    course: Course,
    checkpoint: Path | None,
    progress: Progress | None,
) -> Trained:
    """Train a network.

    Args:
        volumes: to learn from.
        held_out (specimen): which of them only say when to stop.
        texture: coordinates.
        shape: how wide the network is.
        course: of the training.
        checkpoint: a file that is written after every epoch, and gone on from where there is one.
        progress: called with the number of epochs done, of all, and the bound of held-out volumes.
    """
    learned, others = np.flatnonzero(~held_out), np.flatnonzero(held_out)
    size = min(course.batch_size, len(learned))
    n_steps = len(learned) // size
    optimiser = _optimiser(course.rate, course.n_epochs * n_steps)
    network = jax.tree.map(jnp.asarray, Network(shape, rng=np.random.default_rng(course.seed)))
    state = optimiser.init(eqx.filter(network, eqx.is_inexact_array))
    mark = f"{shape} {course} {volumes.solid.shape} {int(volumes.solid.sum(dtype=np.int64))}"
    done = Checkpoint(0, _leaves(network), _leaves(state), _leaves(network), np.zeros((0, len(HISTORY))))
    if checkpoint is not None and checkpoint.is_file():
        done = read_checkpoint(checkpoint, mark, done)
        network, state = _with_leaves(network, done.weights), _with_leaves(state, done.state)
    test = _Test(volumes, others, texture, shape, course.seed)
    best, history = done.best, [*done.history]
    for epoch in range(done.n_epochs, course.n_epochs):
        if is_over(history, course.patience):
            break
        network, state, loss = _epoch(
            network, state, optimiser, volumes, learned, texture, course, size, epoch
        )
        terms = test.terms(network)
        _require_finite([loss, *terms], epoch)
        history.append(np.array([loss, sum(terms), *terms]))
        bounds = [row[1] for row in history]
        if bounds[-1] <= min(bounds):
            best = _leaves(network)
        if checkpoint is not None:
            now = Checkpoint(epoch + 1, _leaves(network), _leaves(state), best, np.array(history))
            write_checkpoint(checkpoint, mark, now)
        if progress is not None:
            progress(epoch + 1, course.n_epochs, bounds[-1])
    return Trained(best, np.array(history))


def rebuild(shape: NetworkShape, weights: Sequence[Array]) -> Network:
    """A network of the given weights, numpy's arrays, that needs no compilation."""
    network = Network(shape, rng=np.random.default_rng(0))
    return jax.tree.unflatten(jax.tree.structure(network), list(weights))


@cache
def _optimiser(rate: float, n_steps: int) -> optax.GradientTransformation:
    """One object for equal settings, so that equal trainings are compiled once."""
    return optax.adam(optax.cosine_decay_schedule(rate, n_steps, alpha=LAST_RATE))


def view(shares: np.ndarray, views: Sequence[str], rng: np.random.Generator) -> np.ndarray:
    """Look at volumes (specimen, x, y, z) as others that are as likely, at random.

    A periodic volume may be shifted; where processes treat all axes alike, mirrored and turned.
    """
    edge = shares.shape[1]
    if "turn" in views:
        shares = shares.transpose(0, *(1 + rng.permutation(3)))
    if "mirror" in views:
        shares = np.flip(shares, tuple(1 + axis for axis in range(3) if rng.random() < 0.5))
    if "shift" in views:
        steps = rng.integers(edge, size=(len(shares), 3))
        shares = np.stack([np.roll(s, tuple(k), (0, 1, 2)) for s, k in zip(shares, steps, strict=True)])
    return np.ascontiguousarray(shares)


def _epoch(
    network: Network,
    state: optax.OptState,
    optimiser: optax.GradientTransformation,
    volumes: Volumes,
    rows: np.ndarray,
    texture: Texture,
    course: Course,
    size: int,
    epoch: int,
) -> tuple[Network, optax.OptState, float]:
    """One pass; its randomness follows from the seed and its number, so that it can be gone on from."""
    rng = np.random.default_rng((course.seed, epoch))
    order = rng.permutation(rows)
    losses = []
    n_steps = len(rows) // size
    for step in range(n_steps):
        shares = view(volumes.shares(order[step * size : (step + 1) * size]), course.views, rng)
        noise = rng.standard_normal((size, network.shape.n_latent), dtype=np.float32)
        weight = min(1.0, (epoch * n_steps + step + 1) / WARM_UP)
        seen = texture.coordinates(shares)
        network, state, loss = _step(network, state, optimiser, shares, seen, noise, jnp.float32(weight))
        losses.append(loss)
    return network, state, float(np.mean([float(loss) for loss in losses]))


@eqx.filter_jit
def _step(network, state, optimiser, shares, texture, noise, weight):
    def loss(network: Network) -> tuple[jax.Array, Terms]:
        terms = bound_terms(network, shares, texture, noise)
        return jnp.mean(terms.voxels + terms.texture + weight * terms.divergence), terms

    (_, terms), gradient = eqx.filter_value_and_grad(loss, has_aux=True)(network)
    updates, state = optimiser.update(gradient, state)
    return eqx.apply_updates(network, updates), state, jnp.mean(sum(terms))


@eqx.filter_jit
def _mean_terms(network, shares, texture, noise):
    return [term.sum() for term in bound_terms(network, shares, texture, noise)]


class _Test:
    """The held-out volumes, always looked at in the same way."""

    def __init__(
        self, volumes: Volumes, rows: np.ndarray, texture: Texture, shape: NetworkShape, seed: int
    ) -> None:
        rng = np.random.default_rng((seed, 2**31))
        self.volumes, self.texture = volumes, texture
        self.rows = [rows[i : i + CHUNK] for i in range(0, len(rows), CHUNK)]
        self.noise = [
            rng.standard_normal((len(part), shape.n_latent), dtype=np.float32) for part in self.rows
        ]

    def terms(self, network: Network) -> list[float]:
        """Means of the three terms over all volumes."""
        total = np.zeros(3)
        for rows, noise in zip(self.rows, self.noise, strict=True):
            shares = self.volumes.shares(rows)
            total += [float(t) for t in _mean_terms(network, shares, self.texture.coordinates(shares), noise)]
        return list(total / sum(map(len, self.rows)))


def is_over(history: Sequence[Array], patience: int) -> bool:
    """Whether the bound of held-out volumes has gained nothing for so many epochs."""
    bounds = [row[1] for row in history]
    return bool(bounds) and len(bounds) - 1 - int(np.argmin(bounds)) >= patience


def _require_finite(numbers: Sequence[float], epoch: int) -> None:
    if not np.isfinite(numbers).all():
        raise NotConverged(
            "Training diverged.",
            found=f"no finite bound after epoch {epoch + 1}",
            hint="a smaller rate, such as rate=3e-4; the checkpoint, if there is one, is of the epoch before",
        )


def _leaves(tree) -> tuple[Array, ...]:
    return tuple(np.asarray(leaf) for leaf in jax.tree.leaves(eqx.filter(tree, eqx.is_array)))


def _with_leaves(tree, leaves: Sequence[Array]):
    arrays, rest = eqx.partition(tree, eqx.is_array)
    filled = jax.tree.unflatten(jax.tree.structure(arrays), [jnp.asarray(leaf) for leaf in leaves])
    return eqx.combine(filled, rest)
