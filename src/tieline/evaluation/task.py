"""A task: what is to be predicted from what, checked before anything is learned."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from tieline.errors import NotIdentified, SchemaError
from tieline.evaluation.checks import look_over
from tieline.evaluation.checks.learnable import check_learnable
from tieline.evaluation.checks.repeats import alike_in_all
from tieline.evaluation.finding import Finding, in_order
from tieline.evaluation.folds import Fold
from tieline.evaluation.inspection import Inspection
from tieline.evaluation.schemes import SCHEMES, cluster_folds, group_folds, time_folds
from tieline.evaluation.task_arrays import SETTINGS, TaskArrays
from tieline.models.arrays import Array, Indices
from tieline.models.belonging import groups_of
from tieline.models.design_columns import DesignColumns, describe_inputs, known_elements
from tieline.schema import (
    as_variables,
    check,
    is_label,
    require,
    require_finite,
    require_table,
)
from tieline.schema.flags import notes_on_limits, without_limits
from tieline.schema.wording import name_known, name_some

FEWEST = 5  # specimens with a value
READER = "A task"


@dataclass(frozen=True, eq=False)
class Task:
    """What is predicted from what, and which rows belong together.

    Attributes:
        table: on `specimen`.
        targets: what is predicted: labels, or one property or several, each known for some specimens.
        inputs: what it is predicted from.
        groups: the variable of what is tested together; "" where rows of equal inputs are.
        order: the variable that says when each row was measured; "" for none.
        goal: what predictions are for; `tl.screen` reads it.
        group (row): number of the group of each row.
        findings: what was found wrong, the gravest first.
    """

    table: xr.Dataset
    targets: tuple[str, ...]
    inputs: tuple[str, ...]
    groups: str
    order: str
    goal: Any
    group: Indices
    findings: tuple[Finding, ...] = ()

    def __repr__(self) -> str:
        n, n_groups = self.table.sizes["specimen"], len(np.unique(self.group))
        together = f", tested by {n_groups} groups of {self.groups}" if self.groups else ""
        verb = "tell" if self.is_classification else "predict"
        what = f"{verb} {', '.join(self.targets)} from {describe_inputs(self.inputs)}"
        head = f"<Task: {what}, {n} rows{together}>"
        return "\n".join([head, *(f"  {finding}" for finding in self.findings)])

    def _repr_html_(self) -> str:
        return self.inspection._repr_html_()

    @property
    def is_classification(self) -> bool:
        """Whether labels are told apart."""
        return is_label(self.table[self.targets[0]])

    @property
    def inspection(self) -> Inspection:
        """The findings as a report."""
        shown = [*self.targets, *self.inputs]
        report = Inspection.of(without_limits(self.table, shown), shown, self.findings)
        return replace(report, notes=(*report.notes, *notes_on_limits(self.table, shown)))

    def columns(self) -> Array:
        """The inputs as numbers (row, column); NaN where not known."""
        return DesignColumns.of(self.table, self.inputs).place(self.table)

    def arrays(self, target: str) -> TaskArrays:
        """Inputs and one target as arrays."""
        arrays = TaskArrays.of(self.table, self.inputs, target, self.group)
        return replace(arrays, is_grouped=bool(self.groups))

    def rows(self, target: str) -> Indices:
        """The rows that say what a target is."""
        return np.flatnonzero(TaskArrays.of(self.table, (), target).has_target)

    def folds(self, target: str, scheme: str = "grouped", n_folds: int = 5, seed: int = 0) -> list[Fold]:
        """Divide the rows that know a target; no group stands on both sides.

        Args:
            target: one of the targets.
            scheme: "grouped", "clusters" (one cluster of the inputs after another is held out) or "time".
            n_folds: how many; fewer where there are fewer groups.
            seed: of the order.

        Returns:
            For every fold the rows of the table to learn from and those to test.

        Raises:
            SchemaError: there is no such scheme, no order for "time", or too few folds.
            NotIdentified: all rows are of one group.
        """
        if scheme not in SCHEMES:
            raise SchemaError(f"There is no scheme '{scheme}'.", found=name_known(SCHEMES, scheme))
        arrays = TaskArrays.of(self.table, (), target)
        rows = np.flatnonzero(arrays.has_target)
        group = np.unique(self.group[rows], return_inverse=True)[1]
        if scheme == "time":
            folds = time_folds(self._order()[rows], group, n_folds)
        elif scheme == "clusters":
            folds = cluster_folds(_standardised(self.columns()[rows]), group, n_folds, seed)
        else:
            label = None if arrays.label is None else arrays.label[rows]
            folds = group_folds(group, label, n_folds, seed)
        return [(rows[train], rows[test]) for train, test in folds]

    def _order(self) -> Array:
        if not self.order:
            raise SchemaError(
                "Folds in time need to know when each row was measured.",
                hint='tl.task(..., order="date"), or --order date at the command line',
            )
        values = self.table[self.order].values
        if values.dtype.kind in "iufb":
            return values.astype(float)
        times = pd.to_datetime(pd.Series(values).replace("", None), format="ISO8601", errors="coerce")
        unread = values[times.isna().to_numpy() & (values.astype(str) != "")]
        if len(unread) and values.dtype.kind != "M":
            raise SchemaError(
                f"'{self.order}' should be numbers or dates.", found=f"'{unread[0]}'", hint="2026-11-28 14:05"
            )
        since = (times - times.min()).dt.total_seconds()
        return since.to_numpy(dtype=float)


def task(
    table: xr.Dataset,
    target: str | Sequence[str],
    inputs: Sequence[str] | str | None = None,
    groups: str | None = None,
    *,
    goal: Any = None,
    order: str | None = None,
    seed: int = 0,
) -> Task:
    """State what is to be predicted from what, and have it checked.

    Args:
        table: on `specimen`; rows may lack anything. It is not changed.
        target: a property, several, or a variable of labels.
        inputs: numbers, categories, compositions and spectra; by default everything that the lab sets
            (roles synthesis and process), or else every number that is not a target.
        groups: the variable of what was made or measured together, such as a batch or `formula`; "specimen",
            a composition, or "chemical_system". By default rows of equal inputs are one group.
        goal: what predictions are for, such as `tl.Maximize("hardness")`; `tl.screen` uses it.
        order: the variable that says when a row was measured, as a number or an ISO date, for folds in time.
        seed: of the check whether anything can be learned.

    Returns:
        The task; its `findings` say what is wrong, as does printing it. Nothing is removed or mended.

    Raises:
        SchemaError: a variable is missing, infinite, or named for two parts; or there are no rows.
        NotIdentified: fewer than five specimens know a target, or all have the same.

    Source:
        Zhao, KIT (2024), section 3.1.1: task, data, training, evaluation, application.
    """
    stated = state_task(table, target, inputs, groups, goal=goal, order=order)
    return replace(stated, findings=in_order(f for name in stated.targets for f in _look(stated, name, seed)))


def state_task(
    table: xr.Dataset,
    target: str | Sequence[str],
    inputs: Sequence[str] | str | None = None,
    groups: str | None = None,
    *,
    goal: Any = None,
    order: str | None = None,
) -> Task:
    """State what is to be predicted from what, as `task` does, and look for nothing.

    Raises:
        SchemaError: a variable is missing, infinite, or named for two parts; or there are no rows.
    """
    _require_rows(table)
    targets = (target,) if isinstance(target, str) else tuple(target)
    names = inputs_of(table, targets, (inputs,) if isinstance(inputs, str) else inputs)
    _check_parts(targets, names, groups)
    extra = [name for name in (groups, order) if name and name in table.variables and name != "specimen"]
    table = as_variables(table, [*targets, *names, *extra])
    require(table, [*targets, *names, *([order] if order else [])], READER)
    require_finite(table, [*targets, *names])
    table = without_limits(table, names)
    kinds = {is_label(table[name]) for name in targets}
    if len(kinds) > 1 or (True in kinds and len(targets) > 1):
        raise SchemaError(
            "A task tells one label, or predicts one number or several.",
            found=name_some(targets),
            hint="make a task of each",
        )
    return Task(table, targets, names, groups or "", order or "", goal, groups_of(table, names, groups))


def _require_rows(table: xr.Dataset) -> None:
    require_table(table)
    if not table.sizes["specimen"]:
        raise SchemaError("The table has no rows.", found="0 specimens", hint="measure something first")


def _check_parts(targets: Sequence[str], inputs: Sequence[str], groups: str | None) -> None:
    """See that every variable has one part to play."""
    if not targets or "" in targets:
        raise SchemaError("A task predicts something.", found="no target", hint='target="hardness"')
    if "specimen" in (*targets, *inputs):
        raise SchemaError(
            "The names of specimens are neither predicted nor learned from.",
            found="specimen",
            hint="groups='specimen' tests all rows of one together",
        )
    if both := sorted(set(targets) & set(inputs)):
        raise SchemaError("A target cannot be an input.", found=name_some(both), hint="name it once")
    for part, names in (("targets", targets), ("inputs", inputs)):
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise SchemaError(
                f"The {part} name a variable twice.", found=name_some(twice), hint="name it once"
            )
    if groups in targets:
        raise SchemaError(
            "Rows cannot be grouped by what is to be predicted.",
            found=f"groups='{groups}'",
            hint="a batch, 'specimen' or a composition; or leave groups out",
        )


def inspect(
    data: xr.Dataset | xr.DataTree,
    target: str | None = None,
    inputs: Sequence[str] | str | None = None,
    groups: str | None = None,
    *,
    seed: int = 0,
) -> Inspection:
    """Report on the quality of a table or a record.

    Args:
        data: a table, or a record, which is represented first.
        target: what is to be predicted, to look for leaks and for whether it can be learned.
        inputs: what from; by default everything else that is set, without a target everything.
        groups: what was made or measured together.
        seed: of the check whether anything can be learned.

    Returns:
        The report: `findings`, and `columns` with counts and ranges. It prints itself, shows itself in a
        notebook, and `tl.figures.inspection` draws it.

    Raises:
        SchemaError: something cannot stand at all; the message names it.
        NotIdentified: fewer than five specimens know the target.
    """
    if isinstance(data, xr.DataTree):
        from tieline.features.represent import represent

        data = represent(data)
    _require_rows(data)
    read = list(data.attrs.get("notes", []))
    if target is not None:
        report = task(data, target, inputs, groups, seed=seed).inspection
        return _with_notes(report, data, read)
    read += check(data)
    named = (inputs,) if isinstance(inputs, str) else inputs
    names = tuple(named) if named is not None else tuple(_readable(data))
    if not names:
        raise SchemaError(
            "Nothing of this table can be looked over.",
            found=name_some(data.data_vars) or "no variable",
            hint="inputs=[...] names numbers, categories or compositions",
        )
    table = as_variables(without_limits(data, names), names)
    require(table, names, "inspect")
    group = groups_of(table, names, groups) if groups else None
    arrays = TaskArrays.of(table, names, group=group)
    found = look_over(replace(arrays, beside=_beside(data, names)))
    return _with_notes(Inspection.of(table, names, in_order(found)), data, read)


def _with_notes(report: Inspection, data: xr.Dataset, notes: Sequence[str]) -> Inspection:
    """Put notes beside a report, and name the columns of text that it does not look at."""
    texts = [
        str(name)
        for name, v in data.variables.items()
        if v.dims == ("specimen",) and v.dtype.kind not in "iufb" and name != "specimen"
    ]
    columns = report.columns["column"].values.astype(str)
    unseen = [name for name in texts if name not in columns and name.removesuffix("_flag") not in columns]
    said = [f"Text that was not looked at: {name_some(unseen)}."] if unseen else []
    said += notes_on_limits(data, columns)
    return replace(report, notes=tuple(dict.fromkeys([*notes, *said])))


def _beside(data: xr.Dataset, names: Sequence[str]) -> Indices:
    """Number of the set of rows (row) alike in all columns that are not looked at, text too."""
    others = [
        str(name)
        for name, v in data.variables.items()
        if name not in (*names, "specimen")
        and "specimen" in v.dims
        and (v.ndim == 1 or (v.ndim == 2 and v.dtype.kind in "iufb"))
    ]
    sets = [groups_of(data, (), name) for name in others]
    return alike_in_all(np.zeros(data.sizes["specimen"], dtype=int), *sets)


def _look(stated: Task, target: str, seed: int) -> list[Finding]:
    arrays = stated.arrays(target)
    known = arrays.has_target
    values = np.unique(arrays.told[known])
    if known.sum() < FEWEST or len(values) < 2:
        raise NotIdentified(
            f"'{target}' cannot be learned.",
            found=f"{known.sum()} specimens with a value, {len(values)} different",
            hint="measure it on more specimens",
        )
    found = list(look_over(arrays))
    columns = stated.columns()
    folds = stated.folds(target, seed=seed)
    return [*found, *check_learnable(arrays, columns, folds, seed)]


def inputs_of(table: xr.Dataset, targets: tuple[str, ...], inputs: Sequence[str] | None) -> tuple[str, ...]:
    """The inputs that are meant: those that are named, or what the lab sets, or else every number.

    Raises:
        SchemaError: none is named, or nothing of the table could be one.
    """
    if inputs is not None:
        if not inputs:
            raise SchemaError("At least one input is needed.", hint="inputs=['composition']")
        return tuple(inputs)
    readable = [n for n in _readable(table) if n not in targets]
    chosen = [n for n in readable if table[n].attrs.get("role") in SETTINGS] or readable
    if not chosen:
        raise SchemaError(
            "Nothing of this table could be an input.",
            found=name_some(table.data_vars),
            hint="name inputs=[...]",
        )
    return tuple(chosen)


def _readable(table: xr.Dataset) -> list[str]:
    """Variables that can be inputs: numbers and compositions, without standard errors and flags."""
    return [
        str(name)
        for name, v in table.data_vars.items()
        if v.dtype.kind in "iufb"
        and v.ndim <= 2
        and "specimen" in v.dims
        and "phase" not in v.dims
        and not (str(name).endswith("_sd") and str(name).removesuffix("_sd") in table)
        and ("element" not in v.dims or known_elements(v))
    ]


def _standardised(columns: Array) -> Array:
    columns = columns[:, np.isfinite(columns).any(0)]
    centre, spread = np.nanmean(columns, 0), np.nanstd(columns, 0)
    return np.nan_to_num((columns - centre) / np.where(spread > 0, spread, 1.0))
