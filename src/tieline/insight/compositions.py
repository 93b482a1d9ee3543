"""What drives properties of compositions: elements, pairs, other properties, what is known nearby."""

from itertools import combinations

import numpy as np
import xarray as xr

from tieline.errors import NotIdentified, SchemaError
from tieline.models.composition_posterior import CompositionPosterior
from tieline.models.laplace_kernel import laplace
from tieline.models.places import identities
from tieline.schema.wording import name_known

FEWEST = 3  # specimens that hold an element, or a pair, before anything is said of it


def element_effects(posterior: CompositionPosterior, name: str) -> xr.Dataset:
    """How much of a predicted property is due to each element, and to each pair of elements together.

    The effect of an element is the mean difference, over the specimens that hold it, between what is
    predicted of the specimen and of what remains without the element. The effect of a pair is what goes
    beyond the effects of the two: f - f(without a) - f(without b) + f(without both), where a third element
    remains.

    Args:
        posterior: of `CompositionProperties`.
        name: of the property; "phonon_dos[12]" is a spectrum where its axis is 12.

    Returns:
        `effect (element)`, `effect_se` and `n_specimens`; `pair_effect (pair)`, `pair_effect_se` and
        `n_pair_specimens`, pairs named "Fe-O"; both from the largest to the smallest in size. Effects are in
        the unit of the property. Standard errors are of the mean over specimens: they do not say how wrong
        the model is.

    Raises:
        SchemaError: the property was not learned.
        NotIdentified: no element is in enough specimens.
    """
    _refuse_unknown(posterior, name)
    table = posterior.table.isel(specimen=posterior.reading.rows)
    composition = table[posterior.reading.coordinates.composition].transpose("specimen", "element")
    fractions, symbols = composition.values, composition["element"].values.astype(str)
    asked = _Questions(posterior, table, name)
    present = fractions > 0
    elements, pairs = {}, {}
    for e in np.flatnonzero(present.sum(0) >= FEWEST):
        rows = np.flatnonzero(present[:, e] & (present.sum(1) > 1))
        if len(rows) >= FEWEST:
            elements[str(symbols[e])] = asked.put(rows, [(), (e,)], (1, -1))
    for a, b in combinations(np.flatnonzero(present.sum(0) >= FEWEST), 2):
        rows = np.flatnonzero(present[:, a] & present[:, b] & (present.sum(1) > 2))
        if len(rows) >= FEWEST:
            pair = "-".join(sorted((str(symbols[a]), str(symbols[b]))))
            pairs[pair] = asked.put(rows, [(), (a,), (b,), (a, b)], (1, -1, -1, 1))
    if not elements:
        raise NotIdentified(
            f"No element is in {FEWEST} compounds.", hint="effects need specimens that share elements"
        )
    predicted = asked.answer(fractions)
    return xr.merge(
        [
            _ranked("element", elements, predicted, ("effect", "n_specimens"), asked.units),
            _ranked("pair", pairs, predicted, ("pair_effect", "n_pair_specimens"), asked.units),
        ]
    ).assign_attrs(property=name)


def property_correlation(posterior: CompositionPosterior) -> xr.Dataset:
    """How properties go together.

    Args:
        posterior: of `CompositionProperties`.

    Returns:
        On (property, other): `over_compositions`, the correlation of their functions; `at_one_specimen`, that
        of what composition leaves unexplained, through which a measured property tells of the others. Bins of
        a spectrum stand as properties "phonon_dos[12]".
    """
    names, field = list(posterior.reading.labels(posterior.table)), posterior.fit.field
    signal = field.basis.weights.T @ field.coupling.signal @ field.basis.weights
    is_flat = signal.diagonal() < 1e-12 * signal.diagonal().max()  # bins that never vary go with none
    signal[is_flat], signal[:, is_flat] = 0.0, 0.0
    signal[is_flat, is_flat] = 1.0
    sd = np.sqrt(signal.diagonal())
    dims = ("property", "other")
    return xr.Dataset(
        {
            "over_compositions": (dims, signal / np.outer(sd, sd), {"units": "1"}),
            "at_one_specimen": (dims, posterior.fit.stack.correlation[0], {"units": "1"}),
        },
        coords={"property": names, "other": names},
    )


def nearest_compositions(posterior: CompositionPosterior, grid: xr.Dataset, n: int = 3) -> xr.Dataset:
    """The specimens that a prediction rests on most.

    Args:
        posterior: of `CompositionProperties`.
        grid: design variables on `specimen`.
        n: how many of each place.

    Returns:
        On (specimen, rank): `nearest`, identities of specimens that were learned from; `distance`,
        dimensionless, the lengths that lie between (0 the same, beyond about 3 nothing in common); and
        `formula` where the table has it.
    """
    fit, reading = posterior.fit, posterior.reading
    x, *_ = posterior.places(grid)
    lengths = fit.field.lengths[reading.coordinates.group]
    apart = -np.log(np.maximum(laplace(x / lengths, fit.field.x), 1e-300))
    n = min(n, apart.shape[1])
    order = np.argsort(apart, axis=1, kind="stable")[:, :n]
    rows = reading.rows[fit.rows][order]
    dims = ("specimen", "rank")
    found = {
        "nearest": (dims, posterior.table["specimen"].values[rows]),
        "distance": (dims, np.take_along_axis(apart, order, 1), {"units": "1"}),
    }
    if "formula" in posterior.table.coords:
        found["formula"] = (dims, posterior.table["formula"].values[rows])
    specimen = np.asarray(identities(grid))  # without coordinates that the grid may have besides
    return xr.Dataset(found, coords={"specimen": specimen, "rank": np.arange(1, n + 1)})


class _Questions:
    """Compositions to predict, gathered so that the posterior is asked once."""

    def __init__(self, posterior: CompositionPosterior, table: xr.Dataset, name: str) -> None:
        """Begin without a question."""
        self.posterior, self.table, self.name = posterior, table, name
        self.rows: list[np.ndarray] = []
        self.without: list[tuple[int, ...]] = []
        self.column = posterior.reading.labels(posterior.table).index(name)
        span = next(s for s in posterior.reading.spans if s.start <= self.column < s.stop)
        self.span, self.units = span, table[span.name].attrs.get("units", "")

    def put(self, rows: np.ndarray, without: list[tuple], signs: tuple[int, ...]) -> list[tuple[int, int]]:
        """Ask of rows without some elements; give the numbers of these questions, with their signs."""
        numbers = []
        for elements, sign in zip(without, signs, strict=True):
            numbers.append((len(self.rows), sign))
            self.rows.append(rows)
            self.without.append(elements)
        return numbers

    def answer(self, fractions: np.ndarray) -> list[np.ndarray]:
        """Predicted values of each question."""
        blocks = []
        for rows, elements in zip(self.rows, self.without, strict=True):
            left = fractions[rows].copy()
            left[:, list(elements)] = 0.0
            blocks.append(left / left.sum(1, keepdims=True))
        grid = self.table.isel(specimen=np.concatenate(self.rows))
        grid = grid.assign_coords(specimen=np.arange(grid.sizes["specimen"]))
        composition = self.posterior.reading.coordinates.composition
        changed = grid[composition].transpose("specimen", "element").copy(data=np.concatenate(blocks))
        predicted = self.posterior.predict(grid.assign({composition: changed}))[self.span.name].values
        predicted = predicted[:, self.column - self.span.start] if self.span.axis else predicted
        return np.split(predicted, np.cumsum([len(rows) for rows in self.rows])[:-1])


def _ranked(
    dim: str,
    found: dict[str, list[tuple[int, int]]],
    predicted: list[np.ndarray],
    names: tuple[str, str],
    units: str,
) -> xr.Dataset:
    each = {
        label: np.sum([sign * predicted[i] for i, sign in numbers], axis=0)
        for label, numbers in found.items()
    }
    labels = sorted(each, key=lambda label: -abs(float(np.mean(each[label]))))
    effect, count = names
    attrs = {"units": units} if units else {}
    spread = [np.std(each[label], ddof=1) / np.sqrt(len(each[label])) for label in labels]
    return xr.Dataset(
        {
            effect: (dim, np.array([np.mean(each[label]) for label in labels]), attrs),
            f"{effect}_se": (dim, np.array(spread), attrs),
            count: (dim, np.array([len(each[label]) for label in labels], dtype=int)),
        },
        coords={dim: np.array(labels, dtype=str)},
    )


def _refuse_unknown(posterior: CompositionPosterior, name: str) -> None:
    known = posterior.reading.labels(posterior.table)
    if name not in known:
        raise SchemaError(f"'{name}' was not learned.", found=name_known(known, name))
