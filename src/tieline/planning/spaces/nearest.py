"""The nearest place that a space allows, and whether there is any: a mixed-integer programme."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, milp
from scipy.optimize import LinearConstraint as Rows

from tieline.planning.spaces.coding import Coding

MARGIN = 1e-6  # kept from the limits of inequalities where possible: the solver misses them by up to 1e-7
SECONDS = 20.0  # for one place; such problems take milliseconds


@dataclass
class _Programme:
    """Variables: codes, distances, then switches; each row of constraints is built on all of them."""

    low: list[float]
    high: list[float]
    whole: list[float]
    cost: list[float]
    rows: list[dict[int, float]]
    limits: list[tuple[float, float]]

    def add(self, low: float, high: float, *, whole: bool = False, cost: float = 0.0) -> int:
        for of, value in ((self.low, low), (self.high, high), (self.whole, float(whole)), (self.cost, cost)):
            of.append(value)
        return len(self.low) - 1

    def require(self, row: dict[int, float], low: float, high: float) -> None:
        self.rows.append(row)
        self.limits.append((low, high))

    def solve(self) -> np.ndarray | None:
        matrix = np.zeros((len(self.rows), len(self.low)))
        for number, row in enumerate(self.rows):
            matrix[number, list(row)] = list(row.values())
        found = milp(
            self.cost,
            integrality=self.whole,
            bounds=Bounds(*np.array([self.low, self.high])),
            constraints=Rows(matrix, *np.array(self.limits).T),
            options={"time_limit": SECONDS},
        )
        return found.x


def nearest_of_each(coding: Coding, targets: np.ndarray) -> np.ndarray:
    """Find the allowed codes that are nearest to each of many targets.

    At first every number moves on its own, into its bounds and onto its steps. Where that meets all
    constraints, nothing is nearer; only the other rows need a programme.

    Args:
        coding: inputs and linear constraints; rules are not known here.
        targets (place, column): finite codes, allowed or not. Categories are kept.

    Returns:
        (place, column): codes within all bounds and linear constraints; NaN if nothing is.
    """
    moved = np.clip(np.where(coding.is_whole, np.round(targets), targets), *coding.bounds)
    if coding.mixture is not None:
        columns = coding.mixture[1]  # amounts are tied together by their sum
        moved[:, columns] = targets[:, columns]
    for row in np.flatnonzero(~coding.holds(moved)):
        found = nearest(coding, targets[row])
        moved[row] = np.nan if found is None else found
    return moved


def nearest(coding: Coding, target: np.ndarray) -> np.ndarray | None:
    """Find the allowed codes that are nearest to a target, in the sum of shares of the ranges.

    Args:
        coding: inputs and linear constraints; rules are not known here.
        target (column): finite codes, allowed or not. Categories are kept.

    Returns:
        (column): codes within all bounds and linear constraints; None if nothing is.
    """
    for margin in (MARGIN, 0.0):  # without a margin where constraints leave only a touching point
        found = _programme(coding, target, margin).solve()
        if found is None:
            continue
        codes = _polish(coding, found[: target.size])
        if coding.holds(codes[None], MARGIN)[0]:
            return codes
    return None


def _programme(coding: Coding, target: np.ndarray, margin: float) -> _Programme:
    low, high = coding.bounds
    of = _Programme([], [], [], [], [], [])
    for column, whole in enumerate(coding.is_whole):
        of.add(low[column], high[column], whole=whole)
    for column in range(target.size):
        span = (high[column] - low[column]) or 1.0
        away = of.add(0.0, np.inf, cost=1.0 / span)
        of.require({column: 1.0, away: -1.0}, -np.inf, target[column])
        of.require({column: 1.0, away: 1.0}, target[column], np.inf)
    _require_closure(of, coding)
    _require_rows(of, coding, margin)
    return of


def _require_closure(of: _Programme, coding: Coding) -> None:
    """Amounts sum to one; each ingredient is absent, or between its bounds."""
    if coding.mixture is None:
        return
    mixture, columns = coding.mixture
    members = range(columns.start, columns.stop)
    of.require(dict.fromkeys(members, 1.0), mixture.total, mixture.total)
    if not mixture.is_sparse:
        return
    switches = []
    for column, low, least, high in zip(members, *mixture.limits, strict=True):
        switch = of.add(float(low > 0), 1.0, whole=True)
        of.require({column: 1.0, switch: -high}, -np.inf, 0.0)
        of.require({column: 1.0, switch: -least}, 0.0, np.inf)
        switches.append(switch)
    of.require(dict.fromkeys(switches, 1.0), mixture.at_least, mixture.most_present)


def _require_rows(of: _Programme, coding: Coding, margin: float) -> None:
    """Linear constraints; the value of a level is that of the one switch that is on."""
    coefficients, tables, low, high = coding.rows
    rows: list[dict[int, float]] = [
        {int(c): float(row[c]) for c in np.flatnonzero(row)} for row in coefficients
    ]
    for column, table in tables.items():
        switches = [of.add(0.0, 1.0, whole=True) for _ in range(table.shape[1])]
        of.require(dict.fromkeys(switches, 1.0), 1.0, 1.0)
        of.require({column: -1.0, **{s: float(i) for i, s in enumerate(switches)}}, 0.0, 0.0)
        for row, values in zip(rows, table, strict=True):
            row.update(zip(switches, values.tolist(), strict=True))
    for row, least, most in zip(rows, low, high, strict=True):
        inside = margin if most - least > 2 * margin else 0.0
        of.require(row, least + inside, most - inside)


def _polish(coding: Coding, codes: np.ndarray) -> np.ndarray:
    """Take away what the solver leaves by rounding: whole numbers first, then equations."""
    codes = np.clip(np.where(coding.is_whole, np.round(codes), codes), *coding.bounds)
    if coding.mixture is not None and coding.mixture[0].is_sparse:
        _, columns = coding.mixture
        codes[columns] = np.where(codes[columns] < MARGIN, 0.0, codes[columns])
    coefficients, which = coding.equations
    free = ~coding.is_whole & (codes > coding.bounds[0]) & (codes < coding.bounds[1])
    if len(coefficients) and free.any():
        missing = (coding.rows[2] - coding.row_values(codes[None])[0])[which]
        if coding.mixture is not None:
            mixture, columns = coding.mixture
            missing = np.append(missing, mixture.total - codes[columns].sum())
        codes[free] += np.linalg.lstsq(coefficients[:, free], missing, rcond=None)[0]
    return codes
