"""Simulated pools on which defaults may be chosen: functions of known shape, as 100 to 300 candidates.

Each is drawn anew by its name and a seed: candidates, the place of the optimum, noise. They share no
number with the real pools, so a rule that is tuned here can be judged there. For a rule of plain arrays:

    from benchmarks.landscapes import table
    table(lambda x, y, open_rows, rng: rng.choice(open_rows), seeds=range(10))

Source:
    Surjanovic & Bingham, Virtual library of simulation experiments (test functions and their domains);
    Häse et al. (2021), doi:10.1088/2632-2153/abedc8, for functions with steps and plateaus.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cholesky
from scipy.spatial.distance import cdist
from scipy.stats import qmc

from benchmarks.landscape_functions import FUNCTIONS
from benchmarks.pool_loop import PlainRule, Pool, plain, relative_tries

Rng = np.random.Generator
Places = Callable[[Rng, int], np.ndarray]
Surface = Callable[[Rng, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Landscape:
    """How a pool is drawn.

    Attributes:
        n: number of candidates.
        places: gives the design (n, input).
        surface: gives the noise-free outcome at them (n,), more is better.
        noise: sd of the noise as a share of the sd of the noise-free outcomes.
        is_mixture: the inputs sum to one.
        bounds: the outcome is cut off here after the noise, as quantiles of it; None for no limit.
    """

    n: int
    places: Places
    surface: Surface
    noise: float = 0.0
    is_mixture: bool = False
    bounds: tuple[float, float] | None = None


def landscape(name: str, seed: int) -> Pool:
    """Draw a pool."""
    plan = LANDSCAPES[name]
    rng = np.random.default_rng([seed, *name.encode()])
    x = plan.places(rng, plan.n)
    values = plan.surface(rng, x)
    values = values + rng.normal(0.0, plan.noise * values.std() + 1e-300, plan.n)
    if plan.bounds is not None:
        values = values.clip(*np.quantile(values, plan.bounds))
    inputs = [f"x{i + 1}" for i in range(x.shape[1])]
    return Pool(name, x, values[:, None], inputs, plan.is_mixture)


def table(rule: PlainRule, seeds: Iterable[int] = range(10), names: Sequence[str] = ()) -> dict[str, float]:
    """Give the mean tries of a plain rule relative to random choice, in each landscape and over `all`."""
    seeds = list(seeds)
    found = {
        name: float(np.mean([relative_tries(plain(rule), [landscape(name, s)], s) for s in seeds]))
        for name in names or LANDSCAPES
    }
    return found | {"all": float(np.mean(list(found.values())))}


def box(d: int, low: float = 0.0, high: float = 1.0) -> Places:
    """Spread places over a cube evenly."""
    return lambda rng, n: low + (high - low) * qmc.Sobol(d, seed=rng).random(256)[rng.permutation(256)[:n]]


def clustered(d: int) -> Places:
    """Crowd half of the places, as an earlier campaign leaves them."""

    def places(rng: Rng, n: int) -> np.ndarray:
        wide = rng.random((n - n // 2, d))
        near = rng.uniform(0.2, 0.8, d) + rng.normal(0, 0.08, (n // 2, d))
        return rng.permutation(np.vstack([wide, near.clip(0, 1)]))

    return places


def levels(*counts: int) -> Places:
    """Take places of a full grid with so many levels an axis."""

    def places(rng: Rng, n: int) -> np.ndarray:
        grid = np.stack(np.meshgrid(*[np.linspace(0, 1, c) for c in counts], indexing="ij"), -1)
        return rng.permutation(grid.reshape(-1, len(counts)))[:n]

    return places


def mixtures(d: int, at_most: int, step: float = 0.05) -> Places:
    """Weigh out distinct mixtures of at most some of the components, in steps."""

    def places(rng: Rng, n: int) -> np.ndarray:
        parts = round(1 / step)
        found: dict[tuple[int, ...], None] = {}
        while len(found) < n:
            present = rng.permutation(d)[: rng.integers(1, at_most + 1)]
            counts = np.zeros(d, int)
            counts[present] = rng.multinomial(parts, rng.dirichlet(np.ones(len(present))))
            found[tuple(int(c) for c in counts)] = None
        return np.array(list(found)) * step

    return places


def shaped(name: str) -> Surface:
    """Give minus a test function, its axes swapped and turned at random."""
    function, low, high = FUNCTIONS[name]

    def surface(rng: Rng, x: np.ndarray) -> np.ndarray:
        span = x.max(0) - x.min(0)
        unit = (x - x.min(0)) / np.where(span > 0, span, 1)
        is_turned, order = rng.random(x.shape[1]) < 0.5, rng.permutation(x.shape[1])
        unit = np.where(is_turned, 1 - unit, unit)[:, order]
        return -function(low + (high - low) * unit)

    return surface


def wavy(lengthscale: float | Sequence[float], roughness: float = np.inf) -> Surface:
    """Draw a Gaussian process: lengthscales in the axes' units; roughness inf, 2.5, 1.5 or 0.5."""
    kernels = {
        np.inf: lambda r: np.exp(-(r**2) / 2),
        2.5: lambda r: (1 + np.sqrt(5) * r + 5 * r**2 / 3) * np.exp(-np.sqrt(5) * r),
        1.5: lambda r: (1 + np.sqrt(3) * r) * np.exp(-np.sqrt(3) * r),
        0.5: lambda r: np.exp(-r),
    }

    def surface(rng: Rng, x: np.ndarray) -> np.ndarray:
        scaled = x / np.asarray(lengthscale)
        covariance = kernels[roughness](cdist(scaled, scaled)) + 1e-8 * np.eye(len(x))  # for the root
        return cholesky(covariance, lower=True) @ rng.normal(size=len(x))

    return surface


def peak(width: float, slope: float = 0.3) -> Surface:
    """Put one narrow peak on a gentle slope, at a place of the pool."""

    def surface(rng: Rng, x: np.ndarray) -> np.ndarray:
        top = x[rng.integers(len(x))]
        direction = rng.normal(size=x.shape[1])
        distance = ((x - top) ** 2).sum(1)
        return np.exp(-distance / (2 * width**2)) + slope * x @ direction / np.linalg.norm(direction)

    return surface


def blended(lengthscale: float, roughness: float) -> Surface:
    """Blend components that help or hinder each other in pairs, so that the best often lie at the rim.

    Args:
        lengthscale: of what is not explained so.
        roughness: its sd as a share of that of the rest.

    Source: Scheffé (1958), doi:10.1111/j.2517-6161.1958.tb00299.x, for the quadratic canonical form.
    """

    def surface(rng: Rng, x: np.ndarray) -> np.ndarray:
        d = x.shape[1]
        alone, together = rng.normal(size=d), 2 * np.triu(rng.normal(size=(d, d)), 1)
        values = x @ alone + ((x @ together) * x).sum(1)
        return values + roughness * values.std() * wavy(lengthscale, 2.5)(rng, x)

    return surface


def decades(surface: Surface, span: float) -> Surface:
    """Let the outcome of a surface range over so many powers of ten, most of them small."""

    def skewed(rng: Rng, x: np.ndarray) -> np.ndarray:
        values = surface(rng, x)
        return 10 ** (span * (values - values.min()) / np.ptp(values))

    return skewed


def regions(n_regions: int, lengthscale: float) -> Surface:
    """Cut the space into regions with a jump between them, as phases do."""

    def surface(rng: Rng, x: np.ndarray) -> np.ndarray:
        region = cdist(x, x[rng.permutation(len(x))[:n_regions]]).argmin(1)
        return rng.normal(0, 1.5, n_regions)[region] + wavy(lengthscale)(rng, x)

    return surface


def stepped(surface: Surface, n_steps: int) -> Surface:
    """Report a surface in coarse steps, as a rating scale does; the best is shared by few."""

    def graded(rng: Rng, x: np.ndarray) -> np.ndarray:
        values = surface(rng, x)
        return np.ceil(n_steps * (values - values.min()) / np.ptp(values))

    return graded


LANDSCAPES: dict[str, Landscape] = {
    "bowl": Landscape(150, box(3), shaped("bowl")),
    "bowl_noisy": Landscape(150, box(5), shaped("bowl"), noise=0.15),
    "branin": Landscape(200, box(2), shaped("branin")),
    "camel": Landscape(200, box(2), shaped("camel"), noise=0.05),
    "hartmann_3": Landscape(200, box(3), shaped("hartmann_3")),
    "hartmann_6": Landscape(250, box(6), shaped("hartmann_6"), noise=0.05),
    "ackley": Landscape(200, box(4), shaped("ackley"), noise=0.1),
    "levy": Landscape(200, box(4), shaped("levy")),
    "michalewicz": Landscape(150, box(3), shaped("michalewicz")),
    "rosenbrock": Landscape(200, box(3), shaped("rosenbrock")),
    "styblinski": Landscape(200, box(3), shaped("styblinski"), noise=0.1),
    "waves_smooth": Landscape(150, box(4), wavy(0.6), noise=0.1),
    "waves_rough": Landscape(150, box(2), wavy(0.15, 2.5)),
    "waves_rougher": Landscape(120, clustered(3), wavy(0.3, 1.5), noise=0.2),
    "waves_unequal": Landscape(200, box(6), wavy([0.3, 0.6, 1.0, 2.0, 5.0, 5.0]), noise=0.1),
    "irrelevant": Landscape(150, box(8), wavy([0.4, 0.6, 50, 50, 50, 50, 50, 50], 2.5), noise=0.15),
    "decades": Landscape(150, clustered(3), decades(wavy(0.4, 2.5), 4.0)),
    "decades_mixture": Landscape(
        180, mixtures(5, 3, 0.01), decades(wavy(0.35, 1.5), 2.5), noise=0.1, is_mixture=True
    ),
    "saturated": Landscape(120, box(4), wavy(0.5, 2.5), noise=0.2, bounds=(0.3, 0.99)),
    "graded": Landscape(150, levels(6, 6, 6), stepped(wavy(0.5), 12), noise=0.0),
    "levels": Landscape(200, levels(5, 7, 12), wavy([0.5, 0.5, 1.0]), noise=0.15),
    "needle": Landscape(150, box(2), peak(0.06)),
    "regions": Landscape(150, clustered(2), regions(5, 0.5), noise=0.1),
    "mixture_3": Landscape(150, mixtures(3, 3), wavy(0.4), noise=0.1, is_mixture=True),
    "mixture_6_sparse": Landscape(250, mixtures(6, 4, 0.1), wavy(0.7, 1.5), noise=0.15, is_mixture=True),
    "rim_4": Landscape(200, mixtures(4, 4, 0.1), blended(0.5, 0.3), noise=0.05, is_mixture=True),
    "rim_5": Landscape(300, mixtures(5, 3, 0.1), blended(0.5, 0.5), noise=0.1, is_mixture=True),
    "rim_6": Landscape(300, mixtures(6, 4, 0.1), blended(0.5, 0.3), noise=0.1, is_mixture=True),
    "rim_6_rough": Landscape(300, mixtures(6, 4, 0.1), blended(0.7, 1.0), noise=0.15, is_mixture=True),
}
