"""The pool: the places one could go to."""

from collections.abc import Hashable

import numpy as np
import pandas as pd
import xarray as xr

from tieline.errors import SchemaError
from tieline.models.posterior import Posterior
from tieline.schema import align

N_STEPS = {1: 101, 2: 25, 3: 8}  # levels an input of the default pool: up to about 1000 places
ROUND_STEPS = (1, 2, 2.5, 5, 10)  # times a power of ten: settings that people like to dial in
N_SCATTERED = 1000  # places where there are more than three inputs and a grid would explode
LATTICE_PARTS = {2: 100, 3: 40, 4: 20}  # by number of elements: steps of 1, 2.5 and 5 at.%
ENOUGH_PLACES = 50  # a lattice that leaves fewer inside the explored region is too coarse for it


def design_names(posterior: Posterior) -> list[str]:
    """List the variables that say where a specimen is: one composition, or several numeric columns."""
    design = posterior.model.design
    return [design] if isinstance(design, str) else list(design)


def is_composition(posterior: Posterior) -> bool:
    """Tell a design of elements from one of numeric columns."""
    return "element" in posterior.table[design_names(posterior)[0]].dims


def check_pool(posterior: Posterior, pool: xr.Dataset, *, called: str = "pool") -> xr.Dataset:
    """See that a pool can be predicted, and reduce it to its design.

    Args:
        posterior: says which design variables it needs.
        pool (specimen): one row a place. Elements that its composition does not name are absent.
        called: how messages name it.

    Returns:
        (specimen): the design variables only, elements in the order and units in which the model knows them.

    Raises:
        SchemaError: the pool is empty, lacks a design variable, has holes in one, or does not close.
        UnitError: a variable has a unit that cannot be converted into the model's.
    """
    names = design_names(posterior)
    design = align(_with_absent_elements(pool, posterior.table, names), posterior.table, names, called=called)
    if design.sizes["specimen"] == 0:
        raise SchemaError(f"The {called} is empty.", found="0 rows", hint="give at least one place to choose")
    return design


def _with_absent_elements(pool: xr.Dataset, table: xr.Dataset, names: list[str]) -> xr.Dataset:
    """The pool with the elements of a table, where it names only some of them: a closed sum has no others."""
    if not isinstance(pool, xr.Dataset) or not {"element"} <= set(pool.coords) & set(table.coords):
        return pool
    known, given = (set(data["element"].values.astype(str).tolist()) for data in (table, pool))
    if not given < known or any(name not in pool for name in names):
        return pool
    return pool[names].reindex(element=table["element"].values, fill_value=0.0)


def design_matrix(design: xr.Dataset) -> np.ndarray:
    """Stack design variables into (specimen, column), one column an input or element, in their own units.

    Categories are numbered in the order in which they appear.
    """
    return np.column_stack([_numbers(variable) for variable in design.data_vars.values()])


def is_complete(design: xr.Dataset) -> np.ndarray:
    """Mark the rows (specimen) whose design is known."""
    known = [np.isfinite(_numbers(variable)) for variable in design.data_vars.values()]
    return np.all([k.all(axis=tuple(range(1, k.ndim))) for k in known], axis=0)


def _numbers(variable: xr.DataArray) -> np.ndarray:
    values = variable.variable.transpose("specimen", ...).values
    return values.astype(float) if values.dtype.kind in "iufb" else _numbered(values)


def _numbered(values: np.ndarray) -> np.ndarray:
    """Numbers of categories (specimen), from 0; NaN where none is named."""
    code, names = pd.factorize(values)
    unnamed = (code < 0) | np.isin(code, np.flatnonzero([name == "" for name in names]))
    return np.where(unnamed, np.nan, code)


def join(*designs: xr.Dataset) -> xr.Dataset:
    """Put places one after the other, numbered afresh: identities of pool and table may coincide."""
    bare = [d.drop_vars("specimen", errors="ignore") for d in designs if d.sizes["specimen"]]
    joined = xr.concat(bare, dim="specimen", combine_attrs="override", join="exact")
    return joined.assign_coords(specimen=np.arange(joined.sizes["specimen"]))


def place_names(design: xr.Dataset) -> np.ndarray:
    """Number places so that two rows share a number if they are the same place, up to 1e-9 of the range."""
    matrix = design_matrix(design)
    # One hash of a row: that any two of a million different places share it has a chance of 3e-8.
    factors = np.random.default_rng(0).integers(2**63, size=matrix.shape[1], dtype=np.uint64) | np.uint64(1)
    code = np.zeros(len(matrix), np.uint64)
    for column, factor in zip(matrix.T, factors, strict=True):
        steps = np.rint((column - column.min()) / ((np.ptp(column) or 1.0) * 1e-9))
        code += steps.astype(np.uint64) * factor
    return pd.factorize(code)[0]


def first_of_each(names: np.ndarray) -> np.ndarray:
    """Rows where each place is named first, from `place_names`, which numbers them in order of appearance."""
    largest = np.maximum.accumulate(names)
    return np.flatnonzero(np.diff(largest, prepend=-1) > 0)


def default_pool(posterior: Posterior, *, seed: int = 0) -> xr.Dataset:
    """Span the region that has been explored: a grid of up to three inputs, scattered places for more.

    Args:
        posterior: its table says which region that is.
        seed: of the scattered places.

    Returns:
        (specimen): the design variables, with the units of the table. Compositions sum to one.
    """
    table = posterior.table[design_names(posterior)].reset_coords(drop=True)
    table = table.isel(specimen=np.flatnonzero(is_complete(table)))
    compositions = [name for name in table.data_vars if "element" in table[name].dims]
    columns = table.drop_vars(compositions)
    if not compositions:
        return _like(table, _columns(columns, seed))
    if len(table.data_vars) == 1:
        return _like(table, {name: _simplex_places(_fractions(table, name), seed) for name in compositions})
    # Each composition meets settings of its own: a grid of both would explode.
    mixed = {name: _mixtures(_fractions(table, name), seed) for name in compositions}
    return _like(table, mixed | _scattered(columns, seed + 1))


def _fractions(table: xr.Dataset, name: Hashable) -> np.ndarray:
    return table[name].transpose("specimen", "element").values


def _columns(columns: xr.Dataset, seed: int) -> dict[Hashable, np.ndarray]:
    """A grid of up to three columns, scattered places for more."""
    n_steps = N_STEPS.get(len(columns.data_vars))
    if n_steps is None:
        return _scattered(columns, seed)
    levels = [_levels(v.values, n_steps) for v in columns.data_vars.values()]
    grid = np.meshgrid(*levels, indexing="ij")
    return {name: axis.ravel() for name, axis in zip(columns.data_vars, grid, strict=True)}


def _simplex_places(measured: np.ndarray, seed: int) -> np.ndarray:
    """Compositions in the explored region: round fractions where a lattice is small, mixtures otherwise."""
    n_elements = measured.shape[1]
    low, high = measured.min(0) - 1e-9, measured.max(0) + 1e-9
    if n_elements in LATTICE_PARTS:
        lattice = _simplex_lattice(n_elements, LATTICE_PARTS[n_elements])
        inside = lattice[((lattice >= low) & (lattice <= high)).all(1)]
        if len(inside) >= ENOUGH_PLACES:
            return inside
    return _mixtures(measured, seed)


def _mixtures(measured: np.ndarray, seed: int) -> np.ndarray:
    """Mixtures of measured compositions, which lie between them whatever the number of elements.

    Drawing from the whole simplex and rejecting finds next to nothing from seven elements on.
    """
    n_elements = measured.shape[1]
    rng = np.random.default_rng(seed)
    picks = rng.integers(len(measured), size=(N_SCATTERED, n_elements))
    shares = rng.dirichlet(np.ones(n_elements), size=N_SCATTERED)
    return np.einsum("pk,pke->pe", shares, measured[picks])


def _simplex_lattice(n_elements: int, n_parts: int) -> np.ndarray:
    """All compositions whose fractions are whole multiples of 1 / n_parts."""
    axes = np.meshgrid(*[np.arange(n_parts + 1)] * (n_elements - 1), indexing="ij")
    free = np.stack(axes, -1).reshape(-1, n_elements - 1)
    free = free[free.sum(1) <= n_parts]
    return np.column_stack([free, n_parts - free.sum(1)]) / n_parts


def _levels(values: np.ndarray, n_steps: int) -> np.ndarray:
    """Levels of a column: its categories, or round steps between its ends."""
    if values.dtype.kind not in "iufb":
        return np.unique(values.astype(str))
    return _round_levels(float(values.min()), float(values.max()), n_steps)


def _round_levels(low: float, high: float, n_steps: int) -> np.ndarray:
    """Levels that are whole multiples of a round step, and the two ends: about `n_steps` at most."""
    if high <= low:
        return np.array([low])
    rough = (high - low) / (n_steps - 1)
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(power * s for s in ROUND_STEPS if power * s >= rough * (1 - 1e-9))
    multiples = step * np.arange(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9) + 1)
    inner = multiples[(multiples > low + 0.01 * step) & (multiples < high - 0.01 * step)]
    return np.concatenate([[low], inner, [high]])


def _scattered(columns: xr.Dataset, seed: int) -> dict[Hashable, np.ndarray]:
    """A Latin hypercube over the explored ranges: every column takes each of its levels once."""
    rng = np.random.default_rng(seed)
    places = {}
    for name, column in columns.data_vars.items():
        share = (rng.permutation(N_SCATTERED) + 0.5) / N_SCATTERED
        if column.dtype.kind not in "iufb":
            categories = np.unique(column.values.astype(str))
            places[name] = categories[(share * len(categories)).astype(int)]
            continue
        places[name] = float(column.min()) + float(np.ptp(column.values)) * share
    return places


def _like(table: xr.Dataset, places: dict[Hashable, np.ndarray]) -> xr.Dataset:
    """Give places the names, order, dimensions and units of the table's design."""
    variables = {
        name: (("specimen", "element")[: places[name].ndim], places[name], variable.attrs)
        for name, variable in table.data_vars.items()
    }
    n_places = len(next(iter(places.values())))
    elements = {"element": table["element"].values} if "element" in table.dims else {}
    return xr.Dataset(variables, {"specimen": np.arange(n_places), **elements})
