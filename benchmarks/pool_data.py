"""Real pools: candidates that somebody made and measured, replicates averaged.

p3ht: conductivity of P3HT with carbon nanotubes, mixtures of five. autoam: score of a printed line, four
settings. oer_3496: overpotential of 2,121 catalysts, mixtures of six. photo_pce10: photodegradation of
organic blends, mixtures of four. vapdiff: size of perovskite crystals, 1 where none grew. suzuki_i: yield
and turnover of a coupling, one categorical and three numeric inputs.

Source:
    Liang et al. (2021), doi:10.1038/s41524-021-00656-9, for the first two; Olympus, Häse et al. (2021),
    doi:10.1088/2632-2153/abedc8, for the others.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from benchmarks.pool_loop import Pool

TOP = 0.01  # share of a large pool that counts as found
GRADES = ("clear_solution", "fine_powder", "small_crystallites", "large_crystallites")  # 1 to 4


def read(case: str, folder: Path) -> Pool:
    """Read the pool of a case from the folder of the public data."""
    return READERS[case](folder / "campaign")


def _read_p3ht(folder: Path) -> Pool:
    frame = _averaged(pd.read_csv(folder / "P3HT_dataset.csv"))
    parts = frame.iloc[:, :-1].to_numpy()
    inputs = [name.split(" content")[0] for name in frame.columns[:-1]]
    fractions = parts / parts.sum(1, keepdims=True)  # the percentages are rounded
    return Pool("p3ht", fractions, frame.iloc[:, -1:].to_numpy(), inputs, is_mixture=True)


def _read_autoam(folder: Path) -> Pool:
    frame = _averaged(pd.read_csv(folder / "AutoAM_dataset.csv"))
    inputs = [name.lower().replace(" ", "_") for name in frame.columns[:-1]]
    return Pool("autoam", frame.iloc[:, :-1].to_numpy(), frame.iloc[:, -1:].to_numpy(), inputs)


def _read_mixture(name: str) -> Callable[[Path], Pool]:
    def reader(folder: Path) -> Pool:
        frame = _averaged(_olympus(folder / f"dataset_{name}"))
        x, outcome = frame.iloc[:, :-1].to_numpy(), frame.iloc[:, -1:].to_numpy()
        return Pool(name, x, outcome, list(frame.columns[:-1]), is_mixture=True, signs=(-1,), share=TOP)

    return reader


def _read_vapdiff(folder: Path) -> Pool:
    frame = _olympus(folder / "dataset_vapdiff_crystal")
    design, groups = _with_levels(frame.drop(columns="crystal_score"))
    grade = frame["crystal_score"].map({name: i + 1.0 for i, name in enumerate(GRADES)}).to_numpy(float)
    return Pool(
        "vapdiff", design.to_numpy(float), grade[:, None], list(design), groups=groups, failed=grade == 1
    )


def _read_suzuki(folder: Path) -> Pool:
    frame = _averaged(_olympus(folder / "dataset_suzuki_i"), n_outcomes=2)
    design, groups = _with_levels(frame.iloc[:, :-2])
    outcome = frame.iloc[:, -2:].to_numpy()
    return Pool("suzuki_i", design.to_numpy(float), outcome, list(design), signs=(1, 1), groups=groups)


def _olympus(folder: Path) -> pd.DataFrame:
    """Read a table whose names stand in a file beside it."""
    config = json.loads((folder / "config.json").read_text())
    names = [part["name"] for part in config["parameters"] + config["measurements"]]
    return pd.read_csv(folder / "data.csv", header=None, names=names)


def _averaged(frame: pd.DataFrame, n_outcomes: int = 1) -> pd.DataFrame:
    """Average what was measured at the same design."""
    return frame.groupby(list(frame.columns[:-n_outcomes]), sort=True).mean().reset_index()


def _with_levels(design: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, list[str]]]:
    """Write each categorical input as one column a level, 0 or 1."""
    named = [name for name in design if not pd.api.types.is_numeric_dtype(design[name])]
    wide = pd.get_dummies(design, columns=named, prefix_sep="=", dtype=float)
    groups = {name: [column for column in wide if column.startswith(f"{name}=")] for name in named}
    return wide, groups


READERS: dict[str, Callable[[Path], Pool]] = {
    "p3ht": _read_p3ht,
    "p3ht_batch5": _read_p3ht,
    "autoam": _read_autoam,
    "oer_3496": _read_mixture("oer_plate_3496"),
    "photo_pce10": _read_mixture("photo_pce10"),
    "vapdiff": _read_vapdiff,
    "suzuki_i": _read_suzuki,
}
