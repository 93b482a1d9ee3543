"""Specimens of files that do not name them: never taken for others that happen to have the same numbers."""

from collections.abc import Iterator, Sequence

import xarray as xr

from tieline.campaign.joining import renamed, shared
from tieline.schema import specimens_of

NUMBERED = "numbered"  # attribute of a record: {"stem", "n"} of the first file, if it did not name specimens


def number_first(reading: xr.DataTree, stem: str) -> xr.DataTree:
    """Remember of a first file whether its rows were only numbered.

    Args:
        reading: what was read.
        stem: name of the file without its ending.
    """
    if not _is_numbered(reading):
        return reading
    return _numbered(reading, stem, specimens_of(reading).sizes["specimen"])


def name_apart(
    record: xr.DataTree, reading: xr.DataTree, stem: str
) -> tuple[xr.DataTree, xr.DataTree, list[str]]:
    """Name the specimens of two records so that only those are one specimen that somebody named alike.

    A file without identities gets names from its own, `<stem>-1`, `<stem>-2`, ... Only if it is the same
    file grown longer, its earlier rows unchanged, they are the earlier specimens. If the first file had no
    identities and a later one names the same numbers, the first one's are renamed so.

    Args:
        record: what was known.
        reading: what was read now.
        stem: name of its file without the ending.

    Returns:
        Both, renamed where need be, and notes on it.
    """
    if _is_numbered(reading):
        return _name_rows(record, reading, stem)
    first = record.attrs.get(NUMBERED)
    if not first or not set(_names(reading)) & {str(i) for i in range(1, first["n"] + 1)}:
        return record, reading, []
    names = next(n for n in _series(first["stem"], first["n"]) if not set(n) & set(_names(record)))
    numbers = [str(i) for i in range(1, first["n"] + 1)]
    named = renamed(record, dict(zip(numbers, names, strict=True)))
    named.attrs = {key: value for key, value in record.attrs.items() if key != NUMBERED}
    note = (
        f"'{first['stem']}' names no specimens, and this file has some of the same numbers: those of"
        f" '{first['stem']}' are now called {span(names)}"
    )
    return named, reading, [note]


def _name_rows(
    record: xr.DataTree, reading: xr.DataTree, stem: str
) -> tuple[xr.DataTree, xr.DataTree, list[str]]:
    numbers = _names(reading)
    first = record.attrs.get(NUMBERED, {})
    if first.get("stem") == stem and _continues(record, reading, first["n"]):
        return _numbered(record, stem, len(numbers)), reading, [_same_as_before(first["n"])]
    for names in _series(stem, len(numbers)):
        named = renamed(reading, dict(zip(numbers, names, strict=True)))
        n_known = len(set(names) & set(_names(record)))
        if n_known == 0:
            note = f"no column names the specimens: they are new ones, called {span(names)}"
            return record, named, [note]
        if _continues(record, named, n_known):
            return record, named, [_same_as_before(n_known)]
    raise AssertionError("the series of names has no end")


def _numbered(record: xr.DataTree, stem: str, n: int) -> xr.DataTree:
    marked = record.copy()
    marked.attrs = {**record.attrs, NUMBERED: {"stem": stem, "n": n}}
    return marked


def _same_as_before(n: int) -> str:
    return (
        f"no column names the specimens: the first {n} rows are as before, and taken for the same specimens"
    )


def _is_numbered(reading: xr.DataTree) -> bool:
    """Whether the specimens are rows that were counted; a column of identities leaves its header."""
    names = specimens_of(reading)["specimen"]
    return names.dtype.kind in "iu" and "header" not in names.attrs


def _names(record: xr.DataTree) -> list[str]:
    return [str(name) for name in specimens_of(record)["specimen"].values.tolist()]


def _series(stem: str, n: int) -> Iterator[list[str]]:
    """Names for n rows of a file, and others in case that these are taken."""
    yield [f"{stem}-{i}" for i in range(1, n + 1)]
    for version in range(2, 10_000):
        yield [f"{stem}-{version}-{i}" for i in range(1, n + 1)]


def span(names: Sequence[str]) -> str:
    """Write the first and the last of names in order."""
    return names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"


def _continues(record: xr.DataTree, reading: xr.DataTree, n_known: int) -> bool:
    """Whether a file has n rows that are known, and all that it says of them is as it was."""
    names = _names(reading)
    if len(names) < n_known or not set(names[:n_known]) <= set(_names(record)):
        return False
    if set(names[n_known:]) & set(_names(record)):
        return False
    before, after = (_with_text_names(specimens_of(r)) for r in (record, reading))
    both = [str(name) for name in after.data_vars if name in before.data_vars]
    if not any(after[name].attrs.get("role") in ("synthesis", "process") for name in both):
        return False
    return all(_is_as_before(before, after, name) for name in both)


def _with_text_names(specimens: xr.Dataset) -> xr.Dataset:
    return specimens.assign_coords(specimen=specimens["specimen"].astype(str))


def _is_as_before(before: xr.Dataset, after: xr.Dataset, name: str) -> bool:
    one, two = before[name], after[name]
    others = [d for d in two.dims if d != "specimen"]
    if one.dims != two.dims or one.attrs.get("units") != two.attrs.get("units"):
        return False
    if not all(one[d].equals(two[d]) for d in others):
        return False
    return not bool(shared(before, after, name)[2].any())
