"""The laboratory of a simulated world: where it looks, what it misses and what it gets wrong.

`phase_map.py` says in words what is done here.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from tieline.errors import TielineError
from tieline.worlds.world import World

FEWEST_VALUES = 6  # of a property: with fewer, no method could say anything
N_PLACEMENTS = 200  # tried before we say that a phase cannot be reached; one or two are usual


def measure(rng: np.random.Generator, world: World) -> xr.Dataset:
    """Let a laboratory make specimens, and see a part of them, with its errors.

    Args:
        rng: of the laboratory; it is advanced.
        world: the truth; its table is not read.

    Returns:
        (specimen): the design, `phase` ("" where unlabelled) and the properties (NaN where unmeasured).
    """
    settings = world.settings
    points = _place(rng, world)
    table = world.space.dataset(points)
    truth = world.truth(table)
    labelled, measured = _subsets(rng, settings, points)
    labels = _labels(rng, world, truth["phase"].values, labelled)
    table["phase"] = ("specimen", labels, truth["phase"].attrs)
    for index, name in enumerate(world.properties):
        # A first property follows the world's pattern of gaps, a further one has its own gaps.
        seen = measured if index == 0 else rng.random(len(points)) < settings["measured"]
        value = _noisy(rng, settings, name, truth[name].values)
        table[name] = ("specimen", np.where(_at_least(rng, seen), value, np.nan), truth[name].attrs)
    return table


def _place(rng: np.random.Generator, world: World) -> np.ndarray:
    """Place specimens so that every phase has one."""
    settings, space = world.settings, world.space
    draw = space.uniform_points if settings["placement"] == "uniform" else space.even_points
    for _ in range(N_PLACEMENTS):
        points = draw(rng, settings["n_specimens"])
        if len(np.unique(world.phase_scores(points).argmax(1))) == settings["n_phases"]:
            return points
    raise TielineError("No placement reached every phase.", hint="Ask for more specimens, or another seed.")


def _subsets(
    rng: np.random.Generator, settings: Mapping[str, Any], points: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Choose which specimens have a label, and which have a property value."""
    rank = (rng.permutation(len(points)) + 0.5) / len(points)
    other = (rng.permutation(len(points)) + 0.5) / len(points)
    labelled = rank < settings["labelled"]
    if settings["subsets"] == "nested":
        measured = rank < settings["measured"]
    elif settings["subsets"] == "independent":
        measured = other < settings["measured"]
    else:  # apart: the two shares are scaled down so that both find room
        share = settings["labelled"] / (settings["labelled"] + settings["measured"])
        labelled, measured = rank < share, rank >= share
    along = points @ rng.standard_normal(points.shape[1])
    is_near = along <= np.quantile(along, settings["one_sided_share"])
    if settings["one_sided"] == "structure":
        labelled = labelled & is_near
    if settings["one_sided"] == "property":
        measured = measured & is_near
    return labelled, measured


def _labels(rng: np.random.Generator, world: World, phase: np.ndarray, labelled: np.ndarray) -> np.ndarray:
    """Report phases, some of them wrongly, but the first of each phase rightly."""
    is_first = np.zeros(len(phase), dtype=bool)
    for name in world.phases:
        here = np.flatnonzero((phase == name) & labelled)
        is_first[here[0] if len(here) else rng.choice(np.flatnonzero(phase == name))] = True
    is_wrong = (rng.random(len(phase)) < world.settings["label_noise"]) & ~is_first
    shift = rng.integers(1, len(world.phases), len(phase)) * is_wrong
    reported = (np.searchsorted(world.phases, phase) + shift) % len(world.phases)
    return np.where(labelled | is_first, np.array(world.phases)[reported], "")


def _at_least(rng: np.random.Generator, seen: np.ndarray) -> np.ndarray:
    """Add specimens at random until a property has its fewest values."""
    missing = max(0, FEWEST_VALUES - int(seen.sum()))
    return seen | np.isin(np.arange(len(seen)), rng.permutation(np.flatnonzero(~seen))[:missing])


def _noisy(rng: np.random.Generator, settings: Mapping[str, Any], name: str, value: np.ndarray) -> np.ndarray:
    """Add noise to every value, and gross errors to a few."""
    noise_sd = settings["noise_sd"][name]
    sd = noise_sd / settings["noise"] if settings["noise"] else value.std()
    is_gross = rng.random(len(value)) < settings["outliers"]
    gross = rng.choice([-1, 1], len(value)) * rng.uniform(3, 8, len(value)) * sd
    return value + noise_sd * rng.standard_normal(len(value)) + is_gross * gross
