"""Comparing models by a race over folds, beside trying everything, on four sets of real data.

estm: logarithm of thermal conductivity of 150 thermoelectrics against temperature, grouped by formula. aflow:
computed bulk moduli of 1,000 compounds, grouped by chemical system. hardness, yield_strength: alloys of
several principal elements, grouped by composition. `exhaustive` tunes every model over its whole grid by five
inner folds on each of the same five outer folds, and takes the best of all.

noise: nothing to learn in 20 tables; by how many standard errors the recommended model's R2 exceeds zero, at
most. coverage: of 90 % intervals of the recommended model on random folds of five smooth worlds. size: 1,000
rows of 150 columns on two processes, seconds on the clock and of
both processors. screen: the best of a million compositions.
"""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

import numpy as np
import pandas as pd
import xarray as xr

from benchmarks.methods import timed
from benchmarks.tasks import Options, Row, data_folder, no_data
from benchmarks.workflow_exhaustive import exhaustive
from benchmarks.workflow_screen import screened
from tieline import datasets
from tieline.evaluation.compare import compare
from tieline.evaluation.task import Task, task
from tieline.features.represent import represent
from tieline.schema import table as tieline_table

REAL = ("estm", "aflow", "hardness", "yield_strength")
CASES = (*REAL, "noise", "coverage", "size", "screen")
SEEDS = (0, 1)
N_NOISE = 20
MPEA = "campaign/MPEA_dataset.csv"
HARDNESS, STRENGTH = "PROPERTY: HV", "PROPERTY: YS (MPa)"
TEMPERATURE = "PROPERTY: Test temperature ($^\\circ$C)"
PROCESSING = "PROPERTY: Processing method"


def run(options: Options) -> Iterator[Row]:
    """Run the cases."""
    folder = data_folder("composition")
    for case in filter(options.wants, CASES):
        if case in REAL and folder is None:
            yield no_data("workflow", case)
        elif case in REAL:
            for seed in range(options.first_seed, options.first_seed + options.n_seeds):
                yield from _real(case, asked(case, seed), seed, options.methods)
        elif options.methods in ("all", "tieline"):
            yield from {"noise": _noise, "coverage": _coverage, "size": _size, "screen": screened}[case]()


def asked(case: str, seed: int) -> Task:
    """The task of a case; the seed draws its rows."""
    rng = np.random.default_rng(seed)
    if case == "aflow":
        table = represent(datasets.load("aflow"), properties=["bulk_modulus"])
        known = np.flatnonzero(np.isfinite(table["bulk_modulus"].values))
        table = table.isel(specimen=np.sort(rng.choice(known, 1000, replace=False)))
        return task(table, "bulk_modulus", ["composition"], groups="chemical_system")
    if case == "estm":
        table = represent(datasets.load("estm"))
        formulas = np.unique(table["formula"].values)
        some = np.isin(table["formula"].values, rng.choice(formulas, 150, replace=False))
        some &= (table["thermal_conductivity"] > 0).values
        table = table.isel(specimen=some)
        table["log_kappa"] = np.log10(table["thermal_conductivity"]).assign_attrs(units="1", role="property")
        return task(table, "log_kappa", ["composition", "temperature"], groups="formula")
    return _alloys(case)


def _alloys(case: str) -> Task:
    rows = pd.read_csv(Path(os.environ["TIELINE_DATA"]) / MPEA)
    column = HARDNESS if case == "hardness" else STRENGTH
    rows = rows[rows[column].notna()].reset_index(drop=True)
    sheet = pd.DataFrame(
        {"formula": rows["FORMULA"].str.replace(" ", ""), "processing": rows[PROCESSING].fillna("")}
    )
    sheet[case] = rows[column]
    inputs = ["composition", "processing"]
    if case == "yield_strength":
        sheet["temperature"] = rows[TEMPERATURE]
        inputs.append("temperature")
    units = {"hardness": "HV", "yield_strength": "MPa"}
    table = tieline_table(sheet, formula="formula", units={case: units[case]})
    return task(table, case, inputs, groups="composition")


def _real(case: str, question: Task, seed: int, methods: str) -> Iterator[Row]:
    found: dict[str, tuple[float, float]] = {}
    target = question.targets[0]
    if methods in ("all", "tieline"):
        comparison, seconds = timed(compare, question, seed=seed)
        chosen = comparison.recommended[target]
        row = comparison.scores.sel(target=target, candidate=chosen)
        found["tieline"] = (row["loss"].item(), seconds)
        yield Row("workflow", case, "tieline", "chosen", chosen, seconds)
        for metric in ("r2", "coverage_90"):
            yield Row("workflow", case, "tieline", metric, row[metric].item(), seconds)
    if methods in ("all", "peers"):
        losses, seconds = timed(exhaustive, question, seed)
        best = min(losses, key=losses.__getitem__)
        found["exhaustive"] = (losses[best], seconds)
        yield Row("workflow", case, "exhaustive", "chosen", best, seconds)
    for method, (loss, seconds) in found.items():
        yield Row("workflow", case, method, "mae", loss, seconds)
        yield Row("workflow", case, method, "cpu_seconds", seconds, seconds)
    if len(found) == 2:
        (ours, taken), (theirs, all_taken) = found["tieline"], found["exhaustive"]
        yield Row("workflow", case, "tieline", "mae_ratio", ours / theirs, taken)
        yield Row("workflow", case, "tieline", "seconds_ratio", taken / all_taken, taken)


def _noise() -> Iterator[Row]:
    beyond, taken = [], 0.0
    for seed in range(N_NOISE):
        rng = np.random.default_rng(seed)
        table = _table(rng.standard_normal((100, 6)), rng.standard_normal(100))
        comparison, seconds = timed(compare, task(table, "y"), seed=seed)
        row = comparison.scores.sel(target="y", candidate=comparison.recommended["y"])
        beyond.append(row["r2"].item() / row["r2_se"].item())
        taken += seconds
    yield Row("workflow", "noise", "tieline", "r2_over_se_max", max(beyond), taken)


def _coverage() -> Iterator[Row]:
    inside, taken = [], 0.0
    for seed in range(5):
        rng = np.random.default_rng(seed)
        x = rng.uniform(-2, 2, (300, 5))
        y = x[:, 0] + np.sin(2 * x[:, 1]) + x[:, 2] * x[:, 3] + 0.3 * rng.standard_normal(300)
        comparison, seconds = timed(compare, task(_table(x, y), "y"), seed=seed)
        chosen = comparison.recommended["y"]
        inside.append(comparison.scores["coverage_90"].sel(target="y", candidate=chosen).item())
        taken += seconds
    yield Row("workflow", "coverage", "tieline", "coverage_90", float(np.mean(inside)), taken)


def _size() -> Iterator[Row]:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((1000, 150))
    y = x[:, 0] + np.sin(2 * x[:, 1]) + x[:, 2] * x[:, 3] + 0.3 * rng.standard_normal(1000)
    question = task(_table(x, y), "y")
    start, before = time.perf_counter(), getrusage(RUSAGE_CHILDREN)
    with ProcessPoolExecutor(2, get_context("spawn")) as executor:
        compare(question, executor=executor)
    elapsed, after = time.perf_counter() - start, getrusage(RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    yield Row("workflow", "size", "tieline", "elapsed_seconds", elapsed, cpu)
    yield Row("workflow", "size", "tieline", "cpu_seconds", cpu, cpu)


def _table(x: np.ndarray, y: np.ndarray) -> xr.Dataset:
    about = {"role": "process", "units": "1"}
    columns = {f"x{j}": ("specimen", column, about) for j, column in enumerate(x.T)}
    columns["y"] = ("specimen", y, {"role": "property", "units": "1"})
    return xr.Dataset(columns, {"specimen": np.arange(len(x))})
