"""The real Fe-Ga-Pd spread with the published split: 49 labels, 46 values, 278 specimens scored.

The property is the peak-restored remanent magnetisation divided by ten, phases are the authors'
five regions, of which one never occurs. As published, all 278 specimens are scored, those that
were learned from included.

Source:
    Kusne et al. (2020), doi:10.1038/s41467-020-19597-w; the split is that of the SAGE notebook.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from benchmarks.scoring import task_rows
from benchmarks.tasks import Options, Row, Task, attributes, data_folder, no_data, truth_dataset

CASES = ("published_split",)
ELEMENTS = ["Fe", "Ga", "Pd"]


def run(options: Options) -> Iterator[Row]:
    """Run the published split."""
    folder = data_folder()
    for case in filter(options.wants, CASES):
        if folder is None:
            yield no_data("fegapd", case)
        else:
            yield from task_rows("fegapd", case, task(folder), options.methods)


def task(folder: Path) -> Task:
    """Read the spread and hide what the split hides."""
    stored = folder / "sage" / "fegapd"
    spread = pd.read_csv(stored / "fegapd_clean.csv", index_col="sample")
    fraction = spread[ELEMENTS].to_numpy()
    grid = xr.Dataset(
        {"composition": (("specimen", "element"), fraction / fraction.sum(1, keepdims=True))},
        {"specimen": spread.index.to_numpy(), "element": ELEMENTS},
    )
    grid["composition"].attrs = {"role": "synthesis", "units": "1"}
    label = spread["dft_region"].astype(str).to_numpy()
    value = spread["mag_modified_V"].to_numpy() / 10
    has_label, has_value = (
        spread.index.isin(np.loadtxt(stored / f"{name}.txt", dtype=int)) for name in ("kp_st", "kp_fp")
    )
    table = grid.assign(
        phase=("specimen", np.where(has_label, label, ""), attributes("structure")),
        magnetisation=("specimen", np.where(has_value, value, np.nan), attributes("property")),
    ).isel(specimen=has_label | has_value)
    return Task(
        table,
        grid,
        truth_dataset(grid, label, magnetisation=value),
        "composition",
        properties=("magnetisation",),
        settings={"n_phases": 5},
    )
