"""What a person said about the columns of a file, remembered beside it."""

import contextlib
import json
import os
import tempfile
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tieline.errors import SchemaError, did_you_mean
from tieline.readers.roles import ALL_ROLES

_TEXTS = ("sheet", "basis", "composition_name")
_KEYS_OF_FILE = (*_TEXTS, "composition", "columns")
KEYS = ("name", "role", "units", "decimal", "missing")
MAPPING_ENDING = ".columns.toml"


@dataclass(frozen=True, kw_only=True)
class Correction:
    """What a person said about one column; None leaves the guess.

    Attributes:
        name: of the variable.
        role: synthesis, process, structure, property, identity or note.
        units: the unit the numbers are in; "" is dimensionless.
        decimal: the decimal mark, "." or ",".
        missing: texts that mean "not measured" in this column.
        ignore: the column is left out.
    """

    name: str | None = None
    role: str | None = None
    units: str | None = None
    decimal: str | None = None
    missing: tuple[str, ...] = ()
    ignore: bool = False


@dataclass(frozen=True, kw_only=True)
class Mapped:
    """Everything that was said about one file.

    Attributes:
        columns: header -> what was said about the column.
        composition: headers of the composition's columns; None when nothing was said.
        composition_name: name of the composition's variable.
        basis: "at.%", "wt.%" or "fraction".
        sheet: which sheet of a spreadsheet file.
    """

    columns: Mapping[str, Correction] = field(default_factory=dict)
    composition: tuple[str, ...] | None = None
    composition_name: str | None = None
    basis: str | None = None
    sheet: str | None = None


def correction(header: str, said: Mapping[str, Any] | None) -> Correction:
    """Check what was said about one column.

    Args:
        header: of the column.
        said: keys name, role, units, decimal, missing; None ignores the column.

    Raises:
        SchemaError: a key or value is not possible.
    """
    if said is None:
        return Correction(ignore=True)
    if not isinstance(said, Mapping):
        raise _impossible(
            header,
            f"{said!r}",
            'give keys and values, such as name = "hardness"; in Python {"name": "hardness"}, '
            "or None to ignore the column.",
        )
    for key in said:
        if key not in (*KEYS, "ignore"):
            near = did_you_mean(key, KEYS)
            raise _impossible(header, f"the key '{key}'. {near}".strip(), f"use {', '.join(KEYS)} or ignore.")
    if said.get("ignore"):
        return Correction(ignore=True)
    name, role, decimal = said.get("name"), said.get("role"), said.get("decimal")
    if name is not None and not (isinstance(name, str) and name.isidentifier()):
        raise _impossible(header, f"name {name!r}", "a name has letters, digits and _, and no digit first.")
    if role is not None and role not in ALL_ROLES:
        near = did_you_mean(role, ALL_ROLES)
        raise _impossible(header, f"role {role!r}. {near}".strip(), f"one of {', '.join(ALL_ROLES)}.")
    if decimal not in (None, ".", ","):
        raise _impossible(header, f"decimal {decimal!r}", 'use "." or ",".')
    missing, units = said.get("missing", ()), said.get("units")
    if isinstance(missing, str) or not all(isinstance(text, str) for text in missing):
        raise _impossible(header, f"missing {missing!r}", 'give a list of texts, such as ["n.d."].')
    if units is not None and not isinstance(units, str):
        raise _impossible(header, f"units {units!r}", 'give a text, such as "degC"; "" is dimensionless.')
    return Correction(name=name, role=role, units=units, decimal=decimal, missing=tuple(missing))


def _impossible(header: str, found: str, hint: str) -> SchemaError:
    return SchemaError(f"What was said about column '{header}' is not possible.", found=found, hint=hint)


def corrections_of(columns: Mapping[str, Mapping[str, Any] | None] | None) -> dict[str, Correction]:
    """Check what was said about each column, header by header."""
    return {header: correction(header, said) for header, said in (columns or {}).items()}


def mapping_path(path: Path) -> Path:
    """Where the corrections of a file are remembered: `spread.xlsx.columns.toml` beside `spread.xlsx`."""
    return path.with_name(path.name + MAPPING_ENDING)


def how_to_say(file: str, header: str, said: Correction) -> str:
    """Tell a person how to correct a column: the lines of the file beside theirs, and the same in Python.

    Args:
        file: name of the file that is read.
        header: of the column.
        said: the correction to suggest.
    """
    keys = {key: getattr(said, key) for key in KEYS if getattr(said, key) not in (None, ())}
    values = ", ".join(
        f'"{key}": {_quoted_list(value) if isinstance(value, tuple) else quoted(value)}'
        for key, value in keys.items()
    )
    python = f"columns={{{quoted(header)}: {{{values}}}}}"
    lines = "".join(f"\n    {line}" for line in _column_lines(header, said))
    return f"these lines in '{file}{MAPPING_ENDING}', beside the file:{lines}\n  or in Python {python}"


def read_mapping(path: Path) -> Mapped:
    """Read what was remembered about a file; nothing when nothing was.

    Raises:
        SchemaError: the remembered file cannot be read.
    """
    place = mapping_path(path)
    if not place.is_file():
        return Mapped()
    try:
        said = tomllib.loads(
            place.read_text(encoding="utf-8-sig")
        )  # Windows editors may put a mark before it
        for key in said:
            if key not in _KEYS_OF_FILE:
                raise TypeError(f"'{key}' is none of {', '.join(_KEYS_OF_FILE)}")
        columns, composition = said.get("columns", {}), said.get("composition")
        if not isinstance(columns, dict) or not isinstance(composition, list | None):
            raise TypeError("'columns' must be tables and 'composition' a list")
        return Mapped(
            columns=corrections_of(columns),
            composition=None if composition is None else tuple(map(str, composition)),
            **{key: _text_or_none(said, key) for key in _TEXTS},
        )
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, TypeError) as error:
        raise SchemaError(
            f"'{place.name}', which remembers how to read '{path.name}', cannot be read.",
            found=f"{error}.",
            hint="mend it, or delete it to let tieline guess again.",
        ) from error


def _text_or_none(said: Mapping[str, Any], key: str) -> str | None:
    if not isinstance(said.get(key), str | None):
        raise TypeError(f"'{key}' must be a text")
    return said.get(key)


def merge(remembered: Mapped, said: Mapped) -> Mapped:
    """Put what is said now over what was remembered; the new word on a column replaces the old one."""
    return Mapped(
        columns={**remembered.columns, **said.columns},
        composition=remembered.composition if said.composition is None else said.composition,
        **{key: getattr(said, key) or getattr(remembered, key) for key in _TEXTS},
    )


def write_mapping(path: Path, mapped: Mapped) -> None:
    """Write the corrections of a file beside it, whole or not at all.

    Raises:
        OSError: the folder cannot be written to.
    """
    place = mapping_path(path)
    handle, draft = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write("\n".join(_toml_lines(path.name, mapped)) + "\n")
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(place)
    except OSError:
        with contextlib.suppress(OSError):
            Path(draft).unlink()
        raise


def _toml_lines(name: str, mapped: Mapped) -> Iterable[str]:
    yield f"# How tieline reads {quoted(name)}. Edit it, or delete it to let tieline guess again."
    for key in _TEXTS:
        if getattr(mapped, key) is not None:
            yield f"{key} = {quoted(getattr(mapped, key))}"
    if mapped.composition is not None:
        yield f"composition = {_quoted_list(mapped.composition)}"
    for header, said in mapped.columns.items():
        yield ""
        yield from _column_lines(header, said)


def _column_lines(header: str, said: Correction) -> Iterable[str]:
    yield f"[columns.{quoted(header)}]"
    if said.ignore:
        yield "ignore = true"
    for key in ("name", "role", "units", "decimal"):
        if getattr(said, key) is not None:
            yield f"{key} = {quoted(getattr(said, key))}"
    if said.missing:
        yield f"missing = {_quoted_list(said.missing)}"


def quoted(text: str) -> str:
    """Write a text as TOML and Python write it, in quotation marks."""
    # JSON's escapes are a subset of TOML's, except that TOML also forbids a bare DEL.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _quoted_list(texts: Iterable[str]) -> str:
    return f"[{', '.join(quoted(text) for text in texts)}]"
