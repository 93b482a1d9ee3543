"""What of a pattern is no line: a background that is nowhere above its surroundings."""

import numpy as np
from scipy.ndimage import gaussian_filter1d

from tieline.features.phases.arrays import Array

SMOOTHING = 2.0  # channels, so that the background does not follow the lowest noise


def background_of(intensity: Array, half_window: int) -> Array:
    """Estimate the background of patterns by clipping peaks.

    Each channel is lowered to the mean of two neighbours where it is above it, for neighbours at a distance
    from `half_window` down to 1, on a scale that makes strong and weak lines alike.

    Args:
        intensity (pattern, channel): counts; negative ones count as zero.
        half_window: channels; wider than half a line, narrower than the background's own features.

    Source:
        Ryan et al. (1988), doi:10.1016/0168-583X(88)90063-8; Morhac et al. (1997),
        doi:10.1016/S0168-9002(97)01023-1, for windows that shrink.
    """
    level = gaussian_filter1d(np.maximum(intensity, 0), SMOOTHING, axis=1)
    squeezed = np.log(np.log(np.sqrt(level + 1) + 1) + 1)
    n = squeezed.shape[1]
    for distance in range(min(half_window, (n - 1) // 2), 0, -1):
        between = (squeezed[:, : n - 2 * distance] + squeezed[:, 2 * distance :]) / 2
        inner = slice(distance, n - distance)
        squeezed[:, inner] = np.minimum(squeezed[:, inner], between)
    return (np.exp(np.exp(squeezed) - 1) - 1) ** 2 - 1


def line_width(intensity: Array) -> float:
    """Full width of a typical line at half its height, in channels, from how patterns resemble themselves.

    Args:
        intensity (pattern, channel): with or without background.
    """
    sharp = intensity - gaussian_filter1d(intensity, intensity.shape[1] / 20, axis=1)
    spectrum = np.abs(np.fft.rfft(sharp, 2 * sharp.shape[1], axis=1)) ** 2
    alike = np.fft.irfft(spectrum.sum(0))[: sharp.shape[1]]
    # Counting noise resembles itself at no other channel: the first value is left out.
    below = np.flatnonzero(alike[1:] < alike[1] / 2)
    half = float(below[0] + 1) if len(below) else 1.0
    return max(2 * half / np.sqrt(2), 2.0)
