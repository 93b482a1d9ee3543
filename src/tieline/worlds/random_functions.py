"""Random functions on the unit box that simulated worlds are built of.

Two families. *Properties* map points to one value; *scores* map points to one value a phase,
and the phase with the greatest score is the one that is found there.

Points are (point, dimension) arrays in [0, 1]; every function is drawn once, from a generator,
and is a plain function of points from then on.
"""

from collections.abc import Callable

import numpy as np

Function = Callable[[np.ndarray], np.ndarray]

N_WAVES = 60  # cosines in a random Fourier series: enough that one draw looks like a smooth field


def fourier_series(rng: np.random.Generator, n_dimensions: int) -> Function:
    """Draw a stationary random field as a sum of cosines.

    The lengthscale is 0.35 to 1.2 of the box for each axis apart. Frequencies are normal in half
    of the draws, which gives an infinitely smooth field, and Student-t with 3 to 8 degrees of
    freedom in the other half, which gives the rougher fields of the Matern family.
    """
    frequency = rng.standard_normal((n_dimensions, N_WAVES)) / rng.uniform(0.35, 1.2, (n_dimensions, 1))
    if rng.random() < 0.5:
        freedom = rng.uniform(3, 8)
        frequency *= np.sqrt(freedom / rng.chisquare(freedom, N_WAVES))
    shift = rng.uniform(0, 2 * np.pi, N_WAVES)
    return lambda points: np.sqrt(2 / N_WAVES) * np.cos(points @ frequency + shift).sum(1)


def polynomial(rng: np.random.Generator, n_dimensions: int) -> Function:
    """Draw a polynomial of degree one, two or three about a random centre."""
    centre = rng.uniform(0, 1, n_dimensions)
    degree = int(rng.integers(1, 4))
    slope = rng.standard_normal((degree, n_dimensions))
    curvature = rng.standard_normal((n_dimensions, n_dimensions))

    def value(points: np.ndarray) -> np.ndarray:
        offset = points - centre
        terms = sum((offset @ slope[power]) ** (power + 1) for power in range(degree))
        return terms + (degree > 1) * np.einsum("ni,ij,nj->n", offset, curvature, offset)

    return value


def bump(rng: np.random.Generator, n_dimensions: int) -> Function:
    """Draw a plane with one Gaussian peak or dip on it, 0.15 to 0.4 of the box wide."""
    centre = rng.uniform(0, 1, n_dimensions)
    width = rng.uniform(0.15, 0.4) * np.sqrt(n_dimensions)
    height = rng.choice([-1, 1]) * rng.uniform(1, 3)
    slope = rng.standard_normal(n_dimensions)

    def value(points: np.ndarray) -> np.ndarray:
        offset = points - centre
        return offset @ slope + height * np.exp(-0.5 * (offset**2).sum(1) / width**2)

    return value


def exponential(rng: np.random.Generator, n_dimensions: int) -> Function:
    """Draw a growth along a random direction, by a factor of e to e^4 over the box."""
    direction = rng.standard_normal(n_dimensions)
    rate = rng.uniform(1, 4) * direction / np.abs(direction).sum()
    return lambda points: np.exp(points @ rate)


PROPERTIES = {
    "fourier_series": fourier_series,
    "polynomial": polynomial,
    "bump": bump,
    "exponential": exponential,
}


def fields(rng: np.random.Generator, n_dimensions: int, n_phases: int) -> Function:
    """One random field a phase: regions of any form, which may come back elsewhere."""
    scores = [fourier_series(rng, n_dimensions) for _ in range(n_phases)]
    return lambda points: np.stack([score(points) for score in scores], axis=1)


def free_energies(rng: np.random.Generator, n_dimensions: int, n_phases: int) -> Function:
    """One parabolic free energy a phase, the lowest wins: planes and conics as boundaries.

    In half of the draws all phases share one curvature, so that regions are convex polytopes.
    """
    centre = rng.uniform(0, 1, (n_phases, n_dimensions))
    spread = 0.0 if rng.random() < 0.5 else 0.4
    stiffness = np.exp(spread * rng.standard_normal((n_phases, n_dimensions)))
    return lambda points: -(stiffness * (points[:, None, :] - centre) ** 2).sum(2)


def discs(rng: np.random.Generator, n_dimensions: int, n_phases: int) -> Function:
    """A matrix phase and one tilted ellipsoid for each of the others."""
    centre = rng.uniform(0.1, 0.9, (n_phases - 1, n_dimensions))
    tilt = rng.standard_normal((n_phases - 1, n_dimensions, n_dimensions))
    axes = np.eye(n_dimensions) + 0.35 * tilt

    def scores(points: np.ndarray) -> np.ndarray:
        offset = np.einsum("kij,nkj->nki", axes, points[:, None, :] - centre)
        return np.concatenate([np.zeros((len(points), 1)), -(offset**2).sum(2)], axis=1)

    return scores


def waves(rng: np.random.Generator, n_dimensions: int, n_phases: int) -> Function:
    """Layers along a random direction with wavy interfaces; plain intervals on a line."""
    direction = rng.standard_normal(n_dimensions)
    direction /= np.linalg.norm(direction)
    across = rng.standard_normal(n_dimensions)
    across -= (across @ direction) * direction  # zero on a line, where nothing lies across
    amplitude, turns, shift = rng.uniform(0, 0.12), rng.uniform(0.5, 1.5), rng.uniform(0, 2 * np.pi)
    lowest, length = np.minimum(direction, 0).sum(), np.abs(direction).sum()
    middle = (np.arange(n_phases) + 0.5) / n_phases

    def scores(points: np.ndarray) -> np.ndarray:
        wave = amplitude * np.sin(2 * np.pi * turns * points @ across + shift)
        height = (points @ direction - lowest) / length + wave
        return -((height[:, None] - middle) ** 2)

    return scores


BOUNDARIES = {"fields": fields, "free_energies": free_energies, "discs": discs, "waves": waves}
