"""The simple alternatives, as a careful user would set them up.

Gaussian processes are scikit-learn's, with inputs scaled to the unit box, every hyperparameter
optimised from three starts, and noise fitted with the rest. Kernels are the best of those tried on
worlds 0 to 29. Label propagation is the harmonic function on a neighbour graph that CAMEO uses.

Source:
    Kusne et al. (2020), doi:10.1038/s41467-020-19597-w, for label propagation with one regression a region.
    Zhu, Ghahramani & Lafferty (2003), eq. 5, for the harmonic function.
"""

import warnings
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import xarray as xr
from scipy.sparse import coo_array, csr_array, diags_array
from scipy.sparse.linalg import splu
from scipy.spatial import Delaunay
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Kernel, Matern, WhiteKernel

LENGTHSCALES = (0.03, 30.0)  # of the unit box: from below the spacing of specimens to a flat function
N_RESTARTS = 2


@dataclass(frozen=True, eq=False)
class Seen:
    """What peers learn from, as plain arrays with inputs in the unit box.

    Attributes:
        labelled (n, axis): places of the labels.
        labels (n,): text.
        measured (m, axis): places of the property.
        values (m,): of the property.
        known (m,): the label of each measured specimen, "" where it has none.
        grid (q, axis): places to predict.
    """

    labelled: np.ndarray
    labels: np.ndarray
    measured: np.ndarray
    values: np.ndarray
    known: np.ndarray
    grid: np.ndarray


@dataclass(frozen=True, eq=False)
class Phases:
    """Phase probabilities (place, phase) at the measured specimens and on the grid."""

    labels: np.ndarray
    on_measured: np.ndarray
    on_grid: np.ndarray


@dataclass(frozen=True, eq=False)
class Moments:
    """Mean and sd (place) of a new measurement."""

    mean: np.ndarray
    sd: np.ndarray


@dataclass(frozen=True, eq=False)
class Regions:
    """The answer of one regression a region: moments (place, phase) and their weights."""

    weight: np.ndarray
    mean: np.ndarray
    sd: np.ndarray

    def of_most_likely_region(self) -> Moments:
        """Trust the map: take the regression of the most likely phase."""
        rows, best = np.arange(len(self.weight)), self.weight.argmax(1)
        return Moments(self.mean[rows, best], self.sd[rows, best])

    def of_all_regions(self) -> Moments:
        """Give the moments of the mixture of all regressions."""
        mean = (self.weight * self.mean).sum(1)
        second = (self.weight * (self.sd**2 + self.mean**2)).sum(1)
        return Moments(mean, np.sqrt(second - mean**2))


def seen_by_peers(table: xr.Dataset, grid: xr.Dataset, design: str | list[str], name: str) -> Seen:
    """Turn a table into arrays, with inputs scaled by the range that table and grid span."""
    places, targets = _coordinates(table, design), _coordinates(grid, design)
    both = np.concatenate([places, targets])
    low, span = both.min(0), np.ptp(both, axis=0)
    places, targets = (places - low) / span, (targets - low) / span
    labels, values = table["phase"].values.astype(str), table[name].values
    is_labelled, is_measured = labels != "", np.isfinite(values)
    return Seen(
        labelled=places[is_labelled],
        labels=labels[is_labelled],
        measured=places[is_measured],
        values=values[is_measured],
        known=labels[is_measured],
        grid=targets,
    )


def _coordinates(dataset: xr.Dataset, design: str | list[str]) -> np.ndarray:
    """Give places as numbers (place, axis); a ternary composition in its triangle."""
    if isinstance(design, list):
        return np.column_stack([dataset[name].values for name in design])
    fraction = dataset[design].transpose("specimen", "element").values
    return np.column_stack([fraction[:, 1] + fraction[:, 2] / 2, fraction[:, 2] * np.sqrt(3) / 2])


def classify(seen: Seen) -> Phases:
    """Map phases with Gaussian-process classification of the labels alone.

    One lengthscale for all axes was the better choice on worlds 0 to 29.
    """
    return _classify(seen, RBF(0.3, LENGTHSCALES))


def classify_by_axis(seen: Seen) -> Phases:
    """Map phases with one lengthscale an axis, which was the better choice on Fe-Ga-Pd."""
    return _classify(seen, Matern(_starts(seen), LENGTHSCALES, nu=2.5))


def _classify(seen: Seen, kernel: Kernel) -> Phases:
    model = GaussianProcessClassifier(
        ConstantKernel(10.0, (1.0, 1e4)) * kernel, n_restarts_optimizer=N_RESTARTS, random_state=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(seen.labelled, seen.labels)
    return Phases(model.classes_, model.predict_proba(seen.measured), model.predict_proba(seen.grid))


def regress(seen: Seen) -> Moments:
    """Map the property with one smooth Gaussian-process regression."""
    return _regress(seen, np.ones(len(seen.values), dtype=bool))


def regress_regions(seen: Seen, phases: Phases) -> Regions:
    """Fit one Gaussian-process regression in each region of a given map.

    A measured specimen belongs to its own label, or else to its most likely phase. A region with
    too few values to fit (fewer than axes + 2) is lent the regression of all values.
    """
    guessed = phases.labels[phases.on_measured.argmax(1)]
    region = np.where(seen.known != "", seen.known, guessed)
    everywhere = None
    moments = []
    for label in phases.labels:
        is_inside = region == label
        if is_inside.sum() >= seen.grid.shape[1] + 2:
            moments.append(_regress(seen, is_inside))
        else:
            everywhere = everywhere or regress(seen)
            moments.append(everywhere)
    mean, sd = np.stack([m.mean for m in moments], axis=1), np.stack([m.sd for m in moments], axis=1)
    return Regions(phases.on_grid, mean, sd)


def _regress(seen: Seen, is_used: np.ndarray) -> Moments:
    """Fit a part of the values and predict new measurements on the grid."""
    kernel = ConstantKernel(1.0, (1e-2, 1e3)) * Matern(_starts(seen), LENGTHSCALES, nu=2.5)
    kernel += WhiteKernel(0.05, (1e-6, 2.0))
    model = GaussianProcessRegressor(
        kernel, normalize_y=True, n_restarts_optimizer=N_RESTARTS, random_state=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(seen.measured[is_used], seen.values[is_used])
    mean, sd = model.predict(seen.grid, return_std=True)
    return Moments(mean, sd)


def _starts(seen: Seen) -> np.ndarray:
    """Give the lengthscales that optimisation starts from."""
    return np.full(seen.grid.shape[1], 0.3)


def propagate_labels(seen: Seen) -> Phases:
    """Map phases by the harmonic function: each place has the mean of its neighbours."""
    stacked = np.concatenate([seen.labelled, seen.measured, seen.grid])
    # A specimen that lies on another, or on the grid, is one node of the graph.
    nodes, node_of = np.unique(stacked.round(9), axis=0, return_inverse=True)
    node_of = node_of.ravel()
    classes = np.unique(seen.labels)
    votes = np.zeros((len(nodes), len(classes)))
    np.add.at(votes, node_of[: len(seen.labels)], seen.labels[:, None] == classes)
    is_known = votes.any(axis=1)
    probability = votes / np.maximum(votes.sum(1, keepdims=True), 1)
    weight = neighbours(nodes)
    laplacian = csr_array(diags_array(weight.sum(axis=1)) - weight)
    unknown, known = np.flatnonzero(~is_known), np.flatnonzero(is_known)
    pull = -laplacian[unknown][:, known] @ probability[known]
    probability[unknown] = splu(laplacian[unknown][:, unknown].tocsc()).solve(pull)
    n_labels, n_values = len(seen.labels), len(seen.values)
    on_measured = probability[node_of[n_labels : n_labels + n_values]]
    return Phases(classes, on_measured, probability[node_of[n_labels + n_values :]])


def neighbours(nodes: np.ndarray) -> csr_array:
    """Weigh the edges of the Delaunay graph (on a line: the chain) by their length."""
    if nodes.shape[1] == 1:
        order = np.argsort(nodes[:, 0])
        pairs = np.column_stack([order[:-1], order[1:]])
    else:
        simplices = Delaunay(nodes).simplices
        sides = combinations(range(simplices.shape[1]), 2)
        pairs = np.unique(np.sort(np.concatenate([simplices[:, side] for side in sides]), axis=1), axis=0)
    # The inverse length makes the solution on a line the straight line between two labels.
    weight = 1 / np.linalg.norm(nodes[pairs[:, 0]] - nodes[pairs[:, 1]], axis=1)
    rows, columns = np.concatenate([pairs, pairs[:, ::-1]]).T
    return csr_array(coo_array((np.tile(weight, 2), (rows, columns)), shape=(len(nodes), len(nodes))))
