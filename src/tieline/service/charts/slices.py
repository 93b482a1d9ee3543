"""A plane of a volume as an image."""

from io import BytesIO

import numpy as np
import xarray as xr
from PIL import Image

PORE, SOLID = 255, 70  # greys of what is told apart: paper and ink
LEAST = 320  # pixels of the shorter edge: small volumes are shown larger


def plane(volume: xr.DataArray, axis: str, at: int, ends: tuple[float, float]) -> bytes:
    """Draw the plane across an axis; its first remaining axis runs to the right, the other one up.

    Args:
        volume (x, y, z): grey values, or pore and solid.
        axis: that it lies across.
        at: number of the voxel.
        ends: grey values of black and white.

    Returns:
        A PNG image.
    """
    values = volume.isel({axis: at}).values.T[::-1]
    if "flag_meanings" in volume.attrs:
        grey = np.where(values == 0, PORE, SOLID).astype(np.uint8)
    else:
        low, high = ends
        share = (values.astype(float) - low) / (high - low or 1.0)
        grey = (255 * np.clip(share, 0, 1)).astype(np.uint8)
    times = max(1, -(-LEAST // min(grey.shape)))
    place = BytesIO()
    Image.fromarray(np.repeat(np.repeat(grey, times, 0), times, 1)).save(place, "png", compress_level=3)
    return place.getvalue()
