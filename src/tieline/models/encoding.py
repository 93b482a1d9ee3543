"""From a table to the plain arrays that engines read, and back to the user's units."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count, islice

import numpy as np
import xarray as xr

from tieline.errors import NotIdentified, SchemaError, UnitError
from tieline.features.composition import simplex_coordinates
from tieline.models.arrays import Array, Indices, Mask
from tieline.models.observations import Observations, has_label
from tieline.schema import check, require
from tieline.schema.closure import ROUNDING
from tieline.units import canonical

READER = "PhaseProperty"
FEWEST = 3  # informative specimens; with fewer, no prior of ours could be told from the data


@dataclass(frozen=True)
class Encoding:
    """How a design, labels and properties were turned into numbers of order one.

    Attributes:
        design: names of the design variables.
        labels: names of the phases, in the order of all probabilities.
        lowest: of each design coordinate in the data (coordinate).
        width: what one scaled unit is in each design coordinate (coordinate).
        centre: mean of each property.
        scale: standard deviation of each property.
        instruments: names of the instruments that measured properties, the reference first.
    """

    design: tuple[str, ...]
    labels: tuple[str, ...]
    lowest: Array
    width: Array
    centre: Array
    scale: Array
    instruments: tuple[str, ...] = ()

    def with_labels(self, labels: tuple[str, ...]) -> "Encoding":
        """The same with other names for the phases."""
        return replace(self, labels=labels)

    def scaled(self, design: xr.Dataset) -> Array:
        """Coordinates (specimen, d) of an aligned design, the data's own range being the unit box."""
        return (coordinates(design, self.design) - self.lowest) / self.width


def encode(
    table: xr.Dataset,
    design: Sequence[str],
    label_sets: Sequence[str],
    properties: Sequence[str],
    n_phases: int | None,
    instrument: str | None = None,
) -> tuple[Encoding, Observations, Indices, list[str]]:
    """Read what a model needs from a table.

    Returns:
        The encoding, the observations, the table's row of each observation, and notes on what was left out.

    Raises:
        SchemaError: a variable is missing, or is not what it should be.
        NotIdentified: too little was measured to learn anything.
    """
    wanted = [*design, *label_sets, *properties]
    require(table, [*wanted, *([instrument] if instrument else [])], READER)
    needed = wanted + [f"{p}_sd" for p in properties if f"{p}_sd" in table]
    plain = [name for name in needed if name not in label_sets or table[name].ndim == 1]
    notes = check(_with_roles(table[plain], label_sets, properties))
    x = coordinates(table, design)
    names, (label, *further) = _labels(table, label_sets, n_phases)
    y, error = _properties(table, properties)

    instruments, number = _instruments(table, instrument, np.asarray((~np.isnan(y)).any(axis=1)))
    if number is not None:
        notes.append(f"Properties are predicted as instrument {instruments[0]} measures them.")
    seen = Observations(x, label, y, error, tuple(further), number)
    informative = seen.labelled | ~np.isnan(y).all(1)
    placed = np.isfinite(x).all(1)
    if (informative & ~placed).any():
        notes.append(f"{(informative & ~placed).sum()} specimens have no complete design and were left out.")
    rows = np.flatnonzero(informative & placed)
    _refuse_too_few(rows, y[rows], properties)
    seen = seen.rows(rows)
    x, y = seen.x, seen.y
    if (x == x[0]).all():
        notes.append("All specimens have the same design: nothing can be said of any other place.")

    lowest, width = x.min(0), widths(x, table, design)
    centre = np.nanmean(y, axis=0) if y.size else np.zeros(0)
    spread = np.nanstd(y, axis=0) if y.size else np.zeros(0)
    flat = spread <= 1e-12 * np.maximum(np.abs(centre), 1e-300)
    scale = np.where(flat, np.where(centre == 0, 1.0, np.abs(centre)), spread)
    encoding = Encoding(tuple(design), names, lowest, width, centre, scale, tuple(instruments))
    seen = replace(seen, x=(x - lowest) / width, y=(y - centre) / scale, error=(seen.error / scale) ** 2)
    return encoding, seen, rows, notes


def _with_roles(table: xr.Dataset, label_sets: Sequence[str], properties: Sequence[str]) -> xr.Dataset:
    """The same with a role on every variable: the model says what each one is for."""
    told = {}
    for name, variable in table.data_vars.items():
        role = "structure" if name in label_sets else "property" if name in properties else "process"
        units = variable.attrs.get("units", "1")
        told[name] = variable.assign_attrs(role=variable.attrs.get("role", role), units=units)
    return table.assign(told)


def coordinates(table: xr.Dataset, design: Sequence[str]) -> Array:
    """Design coordinates (specimen, d): compositions embedded in their simplex, columns as they are."""
    blocks = []
    for name in design:
        variable = table[name]
        if variable.ndim == 2:
            blocks.append(simplex_coordinates(variable))
        elif variable.dtype.kind in "iufb":
            blocks.append(variable.values.astype(float)[:, None])
        else:
            raise SchemaError(
                f"The design variable '{name}' is not a number.",
                found=_example(variable),
                hint="leave it out of the design, or code it as numbers",
            )
    return np.hstack(blocks)


def widths(x: Array, table: xr.Dataset, design: Sequence[str]) -> Array:
    """Range of each coordinate; of a composition the widest one, since all its directions are alike."""
    width, start = np.ptp(x, axis=0), 0
    for name in design:
        size = table.sizes["element"] - 1 if table[name].ndim == 2 else 1
        if table[name].ndim == 2:
            width[start : start + size] = width[start : start + size].max()
        start += size
    return np.where(width > 0, width, 1.0)


def _labels(
    table: xr.Dataset, label_sets: Sequence[str], n_phases: int | None
) -> tuple[tuple[str, ...], list[Array]]:
    """Names of the phases, and of each set label probabilities (specimen, phase), NaN where unlabelled."""
    n = table.sizes["specimen"]
    read = [_read_labels(table[name]) for name in label_sets] or [([], np.zeros((n, 0)))]
    names = list(dict.fromkeys(name for own, _ in read for name in own))
    if n_phases is not None and n_phases < len(names):
        raise SchemaError(
            f"n_phases={n_phases} is fewer than the phases that are labelled.",
            found=", ".join(names),
            hint=f"n_phases={len(names)} or more, or leave it out",
        )
    all_names = numbered(names, n_phases or max(len(names), 1))
    return all_names, [_among(all_names, *own) for own in read]


def _among(all_names: tuple[str, ...], names: Sequence[str], label: Array) -> Array:
    """Label probabilities (specimen, phase) with a column for every phase, NaN where unlabelled."""
    wide = np.zeros((len(label), len(all_names)))
    wide[:, [all_names.index(name) for name in names]] = label
    wide[~has_label(label) if names else slice(None)] = np.nan
    return wide


def numbered(names: Sequence[str], n_phases: int) -> tuple[str, ...]:
    """Names of all phases: those that are labelled, then the next free numbers."""
    free = (str(i) for i in count(1) if str(i) not in names)
    return (*names, *islice(free, n_phases - len(names)))


def _read_labels(variable: xr.DataArray) -> tuple[list[str], Array]:
    if variable.ndim > 1:
        return _read_probabilities(variable)
    values = variable.values
    if values.dtype.kind in "iufb":
        missing = np.isnan(values.astype(float))
        text = np.array([_number_as_name(v) for v in values.astype(float)], dtype=object)
        names = [_number_as_name(v) for v in np.unique(values[~missing].astype(float))]
    else:
        text = np.array(["" if v is None or v != v else str(v) for v in values], dtype=object)
        missing = text == ""
        names = sorted(set(text[~missing]))
    label = np.array([[float(t == name) for name in names] for t in text]).reshape(len(text), len(names))
    label[missing] = np.nan
    return names, label


def _number_as_name(number: float) -> str:
    return str(int(number)) if number == np.round(number) else repr(float(number))


def _read_probabilities(variable: xr.DataArray) -> tuple[list[str], Array]:
    others = [d for d in variable.dims if d != "specimen"]
    if len(others) != 1 or variable.dtype.kind not in "iufb":
        raise SchemaError(
            f"'{variable.name}' is neither labels nor probabilities of phases.",
            found=f"{_example(variable)}, on {', '.join(map(str, variable.dims))}",
            hint="labels on (specimen), or numbers that sum to one on (specimen, phase)",
        )
    label = variable.transpose("specimen", *others).values.astype(float)
    missing = np.isnan(label)
    wrong = (label < 0).any(1) | ~(np.abs(label.sum(1) - 1) <= ROUNDING)
    wrong &= ~missing.all(1)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise SchemaError(
            f"'{variable.name}' holds no probabilities of phases in {wrong.sum()} of {len(wrong)} rows.",
            found=", ".join(f"{v:g}" for v in label[row]) + f" in row {variable['specimen'].values[row]}",
            hint="none may be negative and each row sums to one; NaN in a whole row where it is unlabelled",
        )
    return [str(v) for v in variable[others[0]].values], label


def _instruments(
    table: xr.Dataset, instrument: str | None, measured: Mask
) -> tuple[list[str], Indices | None]:
    """Names of the instruments, the commonest first, and the number of each specimen's (specimen).

    Args:
        table: the user's.
        instrument: name of the column, if there is one.
        measured: which specimens have a property (specimen).

    Returns:
        No numbers where one instrument measured everything; 0 where nothing was measured.
    """
    if instrument is None:
        return [], None
    variable = table[instrument]
    if variable.dims != ("specimen",):
        raise SchemaError(
            f"The instrument '{instrument}' is not one name a specimen.",
            found=f"on {', '.join(map(str, variable.dims))}",
            hint="a column (specimen) of names or numbers",
        )
    names, given = _read_labels(variable)
    nameless = measured & ~(has_label(given) if names else np.zeros(len(given), dtype=bool))
    if nameless.any():
        some = ", ".join(str(s) for s in table["specimen"].values[nameless][:3])
        raise SchemaError(
            f"'{instrument}' must say for every measured specimen which instrument measured it.",
            found=f"nothing for {nameless.sum()} of {measured.sum()}, such as {some}",
            hint=f"fill '{instrument}', with 'unknown' as one more instrument if need be",
        )
    counts = given[measured].sum(0)
    order = [i for i in np.argsort(-counts, kind="stable") if counts[i]]
    number = given[:, order].argmax(1) if order else np.zeros(len(given), dtype=np.intp)
    return [names[i] for i in order], np.where(measured, number, 0) if len(order) > 1 else None


def _example(variable: xr.DataArray) -> str:
    filled = [str(value) for value in variable.values.ravel()[:1]]
    return f"values such as '{filled[0]}'" if filled else "no values"


def _properties(table: xr.Dataset, properties: Sequence[str]) -> tuple[Array, Array]:
    """Values and standard errors (specimen, property)."""
    n = table.sizes["specimen"]
    y, error = np.full((n, len(properties)), np.nan), np.zeros((n, len(properties)))
    for j, name in enumerate(properties):
        if table[name].dims != ("specimen",) or table[name].dtype.kind not in "iufb":
            raise SchemaError(
                f"The property '{name}' is not one number a specimen.",
                found=f"{_example(table[name])}, on {', '.join(map(str, table[name].dims))}",
                hint="name numeric columns as properties, and labels as phase",
            )
        y[:, j] = table[name].values
        error[:, j] = read_errors(table, name)
    return y, error


def read_errors(table: xr.Dataset, name: str) -> Array:
    """Standard errors (specimen) of a property; 0 where none is known.

    Raises:
        SchemaError: they are not numbers, or cannot be standard errors.
        UnitError: they have another unit than the property.
    """
    if f"{name}_sd" not in table:
        return np.zeros(table.sizes["specimen"])
    require_same_unit(table[f"{name}_sd"], table[name])
    error = table.variables[f"{name}_sd"]
    if error.dims != ("specimen",) or error.dtype.kind not in "iufb":
        raise SchemaError(
            f"'{name}_sd' is read as the standard error of '{name}': one number a specimen.",
            found=f"{error.dtype} on {', '.join(map(str, error.dims))}",
            hint="numbers in the unit of the property, or another name",
        )
    wrong = np.flatnonzero((error.values < 0) | np.isinf(error.values))
    if wrong.size:
        raise SchemaError(
            f"'{name}_sd' is a standard error: it can be neither negative nor infinite.",
            found=f"{error.values[wrong[0]]:g} in row {wrong[0]}",
            hint="correct these rows, or set them to NaN (not known)",
        )
    return np.nan_to_num(error.values.astype(float))


def require_same_unit(variable: xr.DataArray, other: xr.DataArray) -> None:
    """Refuse two variables that say different units; what says none is taken on trust.

    Raises:
        UnitError: the units differ, or one of them is unknown.
    """
    units = [v.attrs.get("units") for v in (variable, other)]
    if None in units or units[0] == units[1]:
        return
    if canonical(str(units[0])) != canonical(str(units[1])):
        raise UnitError(
            f"'{variable.name}' must be in the unit of '{other.name}' that was fitted."
            if variable.name == other.name
            else f"'{variable.name}' must be in the unit of '{other.name}'.",
            found=f"'{units[0]}' beside '{units[1]}'",
            hint="tieline.units.convert(values, from_unit, to_unit)",
        )


def _refuse_too_few(rows: Indices, y: Array, properties: Sequence[str]) -> None:
    if len(rows) < FEWEST:
        raise NotIdentified(
            f"{READER} needs at least {FEWEST} specimens with a phase label or a property.",
            found=f"{len(rows)}",
            hint="measure more specimens, or check that the columns were read as numbers",
        )
    for name, column in zip(properties, y.T, strict=True):
        if np.isnan(column).all():
            raise NotIdentified(
                f"The property '{name}' was never measured.",
                found=f"{len(rows)} specimens without a value",
                hint="leave it out of `properties`",
            )
