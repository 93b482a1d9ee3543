"""Worlds from the priors of `PhaseProperty`'s engines, where an honest posterior is calibrated by definition.

A world has places that are learned from, places that are asked for, and a twin of every learned place: a
second specimen there, noise-free, at which draws can be held against what was measured on the first. Labels
and values are without mistakes, though the engines allow for some.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy.stats import poisson

from tieline.models.experts import LEVEL, Layout
from tieline.models.gate import contrasts
from tieline.models.gate_mixture import Focus, settings_at
from tieline.models.kernels import KERNELS
from tieline.models.line_fit import NOISE_PRIOR, NOISES
from tieline.models.phase_property import MOST_REGIONS, PhaseProperty
from tieline.models.random_features import RandomFunctions
from tieline.models.segments import Settings

N_LEARNED, N_ASKED = 30, 20
LABELLED, MEASURED = 0.6, 0.7  # shares of the learned places


@dataclass(frozen=True, eq=False)
class PriorWorld:
    """A world of the prior, and what was seen of it.

    Attributes:
        table: what is learned from; labels and values are missing in places.
        asked: other places, with `phase`, `strength` as a fresh measurement and `noise_free`.
        twins: a second specimen at every learned place, with the same variables.
        axes: names of the design variables.
    """

    table: xr.Dataset
    asked: xr.Dataset
    twins: xr.Dataset
    axes: list[str]

    def model(self, inference: str, n_sweeps: int) -> PhaseProperty:
        """The question to ask of the table. The number of phases is known, as it is in the prior."""
        n_phases = len(set(self.table["phase"].values) - {""})
        return PhaseProperty(
            self.axes, "phase", "strength", n_phases=n_phases, inference=inference, n_sweeps=n_sweeps
        )


Draw = Callable[[np.random.Generator, np.ndarray, int], xr.Dataset]


def prior_world(inference: str, seed: int) -> PriorWorld:
    """Draw a world of an engine's prior, again until a label of every phase is seen.

    As it is seen, choosing worlds by it does not change what is true given what is seen.

    Args:
        inference: "exact" for a line; "fast" and "mcmc" share their worlds, in a square.
        seed: of the world.
    """
    rng = np.random.default_rng([seed, len(inference)])
    axes, draw = (["x"], on_a_line) if inference == "exact" else (["x", "y"], in_a_square)
    while True:
        n_phases = int(rng.integers(2, 4))
        # The ends are learned, so that no place that is asked for lies beyond them.
        x = np.vstack(
            [np.zeros(len(axes)), np.ones(len(axes)), rng.random((N_LEARNED + N_ASKED - 2, len(axes)))]
        )
        world = draw(rng, np.vstack([x, x[:N_LEARNED]]), n_phases)
        table = hide(world.isel(specimen=slice(N_LEARNED)), rng)
        if len(set(table["phase"].values) - {""}) == n_phases:
            asked = world.isel(specimen=slice(N_LEARNED, N_LEARNED + N_ASKED))
            return PriorWorld(table, asked, world.isel(specimen=slice(N_LEARNED + N_ASKED, None)), axes)


def on_a_line(rng: np.random.Generator, x: np.ndarray, n_phases: int) -> xr.Dataset:
    """A line as the exact engine thinks of it: ordered regions, in each a function of its own.

    `simulate` draws lines from the softmax of Gaussian processes that the fast engine thinks of, in which
    phases may come back and mix at their boundaries.
    """
    counts, settings = np.arange(MOST_REGIONS), Settings.default()
    weight = poisson.pmf(counts, n_phases - 1)
    cuts = np.sort(rng.random(rng.choice(counts, p=weight / weight.sum())))
    region = np.searchsorted(cuts, x[:, 0])
    phases = [int(rng.integers(n_phases))]
    for _ in cuts:
        phases.append((phases[-1] + int(rng.integers(1, n_phases))) % n_phases)
    noise = rng.choice(NOISES, p=np.exp(NOISE_PRIOR) / np.exp(NOISE_PRIOR).sum())
    value = np.zeros(len(x))
    for r in np.unique(region):
        own = np.flatnonzero(region == r)
        setting = settings.keep(rng.choice(len(settings.kernel), 1, p=np.exp(settings.log_weight)))
        covariance = setting.covariance(x[own, 0], x[own, 0])[0]
        value[own] = rng.multivariate_normal(np.zeros(len(own)), covariance)
    return _dataset(x, np.array(phases)[region], value, noise * rng.standard_normal(len(x)))


def in_a_square(rng: np.random.Generator, x: np.ndarray, n_phases: int) -> xr.Dataset:
    """A square as `simulate` draws it, bit for bit, but the noise can be told from the function."""
    d = x.shape[1]
    prior = Focus.prior(d)
    gate = settings_at(prior.centre + prior.root @ rng.standard_normal(len(prior.centre)), d)
    odds = gate.draw(x, 1, n_phases - 1, rng)[:, 0] @ contrasts(n_phases).T
    phase = (odds + rng.gumbel(size=odds.shape)).argmax(1)
    layout = Layout(d, n_phases, str(rng.choice(list(KERNELS))))
    mean, deviation = layout.prior()
    theta = mean + deviation * rng.standard_normal(layout.size)
    length, trend, stretch, level, amplitude, factor, noise = layout.split(theta)
    shared = RandomFunctions.draw(layout.kernel, d, 1, rng).at(x / (stretch * length))[:, 0]
    value = np.sqrt(LEVEL) * rng.standard_normal() + trend * shared
    for k in range(n_phases):
        own = RandomFunctions.draw(layout.kernel, d, 1, rng).at(x / (factor[k] * length))[:, 0]
        value = value + (phase == k) * (level * rng.standard_normal() + amplitude[k] * own)
    return _dataset(x, phase, value, np.sqrt(noise) * rng.standard_normal(len(x)))


def hide(table: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
    """Leave three labels in five and seven values in ten."""
    n = table.sizes["specimen"]
    label = np.where(rng.random(n) < LABELLED, table["phase"].values, "")
    value = np.where(rng.random(n) < MEASURED, table["strength"].values, np.nan)
    return table.drop_vars("noise_free").assign(
        phase=("specimen", label, table["phase"].attrs),
        strength=("specimen", value, table["strength"].attrs),
    )


def _dataset(x: np.ndarray, phase: np.ndarray, value: np.ndarray, noise: np.ndarray) -> xr.Dataset:
    attrs = {"role": "process", "units": "1"}
    world = xr.Dataset({name: ("specimen", places, attrs) for name, places in zip("xyz", x.T, strict=False)})
    world["phase"] = ("specimen", (phase + 1).astype(str), {"role": "structure"})
    world["strength"] = ("specimen", value + noise, {"role": "property", "units": "1"})
    world["noise_free"] = ("specimen", value, {"role": "property", "units": "1"})
    return world
