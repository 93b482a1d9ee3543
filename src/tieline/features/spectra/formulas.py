"""Which ion a peak may be: formulas whose exact mass agrees with a measured one."""

from collections.abc import Iterable, Sequence

import numpy as np
import xarray as xr

from tieline.errors import SchemaError
from tieline.schema.isotopes import ELECTRON, Isotope, isotopes
from tieline.schema.wording import name_known

LITHIUM_COMPOUNDS = ("Li", "C", "N", "O", "H")
RARE = 0.01  # isotopes that are less common than this are not tried
MOST_RARE = 2  # atoms of the rarer isotopes of one ion
LARGEST_SEARCH = 3_000_000  # combinations of atoms other than hydrogen
SHARPNESS = 1 / 3  # of the tolerance: the standard error that residuals are ranked with
# What each further atom and element costs in rank, in units of chi-squared: simple ions are likelier.
PER_ATOM, PER_ELEMENT = 0.4, 1.0


def assign_ions(
    mz: Iterable[float],
    elements: Sequence[str] = LITHIUM_COMPOUNDS,
    *,
    charge: int = -1,
    tolerance: float = 0.01,
    most: int = 5,
) -> xr.Dataset:
    """List the ions that each peak may be, the likeliest first.

    Isotopes count as what they are, and the electron that an anion has more is weighed. Ranks weigh how near
    the exact mass is, how simple the ion is and how common its isotopes are; they know no chemistry.

    Args:
        mz: measured mass-to-charge ratios, u.
        elements: symbols of what the ions may hold, in the order they are to be written in; hydrogen stands
            last.
        charge: of the ions, in elementary charges.
        tolerance: how far exact and measured m/z may be apart, u.
        most: candidates of one peak at most.

    Returns:
        On `candidate`: mz (measured) and exact, u; residual, measured minus exact, u; ion; rank, from 1;
        abundance of its isotopes. Peaks without a candidate are missing; `attrs["notes"]` counts them.

    Raises:
        SchemaError: an element is unknown, a number makes no sense, or there are too many combinations.

    Example:
        >>> assign_ions([66.9999]).ion.values[0]
        'LiCO3'
    """
    peaks = np.atleast_1d(np.asarray(list(mz) if not isinstance(mz, np.ndarray) else mz, dtype=float))
    _check(peaks, elements, charge, tolerance)
    heavy = [e for e in dict.fromkeys(elements) if e != "H"]
    parts = [(e, i) for e in heavy for i in isotopes()[e] if i.abundance >= RARE]
    counts, mass = _combinations(parts, float(peaks.max()) * abs(charge) + tolerance)
    hydrogen = isotopes()["H"][0].mass if "H" in elements else None
    rows = []
    for peak in peaks:
        target = peak * abs(charge) + charge * ELECTRON
        n_hydrogen = np.maximum(np.rint((target - mass) / hydrogen), 0) if hydrogen else np.zeros_like(mass)
        residual = (target - mass - n_hydrogen * (hydrogen or 0.0)) / abs(charge)
        n_heavy = counts.sum(1)
        is_near = (
            (np.abs(residual) <= tolerance) & (n_hydrogen <= 2 * n_heavy + 2) & (n_heavy + n_hydrogen > 0)
        )
        found = [
            _candidate(parts, counts[j], int(n_hydrogen[j]), float(residual[j]), tolerance)
            for j in np.flatnonzero(is_near)
        ]
        found.sort(key=lambda c: c[0])
        rows += [(peak, rank + 1, *c[1:]) for rank, c in enumerate(found[:most])]
    return _dataset(rows, len(set(peaks.tolist())), elements)


def _check(peaks: np.ndarray, elements: Sequence[str], charge: int, tolerance: float) -> None:
    unknown = [e for e in elements if e not in isotopes()]
    if unknown or not elements:
        raise SchemaError(
            f"'{unknown[0] if unknown else ''}' is no element with a natural isotope.",
            found=name_known(isotopes(), unknown[0] if unknown else ""),
            hint='elements=("Li", "C", "N", "O", "H")',
        )
    if not peaks.size or not (np.isfinite(peaks) & (peaks > 0)).all() or charge == 0 or not tolerance > 0:
        raise SchemaError(
            "Peaks have positive m/z, ions a charge, and a tolerance is positive.",
            found=f"{peaks.size} peaks, charge={charge}, tolerance={tolerance:g}",
        )


def _combinations(parts: list[tuple[str, Isotope]], heaviest: float) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of atoms (combination, part) of everything but hydrogen, and masses, up to the heaviest."""
    counts, mass = np.zeros((1, 0), dtype=np.int16), np.zeros(1)
    for symbol, isotope in parts:
        is_common = isotope is isotopes()[symbol][0]
        n = int(heaviest // isotope.mass) if is_common else min(MOST_RARE, int(heaviest // isotope.mass))
        total = mass[:, None] + np.arange(n + 1) * isotope.mass
        row, number = np.nonzero(total <= heaviest)
        if len(row) > LARGEST_SEARCH:
            raise SchemaError(
                "There are too many combinations of these elements.",
                found=f"more than {LARGEST_SEARCH:,} below m/z {heaviest:g}",
                hint="name fewer elements, or fewer and lighter peaks",
            )
        counts, mass = np.column_stack([counts[row], number]), total[row, number]
    return counts, mass


def _candidate(
    parts: list[tuple[str, Isotope]], number: np.ndarray, n_hydrogen: int, residual: float, tolerance: float
) -> tuple[float, str, float, float]:
    """Score (low is likely), ion, residual and abundance."""
    rare, common, abundance, symbols = "", "", 1.0, set()
    for (symbol, isotope), n in zip(parts, number.tolist(), strict=True):
        if not n:
            continue
        text = f"{symbol}{n if n > 1 else ''}"
        is_common = isotope is isotopes()[symbol][0]
        rare, common = (rare, common + text) if is_common else (f"{rare}{isotope.mass_number}{text}", common)
        abundance *= isotope.abundance**n
        symbols.add(symbol)
    hydrogens = f"H{n_hydrogen if n_hydrogen > 1 else ''}" if n_hydrogen else ""
    n_atoms, n_elements = int(number.sum()) + n_hydrogen, len(symbols) + (n_hydrogen > 0)
    score = (residual / (SHARPNESS * tolerance)) ** 2 - 2 * np.log(abundance)
    return (
        score + PER_ATOM * n_atoms + PER_ELEMENT * n_elements,
        rare + common + hydrogens,
        residual,
        abundance,
    )


def _dataset(rows: list[tuple], n_peaks: int, elements: Sequence[str]) -> xr.Dataset:
    peak, rank, ion, residual, abundance = zip(*rows, strict=True) if rows else ((), (), (), (), ())
    without = n_peaks - len(set(peak))
    notes = [f"{without} of {n_peaks} peaks agree with no ion of {', '.join(elements)}."] if without else []
    mz, residual = np.array(peak, dtype=float), np.array(residual, dtype=float)
    return xr.Dataset(
        {
            "mz": ("candidate", mz, {"units": "u"}),
            "ion": ("candidate", np.array(ion, dtype=str)),
            "rank": ("candidate", np.array(rank, dtype=int)),
            "exact": ("candidate", mz - residual, {"units": "u"}),
            "residual": ("candidate", residual, {"units": "u"}),
            "abundance": ("candidate", np.array(abundance, dtype=float), {"units": "1"}),
        },
        attrs={"notes": notes},
    )
