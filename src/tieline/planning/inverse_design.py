"""How a structure was made: settings searched by Bayesian optimisation until what they make resembles it.

Source: Y. Zhao, KIT (2024), section 4.2.4, which looks for the least distance between latent variables.
Departs from it: the logarithm of the distance is modelled, as distances shrink by factors and not by steps;
several are made at a time; the answer weighs every number by how much it scatters, and has intervals.
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import xarray as xr

from tieline.errors import TielineError
from tieline.models.gaussian_process import GaussianProcess
from tieline.planning.goals import Minimize
from tieline.planning.likely_settings import likely_settings, require_numbers
from tieline.planning.propose import propose
from tieline.planning.spaces.space import Space

Make = Callable[[Mapping[str, float], int], xr.DataArray]
Embed = Callable[[xr.DataArray], np.ndarray]
LOG_DISTANCE = "log_distance"
TINY = 1e-12  # a distance of zero has a logarithm then


def inverse_design(
    target: xr.DataArray,
    space: Space,
    make: Make,
    embed: Embed,
    *,
    n_start: int = 20,
    n: int = 120,
    batch: int = 4,
    seed: int = 0,
    progress: Callable[[int, int], object] | None = None,
) -> xr.Dataset:
    """Find the settings whose structure lies nearest to a target.

    Args:
        target: the structure, as `make` makes them.
        space: of the settings, numbers all of them.
        make: takes settings by their names and a seed, and makes a structure.
        embed: turns a structure into numbers, between which Euclidean distance means something: the latent
            variables of a `VolumeAutoencoder`, or descriptions divided by how much they scatter.
        n_start: structures from all over the space to begin with.
        n: structures in all.
        batch: made at a time, between two fits.
        seed: of the places and of every structure; each is made with a seed of its own.
        progress: called with the number of structures made and of all.

    Returns:
        (generation): every setting, the seed, the distance, and least_distance so far; and (setting): found,
        the median of the settings that may have made the target, and low and high, their central 90 %.

    Raises:
        TielineError: the numbers of structures make no sense.
        SchemaError: a setting is no number.
        NotIdentified: all structures look the same.

    Example:
        >>> from tieline.planning.spaces.inputs import Numeric
        >>> def ball(settings, seed):
        ...     x = np.mgrid[-8:8, -8:8, -8:8]
        ...     return xr.DataArray((np.sum(x**2, 0) < settings["radius"] ** 2).astype(float))
        >>> history = inverse_design(
        ...     ball({"radius": 5.0}, 0),
        ...     Space([Numeric("radius", 2, 8)]),
        ...     ball,
        ...     lambda b: np.array([float(b.sum()) ** (1 / 3)]),
        ...     n_start=5,
        ...     n=13,
        ... )
        >>> abs(history["found"].sel(setting="radius").item() - 5.0) < 0.3
        True
    """
    if not 2 <= n_start <= n or batch < 1:
        raise TielineError(
            "A search begins with two structures or more, and makes at least one at a time.",
            found=f"{n_start=}, {n=}, {batch=}",
        )
    require_numbers(space)
    wanted = _numbers(embed, target)
    seeds = np.random.default_rng(seed).integers(2**31, size=n)
    model = GaussianProcess(space.names, LOG_DISTANCE)
    places = space.candidates(n_start, seed=seed)
    rows: list[xr.Dataset] = []
    off: list[np.ndarray] = []
    while True:
        for place in _one_by_one(places[space.names]):
            number = len(rows)
            made = make({name: place[name].item() for name in space.names}, int(seeds[number]))
            off.append(_numbers(embed, made) - wanted)
            rows.append(_row(place, number, int(seeds[number]), float(np.linalg.norm(off[-1]))))
            if progress is not None:
                progress(number + 1, n)
        seen = xr.concat(rows, "specimen", combine_attrs="override")
        if len(rows) >= n:
            return _history(seen, likely_settings(seen, np.array(off), space, seed))
        places = propose(
            model.fit(seen, seed=seed),
            space,
            Minimize(LOG_DISTANCE),
            n=min(batch, n - len(rows)),
            acquisition="log_ei",
            seed=seed + len(rows),
        )


def _numbers(embed: Embed, structure: xr.DataArray) -> np.ndarray:
    return np.asarray(embed(structure), float).ravel()


def _one_by_one(places: xr.Dataset) -> Iterator[xr.Dataset]:
    for i in range(places.sizes["specimen"]):
        yield places.isel(specimen=[i]).reset_coords(drop=True)


def _row(place: xr.Dataset, number: int, seed: int, distance: float) -> xr.Dataset:
    measured = {
        LOG_DISTANCE: ("specimen", [np.log(max(distance, TINY))], {"role": "property"}),
        "seed": ("specimen", [seed]),
        "distance": ("specimen", [distance]),
    }
    return place.assign(measured).assign_coords(specimen=[number])


def _history(seen: xr.Dataset, found: np.ndarray) -> xr.Dataset:
    history = seen.drop_vars(LOG_DISTANCE).rename(specimen="generation")
    names = [name for name in history.data_vars if name not in ("seed", "distance")]
    least = np.minimum.accumulate(history["distance"].values)
    return history.assign(
        {
            "least_distance": ("generation", least, {"units": "1"}),
            **{
                name: ("setting", values)
                for name, values in zip(("found", "low", "high"), found, strict=True)
            },
        }
    ).assign_coords(setting=names)
