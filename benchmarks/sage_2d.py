"""The published 2-D challenges of SAGE: a disc in a square, property without noise.

2a: labels dense along the circle, property far from it. 2b: labels far from the circle, property
dense. 2c: labels and two properties, all at different places; property 0 is scored. The grid has
40 x 40 points, in 2c 41 x 41.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.scoring import task_rows
from benchmarks.tasks import (
    Options,
    Row,
    Task,
    as_label,
    data_folder,
    gather,
    no_data,
    places_dataset,
    truth_dataset,
)

CASES = ("2a", "2b", "2c")
AXES = ["x", "y"]


def run(options: Options) -> Iterator[Row]:
    """Run the challenges."""
    folder = data_folder()
    for case in filter(options.wants, CASES):
        if folder is None:
            yield no_data("sage_2d", case)
        else:
            yield from task_rows("sage_2d", case, task(folder, case), options.methods)


def task(folder: Path, case: str) -> Task:
    """Read one challenge; the truth is the authors' field, reconstructed to about 0.0003."""
    synthetic = folder / "sage" / "synthetic"
    with np.load(synthetic / "sage_2d_challenges.npz") as stored, np.load(synthetic / "truth_2d.npz") as true:
        if case == "2c":
            return _separate_places(dict(stored), dict(true))
        table = gather(
            AXES,
            phase=(stored[f"xs_{case}"], as_label(stored[f"ys_{case}"])),
            property=(stored[f"xf_{case}"], stored[f"yf_{case}"].ravel()),
        )
        grid = places_dataset(AXES, true["X40"])
        return Task(table, grid, truth_dataset(grid, as_label(true["L40"]), property=true["f40"][:, 0]), AXES)


def _separate_places(stored: dict[str, np.ndarray], true: dict[str, np.ndarray]) -> Task:
    """Join the two structure sets of 2c; each property keeps its own places."""
    # Stored in single precision: rounding brings 0.800000012 back to 0.8, so that places can meet.
    places = {name: values.astype(float).round(6) for name, values in stored.items() if name.startswith("X")}
    table = gather(
        AXES,
        phase=(
            np.concatenate([places["Xs_2c_0"], places["Xs_2c_1"]]),
            as_label(np.concatenate([stored["ys_2c_0"], stored["ys_2c_1"]])),
        ),
        property_0=(places["Xf_2c_0"], stored["yf_2c_0"].astype(float)),
        property_1=(places["Xf_2c_1"], stored["yf_2c_1"].astype(float)),
    )
    grid = places_dataset(AXES, true["X41"])
    truth = truth_dataset(grid, as_label(true["L41"]), property_0=true["f41"][:, 0])
    return Task(table, grid, truth, AXES, properties=("property_0", "property_1"))
