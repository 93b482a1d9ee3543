"""What is typical of each cluster."""

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from tieline.models.fingerprint.answers import laws_by_name
from tieline.models.fingerprint.prediction import decoded
from tieline.models.fingerprint.sampling import added_to_law, write

if TYPE_CHECKING:
    from tieline.models.fingerprint.fingerprint_posterior import FingerprintPosterior


def prototypes(posterior: "FingerprintPosterior") -> xr.Dataset:
    """One row a cluster. See `FingerprintPosterior.prototypes`."""
    population, laws = posterior.population, laws_by_name(posterior)
    answer = xr.Dataset(
        {
            "cluster_weight": ("cluster", population.weight, {"units": "1"}),
            "centre": (("cluster", "latent"), population.centre, {"units": "1"}),
            "centre_sd": (("cluster", "latent"), np.sqrt(population.variance), {"units": "1"}),
        },
        coords={"cluster": posterior.clusters},
    )
    for m, view in enumerate(posterior.views):
        if view.name in laws:
            fitted = laws[view.name]
            mean = fitted.curve + added_to_law(posterior, m, population.centre)
            sd = np.broadcast_to(np.sqrt(fitted.noise)[:, None], fitted.curve.shape)
            of = f"{view.name}_of"
            answer[f"{view.name}_parameter"] = (("cluster", of), fitted.parameter)
            answer.coords[of] = list(fitted.law.parameters)
        else:
            mean, spread = decoded(posterior, m, population.centre, population.variance)
            noise = float(np.exp(np.asarray(posterior.networks.log_variance[m])))
            mean, sd = mean * view.scale + view.centre, np.sqrt(spread + noise) * view.scale
        write(answer, posterior, view, mean, ("cluster",))
        if not view.categories:
            write(answer, posterior, view, sd, ("cluster",), "_sd")
    return answer
