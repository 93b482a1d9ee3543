"""Proposals in a space: among places that cover it, then among neighbours of the chosen ones."""

from collections.abc import Callable

import numpy as np
import xarray as xr

from tieline.planning.pool import join
from tieline.planning.spaces.space import Space

N_COVER = 2000  # places that cover a space at first
N_NEARBY = 400  # neighbours of the chosen places that are added each time
ZOOM = (0.2, 0.07, 0.02, 0.007)  # how near they lie, in shares of each range


def propose_in_space(
    space: Space, choose: Callable[..., xr.Dataset], n: int, audit: int, seed: int
) -> xr.Dataset:
    """Choose among places that cover a space, then again with neighbours of the chosen ones.

    Args:
        space: what could be made.
        choose: takes `pool`, `n`, `seed` and `audit`, and proposes as `tieline.propose` does.
        n: how many.
        audit: how many of them are drawn at random.
        seed: of places and draws.
    """
    cover = pool = space.candidates(N_COVER, seed=seed)
    is_whole = space.n_places is not None and cover.sizes["specimen"] == space.n_places
    parts = []
    if n > audit:
        batch = choose(pool=pool, n=n - audit, seed=seed)
        for width in () if is_whole else ZOOM:
            chosen = pool.isel(specimen=batch["candidate"].values)
            pool = join(pool, space.near(chosen, width, N_NEARBY, seed=seed))
            batch = choose(pool=pool, n=n - audit, seed=seed)
        parts.append(batch)
    if audit:  # from all over the space, not from where one has looked
        parts.append(choose(pool=cover, n=audit, audit=audit, seed=seed))
    both = xr.concat(parts, dim="specimen", combine_attrs="override")
    return both.drop_vars("candidate").assign_coords(specimen=np.arange(n))
