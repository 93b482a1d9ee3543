"""Proposals in a space: among places that cover it, then each among its neighbours, closer and closer."""

from collections.abc import Callable

import numpy as np
import xarray as xr

from tieline.planning.pool import join
from tieline.planning.spaces.space import Space

N_COVER = 2000  # places that cover a space at first
N_NEARBY = 400  # neighbours of a chosen place that it is compared with each time
ZOOM = (0.2, 0.07, 0.02, 0.007)  # how near they lie, in shares of each range


def propose_in_space(
    space: Space,
    choose: Callable[..., xr.Dataset],
    n: int,
    audit: int,
    pending: xr.Dataset | None,
    seed: int,
) -> xr.Dataset:
    """Choose among places that cover a space, then move each chosen place to the best of its neighbours.

    While one place moves, the others count as under way.

    Args:
        space: what could be made.
        choose: takes `pool`, `n`, `pending`, `seed` and `audit`, and proposes as `tieline.propose` does.
        n: how many.
        audit: how many of them are drawn at random.
        pending (specimen): places under way.
        seed: of places and draws.
    """
    cover = space.candidates(N_COVER, seed=seed)
    is_whole = space.n_places is not None and cover.sizes["specimen"] == space.n_places
    parts = []
    if n > audit:
        batch = choose(pool=cover, n=n - audit, pending=pending, seed=seed)
        rows = np.unique(batch["candidate"].values)
        if not is_whole:
            under_way = [] if pending is None else [pending[space.names].reset_coords(drop=True)]
            moved = _moved([cover.isel(specimen=[row]) for row in rows], space, choose, under_way, seed)
            batch = choose(pool=join(*moved), n=n - audit, pending=pending, seed=seed)
        parts.append(batch)
    if audit:  # from all over the space, not from where one has looked
        parts.append(choose(pool=cover, n=audit, audit=audit, pending=pending, seed=seed))
    both = xr.concat(parts, dim="specimen", combine_attrs="override")
    return both.drop_vars("candidate").assign_coords(specimen=np.arange(n))


def _moved(
    places: list[xr.Dataset],
    space: Space,
    choose: Callable[..., xr.Dataset],
    under_way: list[xr.Dataset],
    seed: int,
) -> list[xr.Dataset]:
    """Move each place to the best of its neighbours, ever closer ones."""
    for width in ZOOM:
        for k, place in enumerate(places):
            others = [*places[:k], *places[k + 1 :], *under_way]
            pool = join(place, space.near(place, width, N_NEARBY, seed=seed))
            best = choose(pool=pool, n=1, pending=join(*others) if others else None, seed=seed)
            places[k] = pool.isel(specimen=best["candidate"].values)
    return places
