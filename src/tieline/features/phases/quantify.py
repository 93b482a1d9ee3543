"""How much there is of each reference in a powder pattern."""

from collections.abc import Mapping

import numpy as np
import xarray as xr
from scipy.ndimage import gaussian_filter1d

from tieline.errors import NotIdentified, SchemaError
from tieline.features.phases.arrays import Array
from tieline.features.phases.background import background_of, line_width
from tieline.features.phases.profile import Sticks, describe_profile
from tieline.features.phases.reading import FLOOR, TEXTURE, Patterns, read_each
from tieline.features.phases.texture import amount_errors, share_intervals

FINEST = 0.04  # degrees: finer patterns are summed over neighbouring channels
BACKGROUND = 1.5  # degrees, half the window
STRANGE = 0.05  # of the counts of the lines: beyond, something is none of the references
CLEARLY = 3.0  # standard errors of a count
PRESENT = 0.01


def quantify_phases(
    patterns: xr.Dataset,
    references: Mapping[str, xr.Dataset],
    *,
    contrast: float = 0.1,
    level: float = 0.9,
    seed: int = 0,
) -> xr.Dataset:
    """Quantify mixtures by the lines of their components.

    Lines may be shifted by a displacement of the specimen, by lattices that differ from the references', and
    be of any width. Lines that are stronger or weaker than they should be (texture) pull with bounded force.

    Args:
        patterns: intensity (measurement, two_theta) in counts, with the specimen of each measurement.
        references: for each name lines as of `powder_sticks`: two_theta and intensity (line), for the same
            wavelength. Amounts are weights where intensities are per gram.
        contrast: sd of the logarithm of a reference's scale: absorption within grains, errors of structures.
        level: probability of the intervals.
        seed: of the draws behind intervals.

    Returns:
        On `measurement`: share, share_low and share_high (measurement, reference); is_present; unexplained,
        the part of the counts of the lines that no reference explains, and is_none_of_references, whether
        that is much; displacement and width in degrees; strain (measurement, reference); observed, without
        background, and contribution (measurement, reference, two_theta).

    Raises:
        SchemaError: patterns or references are not what they should be.
        NotIdentified: a pattern has no lines, or nothing of any reference.
    """
    names = list(references)
    sticks = [_sticks(name, references[name]) for name in names]
    if not sticks or not 0 < level < 1 or not 0 <= contrast < np.inf:
        raise SchemaError(
            "Mixtures are quantified against one reference at least; a level lies between 0 and 1, "
            "a contrast is not negative.",
            found=f"{len(sticks)} references, level={level:g}, contrast={contrast:g}",
        )
    seen = read_each(patterns)
    if seen.axis.name != "two_theta":
        raise SchemaError("Sticks are placed by two_theta.", found=f"patterns over {seen.axis.name}")
    rng = np.random.default_rng(seed)
    one = [_quantified(seen, row, sticks, rng, contrast, level) for row in seen.intensity]
    whose = patterns["specimen"].values[seen.rows]
    return (
        xr.concat(one, "measurement")
        .assign_coords(specimen=("measurement", whose), reference=names)
        .assign_attrs(level=level, notes=list(seen.notes))
    )


def _sticks(name: str, lines: xr.Dataset) -> Sticks:
    if not {"two_theta", "intensity"} <= set(lines.variables):
        raise SchemaError(
            f"The reference '{name}' has no lines: two_theta and intensity (line).",
            found=", ".join(map(str, lines.variables)),
            hint="powder_sticks(cif) makes them of a crystal structure",
        )
    place, height = (lines[v].values.astype(float).ravel() for v in ("two_theta", "intensity"))
    kept = np.isfinite(place) & np.isfinite(height)
    if not kept.any() or (height[kept] < 0).any() or (place[kept] <= 0).any() or (place[kept] >= 180).any():
        raise SchemaError(
            f"Lines of the reference '{name}' lie between 0 and 180 degrees and are not negative.",
            found=f"{kept.sum()} lines",
        )
    return Sticks(place[kept], height[kept])


def _quantified(
    seen: Patterns,
    intensity: Array,
    sticks: list[Sticks],
    rng: np.random.Generator,
    contrast: float,
    level: float,
) -> xr.Dataset:
    """One pattern."""
    angles, counts, joined = _even(seen.axis.values, intensity)
    step = angles[1] - angles[0]
    background = background_of(counts[None], int(max(BACKGROUND / step, 3)))[0]
    net = counts - background
    smooth = gaussian_filter1d(np.maximum(net, 0), 2.0)
    strong = np.quantile(smooth, 0.995)
    if strong <= 0:
        raise NotIdentified("A pattern has no lines above its background.", found="nothing to quantify")

    def variance(lines: Array) -> Array:
        return np.maximum(counts, 1) + (TEXTURE * lines) ** 2 + (FLOOR * strong) ** 2

    weight = 1 / np.sqrt(variance(smooth))
    width = line_width(net[None]) * step
    profile = describe_profile(angles, net, weight, sticks, width)
    if profile.amount.sum() <= 0:
        raise NotIdentified(
            "There is nothing of any reference in a pattern.", found=f"{len(sticks)} references"
        )
    fitted = profile.amount @ profile.patterns
    beyond = np.maximum(net - fitted - CLEARLY * np.sqrt(variance(fitted)), 0).sum()
    unexplained = float(beyond / np.maximum(net, 0).sum())
    errors = amount_errors(angles, net, np.maximum(counts, 1) / joined, weight, sticks, profile)
    low, high = share_intervals(profile.amount, errors, rng, contrast, level)
    share = profile.amount / profile.amount.sum()
    drawn = profile.amount[:, None] * profile.patterns
    original = seen.axis.values
    return xr.Dataset(
        {
            "share": ("reference", share, {"units": "1"}),
            "share_low": ("reference", low, {"units": "1"}),
            "share_high": ("reference", high, {"units": "1"}),
            "is_present": ("reference", low > PRESENT),
            "unexplained": ((), unexplained, {"units": "1"}),
            "is_none_of_references": ((), unexplained > STRANGE),
            "displacement": ((), profile.displacement, {"units": "deg"}),
            "width": ((), profile.width, {"units": "deg"}),
            "strain": ("reference", profile.strain, {"units": "1"}),
            "observed": ("two_theta", np.interp(original, angles, net), {"units": "counts"}),
            "contribution": (
                ("reference", "two_theta"),
                np.stack([np.interp(original, angles, row) for row in drawn]),
                {"units": "counts"},
            ),
        },
        coords={"two_theta": ("two_theta", original, {"units": "deg"})},
    )


def _even(angles: Array, intensity: Array) -> tuple[Array, Array, int]:
    """Even steps, not finer than they need be; counts of channels that are joined, so many, are averaged."""
    even = np.linspace(angles[0], angles[-1], len(angles))
    counts = np.interp(even, angles, intensity)
    joined = max(int(FINEST / (even[1] - even[0])), 1)
    n = len(even) // joined * joined
    return even[:n].reshape(-1, joined).mean(1), counts[:n].reshape(-1, joined).mean(1), joined
