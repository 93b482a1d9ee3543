"""One pattern described by sticks: where their lines have moved, how broad they are, how much of each."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares, nnls

from tieline.features.phases.arrays import Array, Indices

REACH = 12.0  # widths of a line on either side that are drawn
LORENTZIAN = 0.5  # of a line; the rest is Gaussian
SHIFTS = np.linspace(-0.3, 0.3, 25)  # degrees, to begin with
MOST_SHIFT, MOST_STRAIN = 0.6, 0.015  # degrees; relative change of a lattice
WIDTHS = (0.3, 4.0)  # least and most, of the width to begin with


@dataclass(frozen=True)
class Sticks:
    """Lines of one reference.

    Attributes:
        two_theta (line): degrees.
        intensity (line): of a unit amount.
    """

    two_theta: Array
    intensity: Array


@dataclass(frozen=True)
class Profile:
    """A pattern, described.

    Attributes:
        amount (reference): not negative.
        patterns (reference, channel): of a unit amount, as they are in this pattern.
        displacement: shift of all lines at low angles, degrees.
        strain (reference): relative change of each lattice.
        width: of lines at half their height, degrees, at low angles.
        broadening: by how much lines are wider per tangent of their angle, degrees.
    """

    amount: Array
    patterns: Array
    displacement: float
    strain: Array
    width: float
    broadening: float


def describe_profile(
    angles: Array, counts: Array, weight: Array, references: Sequence[Sticks], width: float
) -> Profile:
    """Find amounts, displacement, strains and widths.

    Args:
        angles (channel): degrees, in even steps.
        counts (channel): without background.
        weight (channel): root of the weights.
        references: what there may be.
        width: of a line to begin with, degrees.

    Displacement of the specimen from the axis of the diffractometer shifts lines by its cosine. Amounts are
    solved for inside (variable projection); a strain is held near zero by a weak prior.
    """

    def draw(settings: Array) -> Array:
        shift, broad, broader = settings[:3]
        return np.stack(
            [
                _lines(angles, reference, shift, strain, (broad, broader))
                for reference, strain in zip(references, settings[3:], strict=True)
            ]
        )

    def residual(settings: Array) -> Array:
        patterns = draw(settings)
        amount, _ = nnls((patterns * weight).T, counts * weight)
        prior = settings[3:] / MOST_STRAIN * 3
        return np.concatenate([(counts - amount @ patterns) * weight, prior])

    n = len(references)
    start = np.concatenate([[0.0, width, width / 4], np.zeros(n)])
    tried = [np.concatenate([[shift], start[1:]]) for shift in SHIFTS]
    start = min(tried, key=lambda settings: float((residual(settings) ** 2).sum()))
    low = np.concatenate([[-MOST_SHIFT, width * WIDTHS[0], 0.0], np.full(n, -MOST_STRAIN)])
    high = np.concatenate([[MOST_SHIFT, width * WIDTHS[1], width * WIDTHS[1]], np.full(n, MOST_STRAIN)])
    scale = np.concatenate([[width, width, width], np.full(n, 1e-3)])
    found = least_squares(residual, start, bounds=(low, high), x_scale=scale, diff_step=1e-3, max_nfev=25).x
    patterns = draw(found)
    amount, _ = nnls((patterns * weight).T, counts * weight)
    return Profile(amount, patterns, float(found[0]), found[3:], float(found[1]), float(found[2]))


def lines_apart(angles: Array, sticks: Sticks, profile: Profile, strain: float) -> tuple[Indices, Array]:
    """Draw every line of one reference by itself, as it is in a pattern.

    Args:
        angles (channel): degrees, in even steps.
        sticks: the reference.
        profile: of the pattern.
        strain: of the reference in it.

    Returns:
        The channels (line, place) where a line is drawn, and its height (line, place) there, 0 out of sight.
    """
    width = profile.width, profile.broadening
    channel, drawn = _each_line(angles, sticks, profile.displacement, strain, width)
    inside = (channel >= 0) & (channel < len(angles))
    return channel.clip(0, len(angles) - 1), np.where(inside, drawn, 0)


def _lines(angles: Array, sticks: Sticks, shift: float, strain: float, width: tuple[float, float]) -> Array:
    """Draw the lines (channel) of one reference together."""
    channel, drawn = _each_line(angles, sticks, shift, strain, width)
    inside = (channel >= 0) & (channel < len(angles))
    return np.bincount(channel[inside], drawn[inside], minlength=len(angles)).astype(float)


def _each_line(
    angles: Array, sticks: Sticks, shift: float, strain: float, width: tuple[float, float]
) -> tuple[Indices, Array]:
    """Channels (line, place) and heights of pseudo-Voigt functions of unit area; some may be out of sight."""
    theta = np.radians(sticks.two_theta / 2)
    moved = np.arcsin(np.clip(np.sin(theta) / (1 + strain), 0, 1))
    place = 2 * np.degrees(moved) + shift * np.cos(moved)
    broad = width[0] + width[1] * np.tan(moved)
    step = angles[1] - angles[0]
    reach = int(np.ceil(REACH * broad.max() / step))
    centre = np.round((place - angles[0]) / step).astype(int)
    channel = centre[:, None] + np.arange(-reach, reach + 1)
    away = (angles[0] + channel * step - place[:, None]) / (broad[:, None] / 2)
    profile = (1 - LORENTZIAN) * 0.9394 * np.exp2(-(away**2)) + LORENTZIAN * 0.6366 / (1 + away**2)
    return channel, sticks.intensity[:, None] * profile / broad[:, None]
