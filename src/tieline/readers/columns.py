"""What each column of a sheet means: guessed, with the reason, so that a person can correct it."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from tieline.errors import SchemaError, did_you_mean
from tieline.readers.cells import is_missing, is_number, share_of_numbers, to_number
from tieline.readers.column import Column
from tieline.readers.composition import component_of, find_components, mixture_part
from tieline.readers.formulas import mark_formulas
from tieline.readers.grid import Cell
from tieline.readers.headers import flag_header, identifier, parse_header, symbol_name
from tieline.readers.mapping import Correction, how_to_say
from tieline.readers.roles import guess_role, is_identity_name
from tieline.readers.sheet import Sheet
from tieline.readers.values import read_values
from tieline.schema.wording import name_some
from tieline.units import canonical

MOST_LETTERS = 30  # of a cell in a note


def guess_columns(
    sheet: Sheet,
    corrections: Mapping[str, Correction] | None = None,
    components: Sequence[str] | None = None,
) -> list[Column]:
    """Guess name, role and unit of every column, then apply what a person said.

    Args:
        sheet: the table.
        corrections: header -> what a person said about the column.
        components: headers of the composition's columns; None looks for element symbols, or else for
            formulas; () for none.

    Raises:
        SchemaError: a named component is missing, or two columns end up with one name.
    """
    corrections = corrections or {}
    parsed = {h: parse_header(h, sheet.units.get(h, "")) for h in sheet.headers}
    errors = {h for h in parsed if parsed[h].is_error}
    columns = [_first_guess(sheet, h, corrections.get(h)) for h in sheet.headers]
    corrected_roles = {h for h, c in corrections.items() if c.ignore or c.role not in (None, "synthesis")}
    columns = _mark_components(sheet, columns, components, skip=corrected_roles | errors)
    if components is None and not any(c.component for c in columns):
        columns = mark_formulas(sheet, columns, skip=corrected_roles | errors)
    columns = _choose_identity(sheet, columns, fixed=set(corrections))
    columns = _distinct_names(columns, fixed=set(corrections) | errors)
    named = {h for h, c in corrections.items() if c.name is not None}
    columns = _pair_errors(columns, {h: parsed[h].base for h in errors}, fixed=corrected_roles | named)
    columns = _pair_flags(columns)
    _refuse_shared_names(columns, sheet.name)
    return columns


def _first_guess(sheet: Sheet, header: str, correction: Correction | None) -> Column:
    """Guess one column on its own."""
    parsed = parse_header(header, sheet.units.get(header, ""))
    name = symbol_name(parsed.base, parsed.units)
    cells = sheet.column(header)
    is_numeric = share_of_numbers(cells) >= 0.5 or all(is_missing(c) for c in cells)
    is_numeric = is_numeric or header in sheet.refusals  # refused by name, not turned into text
    role, why = guess_role(name, parsed.units, is_numeric=is_numeric)
    column = Column(
        header=header,
        name=name,
        role=role,
        unit_text=parsed.unit_text,
        units=parsed.units,
        why=why,
        question=parsed.question,
        is_numeric=is_numeric,
    )
    if role in ("process", "synthesis") and not is_numeric and _begins_with_numbers(cells):
        column = replace(column, role="note", why="text that begins with numbers: neither values nor labels")
    is_label = role == "structure" and share_of_numbers(cells) < 1 and header not in sheet.refusals
    if column.role == "note" or is_label:
        column = replace(column, is_numeric=False)
    if correction is not None:
        return _corrected(column, correction, cells)
    return column if column.is_numeric else replace(column, doubt=_doubt(sheet, column))


def _doubt(sheet: Sheet, column: Column) -> str:
    """Name the cells for which a column that has a unit is read as text; "" where it is plain text."""
    cells = sheet.column(column.header)
    if column.units is None or not (any(is_number(c) for c in cells) or _begins_with_numbers(cells)):
        return ""
    others = [
        f"row {row}: '{str(cell)[:MOST_LETTERS]}'"
        for row, cell in zip(sheet.rows, cells, strict=True)
        if not is_missing(cell) and not is_number(cell)
    ]
    return (
        f"'{column.header}' has a unit, but was read as text ({name_some(others)}). Write numbers, limits"
        " such as <50 or values with errors such as 3.1 ± 0.2, and leave empty what was not measured."
    )


def _begins_with_numbers(cells: Sequence[Cell]) -> bool:
    texts = [str(c) for c in cells if not is_missing(c)]
    return sum(t.lstrip("<>~≈±+- .")[:1].isdigit() for t in texts) >= 0.5 * len(texts)


def _corrected(column: Column, correction: Correction, cells: Sequence[Cell]) -> Column:
    if correction.ignore:
        return replace(column, role="ignored", why="you said so", question="")
    said = {k: v for k, v in (("name", correction.name), ("role", correction.role)) if v is not None}
    if correction.units is not None:
        said |= {"units": canonical(correction.units), "question": ""}
    is_text = said.get("role") in ("identity", "note") or (
        said.get("role") == "structure" and share_of_numbers(cells) < 1
    )
    return replace(
        column,
        **said,
        why="you said so",
        is_numeric=column.is_numeric and not is_text,
        decimal=correction.decimal,
        missing=correction.missing,
    )


def _mark_components(
    sheet: Sheet, columns: list[Column], components: Sequence[str] | None, *, skip: set[str]
) -> list[Column]:
    if components is None:
        usable = [c for c in columns if c.is_numeric and c.header not in skip]
        candidates = [c for c in usable if component_of(c.header) or mixture_part(c.header)]
        found, why = find_components(_readable(sheet, candidates))
    else:
        headers = {c.header for c in columns} | {c.name for c in columns}
        for name in components:
            if name not in headers:
                raise SchemaError(
                    f"The composition names a column '{name}', which the sheet lacks.",
                    found=f"{', '.join(c.header for c in columns)}. {did_you_mean(name, headers)}".strip(),
                    hint="use the headers as written in the file.",
                )
        found = {
            c.header: component_of(c.header) or c.name
            for c in columns
            if c.header in components or c.name in components
        }
        why = "you said so"
    return [
        replace(c, component=found[c.header], name=found[c.header], role="synthesis", why=why, question="")
        if c.header in found
        else c
        for c in columns
    ]


def _readable(sheet: Sheet, columns: list[Column]) -> dict[str, np.ndarray]:
    """Values of those columns that hold nothing but numbers; the others are refused later."""
    values = {}
    for column in columns:
        with contextlib.suppress(SchemaError):
            values[column.header] = read_values(sheet, column)
    return values


def _choose_identity(sheet: Sheet, columns: list[Column], *, fixed: set[str]) -> list[Column]:
    """Give one column the role of identity; other candidates become notes."""
    said = [c for c in columns if c.role == "identity"]
    if len(said) > 1:
        raise SchemaError(
            "Several columns were said to name the specimens.",
            found=", ".join(f"'{c.header}'" for c in said) + ".",
            hint="give one of them the role 'identity', the others 'note'.",
        )
    named = [c for c in columns if is_identity_name(c.name) and c.header not in fixed and c.role != "ignored"]
    named = [c for c in named if not c.component]
    unique = [c for c in named if _is_unique(sheet.column(c.header))]
    chosen, why = (unique or named or [None])[0], "the header names specimens"
    first = columns[0] if columns else None
    if chosen is None and first and first.header not in fixed and _is_unique(sheet.column(first.header)):
        if not first.is_numeric and not first.is_formula:
            chosen, why = first, "the first column, of texts that are all different"
        elif first.header == "column A" and _is_count(sheet.column(first.header)):
            chosen, why = first, "a first column without header that counts the rows"
    result = []
    for column in columns:
        if not said and chosen is not None and column.header == chosen.header:
            column = replace(column, role="identity", units=None, question="", is_numeric=False, why=why)
        elif column in named:
            column = replace(
                column, role="note", is_numeric=False, why="names rows, but another column is the identity"
            )
        result.append(column)
    return result


def _is_unique(cells: Sequence[Cell]) -> bool:
    return not any(is_missing(c) for c in cells) and len({str(c) for c in cells}) == len(cells)


def _is_count(cells: Sequence[Cell]) -> bool:
    if not all(is_number(c) for c in cells):
        return False
    numbers = [to_number(c, ".") or 0.0 for c in cells]
    return len(numbers) > 1 and bool(np.all(np.diff(numbers) == 1))


def _distinct_names(columns: list[Column], *, fixed: set[str]) -> list[Column]:
    """Keep T and t, or x (mm) and x (in), apart by their whole header."""
    names = [c.name for c in columns if c.role != "ignored" and not parse_header(c.header).is_error]
    result = []
    for column in columns:
        if names.count(column.name) > 1 and column.header not in fixed:
            whole = identifier(column.header)
            column = replace(column, name=column.header if len(column.header) == 1 else whole)
        result.append(column)
    return result


def _pair_errors(columns: list[Column], bases: dict[str, str], *, fixed: set[str]) -> list[Column]:
    """Name each column of standard errors after the column it belongs to."""
    result = []
    for i, column in enumerate(columns):
        if column.header not in bases or column.header in fixed or column.role == "ignored":
            result.append(column)
            continue
        others = [c for c in columns if c.header not in bases and c.is_numeric and c.role != "ignored"]
        partner = _partner(identifier(bases[column.header]), bases[column.header], columns[i - 1 : i], others)
        if partner is None:
            result.append(
                replace(column, name=f"{column.name}_error", why="an error, but no column it belongs to")
            )
            continue
        result.append(
            replace(
                column,
                name=f"{partner.name}_sd",
                role=partner.role,
                units=column.units or partner.units,
                question=column.question or partner.question,
                error_of=partner.name,
                why=f"standard error of '{partner.header}'",
            )
        )
    return result


def _pair_flags(columns: list[Column]) -> list[Column]:
    """Name each column of flags after the column it belongs to."""
    partners = {flag_header(c.header): c for c in columns if c.is_numeric and c.role != "ignored"}
    result = []
    for column in columns:
        if column.role != "ignored" and (partner := partners.get(column.header)):
            column = Column(
                header=column.header,
                name=f"{partner.name}_flag",
                role="note",
                unit_text="",
                units=None,
                why=f"says which values of '{partner.header}' are limits",
                is_numeric=False,
            )
        result.append(column)
    return result


def _partner(key: str, base: str, left: list[Column], others: list[Column]) -> Column | None:
    if not base.strip():  # headed only "±": it belongs to its left neighbour
        return next((c for c in left if c in others), None)
    plain = {_without_mean(identifier(parse_header(c.header).base)): c for c in reversed(others)}
    return plain.get(_without_mean(key)) or next((c for c in others if c.name == key), None)


def _without_mean(name: str) -> str:
    return "_".join(word for word in name.split("_") if word not in ("mean", "average", "avg")) or name


def _refuse_shared_names(columns: list[Column], file: str) -> None:
    kept = [c for c in columns if c.role not in ("ignored", "identity")]
    names = [c.name for c in kept]
    twice = [c for c in kept if names.count(c.name) > 1 or c.name == "specimen"]
    if twice:
        example = how_to_say(file, twice[-1].header, Correction(name=f"{twice[-1].name}_2"))
        raise SchemaError(
            "Several columns would get the same name.",
            found=", ".join(f"'{c.header}' -> {c.name}" for c in twice) + ".",
            hint=f"name one of them by {example}\n"
            "  A column to leave out gets ignore = true instead; in Python None.",
        )
