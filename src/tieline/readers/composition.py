"""Which columns of a sheet together are a composition."""

import re
from collections.abc import Mapping

import numpy as np

from tieline.errors import SchemaError
from tieline.readers.headers import parse_header
from tieline.schema import BASES, atomic_weights

TOLERANCE = 0.02  # relative; sums of rounded percentages reach 0.99 to 1.01
AGREEING_ROWS = 0.9  # a few wrong rows shall be named by the schema, not hide the composition
SHORT = 4  # rows from which on one wrong row, though more than a tenth, is named rather than followed
_FILLERS = {
    "at", "wt", "mol", "x", "c", "composition", "content", "fraction", "atomic", "weight", "mole", "mass",
    "nominal", "measured", "percent", "pct", "edx", "eds", "xrf", "in",
}  # fmt: skip
_MIXTURE = re.compile(r"^(?P<name>\S.*?)[\s_]+(content|fraction|share|ratio)$", re.IGNORECASE)
_BASIS = re.compile(r"\b(at|atomic|wt|weight|mol)[\s._-]*(%|pct|percent)", re.IGNORECASE)


def component_of(header: str) -> str:
    """Name the element whose amount a column holds: "Fe", "x_Fe", "at.% Fe"; "" when there is none."""
    words = [w for w in re.split(r"[^A-Za-z0-9]+", parse_header(header).base) if w]
    named = [w for w in words if w not in _FILLERS and w.lower() not in _FILLERS - {"c", "x", "in"}]
    return named[0] if len(named) == 1 and named[0] in atomic_weights() else ""


def mixture_part(header: str) -> str:
    """Name the part of a mixture whose amount a column holds: "P3HT content (%)"; "" when there is none."""
    match = _MIXTURE.match(parse_header(header).base)
    return match["name"].strip() if match else ""


def find_components(values: Mapping[str, np.ndarray]) -> tuple[dict[str, str], str]:
    """Find the columns that share out a whole.

    Args:
        values: header -> (specimen), the numbers of each column that may belong.

    Returns:
        header -> element or part, empty when no set of columns sums to 1 or 100; and why.
    """
    for name_of, least, kind in (
        (component_of, 2, "element symbols"),
        (mixture_part, 3, "parts of a mixture"),
    ):
        found = {header: name_of(header) for header in values if name_of(header)}
        if len(found) < least or len(set(found.values())) < len(found):
            continue
        total = _whole([values[header] for header in found])
        if total:
            return found, f"{kind} in the headers, and the rows sum to {total:g}"
    return {}, ""


def _whole(columns: list[np.ndarray]) -> float:
    """1 or 100 when the rows sum to it, else 0."""
    table = np.stack(columns)
    totals = np.nansum(table, axis=0)[~np.isnan(table).all(axis=0)]
    n_allowed = max((1 - AGREEING_ROWS) * totals.size, float(totals.size >= SHORT))
    for whole in (1.0, 100.0):
        if totals.size and np.sum(np.abs(totals / whole - 1) > TOLERANCE) <= n_allowed:
            return whole
    return 0.0


def basis_of(headers: list[str], units: list[str | None]) -> str | None:
    """Read the basis off the headers: "at.%", "wt.%", or None when only the sums can tell.

    Raises:
        SchemaError: the headers mix bases.
    """
    said = set()
    for header, unit in zip(headers, units, strict=True):
        match = _BASIS.search(header)
        word = match[1].lower()[:2] if match else (unit or "")[:2]
        said |= {{"at": "at.%", "mo": "at.%", "wt": "wt.%", "we": "wt.%"}.get(word, "")} - {""}
    if len(said) > 1:
        raise SchemaError(
            "The columns of the composition have different bases.",
            found=f"{' and '.join(sorted(said))} in the headers {', '.join(headers)}.",
            hint=f'say which one holds: the line basis = "{sorted(said)[0]}" at the top of the '
            f"file's .columns.toml, or basis=... in Python; one of {', '.join(BASES)}.",
        )
    return said.pop() if said else None
