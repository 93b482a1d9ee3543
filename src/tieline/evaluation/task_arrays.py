"""What a task asks of a table, as plain arrays: what every check looks at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from tieline.models.arrays import Array, Indices, Mask
from tieline.models.design_columns import labels_of
from tieline.schema import as_variables, is_label
from tieline.schema.flags import without_limits

SETTINGS = ("synthesis", "process")  # roles of what a lab sets; what it measures may already hold the target


@dataclass(frozen=True, eq=False)
class TaskArrays:
    """Inputs and one target of a table.

    Attributes:
        specimens (row): their names.
        numbers: inputs that are one number a specimen.
        texts: inputs that are categories.
        blocks: inputs (row, member) that are compositions or spectra.
        roles: of every variable.
        units: of every variable; "" where not known.
        target: name of what is predicted; "" for none.
        y (row): its numbers; NaN where not measured, or where it is a label.
        label (row): its labels, "" where not labelled; None where it is a number.
        group (row): number of what was made or measured together; None where nothing was said.
        beside (row): number of the set of rows alike in all that is not read; None where that is not asked.
        is_grouped: whether somebody said what belongs together.
    """

    specimens: np.ndarray
    numbers: Mapping[str, Array]
    texts: Mapping[str, np.ndarray]
    blocks: Mapping[str, Array]
    roles: Mapping[str, str]
    units: Mapping[str, str]
    target: str = ""
    y: Array | None = None
    label: np.ndarray | None = None
    group: Indices | None = None
    beside: Indices | None = None
    is_grouped: bool = True

    @staticmethod
    def of(
        table: xr.Dataset, inputs: Sequence[str], target: str = "", group: Indices | None = None
    ) -> "TaskArrays":
        """Read inputs and a target of a table that has them."""
        table = without_limits(as_variables(table, [*inputs, *([target] if target else [])]), [target])
        numbers: dict[str, Array] = {}
        texts: dict[str, np.ndarray] = {}
        blocks: dict[str, Array] = {}
        for name in inputs:
            variable = table[name]
            if variable.ndim == 2:
                blocks[name] = variable.transpose("specimen", ...).values.astype(float)
            elif variable.dtype.kind in "iufb":
                numbers[name] = variable.values.astype(float)
            else:
                texts[name] = labels_of(variable)
        names = [*inputs, *([target] if target else [])]
        y, label = _target(table[target]) if target else (None, None)
        return TaskArrays(
            np.array([str(s) for s in table["specimen"].values]),
            numbers,
            texts,
            blocks,
            {name: str(table[name].attrs.get("role", "property")) for name in names},
            {name: str(table[name].attrs.get("units", "")) for name in names},
            target,
            y,
            label,
            group,
        )

    @property
    def n(self) -> int:
        """How many rows there are."""
        return len(self.specimens)

    @property
    def told(self) -> np.ndarray:
        """What the target is (row): its labels or its numbers; NaN throughout where there is no target."""
        if self.label is not None:
            return self.label
        return self.y if self.y is not None else np.full(self.n, np.nan)

    @property
    def all_numbers(self) -> dict[str, Array]:
        """Inputs that are one number a specimen, and the target where it is one."""
        return dict(self.numbers) if self.y is None else {**self.numbers, self.target: self.y}

    @property
    def has_target(self) -> Mask:
        """Which rows (row) say what the target is."""
        if self.label is not None:
            return self.label != ""
        return np.isfinite(self.y) if self.y is not None else np.zeros(self.n, dtype=bool)

    def is_set(self, name: str) -> bool:
        """Whether a variable is set by the lab, and not measured."""
        return self.roles.get(name) in SETTINGS

    def matrix(self) -> Array:
        """All inputs side by side (row, column), categories as numbers of their names."""
        columns = [v[:, None] for v in self.numbers.values()] + list(self.blocks.values())
        columns += [np.unique(v, return_inverse=True)[1][:, None].astype(float) for v in self.texts.values()]
        return np.concatenate(columns, 1) if columns else np.zeros((self.n, 0))

    def named(self, rows: Mask | Indices) -> tuple[str, ...]:
        """Names of rows."""
        return tuple(self.specimens[rows].tolist())


def _target(variable: xr.DataArray) -> tuple[Array | None, np.ndarray | None]:
    if is_label(variable):
        return None, labels_of(variable)
    return variable.values.astype(float), None
