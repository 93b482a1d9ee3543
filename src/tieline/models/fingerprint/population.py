"""Clusters: their weights, places in the latent space and laws, learned by expectation and maximisation.

Networks stand still here. What they say of a specimen is a Gaussian over the latent space, what physics says
is how well each cluster's law fits its curves; both together decide to which cluster it belongs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import logsumexp

from tieline.models.arrays import Array, Mask
from tieline.models.fingerprint.laws import FittedLaw, Law

LOG_TWO_PI = float(np.log(2 * np.pi))
LEAST_VARIANCE = 1e-2  # of a cluster in the latent space, where centres start 4 apart
LEAST_WEIGHT = 1e-6  # of a cluster, so that its logarithm is finite


@dataclass(frozen=True, eq=False)
class Curves:
    """One modality that physics speaks of.

    Attributes:
        name: of the modality.
        law: the form of the curve in every cluster.
        grid: where it was measured (point).
        values: (specimen, point), 0 where not seen.
        is_seen: (specimen, point).
        trust: what its log likelihood is multiplied by.
        least_noise: standard deviation that noise does not fall below.
    """

    name: str
    law: Law
    grid: Array
    values: Array
    is_seen: Mask
    trust: float
    least_noise: float

    @classmethod
    def of(
        cls, name: str, law: Law, grid: Array, raw: Array, *, trust: float = 1.0, least_noise: float = 0.0
    ) -> "Curves":
        """Curves of values (specimen, point) that are NaN where not seen."""
        is_seen = ~np.isnan(raw)
        return cls(name, law, grid, np.where(is_seen, raw, 0.0), is_seen, trust, least_noise)


@dataclass(frozen=True, eq=False)
class Seen:
    """What is seen of every specimen while networks stand still.

    Attributes:
        mean: of the latent Gaussian (specimen, latent); of no latent dimension for physics alone.
        variance: the same.
        curves: what physics speaks of.
    """

    mean: Array
    variance: Array
    curves: tuple[Curves, ...]

    def rows(self, rows: np.ndarray) -> "Seen":
        """Take some specimens."""
        curves = [replace(c, values=c.values[rows], is_seen=c.is_seen[rows]) for c in self.curves]
        return Seen(self.mean[rows], self.variance[rows], tuple(curves))


@dataclass(frozen=True, eq=False)
class Population:
    """The clusters.

    Attributes:
        weight: how common each is (cluster).
        centre: in the latent space (cluster, latent).
        variance: around it (cluster, latent).
        laws: for every modality that physics speaks of.
    """

    weight: Array
    centre: Array
    variance: Array
    laws: tuple[FittedLaw, ...]

    @property
    def n_clusters(self) -> int:
        """How many clusters there are."""
        return len(self.weight)

    def together(self, mean: Array, variance: Array) -> tuple[Array, Array]:
        """Mean and variance (entry) of all clusters together, from those of each (cluster, entry)."""
        average = self.weight @ mean
        return average, np.maximum(self.weight @ (variance + mean**2) - average**2, 0)

    def log_latent(self, mean: Array, variance: Array) -> Array:
        """E log N(Z; centre, variance) under the Gaussian of each specimen (specimen, cluster)."""
        spread = ((mean[:, None] - self.centre) ** 2 + variance[:, None]) * (1 / self.variance)
        return -0.5 * (spread + np.log(self.variance) + LOG_TWO_PI).sum(2)

    def log_message(self, mean: Array, variance: Array) -> Array:
        """Log N(mean; centre, both variances together): what a message says of clusters."""
        total = self.variance + variance[:, None]
        return -0.5 * ((mean[:, None] - self.centre) ** 2 / total + np.log(total) + LOG_TWO_PI).sum(2)

    def log_laws(self, curves: Sequence[Curves]) -> Array:
        """Log likelihood of all curves under each cluster's laws (specimen, cluster)."""
        return np.sum([fitted.log_likelihood(c) for fitted, c in zip(self.laws, curves, strict=True)], axis=0)

    def log_joint(self, seen: Seen) -> Array:
        """Logarithm that responsibilities are the exponential of, up to a constant (specimen, cluster)."""
        a = np.log(self.weight) + self.log_latent(seen.mean, seen.variance)
        return a + self.log_laws(seen.curves) if seen.curves else a


def expect(population: Population, seen: Seen) -> tuple[Array, Array]:
    """E-step: responsibilities at their optimum (specimen, cluster), and the collapsed bound (specimen)."""
    a = population.log_joint(seen)
    collapsed = np.asarray(logsumexp(a, axis=1))
    return np.exp(a - collapsed[:, None]), collapsed


def maximise(population: Population, seen: Seen, responsibility: Array) -> Population:
    """M-step: the clusters that fit best, given to which of them specimens belong.

    A cluster that nobody belongs to keeps its place.
    """
    count = responsibility.sum(0)
    has_any = count > LEAST_WEIGHT
    weight = np.maximum(count / count.sum(), LEAST_WEIGHT)
    share = responsibility / np.where(has_any, count, 1)
    centre = share.T @ seen.mean
    # E[(Z - centre)^2]: what one specimen's own variance adds must not be left out.
    variance = share.T @ (seen.mean**2 + seen.variance) - centre**2
    laws = [f.refit(c, responsibility) for f, c in zip(population.laws, seen.curves, strict=True)]
    return Population(
        weight / weight.sum(),
        np.where(has_any[:, None], centre, population.centre),
        np.where(has_any[:, None], np.maximum(variance, LEAST_VARIANCE), population.variance),
        tuple(laws),
    )


def first_population(seen: Seen, responsibility: Array) -> Population:
    """Clusters from first guesses of who belongs to them."""
    n_clusters, n_latent = responsibility.shape[1], seen.mean.shape[1]
    blank = Population(
        np.full(n_clusters, 1 / n_clusters),
        np.zeros((n_clusters, n_latent)),
        np.ones((n_clusters, n_latent)),
        tuple(FittedLaw.of_everything(c, n_clusters) for c in seen.curves),
    )
    return maximise(blank, seen, responsibility)


def iterate(
    population: Population, seen: Seen, *, n_most: int = 100, tolerance: float = 1e-6
) -> tuple[Population, float]:
    """Alternate both steps until the bound rises by less than `tolerance` a specimen.

    Returns:
        The clusters, and the bound of all specimens.
    """
    before = -np.inf
    bound = before
    for _ in range(n_most):
        responsibility, collapsed = expect(population, seen)
        bound = float(collapsed.sum())
        if bound - before < tolerance * len(collapsed):
            break
        population, before = maximise(population, seen, responsibility), bound
    return population, bound
