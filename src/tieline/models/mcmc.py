"""Sample the posterior of a phase map and its properties, from where fast inference ended."""

from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial

import numpy as np
from threadpoolctl import threadpool_limits

from tieline.models.arrays import Array
from tieline.models.convergence import Convergence, convergence
from tieline.models.fusion import Fusion
from tieline.models.mcmc_chain import Chain, Start
from tieline.models.mcmc_doubts import Doubts
from tieline.models.mcmc_draws import Draw
from tieline.models.mcmc_property import Column
from tieline.models.observations import UNLIKELY, Observations

N_CHAINS = 4
ROUND = 250  # sweeps between looks at the chains
EVERY = 2  # sweeps to a draw
WARM_UP = 0.2  # share of all sweeps so far that is left out
N_KEPT = 400  # draws that predictions are made from
N_WATCHED = 48  # places whose predictions are watched for convergence


@dataclass(frozen=True)
class Sample:
    """Draws from the posterior.

    Attributes:
        pivots: places (rank, d) that carry the map's low-rank root.
        columns: the properties' values, as the chains read them.
        draws: one chain after the other.
        convergence: how well the chains agree.
        n_sweeps: of each chain, warm-up included.
    """

    pivots: Array
    columns: tuple[Column, ...]
    draws: tuple[Draw, ...]
    convergence: Convergence
    n_sweeps: int


@dataclass(frozen=True)
class Watch:
    """Predictions by which convergence is judged: none of them changes when anonymous phases are exchanged.

    Attributes:
        x: scaled design (place, d).
        named: phases that labels tell apart.
    """

    x: Array
    named: tuple[int, ...]

    @classmethod
    def over(cls, seen: Observations) -> "Watch":
        """Places half-way between specimens, which lie within what was measured."""
        rng = np.random.default_rng(0)
        pairs = rng.integers(len(seen.x), size=(N_WATCHED, 2))
        named = np.flatnonzero(seen.label_counts > 0)
        return cls(seen.x[pairs].mean(1), tuple(int(k) for k in named))

    def of(self, draw: Draw, pivots: Array, columns: tuple[Column, ...]) -> Array:
        """Probabilities of named phases, entropy, and each property's mean and log variance."""
        no_noise = np.zeros((1, draw.eta.shape[1]))
        p = draw.probabilities(pivots, self.x, no_noise)
        parts = [p[:, self.named].ravel(), -(p * np.log(p + 1e-12)).sum(1)]
        for j, column in enumerate(columns):
            expert = draw.expert(j, column)
            mean, variance = expert.predict_where(self.x, p > UNLIKELY)
            average = (p * mean).sum(1)
            spread = (p * (variance + mean**2)).sum(1) - average**2 + expert.noise
            parts += [average, np.log(spread)]
        return np.concatenate(parts)


def sample(
    seen: Observations, fit: Fusion, *, seed: int, most_sweeps: int, executor: Executor | None = None
) -> Sample:
    """Run the chains until they agree, or for `most_sweeps`.

    Args:
        seen: what was measured.
        fit: what fast inference made of it.
        seed: of the chains.
        most_sweeps: of each chain.
        executor: runs the chains side by side, on one machine or many; without it they take turns.
    """
    start = Start.of(seen, fit)
    chains = [Chain(start, int(s)) for s in np.random.SeedSequence(seed).generate_state(N_CHAINS)]
    anonymous = np.flatnonzero(seen.label_counts == 0)
    watch = Watch.over(seen)
    draws: list[list[Draw]] = [[] for _ in chains]
    traces: list[list[Array]] = [[] for _ in chains]
    run: Callable[..., Iterable[tuple[Chain, list[Draw], Array]]] = map if executor is None else executor.map
    n_sweeps, found = 0, Convergence(np.inf, 0.0, 0.0)
    while n_sweeps < most_sweeps and not found.reached:
        n = min(ROUND, most_sweeps - n_sweeps)
        results = list(run(partial(_advance, n=n, watch=watch), chains))
        for i, (chain, new, trace) in enumerate(results):
            chains[i] = chain
            draws[i] += [draw.aligned(start.membership, anonymous, seen.x.shape[1]) for draw in new]
            traces[i].append(trace)
        n_sweeps += n
        # Between rounds, not within: then every sweep leaves the posterior as it is.
        doubts = Doubts.of(np.sum([chain.visited for chain in chains], axis=0) / (n_sweeps * N_CHAINS))
        for chain in chains:
            chain.doubts = doubts
        first = int(WARM_UP * len(draws[0]))
        found = convergence(np.stack([np.concatenate(parts)[first:] for parts in traces]))
    kept = np.unique(np.linspace(first, len(draws[0]) - 1, N_KEPT // N_CHAINS).round().astype(int))
    chosen = tuple(own[t] for own in draws for t in kept)
    return Sample(start.reference.pivots, start.columns, chosen, found, n_sweeps)


@threadpool_limits.wrap(
    limits=1, user_api="blas"
)  # in a process of its own, its threads would get in the way
def _advance(chain: Chain, n: int, watch: Watch) -> tuple[Chain, list[Draw], Array]:
    """Sweep n times: the chain, its draws, and the trace (draw, prediction) of what is watched."""
    draws, trace = [], []
    for i in range(n):
        chain.sweep()
        if i % EVERY:
            continue
        draws.append(chain.draw())
        trace.append(watch.of(draws[-1], chain.reference.pivots, chain.columns))
    return chain, draws, np.array(trace)
