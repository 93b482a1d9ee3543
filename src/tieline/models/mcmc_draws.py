"""What one draw of the chains says of any place."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from tieline.models.arrays import Array, Indices, Mask
from tieline.models.experts import Expert, Layout
from tieline.models.gate import contrasts, jittered
from tieline.models.gate_mixture import settings_at
from tieline.models.mcmc_map import cholesky, features_at, triangular
from tieline.models.mcmc_property import Column
from tieline.models.pathwise import separated


@dataclass(frozen=True)
class Draw:
    """One state of a chain.

    Attributes:
        theta: the map's hyperparameters.
        eta: its whitened latents (rank, K - 1).
        phase: of every row with a property (row).
        kernels: number of each property's kernel (property).
        experts: hyperparameters of each property (property, hyperparameter).
        regular: which rows' values are no gross errors (row, property); true where unmeasured.
    """

    theta: Array
    eta: Array
    phase: Indices
    kernels: Indices
    experts: Array
    regular: Mask

    def latents(self, pivots: Array, x: Array) -> tuple[Array, Array]:
        """Log odds (place, K), up to a constant, and the variance (place) of what the pivots leave open."""
        settings = settings_at(self.theta, x.shape[1])
        features = features_at(settings, pivots, x)
        left = np.maximum(settings.variance(x) - (features**2).sum(1), 0.0)
        return features @ self.eta @ contrasts(self.eta.shape[1] + 1).T, left

    def probabilities(self, pivots: Array, x: Array, normals: Array) -> Array:
        """Probability (place, K) of each phase.

        Args:
            pivots: places (rank, d) that carry the map.
            x: scaled design (place, d).
            normals: standard normals (node, K - 1) over which the open part is averaged.
        """
        if self.eta.shape[1] == 0:
            return np.ones((len(x), 1))
        u, left = self.latents(pivots, x)
        total = np.zeros_like(u)
        for noise in normals @ contrasts(u.shape[1]).T:
            odds = u + np.sqrt(left)[:, None] * noise
            odds = np.exp(odds - odds.max(1)[:, None])
            total += odds / odds.sum(1)[:, None]
        return total / len(normals)

    def phases(self, pivots: Array, x: Array, rng: np.random.Generator) -> Indices:
        """A joint draw (place) of the phase, what the pivots leave open drawn from its prior."""
        c = self.eta.shape[1]
        if c == 0:
            return np.zeros(len(x), dtype=np.intp)
        settings, rank = settings_at(self.theta, x.shape[1]), len(pivots)
        prior = settings.draw(np.vstack([pivots, x]), 1, c, rng)[:, 0]
        root = cholesky(jittered(settings.kernel(pivots, pivots)))
        apart = self.eta - triangular(root, prior[:rank])
        latent = prior[rank:] + triangular(root, settings.kernel(pivots, x)).T @ apart
        return separated(latent[:, None], rng)[0]

    def expert(self, j: int, column: Column) -> Expert:
        """The expert of property j."""
        own = column.rows
        return column.expert(int(self.kernels[j]), self.experts[j], self.phase[own], self.regular[own, j])

    def aligned(self, membership: Array, anonymous: Indices, d: int) -> "Draw":
        """The same with anonymous phases exchanged so that they agree best with memberships (row, K).

        Args:
            membership: of each row in each phase (row, K).
            anonymous: numbers of the phases that no label names.
            d: number of design dimensions.
        """
        n_phases = membership.shape[1]
        if len(anonymous) < 2 or len(self.phase) == 0:
            return self
        overlap = np.eye(n_phases)[self.phase].T @ membership
        before, after = linear_sum_assignment(-overlap[np.ix_(anonymous, anonymous)])
        new = np.arange(n_phases)  # the new number of each phase
        new[anonymous[before]] = anonymous[after]
        old = np.argsort(new)
        t = contrasts(n_phases)
        eta = (self.eta @ t.T)[:, old] @ t * (n_phases - 1) / n_phases
        layout = Layout(d, n_phases)
        experts = np.array([layout.rearranged(theta, old) for theta in self.experts])
        return Draw(self.theta, eta, new[self.phase], self.kernels, experts, self.regular)
