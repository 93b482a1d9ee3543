"""How a structure was made: settings searched by Bayesian optimisation until what they make resembles it.

Source: Y. Zhao, KIT (2024), section 4.2.4, which looks for the least distance between latent variables.
Departs from it: the logarithm of the distance is modelled, as distances shrink by factors and not by steps;
several are made at a time; the answer is where the model expects the least distance, and has intervals.
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import xarray as xr

from tieline.errors import TielineError
from tieline.models.gaussian_process import GaussianProcess
from tieline.models.posterior import Posterior
from tieline.planning.goals import Minimize
from tieline.planning.propose import propose
from tieline.planning.spaces.space import Space

Make = Callable[[Mapping[str, float], int], xr.DataArray]
Embed = Callable[[xr.DataArray], np.ndarray]
LOG_DISTANCE = "log_distance"
NINETY = (0.05, 0.95)
N_PLACES, N_DRAWS = 800, 400  # among which each draw of the distance has its least
WIDTHS = (0.3, 0.1, 0.03)  # of the neighbourhoods they come from, in shares of each range
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
        where the model expects the least distance, and low and high, the central 90 % of where it may be.

    Raises:
        TielineError: the numbers of structures make no sense.

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
    wanted = _numbers(embed, target)
    seeds = np.random.default_rng(seed).integers(2**31, size=n)
    model = GaussianProcess(space.names, LOG_DISTANCE)
    places = space.candidates(n_start, seed=seed)
    rows: list[xr.Dataset] = []
    while True:
        for place in _one_by_one(places[space.names]):
            number = len(rows)
            made = make({name: place[name].item() for name in space.names}, int(seeds[number]))
            distance = float(np.linalg.norm(_numbers(embed, made) - wanted))
            rows.append(_row(place, number, int(seeds[number]), distance))
            if progress is not None:
                progress(number + 1, n)
        seen = xr.concat(rows, "specimen", combine_attrs="override")
        posterior = model.fit(seen, seed=seed)
        if len(rows) >= n:
            return _history(seen, _found(posterior, seen, space, seed))
        places = propose(
            posterior,
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


def _found(posterior: Posterior, seen: xr.Dataset, space: Space, seed: int) -> np.ndarray:
    """Where the least distance is expected, and the ends of where it may be (3, setting)."""
    expected = posterior.predict(seen)[LOG_DISTANCE].values
    best = seen[space.names].isel(specimen=[int(expected.argmin())]).reset_coords(drop=True)
    for width in WIDTHS:
        near = _with(best, space.near(best, width, N_PLACES, seed=seed))
        mean = posterior.predict(near)[LOG_DISTANCE].values
        best = near.isel(specimen=[int(mean.argmin())])
    around = [space.near(best, width, N_PLACES // len(WIDTHS), seed=seed + 1) for width in WIDTHS]
    pool = _with(best, *around)
    draws = posterior.functions(pool, n=N_DRAWS, seed=seed).sel(property=LOG_DISTANCE).values
    values = np.stack([pool[name].values.astype(float) for name in space.names], 1)
    least = values[draws.argmin(1)]
    return np.stack([values[0], *np.quantile(least, NINETY, axis=0)])


def _with(*parts: xr.Dataset) -> xr.Dataset:
    bare = [part[list(parts[0].data_vars)].drop_vars("specimen", errors="ignore") for part in parts]
    joined = xr.concat(bare, "specimen", combine_attrs="override")
    return joined.assign_coords(specimen=np.arange(joined.sizes["specimen"]))


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
