"""Worlds drawn from the prior of a fingerprint: clusters, latent places, random networks, laws apart."""

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from tieline.models.fingerprint.fingerprint_posterior import FingerprintPosterior, forms_of, width_of
from tieline.models.fingerprint.laws import FittedLaw, curves_of
from tieline.models.fingerprint.modality_reading import View, look
from tieline.models.fingerprint.population import Curves, Population
from tieline.models.fingerprint.sampling import measure
from tieline.models.fingerprint.start import APART

if TYPE_CHECKING:
    from tieline.models.fingerprint.fingerprint import Fingerprint
    from tieline.models.fingerprint.modality import Modality

LAW_SPREAD = 0.5  # of the logarithm of a law's parameters between clusters
NOISE = 0.1  # standard deviation of a measurement, relative to the spread of its modality


def simulate(model: "Fingerprint", design: xr.Dataset, seed: int) -> xr.Dataset:
    """Draw a world. See `Fingerprint.simulate`."""
    from tieline.models.fingerprint.networks import Networks, flatten

    rng = np.random.default_rng(seed)
    views = tuple(look(design, name, modality) for name, modality in model.settings)
    n_clusters = model.n_clusters if isinstance(model.n_clusters, int) else max(model.n_clusters)
    n, shape = design.sizes["specimen"], (n_clusters, model.n_latent)
    laws = tuple(
        _law(view, modality, design, n_clusters, rng)
        for view, (_, modality) in zip(views, model.settings, strict=True)
        if modality.law is not None
    )
    weight = rng.dirichlet(np.full(n_clusters, 5.0))
    centre = APART * rng.standard_normal(shape)
    networks = Networks(forms_of(model, views), width_of(model), rng=rng)
    networks.log_variance[:] = [np.float32(2 * np.log(NOISE)) for _ in views]
    world = FingerprintPosterior(
        model,
        design,
        views,
        flatten(networks),
        Population(weight, centre, np.ones(shape), laws),
        np.zeros(n, bool),
        np.zeros((1, 1)),
        np.zeros(1),
        np.array([n_clusters]),
        np.zeros(1),
        seed,
    )
    cluster = rng.choice(n_clusters, size=n, p=weight)
    z = centre[cluster] + rng.standard_normal((n, model.n_latent))
    drawn = xr.Dataset(coords={"specimen": design["specimen"], "cluster_truth": ("specimen", cluster)})
    measure(world, drawn, z, cluster, rng)
    for name in drawn.data_vars:
        drawn[name].attrs = dict(design[name].attrs)
    return drawn


def _law(
    view: View, modality: "Modality", design: xr.Dataset, n_clusters: int, rng: np.random.Generator
) -> FittedLaw:
    """A law whose parameters are those of all curves together, changed by a factor in every cluster."""
    assert modality.law is not None
    curves = Curves.of(view.name, modality.law, view.grid, view.raw(design))
    parameter = FittedLaw.of_everything(curves, n_clusters).parameter
    parameter = parameter * np.exp(LAW_SPREAD * rng.standard_normal(parameter.shape))
    noise = np.full(n_clusters, (NOISE * float(view.scale.max())) ** 2)
    return FittedLaw(modality.law, parameter, curves_of(modality.law, view.grid, parameter), noise)
