"""Draw a world from the prior of `GaussianProcess`."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from tieline.models.gaussian_encoding import Inputs
from tieline.models.gaussian_kernel import LEVEL, SHARED_LEVEL, Shape
from tieline.models.kernels import JITTER, squared_distance


def simulate(
    design: xr.Dataset,
    names: Sequence[str],
    properties: Sequence[str],
    kernel: str,
    seed: int,
    campaign: str | None = None,
    target: str | None = None,
) -> xr.Dataset:
    """Draw noisy values of order one of every property at every place of a design, as `gaussian_kernel` says.

    Campaigns are those that the design names; without a column of them all is one campaign.
    """
    rng = np.random.default_rng(seed)
    inputs = Inputs.of(design, names)
    x, n = inputs.scaled(design), design.sizes["specimen"]
    member = _members(design, campaign, target)
    n_outputs, n_campaigns = len(properties), int(member.max(initial=0)) + 1
    shape = Shape(inputs.group, n_outputs, n_campaigns, kernel)
    mean, deviation = shape.priors()
    hyper = shape.at(mean + deviation * rng.standard_normal(len(mean)))
    k = hyper.function.value(squared_distance(x, x, hyper.lengthscale)) + JITTER * np.eye(n)
    mix = np.linalg.cholesky(np.kron(hyper.alike + JITTER * np.eye(n_campaigns), hyper.signal))
    functions = np.linalg.cholesky(k) @ rng.standard_normal((n, len(mix))) @ mix.T
    value = functions.reshape(n, n_campaigns, n_outputs)[np.arange(n), member]
    shared, own = rng.standard_normal((1, n_outputs)), rng.standard_normal((n_campaigns, n_outputs))
    levels = np.sqrt(LEVEL) * (np.sqrt(SHARED_LEVEL) * shared + np.sqrt(1 - SHARED_LEVEL) * own)
    value += levels[member] + rng.standard_normal((n, n_outputs)) @ np.linalg.cholesky(hyper.residual).T
    about = {"role": "property", "units": "1"}
    return design.assign({name: ("specimen", value[:, j], about) for j, name in enumerate(properties)})


def _members(design: xr.Dataset, campaign: str | None, target: str | None) -> np.ndarray:
    """Number of the campaign of each place (specimen), that which is predicted being 0."""
    if campaign is None or campaign not in design:
        return np.zeros(design.sizes["specimen"], dtype=np.intp)
    names = design[campaign].values.astype(str)
    first = target or names[-1]
    order = [first, *sorted(set(names) - {first})]
    return np.array([order.index(name) for name in names], dtype=np.intp)
