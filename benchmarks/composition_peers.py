"""What one would use instead of `CompositionProperties`: Magpie-like statistics in scikit-learn.

extra_trees: 150 extremely randomised trees of all properties. gp: a Gaussian process a property, of absolute
exponential covariance, on standardised statistics and mole fractions; lengthscale and noise are found on 500
rows.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from tieline.features.elements import element_statistics

if TYPE_CHECKING:
    from benchmarks.composition import Split

N_TREES = 150
ROWS_OF_LENGTHS = 500
STATISTICS = ("mean", "deviation", "largest", "smallest", "range", "commonest")  # Magpie's


def extra_trees(split: "Split", seed: int) -> xr.Dataset:
    """Trees on all rows that have every scored property."""
    from sklearn.ensemble import ExtraTreesRegressor

    x, y, at = _arrays(split)
    trees = ExtraTreesRegressor(N_TREES, max_features=1 / 3, random_state=seed, n_jobs=1)
    trees.fit(x, y if y.shape[1] > 1 else y[:, 0])
    return _answer(split, trees.predict(at).reshape(len(at), -1))


def plain_gp(split: "Split", seed: int) -> xr.Dataset:
    """A process a property; all share a lengthscale and a noise found on some rows."""
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

    x, y, at = _arrays(split)
    centre, spread = x.mean(0), np.where(x.std(0) > 0, x.std(0), 1)
    x, at = (x - centre) / spread, (at - centre) / spread
    level, scale = y.mean(0), np.where(y.std(0) > 0, y.std(0), 1)
    some = np.random.default_rng(seed).permutation(len(x))[:ROWS_OF_LENGTHS]
    kernel = ConstantKernel(1.0) * Matern(np.sqrt(x.shape[1]), (1.0, 1e3), nu=0.5) + WhiteKernel(0.1)
    found = (
        GaussianProcessRegressor(kernel, random_state=seed).fit(x[some], (y[some] - level) / scale).kernel_
    )
    process = GaussianProcessRegressor(found, optimizer=None).fit(x, (y - level) / scale)
    mean = process.predict(at).reshape(len(at), -1)
    return _answer(split, mean * scale + level)


PEERS: dict[str, Callable[["Split", int], xr.Dataset]] = {"extra_trees": extra_trees, "gp": plain_gp}


def _arrays(split: "Split") -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    y = np.column_stack([split.known[name].values for name in split.scored])
    whole = np.isfinite(y).all(1)
    return _coordinates(split, split.known)[whole], y[whole], _coordinates(split, split.asked)


def _coordinates(split: "Split", table: xr.Dataset) -> np.ndarray:
    numbers = [table[name].values for name in split.design if name != "composition"]
    statistics = element_statistics(table["composition"], STATISTICS)
    return np.column_stack(
        [*(statistics[n].values for n in statistics), table["composition"].values, *numbers]
    )


def _answer(split: "Split", mean: np.ndarray) -> xr.Dataset:
    return xr.Dataset({name: ("specimen", mean[:, j]) for j, name in enumerate(split.scored)})
