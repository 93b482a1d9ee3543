"""What a benchmark asks, and the rows it answers with."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line.

    Attributes:
        case: run only this one; None for all.
        methods: "all", "tieline" or "peers"; of pools also one method by its name.
        n_seeds: number of fresh worlds, or of repeats.
        first_seed: of the first of them.
        keep: file of the worlds or loops that were answered, to go on from.
    """

    case: str | None = None
    methods: str = "all"
    n_seeds: int = 30
    first_seed: int = 1000
    keep: Path | None = None

    def wants(self, case: str) -> bool:
        """Tell whether a case was asked for."""
        return self.case in (None, case)


@dataclass(frozen=True)
class Row:
    """One number of one method; `seconds` is the CPU time of its fit and prediction together."""

    benchmark: str
    case: str
    method: str
    metric: str
    value: float | str
    seconds: float


@dataclass(frozen=True, eq=False)
class Task:
    """One table to learn from, places to predict, and what is true there.

    Attributes:
        table: what was measured, on `specimen`, with `phase` labels and properties.
        grid: the places to predict, on `specimen`.
        truth: `phase` and the first property on the grid, without noise where that is known.
        design: a composition's name or a list of axes, as `PhaseProperty` takes it.
        properties: names; the first is scored.
        is_scored (specimen): grid places where R2 counts; all when None.
        settings: further settings of `PhaseProperty` that every published method was given too.
    """

    table: xr.Dataset
    grid: xr.Dataset
    truth: xr.Dataset
    design: str | list[str]
    properties: Sequence[str] = ("property",)
    is_scored: np.ndarray | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


def data_folder(part: str = "sage") -> Path | None:
    """Give the folder of the public data, or None where that part of it is not there."""
    name = os.environ.get("TIELINE_DATA")
    return Path(name) if name and (Path(name) / part).is_dir() else None


def no_data(benchmark: str, case: str) -> Row:
    """Say that a case was left out."""
    return Row(benchmark, case, "all", "skipped", "skipped: no data", 0.0)


def gather(axes: list[str], **seen: tuple[np.ndarray, np.ndarray]) -> xr.Dataset:
    """Join what was measured at the same place into one specimen.

    Args:
        axes: names of the design variables.
        **seen: for `phase` and each property, the places (n, axis) and the values (n,).

    Returns:
        The table. What was measured twice at one place makes two specimens there.
    """
    frames = []
    for name, (places, values) in seen.items():
        frame = pd.DataFrame(places, columns=pd.Index(axes)).round(9)
        frame[name] = values
        frame["repeat"] = frame.groupby(axes).cumcount()
        frames.append(frame)
    joined = reduce(lambda left, right: left.merge(right, on=[*axes, "repeat"], how="outer"), frames)
    table = places_dataset(axes, joined[axes].to_numpy())
    for name in seen:
        is_phase = name == "phase"
        values = joined[name].fillna("").to_numpy(str) if is_phase else joined[name].to_numpy(float)
        table[name] = ("specimen", values, attributes("structure" if is_phase else "property"))
    return table


def places_dataset(axes: list[str], places: np.ndarray) -> xr.Dataset:
    """Write places (n, axis) as design variables on `specimen`."""
    variables = {name: ("specimen", places[:, i], attributes("synthesis")) for i, name in enumerate(axes)}
    return xr.Dataset(variables, {"specimen": np.arange(len(places))})


def truth_dataset(grid: xr.Dataset, phase: np.ndarray, **properties: np.ndarray) -> xr.Dataset:
    """Write what is true at the places of a grid."""
    truth = xr.Dataset({"phase": ("specimen", phase)}, {"specimen": grid["specimen"]})
    return truth.assign({name: ("specimen", values) for name, values in properties.items()})


def attributes(role: str) -> dict[str, str]:
    """Give the attributes of a dimensionless variable."""
    return {"role": role, "units": ""}


def as_label(numbers: np.ndarray) -> np.ndarray:
    """Write the class numbers of stored arrays as labels."""
    return numbers.ravel().astype(int).astype(str)
