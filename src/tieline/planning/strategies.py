"""How places are chosen in a back-test: a model with an acquisition, chance, or a rule of your own."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import xarray as xr

from tieline.models.posterior import Posterior
from tieline.planning.choice import Acquisition
from tieline.planning.field_choice import Batch
from tieline.planning.goals import Goal
from tieline.planning.propose import propose


class Rule(Protocol):
    """Anything that chooses: all that a back-test asks of a strategy.

    It is sent to other processes, so it has to be one that can be pickled; a dataclass of settings is.
    """

    def choose(self, seen: xr.Dataset, pool: xr.Dataset, goal: Goal, n: int, *, seed: int) -> np.ndarray:
        """Choose rows of the pool.

        Args:
            seen (specimen): what was measured so far.
            pool (specimen): the design of the places one could go to.
            goal: what to look for.
            n: how many different rows.
            seed: of anything random; another one at each step of each repeat.

        Returns:
            Row numbers of the pool.
        """
        ...


class Learner(Protocol):
    """A model as a strategy uses it."""

    @property
    def design(self) -> Any:
        """One composition, or the names of numeric columns."""
        ...

    def fit(self, table: xr.Dataset, *, seed: int = 0) -> Posterior:
        """Learn from a table."""
        ...


@dataclass(frozen=True)
class Strategy:
    """Fit a model to what was measured, and propose from its posterior.

    Attributes:
        model: any model; it is fitted anew before every choice.
        acquisition: how a place is scored, as in `tieline.propose`; None leaves it the choice.
        batch: what a place that was chosen is believed to show, as in `tieline.propose`.
    """

    model: Learner
    acquisition: Acquisition | None = None
    batch: Batch = "believer"

    def choose(self, seen: xr.Dataset, pool: xr.Dataset, goal: Goal, n: int, *, seed: int) -> np.ndarray:
        """Choose as `tieline.propose` does."""
        posterior = self.model.fit(seen, seed=seed)
        proposals = propose(
            posterior, pool, goal, n, acquisition=self.acquisition, batch=self.batch, seed=seed
        )
        return proposals["candidate"].values


@dataclass(frozen=True)
class Chance:
    """Choose at random; the word "random" stands for it."""

    def choose(self, seen: xr.Dataset, pool: xr.Dataset, goal: Goal, n: int, *, seed: int) -> np.ndarray:
        """Choose different rows of the pool, all equally likely."""
        return np.random.default_rng(seed).choice(pool.sizes["specimen"], n, replace=False)
