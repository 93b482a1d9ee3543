"""Data sets of membranes: a plan of what to make, and the building of it, chunk by chunk, on disk."""

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, as_completed
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from tieline.errors import TielineError
from tieline.schema import require, save_netcdf
from tieline.schema.volumes import AXES
from tieline.worlds.membrane import DEFAULT_RADIUS, FEWEST_POINTS, membrane

Describe = Callable[[xr.DataArray], Mapping[str, xr.DataArray]]
STRETCHES = tuple(f"stretch_{axis}" for axis in AXES)
COMPRESSION = {"zlib": True, "complevel": 1, "shuffle": False}  # of voxels: a tenth of the bytes, and quick
LARGEST_SEED = 2**31


def membrane_plan(
    n: int,
    *,
    n_points: tuple[int, int] = (40, 170),
    stretch: tuple[float, float] = (0.5, 1.0),
    n_stretched: int = 1,
    radius: float | tuple[float, float] = DEFAULT_RADIUS,
    seed: int = 0,
) -> xr.Dataset:
    """Draw the settings of a data set of membranes, evenly within their ranges; the defaults are published.

    Args:
        n: membranes.
        n_points: fewest and most seeds of the diagram.
        stretch: strongest and weakest stretch.
        n_stretched: how many axes of a membrane are stretched, chosen at random; the others keep 1.
        radius: of the ligaments, voxels; one number, or the least and the greatest.
        seed: of the draws.

    Returns:
        (specimen): n_points, radius (voxels), stretch_x, stretch_y, stretch_z, and the seed of each.

    Raises:
        TielineError: a range that runs backwards, or a number of axes that there are not.
    """
    radii = (radius, radius) if isinstance(radius, int | float) else radius
    ranges = {"n_points": n_points, "stretch": stretch, "radius": radii}
    backwards = [name for name, (low, high) in ranges.items() if not 0 < low <= high]
    if backwards or n < 1 or not 0 <= n_stretched <= len(AXES) or n_points[0] < FEWEST_POINTS:
        raise TielineError(
            "A plan has ranges from a lower to a higher number, and 0 to 3 stretched axes.",
            found=f"{n=}, {n_points=}, {stretch=}, {n_stretched=}, {radius=}",
            hint=f"at least {FEWEST_POINTS} points",
        )
    rng = np.random.default_rng(seed)
    factors = rng.uniform(*stretch, (n, len(AXES)))
    is_left_alone = rng.permuted(np.tile(np.arange(len(AXES)), (n, 1)), axis=1) >= n_stretched
    factors[is_left_alone] = 1.0
    columns = {
        "n_points": (rng.integers(n_points[0], n_points[1], n, endpoint=True), "1"),
        "radius": (rng.uniform(*radii, n), "1"),
        **{name: (factors[:, i], "1") for i, name in enumerate(STRETCHES)},
        "seed": (rng.integers(LARGEST_SEED, size=n), "1"),
    }
    variables = {
        name: ("specimen", values, {"role": "process", "units": units})
        for name, (values, units) in columns.items()
    }
    return xr.Dataset(variables, {"specimen": np.arange(n)})


def membrane_set(
    plan: xr.Dataset,
    folder: str | os.PathLike[str],
    *,
    size: int = 200,
    describe: Describe | None = None,
    keep_volumes: bool = True,
    settings: Mapping[str, Any] | None = None,
    chunk: int = 20,
    executor: Executor | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> list[Path]:
    """Make the membranes of a plan and write them as records, a chunk of them in each file.

    What a folder holds is not made again: a broken-off set goes on.

    Args:
        plan (specimen): n_points, radius (voxels), stretch_x, stretch_y, stretch_z, seed; of `membrane_plan`.
        folder: made where it does not exist.
        size: voxels along an edge.
        describe: turns a volume into named numbers, which stand in /specimens:
            `tl.features.volumes.describe`. A function that other processes can import.
        keep_volumes: whether /volumes holds the voxels. A thousand of 200^3 take some hundred MB.
        settings: what all membranes have in common, as `membrane` takes it: {"smooth": 1.0}.
        chunk: membranes in a file; also what one task of the executor makes.
        executor: makes chunks side by side: a `ProcessPoolExecutor`, loky, or on a cluster
            `dask.distributed.Client(...).get_executor()`. Without it they take turns.
        progress: called with the number of membranes made and of all, after every chunk.

    Returns:
        The files, in the order of the plan. `tl.open_netcdf` reads each as a record.

    Raises:
        SchemaError: the plan lacks a column.
        TielineError: the folder holds a set of another plan; or settings that make no membrane.
    """
    require(plan, ["n_points", "radius", *STRETCHES, "seed"], reader="membrane_set")
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    common = {"size": size, **(settings or {})}
    n_all = plan.sizes["specimen"]
    parts = [plan.isel(specimen=slice(i, i + chunk)) for i in range(0, n_all, chunk)]
    paths = [place / f"membranes-{i:05d}.nc" for i in range(len(parts))]
    _claim(place, _fingerprint(plan, common, chunk, describe, keep_volumes))
    waiting = [(part, path) for part, path in zip(parts, paths, strict=True) if not path.is_file()]
    n_done = n_all - sum(part.sizes["specimen"] for part, _ in waiting)
    if progress is not None:
        progress(n_done, n_all)
    tasks = [(part, path, common, describe, keep_volumes) for part, path in waiting]
    for n_made in map(_make, tasks) if executor is None else _side_by_side(executor, tasks):
        n_done += n_made
        if progress is not None:
            progress(n_done, n_all)
    return paths


def _side_by_side(executor: Executor, tasks: Sequence[tuple[Any, ...]]):
    for future in as_completed([executor.submit(_make, task) for task in tasks]):
        yield future.result()


def _make(task: tuple[xr.Dataset, Path, dict[str, Any], Describe | None, bool]) -> int:
    """Make one file, and say how many membranes it holds."""
    plan, path, common, describe, keep_volumes = task
    volumes, descriptions = [], []
    for i in range(plan.sizes["specimen"]):
        row = {name: plan[name].values[i].item() for name in ("n_points", "radius", "seed")}
        stretch = [plan[name].values[i].item() for name in STRETCHES]
        made = membrane(stretch=stretch, **row, **common)
        if describe is not None:
            descriptions.append(describe(made))
        if keep_volumes:
            volumes.append(made)
    specimens = plan.copy()
    for name in descriptions[0] if descriptions else ():
        values = xr.concat([d[name] for d in descriptions], "specimen")
        specimens[name] = values.assign_attrs(descriptions[0][name].attrs)
    nodes = {"/specimens": specimens}
    if keep_volumes:
        stacked = xr.Dataset({"volume": xr.concat(volumes, "measurement", combine_attrs="drop_conflicts")})
        stacked["volume"].encoding = {**COMPRESSION, "chunksizes": (1, *volumes[0].shape)}
        nodes["/volumes"] = stacked.assign_coords(specimen=("measurement", plan["specimen"].values))
    save_netcdf(xr.DataTree.from_dict(nodes), path)
    return plan.sizes["specimen"]


def _fingerprint(
    plan: xr.Dataset, common: Mapping[str, Any], chunk: int, describe: Describe | None, keep_volumes: bool
) -> str:
    """Say in one line what a folder is made of."""
    columns = {str(name): plan[name].values.tolist() for name in (*plan.data_vars, "specimen")}
    name = f"{describe.__module__}.{describe.__qualname__}" if describe is not None else ""
    text = json.dumps([columns, {k: repr(v) for k, v in common.items()}, chunk, name, keep_volumes])
    return hashlib.sha256(text.encode()).hexdigest()


def _claim(folder: Path, fingerprint: str) -> None:
    """Write down whose folder this is, or make sure that it is ours."""
    mark = folder / "plan.sha256"
    if not mark.is_file():
        mark.write_text(fingerprint + "\n", encoding="ascii")
    elif mark.read_text(encoding="ascii").strip() != fingerprint:
        raise TielineError(
            "This folder holds membranes of another plan, or with other settings.",
            found=str(folder),
            hint="another folder, or the same plan, size, settings, chunk and description as before",
        )
