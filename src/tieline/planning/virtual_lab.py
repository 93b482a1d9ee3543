"""A laboratory that is a finite table: every experiment one could ask for has been done already."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from tieline.errors import SchemaError, TielineError
from tieline.planning.goals import Goal, Maximize, Minimize, Pareto, property_terms, terms, utility_of
from tieline.planning.pool import design_matrix, place_names
from tieline.planning.strategies import Chance, Rule
from tieline.schema import as_variables
from tieline.schema.flags import is_no_result
from tieline.schema.wording import name_known

START, NOISE, CHOICE = 0, 1, 2  # streams of random numbers within one repeat


@dataclass(frozen=True, eq=False)
class VirtualLab:
    """The known truth and the rules of virtual experiments.

    Attributes:
        table (specimen): the places, each once, with the true values of every property.
        design: names of the design variables.
        goal: what is looked for.
        utility (specimen): what each place is worth, larger is better; the property's unit, or spreads over
            the places where the goal is a sum.
        is_best (specimen): which places count as found.
        noise: standard deviation of what is added to each property when it is measured, in its unit.
        n_tries: allowed after the start; None for as many as there are places, less the start.
        batch: places chosen at a time.
        starts_with_replacement: whether the start may hold a place twice.
        picks_with_replacement: whether a place that was measured may be chosen again.
        seed: of starts, noise and choices.
    """

    table: xr.Dataset
    design: tuple[str, ...]
    goal: Goal
    utility: np.ndarray
    is_best: np.ndarray
    noise: Mapping[str, float]
    n_tries: int | None = None
    batch: int = 1
    starts_with_replacement: bool = True
    picks_with_replacement: bool = True
    seed: int = 0

    @property
    def n_places(self) -> int:
        """How many different places there are."""
        return self.table.sizes["specimen"]

    def most_tries(self, n_start: int) -> int:
        """Tries that are allowed after a start."""
        return self.n_places - n_start if self.n_tries is None else self.n_tries

    def run(self, rule: Rule, n_start: int, repeat: int) -> np.ndarray:
        """Let a rule choose until the best is found or the tries are spent.

        All rules meet the same start and the same noise in the same repeat.

        Returns:
            Rows of the table in the order in which they were measured, the start first.
        """
        most = n_start + self.most_tries(n_start)
        picks = self._start(n_start, repeat)
        noise = self._stream(NOISE, n_start, repeat).standard_normal((most, len(self.noise)))
        everywhere = np.arange(self.n_places)
        rows, pool = everywhere, self._rows(everywhere, self.design)
        while len(picks) < most and not self.is_best[picks].any():
            if not self.picks_with_replacement:
                rows = np.setdiff1d(everywhere, picks)
            n = min(self.batch, most - len(picks), len(rows))
            if n == 0:
                break
            rng = self._stream(CHOICE, n_start, repeat, len(picks))
            if rule == Chance():  # looks at nothing, and tables would take most of its time
                chosen = rng.choice(len(rows), n, replace=False)
            else:
                offered = pool if len(rows) == self.n_places else self._rows(rows, self.design)
                seen = self._measured(picks, noise)
                chosen = rule.choose(seen, offered, self.goal, n, seed=int(rng.integers(2**32)))
            picks = np.concatenate([picks, rows[_checked(chosen, n, len(rows))]])
        return picks

    def _start(self, n_start: int, repeat: int) -> np.ndarray:
        """Draw the start; that of a larger number continues that of a smaller one."""
        rng = self._stream(START, repeat)
        if self.starts_with_replacement:
            return rng.integers(self.n_places, size=n_start)
        return rng.permutation(self.n_places)[:n_start]

    def _measured(self, picks: np.ndarray, noise: np.ndarray) -> xr.Dataset:
        """What the lab has written down so far (specimen): the rows that were picked, with their noise."""
        seen = self._rows(picks, [str(name) for name in self.table.data_vars])
        for j, (name, sd) in enumerate(self.noise.items()):
            seen[name].variable.values += sd * noise[: len(picks), j]
        return seen

    def _rows(self, rows: np.ndarray, names: Sequence[str]) -> xr.Dataset:
        """Copy rows of the table, numbered afresh.

        Variable by variable, as indexing a whole Dataset takes longer than a small fit.
        """
        copied = {name: self.table.variables[name].isel(specimen=rows) for name in names}
        dims = {dim for variable in copied.values() for dim in variable.dims} - {"specimen"}
        coords = {dim: self.table.variables[dim] for dim in dims if dim in self.table.coords}
        return xr.Dataset(copied, {"specimen": np.arange(len(rows)), **coords})

    def _stream(self, *branch: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, *branch])

    def fingerprint(self) -> str:
        """Tell one truth from another: a hash of all that rules may see and of what it is worth."""
        digest = hashlib.sha256(" ".join(f"{v:.8e}" for v in self.utility).encode())
        for name in sorted(map(str, self.table.data_vars)):
            values = self.table.variables[name].values.ravel()
            form = ".8e" if values.dtype.kind in "iufb" else ""
            digest.update(f"\n{name} {' '.join(format(v, form) for v in values)}".encode())
        return digest.hexdigest()[:16]


def open_lab(
    table: xr.Dataset,
    design: tuple[str, ...],
    goal: Goal,
    noise: float | Mapping[str, float],
    *,
    top_share: float | None,
    threshold: float | None,
    **rules,
) -> tuple[VirtualLab, list[str]]:
    """Make a virtual laboratory of a table, and note what was left out or averaged.

    Raises:
        SchemaError: the table lacks a variable, or no row has all that is needed.
        TielineError: the goal has no best place, or what counts as found is not to be found.
    """
    names = _properties_of(goal, table)
    table = as_variables(table, design)
    lacking = [name for name in design if name not in table.variables]
    if lacking:
        raise SchemaError(
            f"The table lacks the design variable '{lacking[0]}'.",
            found=name_known(table.data_vars, lacking[0]),
            hint="name the columns of the table in the model's design",
        )
    truth, notes = _distinct_places(table, design, names)
    utility = _utility(goal, truth)
    is_best = _what_counts(goal, utility, truth, top_share, threshold)
    lab = VirtualLab(truth, design, goal, utility, is_best, _noise_of(names, noise), **rules)
    return lab, notes


def _properties_of(goal: Goal, table: xr.Dataset) -> list[str]:
    is_sum = isinstance(goal, Goal) and not isinstance(goal, Pareto)
    if not is_sum or len(property_terms(goal)) < len(terms(goal)):
        raise TielineError(
            "A back-test looks for the best place, which this goal does not have.",
            found=str(goal),
            hint='tl.Maximize("strength"), Minimize, Target, or a weighted sum of them',
        )
    names = list(dict.fromkeys(part.name for _, part in property_terms(goal)))
    for name in names:
        if name not in table.data_vars:
            raise SchemaError(
                f"The goal asks for '{name}', which the table lacks.",
                found=name_known(table.data_vars, name),
                hint="name one of these in the goal",
            )
    return names


def _noise_of(names: list[str], noise: float | Mapping[str, float]) -> dict[str, float]:
    """Standard deviation of each property in the goal; 0 where a mapping names others only."""
    if not isinstance(noise, Mapping):
        return dict.fromkeys(names, float(noise))
    if strangers := [name for name in noise if name not in names]:
        raise TielineError(
            f"noise names '{strangers[0]}', which the goal does not ask for.",
            found=name_known(names, strangers[0]),
            hint="give a standard deviation for properties in the goal",
        )
    return {name: float(noise.get(name, 0.0)) for name in names}


def _distinct_places(
    table: xr.Dataset, design: tuple[str, ...], names: list[str]
) -> tuple[xr.Dataset, list[str]]:
    """Keep rows with a design and a value, one a place; repeats become their mean."""
    places = table[list(design)].reset_coords(drop=True)
    columns = np.column_stack([design_matrix(places), *(table[name].values for name in names)])
    is_value = ~_is_flagged(table, names)
    complete = np.flatnonzero(np.isfinite(columns.astype(float)).all(1) & is_value)
    if not complete.size:
        raise SchemaError(
            "No row of the table has a full design and a measured goal.",
            found=f"{table.sizes['specimen']} rows, goal {', '.join(names)}",
            hint="leave out design variables that were not recorded",
        )
    notes = []
    if not is_value.all():
        notes.append(f"{(~is_value).sum()} rows with a limit or a failure instead of a value left out.")
    if n_left_out := int(is_value.sum()) - complete.size:
        notes.append(f"{n_left_out} rows without a full design or without {' and '.join(names)} left out.")
    kept = table.isel(specimen=complete)
    place = place_names(places.isel(specimen=complete))
    _, first, count = np.unique(place, return_index=True, return_counts=True)
    if (count > 1).any():
        notes.append(
            f"{(count > 1).sum()} places were measured repeatedly: the mean of their values counts as true."
        )
    order = np.sort(first)
    truth = kept.isel(specimen=order).assign_coords(candidate=("specimen", complete[order]))
    for name in names:
        means = np.bincount(place, kept[name].values) / np.bincount(place)
        truth[name] = truth[name].copy(data=means[place[order]])
    return truth, notes


def _is_flagged(table: xr.Dataset, names: Sequence[str]) -> np.ndarray:
    """Mark rows (specimen) that have a limit or a failure in place of a value: nobody knows their truth."""
    flagged = np.zeros(table.sizes["specimen"], dtype=bool)
    for flag in (f"{name}_flag" for name in names if f"{name}_flag" in table.variables):
        flagged |= is_no_result(table.variables[flag].values)
    return flagged


def _utility(goal: Goal, truth: xr.Dataset) -> np.ndarray:
    parts = property_terms(goal)
    worth = [utility_of(part, truth[part.name].values.astype(float)) for _, part in parts]
    if len(worth) == 1:
        return worth[0]
    weights = [weight for weight, _ in parts]
    total = np.zeros(truth.sizes["specimen"])
    for weight, values in zip(weights, worth, strict=True):
        total += weight * values / (values.std() or 1.0)
    return total


def _what_counts(
    goal: Goal, utility: np.ndarray, truth: xr.Dataset, top_share: float | None, threshold: float | None
) -> np.ndarray:
    """Mark the places that count as found: the best, the best share, or all beyond a threshold."""
    if threshold is None:
        n_best = 1 if top_share is None else max(int(np.ceil(top_share * len(utility))), 1)
        return utility >= sorted(utility.tolist(), reverse=True)[n_best - 1]
    parts = property_terms(goal)
    if len(parts) > 1 or top_share is not None:
        raise TielineError(
            "A threshold goes with one property, and without a share.",
            found=f"{goal}" + (f", top_share={top_share:g}" if top_share is not None else ""),
            hint="top_share=0.05 counts the best 5 % of places as found, whatever the goal",
        )
    part = next(single for _, single in parts)
    is_target = not isinstance(part, Maximize | Minimize)
    level = -abs(threshold) if is_target else float(utility_of(part, np.array([threshold]))[0])
    if not (utility >= level).any():
        values = truth[part.name].values
        raise TielineError(
            f"No place reaches the threshold {threshold:g}.",
            found=f"{part.name} from {values.min():.4g} to {values.max():.4g}",
            hint="a threshold that some place of the table reaches"
            + (", as a distance from the target" if is_target else ""),
        )
    return utility >= level


def _checked(chosen: np.ndarray, n: int, n_rows: int) -> np.ndarray:
    """See that a rule chose what it was asked for."""
    rows = np.asarray(chosen).reshape(-1).astype(int)
    if len(set(rows.tolist())) != n or len(rows) != n or rows.min() < 0 or rows.max() >= n_rows:
        raise TielineError(
            f"A strategy has to choose {n} different rows of the pool.",
            found=f"{rows.tolist()} of a pool of {n_rows} rows",
            hint="choose(seen, pool, goal, n, seed=...) returns row numbers, from 0",
        )
    return rows
