"""Draw the figures of the membrane study from what its benchmarks kept.

`python docs/draw_membrane_study.py POSTERIOR.nc ROWS.jsonl`: the posterior that `volume_vae` kept, and
rows of `transfer`.
"""

import json
import sys
from pathlib import Path

import numpy as np
import xarray as xr

from tieline.figures import latent_space, save, training, transfer
from tieline.models.posterior_file import load_posterior
from tieline.models.volumes.posterior import VolumePosterior

IMAGES = Path(__file__).parent / "images"
CALLED = {
    "network:frozen": "network, transferred",
    "network:scratch": "network, from scratch",
    "tieline:encoder": "latent variables, process",
    "tieline": "descriptions, process",
}


def main(posterior: Path, rows: Path) -> None:
    """Draw all of them into docs/images."""
    learned = load_posterior(posterior)
    assert isinstance(learned, VolumePosterior)
    print(save(latent_space(with_stretch(learned.components(3))), IMAGES / "latent-space.png"))
    print(save(training(learned.course), IMAGES / "volume-training.png"))
    print(save(transfer(read_errors(rows)), IMAGES / "volume-transfer.png"))


def with_stretch(components: xr.Dataset) -> xr.Dataset:
    """Write the stretch of each axis with the largest at 1, as only ratios show."""
    names = [f"stretch_{axis}" for axis in "xyz"]
    factors = np.exp(np.stack([components[f"log_{name}"].values for name in names]))
    return components.assign(
        {n: ("specimen", f) for n, f in zip(names, factors / factors.max(0), strict=True)}
    )


def read_errors(rows: Path) -> xr.Dataset:
    """Errors (method, repeat) from the rows of single repeats."""
    kept = [json.loads(line) for line in rows.read_text(encoding="utf-8").splitlines()]
    found = {(r["method"], r["metric"]): r["value"] for r in kept if r["case"] == "repeats"}
    repeats = sorted({int(metric.rsplit("_", 1)[1]) for _, metric in found})

    def of(kind: str) -> np.ndarray:
        return np.array([[found.get((m, f"{kind}_{r}"), np.nan) for r in repeats] for m in CALLED])

    dims = ("method", "repeat")
    errors = {
        "mean_squared_error": (dims, of("mse")),
        "mean_squared_error_training": (dims, of("mse_training")),
    }
    return xr.Dataset(errors, {"method": list(CALLED.values())})


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
