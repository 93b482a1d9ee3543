"""From raw spectra to peak areas: the mass axis calibrated, peaks found and integrated alike.

A raw spectrum is counts in narrow channels on a common axis. In a time-of-flight instrument the root of m/z
is linear in time, so that a calibration shifts and stretches the root.

Source: Zhao, KIT (2024), section 4.3.1: calibration to 6Li-, Li-, O-, OH- and O2-, peaks of at least 100
counts, and borders that are the same for all spectra.
"""

from collections.abc import Sequence
from itertools import combinations, pairwise

import numpy as np
import xarray as xr
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks as local_maxima
from scipy.signal import peak_prominences, peak_widths

from tieline.errors import NotIdentified, SchemaError
from tieline.schema.isotopes import ion_mass
from tieline.schema.wording import name_some

STUDY_IONS = ("6Li", "Li", "O", "OH", "O2")
FEWEST_COUNTS = 20.0  # of an ion in one spectrum, below which its place is not certain
LEFT, RIGHT = 0.45, 0.55  # u around a whole mass: hydrocarbons lie above it more than oxides below
STEPS_A_SD = 1.0  # smoothing, in channels
CLEARLY = 5.0  # standard errors of counting by which a peak stands above the valleys beside it
FOOT = 0.99  # of a peak's height down, where it ends if no other peak is nearer
AGREE = 0.005  # u: ions that are farther from the common line were mistaken for another peak


def calibrate(
    spectra: xr.DataArray, ions: Sequence[str] = STUDY_IONS, *, charge: int = -1, reach: float = 0.1
) -> xr.Dataset:
    """Bring every spectrum's mass axis to known ions.

    Args:
        spectra (specimen, mz): counts in narrow channels of even width.
        ions: formulas of ions that are in the spectra; at least two.
        charge: of these ions.
        reach: how far from its exact mass an ion is looked for, u.

    Returns:
        counts (specimen, mz), on the same axis, with the same sum but for what left its ends; mass_shift
        (specimen), the median correction, u; and residual (specimen, ion), measured minus exact after
        calibration, u; NaN where an ion had too few counts, or where what was found does not agree with the
        other ions.

    Raises:
        SchemaError: the spectra have no axis mz, or fewer than two ions are named.
        NotIdentified: a spectrum has fewer than two of the ions.
    """
    mz, counts = _raw(spectra)
    exact = np.array([ion_mass(ion, charge) for ion in ions])
    if len(exact) < 2:
        raise SchemaError(
            "A calibration needs two ions or more.", found=name_some(ions), hint='ions=("Li", "O")'
        )
    names = spectra["specimen"].values
    moved, residual, shift = (
        np.empty_like(counts),
        np.full((len(counts), len(exact)), np.nan),
        np.zeros(len(counts)),
    )
    edges = _edges(mz)
    for i, row in enumerate(counts):
        measured = np.array([_centre(row, mz, m, reach) for m in exact])
        if np.isfinite(measured).sum() < 2:
            raise NotIdentified(
                f"Spectrum '{names[i]}' shows fewer than two of the ions that it is to be calibrated to.",
                found=f"{np.isfinite(measured).sum()} of {name_some(ions)} within {reach:g} u",
                hint="name ions that are in the spectrum, or a larger reach",
            )
        slope, start, seen = _line(measured, exact)
        right_edges = np.maximum(start + slope * np.sqrt(np.maximum(edges, 0)), 0) ** 2
        # Counts up to each edge are moved, so that none is lost or made.
        total = np.concatenate([[0], np.cumsum(row)])
        moved[i] = np.diff(np.interp(edges, right_edges, total))
        residual[i] = np.where(seen, (start + slope * np.sqrt(measured)) ** 2 - exact, np.nan)
        shift[i] = np.median((exact - measured)[seen])
    return xr.Dataset(
        {
            "counts": (("specimen", "mz"), moved, spectra.attrs),
            "mass_shift": ("specimen", shift, {"units": "u"}),
            "residual": (("specimen", "ion"), residual, {"units": "u"}),
        },
        coords={"specimen": names, "mz": spectra["mz"], "ion": list(ions)},
    )


def find_peaks(spectra: xr.DataArray, *, minimum: float = 100.0, highest: float = 120.0) -> xr.Dataset:
    """Find the peaks of all spectra together, with borders that are the same for all.

    Args:
        spectra (specimen, mz): counts in narrow channels, calibrated.
        minimum: counts that some spectrum must have between the borders.
        highest: m/z up to which peaks are looked for, u.

    Returns:
        On `mz`, the centres of the peaks: left and right border, u, and most, the counts of the spectrum that
        has most.

    Raises:
        NotIdentified: there are no peaks with so many counts.
    """
    mz, counts = _raw(spectra)
    together = gaussian_filter1d(counts.sum(0), STEPS_A_SD)
    tops, _ = local_maxima(together)
    # Smoothing over a normal window of one channel leaves 1 / (2 sqrt(pi)) of Poisson's variance.
    noise = np.sqrt((together[tops] + 1) / (2 * np.sqrt(np.pi) * STEPS_A_SD))
    tops = tops[(peak_prominences(together, tops)[0] > CLEARLY * noise) & (mz[tops] <= highest)]
    step = float(np.median(np.diff(mz)))
    left, right = _borders(together, tops)
    most = np.array([counts[:, a:b].sum(1).max(initial=0) for a, b in zip(left, right, strict=True)])
    kept = most >= minimum
    if not kept.any():
        raise NotIdentified(
            f"No peak below m/z {highest:g} has {minimum:g} counts in any spectrum.",
            found=f"{most.max(initial=0):g} counts in the strongest",
            hint="a lower minimum",
        )
    left, right = left[kept], right[kept]
    total = counts.sum(0)
    centre = [np.average(mz[a:b], weights=total[a:b] + 1e-12) for a, b in zip(left, right, strict=True)]
    return xr.Dataset(
        {
            "left": ("mz", mz[left] - step / 2, {"units": "u"}),
            "right": ("mz", mz[right] - step / 2, {"units": "u"}),
            "most": ("mz", most[kept], {"units": "counts"}),
        },
        coords={"mz": ("mz", np.array(centre), {"units": "u"})},
    )


def whole_masses(spectra: xr.DataArray, *, minimum: float = 100.0, highest: float = 120.0) -> xr.Dataset:
    """Lay borders around every whole mass: coarse, but a drift of the axis does not matter.

    Args:
        spectra (specimen, mz): counts in channels.
        minimum: counts that some spectrum must have between the borders.
        highest: m/z up to which, u.

    Returns:
        Borders as `find_peaks` gives them.
    """
    mz, counts = _raw(spectra)
    whole = np.arange(1.0, np.floor(min(highest, mz[-1] - RIGHT)) + 1)
    most = np.array([counts[:, (mz >= m - LEFT) & (mz < m + RIGHT)].sum(1).max() for m in whole])
    whole, most = whole[most >= minimum], most[most >= minimum]
    return xr.Dataset(
        {
            "left": ("mz", whole - LEFT, {"units": "u"}),
            "right": ("mz", whole + RIGHT, {"units": "u"}),
            "most": ("mz", most, {"units": "counts"}),
        },
        coords={"mz": ("mz", whole, {"units": "u"})},
    )


def integrate(spectra: xr.DataArray, peaks: xr.Dataset) -> xr.DataArray:
    """Add up the counts of every peak.

    Args:
        spectra (specimen, mz): counts in narrow channels.
        peaks: borders from `find_peaks` or `whole_masses`, or your own left and right on `mz`.

    Returns:
        area (specimen, mz): counts, at the centres of the peaks.
    """
    mz, counts = _raw(spectra)
    total = np.concatenate([np.zeros((len(counts), 1)), np.cumsum(counts, axis=1)], axis=1)
    first, last = (np.searchsorted(mz, peaks[side].values) for side in ("left", "right"))
    return xr.DataArray(
        total[:, last] - total[:, first],
        dims=("specimen", "mz"),
        coords={"specimen": spectra["specimen"], "mz": peaks["mz"]},
        name="area",
        attrs={"units": "counts", "role": "structure"},
    )


def _raw(spectra: xr.DataArray) -> tuple[np.ndarray, np.ndarray]:
    if (
        not isinstance(spectra, xr.DataArray)
        or set(spectra.dims) != {"specimen", "mz"}
        or "mz" not in spectra.coords
    ):
        raise SchemaError(
            "Raw spectra are counts on (specimen, mz), with mz as a coordinate.",
            found=name_some(getattr(spectra, "dims", [type(spectra).__name__])),
            hint="tieline.readers.spectra.load_spectra(folder)['counts']",
        )
    mz = spectra["mz"].values.astype(float)
    counts = spectra.transpose("specimen", "mz").values.astype(float)
    if len(mz) < 3 or not (np.diff(mz) > 0).all() or not np.isfinite(counts).all() or (counts < 0).any():
        raise SchemaError(
            "Raw spectra have rising m/z and counts that are not negative.",
            found=f"{len(mz)} channels; least count {np.nanmin(counts):g}; {np.isnan(counts).sum()} missing",
        )
    return mz, counts


def _borders(together: np.ndarray, tops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First channel of every peak and the first behind it: its foot, or the valley to the next peak."""
    _, _, foot_left, foot_right = peak_widths(together, tops, rel_height=FOOT)
    left, right = np.floor(foot_left).astype(int), np.ceil(foot_right).astype(int) + 1
    for i, (one, other) in enumerate(pairwise(tops)):
        valley = one + int(np.argmin(together[one : other + 1]))
        right[i], left[i + 1] = min(right[i], valley), max(left[i + 1], valley)
    return left, right


def _line(measured: np.ndarray, exact: np.ndarray) -> tuple[float, float, np.ndarray]:
    """Slope and start of the roots, and which ions agree: the line through two that most others are on."""
    found = np.flatnonzero(np.isfinite(measured))
    best: tuple[int, float] = (0, -np.inf)
    agreeing = np.zeros(len(exact), dtype=bool)
    for pair in combinations(found, 2):
        if abs(np.subtract(*measured[list(pair)])) < AGREE:  # both were taken for the same peak
            continue
        slope, start = np.polyfit(np.sqrt(measured[list(pair)]), np.sqrt(exact[list(pair)]), 1)
        near = np.abs((start + slope * np.sqrt(measured)) ** 2 - exact) <= AGREE
        score = int(near.sum()), -abs(slope - 1)
        if score > best:
            best, agreeing = score, near
    slope, start = np.polyfit(np.sqrt(measured[agreeing]), np.sqrt(exact[agreeing]), 1)
    return float(slope), float(start), agreeing


def _edges(mz: np.ndarray) -> np.ndarray:
    between = (mz[1:] + mz[:-1]) / 2
    return np.concatenate([[2 * mz[0] - between[0]], between, [2 * mz[-1] - between[-1]]])


def _centre(row: np.ndarray, mz: np.ndarray, exact: float, reach: float) -> float:
    """Where an ion is: the centre of its highest peak within reach; NaN with too few counts."""
    near = np.flatnonzero(np.abs(mz - exact) <= reach)
    if not len(near) or row[near].sum() < FEWEST_COUNTS:
        return np.nan
    smooth = gaussian_filter1d(row[near], STEPS_A_SD)
    top = int(smooth.argmax())
    half = smooth > smooth[top] / 2
    low = top - int(np.argmin(half[: top + 1][::-1])) + 1 if not half[: top + 1].all() else 0
    high = top + int(np.argmin(half[top:])) if not half[top:].all() else len(near)
    return float(np.average(mz[near[low:high]], weights=row[near[low:high]] + 1e-12))
