"""Worlds that break what `PhaseProperty` assumes, one assumption at a time."""

from itertools import count

import numpy as np
import xarray as xr

from tieline.worlds import World, phase_map

KINDS = ("outliers", "noise", "labels", "aside", "one_sided")
OUTLIERS, LABEL_NOISE = 0.08, 0.15  # far beyond the 1 % that the model expects of either
LOUDER = 3.0  # noise beyond the middle of the first axis, where it is one constant for the model
ASIDE = 0.1  # how far from its specimen a label is read, in widths of the space


def misfit_world(seed: int, n_dimensions: int) -> tuple[str, World, xr.Dataset, np.ndarray]:
    """Draw a world whose laboratory or noise is not what the model assumes.

    Args:
        seed: of the world; its remainder by five is the kind.
        n_dimensions: design axes.

    Returns:
        The kind, the world, its table, and fresh measurements on its grid (without gross errors).
    """
    kind = KINDS[seed % len(KINDS)]
    given = {"outliers": {"outliers": OUTLIERS}, "labels": {"label_noise": LABEL_NOISE}}.get(kind, {})
    world = phase_map(seed, n_dimensions=n_dimensions, **given)
    if kind == "one_sided":
        # Not a setting: one world in three is so.
        world = next(
            w
            for i in count()
            if (w := phase_map(seed + 10_000 * i, n_dimensions=n_dimensions)).settings["one_sided"]
        )
    rng, table = np.random.default_rng([seed, 1]), world.table
    sd = world.settings["noise_sd"]["property"]
    truth = world.truth(world.grid)["property"].values
    fresh = truth + sd * rng.standard_normal(len(truth))
    if kind == "noise":
        fresh = truth + sd * _loudness(world.grid) * rng.standard_normal(len(truth))
        extra = np.sqrt(_loudness(table) ** 2 - 1) * sd * rng.standard_normal(table.sizes["specimen"])
        table = table.assign(property=table["property"] + extra)
    if kind == "aside":
        moved = table.assign(x=(table["x"] + ASIDE).clip(0, 1))
        label = np.where(table["phase"] == "", "", world.truth(moved)["phase"].values)
        table = table.assign(phase=("specimen", label, table["phase"].attrs))
    return kind, world, table, fresh


def _loudness(places: xr.Dataset) -> np.ndarray:
    return np.where(places["x"].values > 0.5, LOUDER, 1.0)
