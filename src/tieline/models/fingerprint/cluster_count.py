"""How many clusters there are, by the integrated classification likelihood."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from tieline.models.arrays import Array
from tieline.models.fingerprint.mixture_search import search
from tieline.models.fingerprint.population import Population, Seen, expect


def choose(
    features: Array, seen: Seen, n_clusters: int | Sequence[int], seed: int
) -> tuple[Population, xr.Dataset]:
    """Find clusters, and of several numbers of them the one with the best criterion.

    The criterion is the bound, less half a logarithm of the number of specimens for each parameter, less the
    entropy of who belongs where: clusters that cannot be told apart are not counted twice.

    Args:
        features: that starts are found in (specimen, feature).
        seen: that decides.
        n_clusters: one number, or several to choose from.
        seed: of the starts.

    Returns:
        The clusters, and bound and criterion (n_clusters) in nats.
    """
    counts = [n_clusters] if isinstance(n_clusters, int) else sorted(set(n_clusters))
    counts = [k for k in counts if k <= len(features)] or [len(features)]
    found = [search(features, seen, k, seed) for k in counts]
    bounds, criteria = np.array([_criterion(p, seen) for p in found]).T
    table = xr.Dataset(
        {
            "bound": ("n_clusters", bounds, {"units": "nat"}),
            "criterion": ("n_clusters", criteria, {"units": "nat"}),
        },
        coords={"n_clusters": counts},
    )
    return found[int(criteria.argmax())], table


def _criterion(population: Population, seen: Seen) -> tuple[float, float]:
    responsibility, collapsed = expect(population, seen)
    entropy = -np.sum(responsibility * np.log(np.maximum(responsibility, 1e-300)))
    of_laws = sum(fitted.parameter.shape[1] + 1 for fitted in population.laws)
    n_parameters = population.n_clusters * (1 + 2 * population.centre.shape[1] + of_laws) - 1
    bound = collapsed.sum()
    return bound, bound - 0.5 * n_parameters * np.log(len(collapsed)) - entropy
