"""Draw a phase map with properties from the prior of `PhaseProperty`."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from tieline.models.encoding import coordinates, widths
from tieline.models.experts import LEVEL, OFFSETS, Layout
from tieline.models.gate import contrasts
from tieline.models.gate_mixture import SETS_ERROR_PRIOR, SETS_MOST_ERROR, Focus, settings_at
from tieline.models.kernels import KERNELS
from tieline.models.random_features import RandomFunctions


def simulate(
    design: xr.Dataset,
    names: Sequence[str],
    label_sets: Sequence[str],
    properties: Sequence[str],
    n_phases: int,
    seed: int,
    instrument: str | None = None,
) -> xr.Dataset:
    """Draw phases "1" to "K" and noisy properties of order one at every place of a design.

    A single label set names the true phases. Of several, each has a rate of wrong labels of its own. Where
    the design says by which `instrument` each specimen is measured, all but the commonest have an offset.
    """
    rng = np.random.default_rng(seed)
    x = coordinates(design, names)
    x = (x - x.min(0)) / widths(x, design, names)
    z = _draw_map(x, n_phases, rng)
    world = design.copy()
    labels = np.array([str(k + 1) for k in range(n_phases)], dtype=object)
    for name in label_sets or ("phase",):
        read = z if len(label_sets) < 2 else _misread(z, n_phases, rng)
        world[name] = ("specimen", labels[read].astype(str), {"role": "structure"})
    number = None if instrument is None or instrument not in design else _numbers(design[instrument].values)
    for name in properties:
        values = _draw_property(x, z, n_phases, rng)
        if number is not None:
            values = values + _draw_offsets(number, rng)
        world[name] = ("specimen", values, {"role": "property", "units": "1"})
    return world


def _draw_map(x: np.ndarray, n_phases: int, rng: np.random.Generator) -> np.ndarray:
    prior = Focus.prior(x.shape[1])
    settings = settings_at(prior.centre + prior.root @ rng.standard_normal(len(prior.centre)), x.shape[1])
    odds = settings.draw(x, 1, n_phases - 1, rng)[:, 0] @ contrasts(n_phases).T
    return (odds + rng.gumbel(size=odds.shape)).argmax(1)


def _draw_property(x: np.ndarray, z: np.ndarray, n_phases: int, rng: np.random.Generator) -> np.ndarray:
    layout = Layout(x.shape[1], n_phases, str(rng.choice(list(KERNELS))))
    mean, deviation = layout.prior()
    theta = mean + deviation * rng.standard_normal(layout.size)
    length, trend, stretch, level, amplitude, factor, noise = layout.split(theta)
    shared = RandomFunctions.draw(layout.kernel, x.shape[1], 1, rng).at(x / (stretch * length))[:, 0]
    value = np.sqrt(LEVEL) * rng.standard_normal() + trend * shared
    for k in range(n_phases):
        own = RandomFunctions.draw(layout.kernel, x.shape[1], 1, rng).at(x / (factor[k] * length))[:, 0]
        value = value + (z == k) * (level * rng.standard_normal() + amplitude[k] * own)
    return value + np.sqrt(noise) * rng.standard_normal(len(x))


def _misread(z: np.ndarray, n_phases: int, rng: np.random.Generator) -> np.ndarray:
    """Labels (specimen) of one set among several: at the rate of the set, any phase."""
    mean, deviation = SETS_ERROR_PRIOR
    rate = min(np.exp(mean + deviation * rng.standard_normal()), SETS_MOST_ERROR)
    return np.where(rng.random(len(z)) < rate, rng.integers(n_phases, size=len(z)), z)


def _numbers(names: np.ndarray) -> np.ndarray:
    """Number (specimen) of the instrument of each specimen, 0 being the commonest."""
    _, number, counts = np.unique(names.astype(str), return_inverse=True, return_counts=True)
    return np.argsort(np.argsort(-counts, kind="stable"))[number]


def _draw_offsets(number: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What its instrument adds to each value (specimen)."""
    mean, deviation = OFFSETS
    offset = np.exp(mean + deviation * rng.standard_normal()) * rng.standard_normal(number.max() + 1)
    return np.where(number > 0, offset[number], 0.0)
