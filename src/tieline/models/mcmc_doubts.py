"""Where a chain should try harder: rows whose phase is in doubt."""

from dataclasses import dataclass

import numpy as np

from tieline.models.arrays import Array, Indices

ANYWHERE = 0.3  # share of moves at any row, whether or not it was in doubt so far


@dataclass(frozen=True)
class Doubts:
    """How often each row's log odds between two phases are moved by themselves.

    Attributes:
        share: of moves (row, K, K), summing to one; nothing in the chains' state changes it.
    """

    share: Array

    @classmethod
    def of(cls, membership: Array) -> "Doubts":
        """More often where the two phases are possible (row, K), and everywhere now and then."""
        (n, n_phases), root = membership.shape, np.sqrt(membership)
        apart = np.broadcast_to(1 - np.eye(n_phases), (n, n_phases, n_phases))
        possible = root[:, :, None] * root[:, None, :] * apart
        even = apart / max(apart.sum(), 1.0)
        total = possible.sum()
        return cls(even if total == 0 else ANYWHERE * even + (1 - ANYWHERE) * possible / total)

    def draw(self, n: int, rng: np.random.Generator) -> tuple[Indices, Indices, Indices]:
        """Rows, and two phases of each (move)."""
        chosen = rng.choice(self.share.size, n, p=self.share.ravel())
        row, one, other = np.unravel_index(chosen, self.share.shape)
        return row, one, other
