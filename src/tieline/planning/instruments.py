"""What can measure, at which cost, and where it has not measured yet."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from tieline.errors import SchemaError, TielineError, did_you_mean
from tieline.models.posterior import Posterior, label_sets
from tieline.planning.pool import design_names, is_complete, join, place_names

INSTRUMENT = "instrument"  # column of proposals, and of pending ones, that says what measures


@dataclass(frozen=True)
class Instruments:
    """What can measure, and what is left to be measured.

    Attributes:
        names: each is a label variable or a property of the model.
        costs (instrument): of one measurement, positive, all in one unit: hours, euro.
        label_sets: names of the label variables of the model.
        is_done (place, instrument): pairs of the pool that have a result already, or are under way.
        is_pending (pending, instrument): what is under way at the pending places.
    """

    names: tuple[str, ...]
    costs: np.ndarray
    label_sets: tuple[str, ...]
    is_done: np.ndarray
    is_pending: np.ndarray

    @property
    def rows(self) -> np.ndarray:
        """Rows of the pool where something is left to be measured."""
        return np.flatnonzero(~self.is_done.all(1))


def take_stock(
    posterior: Posterior,
    costs: Mapping[str, float],
    design: xr.Dataset,
    pending_design: xr.Dataset,
    pending: xr.Dataset | None,
    n: int,
) -> Instruments:
    """Check what each instrument costs, and find where it has not measured yet.

    Args:
        posterior: its table says what was measured.
        costs: of one measurement with each instrument. Others are not available.
        design (specimen): of the pool, checked.
        pending_design (specimen): of what is under way, checked; may have no rows.
        pending (specimen): the same with a column `instrument`; without one, all are under way there.
        n: measurements that are wanted.

    Raises:
        SchemaError: an instrument measures nothing that the model knows, or none is named.
        TielineError: a cost is not a positive number, or fewer than n measurements are left.
    """
    known = [*label_sets(posterior.model), *posterior.model.properties]
    _check_costs(costs, known)
    names = tuple(costs)
    is_pending = np.ones((pending_design.sizes["specimen"], len(names)), bool)
    if pending is not None and INSTRUMENT in pending.variables:
        under_way = pending[INSTRUMENT].values.astype(str)
        for name in under_way:
            _refuse_unknown(str(name), known)
        is_pending = under_way[:, None] == np.array(names)
    is_done = _done(posterior, design, pending_design, names, is_pending)
    _refuse_too_many(n, design, is_done, names)
    prices = np.array([float(c) for c in costs.values()])
    return Instruments(names, prices, label_sets(posterior.model), is_done, is_pending)


def price_of_places(pool: xr.Dataset, column: str) -> np.ndarray:
    """What each place of a pool costs (specimen), in the unit of the column.

    Args:
        pool (specimen): the places, with the column.
        column: its name.

    Raises:
        SchemaError: the pool has no such column, or a cost in it is not positive.
    """
    if column not in pool.variables:
        known = [str(name) for name in pool.variables]
        raise SchemaError(
            f"The pool has no column '{column}' of costs.",
            found=f"{', '.join(known)}. {did_you_mean(column, known)}".strip(),
            hint="name a column of the pool, or give the cost of each instrument as a mapping",
        )
    values = pool[column].values
    prices = values.astype(float) if values.dtype.kind in "iuf" else np.full(values.shape, np.nan)
    wrong = np.flatnonzero(~(np.isfinite(prices) & (prices > 0)))
    if wrong.size:
        raise SchemaError(
            f"'{column}' must say what every place costs, a positive number.",
            found=f"{values[wrong[0]]} in row {wrong[0]}, and {len(wrong) - 1} more",
            hint="fill the column, in one unit of your own",
        )
    return prices


def _done(
    posterior: Posterior,
    design: xr.Dataset,
    pending: xr.Dataset,
    names: tuple[str, ...],
    is_pending: np.ndarray,
) -> np.ndarray:
    table = posterior.results
    tried = table[design_names(posterior)].reset_coords(drop=True)
    complete = np.flatnonzero(is_complete(tried))
    place = place_names(join(design, tried.isel(specimen=complete), pending))
    here, there, awaited = np.split(place, np.cumsum([design.sizes["specimen"], len(complete)]))
    columns = []
    for m, name in enumerate(names):
        measured = there[_has_result(table[name])[complete]]
        columns.append(np.isin(here, measured) | np.isin(here, awaited[is_pending[:, m]]))
    return np.column_stack(columns)


def _has_result(variable: xr.DataArray) -> np.ndarray:
    """Mark the specimens that have a label, probabilities of phases, or a value."""
    values = variable.transpose("specimen", ...).values
    if values.dtype.kind not in "iufb":
        return np.array([v == v and v is not None and v != "" for v in values], dtype=bool)
    numbers = values.reshape(len(values), -1).astype(float)
    return ~np.isnan(numbers.sum(1))


def _check_costs(costs: Mapping[str, float], known: list[str]) -> None:
    if not isinstance(costs, Mapping) or not costs:
        raise SchemaError(
            "costs says what one measurement with each instrument costs.",
            found=f"{costs!r}",
            hint=f"costs={{'{known[0]}': 1.0}}, and so on for any of {', '.join(known)}",
        )
    for name, cost in costs.items():
        _refuse_unknown(name, known)
        is_number = isinstance(cost, int | float | np.integer | np.floating) and not isinstance(cost, bool)
        if not (is_number and math.isfinite(cost) and cost > 0):
            raise TielineError(
                f"The cost of '{name}' must be a positive number.",
                found=f"{cost!r}",
                hint="what one measurement costs, in one unit for all instruments: hours, euro, points",
            )


def _refuse_unknown(name: str, known: list[str]) -> None:
    if name not in known:
        raise SchemaError(
            f"No instrument measures '{name}': this model did not learn it.",
            found=f"{', '.join(known)}. {did_you_mean(name, known)}".strip(),
            hint="instruments are named after the phase variable or the property that they measure",
        )


def _refuse_too_many(n: int, design: xr.Dataset, is_done: np.ndarray, names: tuple[str, ...]) -> None:
    distinct = np.unique(place_names(design), return_index=True)[1]
    n_left = int((~is_done[distinct]).sum())
    if n < 1 or n > n_left:
        raise TielineError(
            f"Cannot propose {n} different measurements.",
            found=f"{n_left} left of {', '.join(names)} at {len(distinct)} different places",
            hint=f"n from 1 to {n_left}" if n_left else "a larger pool, or a cost for another instrument",
        )
