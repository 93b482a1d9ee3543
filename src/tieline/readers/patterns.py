"""Diffraction patterns: wide tables, matrices, and single files -> the node /xrd of a record."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

import numpy as np
import xarray as xr

from tieline.errors import SchemaError
from tieline.readers.cells import choose_decimal, decimal_marks, is_missing, share_of_numbers, to_number
from tieline.readers.common_axis import common_axis
from tieline.readers.grid import Cell, Grid, letter
from tieline.readers.headers import identifier, parse_header
from tieline.readers.layout import N_PATTERN_ANGLES, angle_header, axis_columns
from tieline.readers.sheet import Sheet, sheet_from_grid

DIFFRACTOMETER_ENDINGS = {".xrdml", ".brml", ".raw", ".rasx"}
NEXUS_ENDINGS = {".nxs", ".h5", ".hdf5"}
TEXT_SCAN_ENDINGS = {".ras", ".spec"}
PATTERN_ENDINGS = {".xy", ".xye", *DIFFRACTOMETER_ENDINGS, *NEXUS_ENDINGS, *TEXT_SCAN_ENDINGS}
TWO_THETA = re.compile(r"(two|2)_?th(eta)?(_.*)?|x_2_?theta(_.*)?|th2")
# These words may also be a specimen's place on a wafer, so an intensity must stand beside them.
ANGLE = re.compile(r"angle|pos(ition)?")
INTENSITY = re.compile(r"int(ensity)?|counts|cts|yobs|iobs")


@dataclass(frozen=True)
class Pattern:
    """One measured pattern.

    Attributes:
        specimen: identity, as the file or the table gives it.
        two_theta (two_theta): rising, degrees.
        intensity (two_theta): counts.
        error (two_theta): standard error of the intensity, counts; None when the file gives none.
    """

    specimen: str | int
    two_theta: np.ndarray
    intensity: np.ndarray
    error: np.ndarray | None = None


def has_angle_header(grid: Grid) -> bool:
    """Whether one row of the table is an axis of angles, with a pattern in every row below it."""
    return angle_header(grid) is not None


def split_wide(grid: Grid, name: str) -> tuple[Sheet, np.ndarray, np.ndarray]:
    """Split a table with a pattern in every row into the columns of the specimens and the patterns.

    Returns:
        The sheet without the pattern's columns (it may have none left), the angles (two_theta) in degrees,
        and the intensities (specimen, two_theta) in counts.
    """
    row = angle_header(grid)
    assert row is not None  # the caller asked has_angle_header
    sheet = sheet_from_grid(grid, name)
    axis = axis_columns(grid.rows[row])
    header_at = {place: header for header, place in sheet.letters.items()}
    headers = [header_at[letter(j)] for j in axis]
    angles = _numbers([grid.rows[row][j] for j in axis], [grid.numbers[row]] * len(axis), "two_theta")
    intensity = np.stack([_numbers(sheet.column(h), sheet.rows, h) for h in headers], axis=1)
    _check_angles(angles, name)
    rest = replace(sheet, cells=sheet.cells.drop(columns=headers))
    return rest, angles, intensity


def patterns_in_columns(sheet: Sheet, name: str, *, is_in_folder: bool = False) -> list[Pattern] | None:
    """Take patterns out of a table whose first column is two_theta; None when it is not.

    Args:
        sheet: the first column two_theta in degrees, every other column one specimen; a file of two columns,
            or of three with errors, is one specimen named like the file.
        name: the file's name.
        is_in_folder: the file stands in a folder of measurements, so that two or three columns of numbers
            without a header are a pattern too.
    """
    first, *others = sheet.headers
    is_pattern_file = PurePath(name).suffix.lower() in PATTERN_ENDINGS
    if not others or len(sheet.cells) < N_PATTERN_ANGLES:
        return None
    if not (is_pattern_file or _has_angles(first, others) or (is_in_folder and _is_bare(sheet))):
        return None
    angles = _numbers(sheet.column(first), sheet.rows, first)
    order = slice(None, None, -1) if angles[0] > angles[-1] else slice(None)
    if not is_pattern_file and not (np.diff(angles[order]) > 0).all():
        return None
    _check_angles(angles[order], name)
    columns = {h: _numbers(sheet.column(h), sheet.rows, h)[order] for h in others}
    third_is_error = len(others) == 2 and (is_pattern_file or parse_header(others[1]).is_error)
    if len(others) == 1 or third_is_error:
        error = columns[others[1]] if third_is_error else None
        return [Pattern(PurePath(name).stem, angles[order], columns[others[0]], error)]
    return [Pattern(_specimen(h), angles[order], columns[h]) for h in others]


def _has_angles(first: str, others: list[str]) -> bool:
    """Whether the headers say that the first column is two_theta."""
    name, second = (identifier(parse_header(h).base) for h in (first, others[0]))
    is_angle = ANGLE.fullmatch(name) is not None and INTENSITY.fullmatch(second) is not None
    return is_angle or TWO_THETA.fullmatch(name) is not None


def _is_bare(sheet: Sheet) -> bool:
    """Whether a file holds two or three columns of numbers, and no header."""
    is_headless = len(sheet.headers) <= 3 and sheet.headers[0] == "column A"
    return is_headless and all(share_of_numbers(sheet.column(h)) == 1 for h in sheet.headers)


def _specimen(header: str) -> str:
    base = parse_header(header).base
    return re.sub(r"^(intensity|counts)[\s_:]+", "", base, flags=re.IGNORECASE) or header


def _numbers(cells: Sequence[Cell], rows: Sequence[object], column: str) -> np.ndarray:
    """Read many cells: quickly when all are plain, else with care for decimal marks and messages."""
    try:
        values = np.array([np.nan if is_missing(c) else float(c) for c in cells])
    except ValueError:
        held = [c for c in cells if not is_missing(c)]
        decimal = choose_decimal(held, column=column, file_marks=decimal_marks(held))
        values = np.array([np.nan if is_missing(c) else to_number(c, decimal) for c in cells], dtype=float)
        wrong = [i for i, c in enumerate(cells) if not is_missing(c) and to_number(c, decimal) is None]
        if wrong:
            raise SchemaError(
                f"Column '{column}' of a diffraction pattern holds text among its numbers.",
                found=f"row {rows[wrong[0]]}: '{str(cells[wrong[0]])[:60]}'.",
                hint="mend or delete this line of the file.",
            ) from None
    if np.isinf(values).any():
        raise SchemaError(
            f"Column '{column}' of a diffraction pattern holds an infinite value.",
            found=f"row {rows[int(np.flatnonzero(np.isinf(values))[0])]}.",
            hint="leave the cell empty, or write nan, where the detector failed.",
        )
    return values


def rising(angles: np.ndarray, counts: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Put a pattern in the order of rising angles.

    Raises:
        SchemaError: there is no proper axis of two_theta, or an intensity is infinite.
    """
    if angles.size < N_PATTERN_ANGLES:
        raise SchemaError(
            f"'{name}' has too few angles for a diffraction pattern.",
            found=f"{angles.size}.",
            hint=f"{N_PATTERN_ANGLES} or more.",
        )
    if np.isinf(counts).any():
        raise SchemaError(
            f"The diffraction pattern '{name}' holds an infinite intensity.",
            hint="nan is for where the detector failed.",
        )
    order = slice(None, None, -1) if angles[0] > angles[-1] else slice(None)
    _check_angles(angles[order], name)
    return angles[order], counts[order]


def _check_angles(angles: np.ndarray, name: str) -> None:
    if np.isnan(angles).any() or not (np.diff(angles) > 0).all() or angles[0] < 0 or angles[-1] > 180:
        raise SchemaError(
            f"'{name}' has no proper axis of two_theta: angles must rise, within 0 to 180 degrees.",
            found=f"{np.nanmin(angles):g} to {np.nanmax(angles):g} in {angles.size} lines.",
            hint="export two_theta in degrees and one intensity, without repeated angles.",
        )


def stack(patterns: Sequence[Pattern]) -> tuple[xr.Dataset, list[str]]:
    """Put patterns on one axis; different grids are interpolated to the finest step of their overlap.

    Returns:
        Dataset with intensity (measurement, two_theta) in counts, its `intensity_sd` when every pattern has
        one, and the coordinate `specimen` on measurement; and notes on what was interpolated.

    Raises:
        SchemaError: the patterns have no range of angles in common.
    """
    axes = [(p.specimen, p.two_theta) for p in patterns]
    grid, note = common_axis(axes, "diffraction patterns", "angles", "deg")
    if note:
        patterns = [_interpolated(p, grid) for p in patterns]
    dims = ("measurement", "two_theta")
    variables = {
        "intensity": (
            dims,
            np.stack([p.intensity for p in patterns]),
            {"units": "counts", "role": "structure"},
        )
    }
    errors = [p.error for p in patterns if p.error is not None]
    if len(errors) == len(patterns):
        variables["intensity_sd"] = (dims, np.stack(errors), {"units": "counts", "role": "structure"})
    coords = {
        "two_theta": ("two_theta", grid, {"units": "deg"}),
        "specimen": ("measurement", np.array([p.specimen for p in patterns])),
    }
    return xr.Dataset(variables, coords=coords), [note] if note else []


def _interpolated(pattern: Pattern, grid: np.ndarray) -> Pattern:
    error = None if pattern.error is None else np.interp(grid, pattern.two_theta, pattern.error)
    return replace(
        pattern, two_theta=grid, intensity=np.interp(grid, pattern.two_theta, pattern.intensity), error=error
    )
