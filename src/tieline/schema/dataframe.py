"""A table, made straight from a pandas DataFrame."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr

from tieline import units as unit_names
from tieline.errors import SchemaError, UnitError
from tieline.schema import cells
from tieline.schema.checks import check
from tieline.schema.closure import Amounts, close
from tieline.schema.formula import compositions, note_repeated
from tieline.schema.identity import identify, refuse_unknown
from tieline.schema.roles import ROLES, guess_role
from tieline.schema.weights import atomic_weights
from tieline.schema.wording import name_known, name_some

PARENT = "parent"  # the one text column that is neither a label nor a setting


def table(
    dataframe: pd.DataFrame,
    *,
    specimen: str | None = None,
    composition: Sequence[str] | Mapping[str, Sequence[str]] | None = None,
    formula: str | None = None,
    basis: str | None = None,
    roles: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
    tolerance: float = 0.02,
    repeats: bool = False,
) -> xr.Dataset:
    """Make a table from a DataFrame: one row a specimen, one variable a column.

    What was not measured is NaN. Columns of elements become one composition of mole fractions; other columns
    keep their names. `x_sd` beside `x` is its standard error. Text becomes a coordinate: `x_flag` beside `x`
    says where this is only a limit, or where making the specimen failed; categories can be named in a design.
    Whatever was guessed, rescaled or left aside is said in `attrs["notes"]`.

    Args:
        dataframe: one row a specimen. It is not changed.
        specimen: the column of identities; by default the column `specimen`, or else the index.
        composition: the columns of elements, or {name of the variable: columns of elements}.
        formula: instead of these, the column of chemical formulas, such as Fe3O4 or Bi2(Te0.9Se0.1)3; they
            become the variable `composition`, and stay as the coordinate `formula`.
        basis: of the composition: "at.%", "wt.%" or "fraction"; by default it is read off the sums.
        roles: {column: "synthesis" | "process" | "structure" | "property"}; others by `guess_role`.
        units: {column: unit}; "" is dimensionless, a column that is not named has no known unit.
        tolerance: how far a composition's sum may lie from its target, relative, before it is refused.
        repeats: allow one specimen on several rows (repeated measurements).

    Returns:
        Dataset on `specimen`; every variable has `attrs["role"]`, and `attrs["units"]` where known.

    Raises:
        SchemaError: the sheet cannot be read so. The message names the column and the rows.
        UnitError: a unit is not on the list.

    Example:
        >>> sheet = pd.DataFrame({"Fe": [50, 70], "Ga": [50, 30], "hardness": [2.0, 2.4]})
        >>> table(sheet, composition=["Fe", "Ga"], units={"hardness": "GPa"}).sizes["element"]
        2
    """
    roles, units = dict(roles or {}), dict(units or {})
    frame, identities = identify(dataframe, specimen, repeats)
    composition_name, elements = _named_composition(composition)
    for argument, names in (("composition", elements), ("roles", roles), ("units", units)):
        refuse_unknown(frame, argument, names)
    columns = {str(name): series for name, series in frame.items()}
    variables: dict[str, xr.Variable] = {}
    texts: dict[str, xr.Variable] = {}
    notes: list[str] = []
    if elements:
        amounts = {element: columns.pop(element) for element in elements}
        basis = basis or _basis_of([units.pop(element, None) for element in elements])
        variables[composition_name], notes = _composition(composition_name, amounts, basis, tolerance)
    if formula is not None:
        refuse_unknown(frame, "formula", [formula])
        written = columns.pop(formula)
        variables["composition"], elements, notes = _formulas(written, elements)
    for name, series in columns.items():
        if name in {*variables, "specimen", "element"}:
            raise SchemaError(f"A table needs the name '{name}' itself.", hint="rename that column")
        if _is_category(series, roles.get(name)):
            role = {"role": roles[name]} if name in roles else {}
            texts[name] = xr.Variable("specimen", cells.read_labels(series), role)
            if not (name.endswith("_flag") and name.removesuffix("_flag") in columns):
                notes.append(
                    f"{name}: text, kept beside the variables (a GaussianProcess takes it in design)"
                )
        else:
            variables[name] = _column(series, roles.get(name))
    _attach_units(variables, units)
    notes += _note_loose_elements(variables)
    coordinates = texts | _coordinates(identities, elements, repeats)
    if formula is not None:
        coordinates["formula"] = xr.Variable("specimen", np.array(frame[formula], dtype=str))
    dataset = xr.Dataset(variables, coords=coordinates, attrs={"notes": notes})
    check(dataset)
    return dataset


def _named_composition(
    composition: Sequence[str] | Mapping[str, Sequence[str]] | None,
) -> tuple[str, list[str]]:
    """Return the composition's name and its columns; no columns when there is no composition."""
    if composition is None:
        return "composition", []
    if isinstance(composition, str):
        raise SchemaError(
            "composition is a list of columns, one an element.",
            found=f"the text '{composition}'",
            hint="composition=['Fe', 'Ga', 'Pd']",
        )
    named = dict(composition) if isinstance(composition, Mapping) else {"composition": composition}
    if len(named) != 1:
        raise SchemaError(
            "A table carries one composition.",
            found=name_some(named) or "an empty mapping",
            hint="keep the other columns as settings with roles={column: 'synthesis'}",
        )
    ((name, columns),) = named.items()
    elements = [str(column) for column in columns]
    if len(elements) < 2 or len(set(elements)) < len(elements):
        raise SchemaError(
            f"{name} needs at least two columns, each named once.", found=name_some(elements) or "none"
        )
    return str(name), elements


def _basis_of(texts: Sequence[str | None]) -> str | None:
    """Read the basis off the units of the element columns, where all of them say the same."""
    said = {None if text is None else unit_names.canonical(text) for text in texts}
    known = {"at.%": "at.%", "mol%": "at.%", "wt.%": "wt.%", "1": "fraction"}
    return known.get(str(said.pop())) if len(said) == 1 else None


def _composition(
    name: str, columns: Mapping[str, pd.Series], basis: str | None, tolerance: float
) -> tuple[xr.Variable, list[str]]:
    values = np.stack([cells.read_numbers(series) for series in columns.values()], axis=1)
    rows = next(iter(columns.values())).index.tolist()
    fractions, notes = close(Amounts(name, list(columns), rows, values), basis=basis, tolerance=tolerance)
    return xr.Variable(("specimen", "element"), fractions, {"role": "synthesis", "units": "1"}), notes


def _formulas(written: pd.Series, elements: Sequence[str]) -> tuple[xr.Variable, list[str], list[str]]:
    """Read a column of formulas: the composition, its elements, and notes."""
    if elements:
        raise SchemaError(
            "A composition is read from a formula or from columns of elements, not from both.",
            found=f"formula='{written.name}' beside {name_some(elements)}",
            hint="name one of the two",
        )
    composition = compositions(written.tolist())
    return composition.variable, composition["element"].values.tolist(), list(note_repeated(composition))


def _is_category(series: pd.Series, role: str | None) -> bool:
    """Tell text that is neither labels of phases nor a parent."""
    name = str(series.name)
    if role is not None and role not in ROLES:
        raise SchemaError(
            f"'{name}' has the role '{role}', which is none of the four.", found=name_known(ROLES, role)
        )
    is_label = cells.is_text(series) and (role or guess_role(name, series)) == "structure"
    return name != PARENT and not is_label and cells.is_prose(series)


def _column(series: pd.Series, role: str | None) -> xr.Variable:
    """Read one column as labels or numbers."""
    name = str(series.name)
    if name == PARENT:
        return xr.Variable("specimen", cells.read_labels(series))
    role = role or guess_role(name, series)
    is_label = role == "structure" and cells.is_text(series)
    read = cells.read_labels if is_label else cells.read_numbers
    return xr.Variable("specimen", read(series), {"role": role})


def _attach_units(variables: dict[str, xr.Variable], units: Mapping[str, str]) -> None:
    for name, text in units.items():
        if name in variables:
            variables[name].attrs["units"] = unit_names.canonical(text)
    for name, variable in variables.items():
        measured = variables.get(name.removesuffix("_sd"))
        if not name.endswith("_sd") or measured is None:
            continue
        shared = {key: measured.attrs[key] for key in ("role", "units") if key in measured.attrs}
        given = variable.attrs.get("units")
        if given is not None and given != shared.get("units"):
            raise UnitError(
                f"'{name}' must be in the unit of '{name.removesuffix('_sd')}'.",
                found=f"'{given}' beside '{shared.get('units', 'no unit')}'",
                hint="convert one of the two columns with tieline.units.convert(..., difference=True)",
            )
        variable.attrs.update(shared)


def _note_loose_elements(variables: Mapping[str, xr.Variable]) -> list[str]:
    loose = [name for name in variables if name in atomic_weights()]
    if len(loose) < 2:
        return []
    return [f"{', '.join(loose)} look like a composition: composition={loose} makes them one variable"]


def _coordinates(identities: np.ndarray, elements: list[str], repeats: bool) -> dict[str, xr.Variable]:
    attrs = {"repeats": "allowed"} if repeats else {}
    coordinates = {"specimen": xr.Variable("specimen", identities, attrs)}
    return coordinates | ({"element": xr.Variable("element", np.array(elements))} if elements else {})
