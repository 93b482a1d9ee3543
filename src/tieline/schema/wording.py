"""How culprits are named in a message, and units are said."""

from collections.abc import Collection, Iterable

from tieline.errors import did_you_mean


def name_some(names: Iterable[object], limit: int = 5) -> str:
    """List the first few names, and count the rest."""
    texts = [str(name) for name in names]
    rest = len(texts) - limit
    return ", ".join(texts[:limit]) + (f" and {rest} more" if rest > 0 else "")


def name_cells(values: Iterable[object], rows: Iterable[object], limit: int = 3) -> str:
    """List the first few cells with the row each stands in."""
    return name_some((f"{value!r} in row {row}" for value, row in zip(values, rows, strict=True)), limit)


def name_known(known: Collection[object], wanted: object) -> str:
    """List what there is, and what is nearest to what was wanted."""
    return f"{name_some(known, limit=12) or 'nothing'}.  {did_you_mean(str(wanted), known)}".rstrip(" ")


def after_number(unit: str) -> str:
    """A unit as it follows a number in a sentence; nothing where there is none."""
    return "" if unit in ("", "1") else f" {unit}"
