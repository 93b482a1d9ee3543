"""The published 1-D challenges of SAGE: few labels (1) and few labels but many values (2).

One boundary at 0.7 of a line, no noise; the grid has 100 points. `r2` leaves out the grid points in
[0.5, 0.8], as the authors' notebook does for both challenges; `r2_all` counts all.
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

CASES = ("1", "2")


def run(options: Options) -> Iterator[Row]:
    """Run the challenges."""
    folder = data_folder()
    for case in filter(options.wants, CASES):
        if folder is None:
            yield no_data("sage_1d", case)
        else:
            yield from task_rows("sage_1d", case, task(folder, case), options.methods)


def task(folder: Path, case: str) -> Task:
    """Read one challenge."""
    with np.load(folder / "sage" / "synthetic" / "sage_1d_challenges.npz") as stored:
        table = gather(
            ["x"],
            phase=(stored[f"xst{case}"], as_label(stored[f"yst{case}"])),
            property=(stored[f"xfp{case}"], stored[f"yfp{case}"].ravel()),
        )
        grid = places_dataset(["x"], stored["x_full"])
        truth = truth_dataset(grid, as_label(stored["label_full"]), property=stored["fp_full"].ravel())
    x = grid["x"].values
    return Task(table, grid, truth, ["x"], is_scored=(x < 0.5) | (x > 0.8))
