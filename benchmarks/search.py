"""The study's inverse design: settings searched by Bayesian optimisation until the structures are alike.

The four published targets, of other seeds than anything that is made; five settings are free (radius, points,
three stretches). Everything is of 64 voxels an edge, in proportion to the published 200. `tieline:describe`
likens descriptions, each divided by its scatter over 60 membranes of the space; `tieline:latent` components
of the latent variables of texture of the network of `volume_vae`, which is taken from the file that `keep`
names, and left out without it. Median errors over repeats, of what the search says at its end. Only ratios of
the stretch show, so they are read with the largest at 1. unseen: targets from all over the space instead, one
of each; coverage_90: how often the intervals hold radius and points.
"""

from collections.abc import Callable, Iterator

import numpy as np
import xarray as xr

from benchmarks.inverse import TARGETS
from benchmarks.membranes import made, planned
from benchmarks.methods import timed
from benchmarks.tasks import Options, Row
from tieline.features.volumes import describe
from tieline.features.volumes.recipe import STRETCHES
from tieline.models.posterior_file import load_posterior
from tieline.models.volumes.posterior import VolumePosterior
from tieline.planning.inverse_design import inverse_design
from tieline.planning.spaces.inputs import Numeric
from tieline.planning.spaces.space import Space
from tieline.worlds import membrane

CASES = (*TARGETS, "unseen")
SEEDS = (0, 3)
SIZE, N_START, N_MADE = 64, 20, 100
UNSEEN = 1000  # added to the seed of unseen targets
SPACE = Space(
    [
        Numeric("radius", 2.6, 6.0),
        Numeric("n_points", 40, 220, step=1),
        *(Numeric(name, 0.5, 1.0) for name in STRETCHES),
    ]
)
Embed = Callable[[xr.DataArray], np.ndarray]


def run(options: Options) -> Iterator[Row]:
    """Run the cases."""
    if options.methods == "peers":
        return
    ways: dict[str, Embed] = {"tieline:describe": _descriptions()}
    if options.keep is not None and options.keep.is_file():
        ways["tieline:latent"] = _latents(options)
    seeds = range(options.first_seed, options.first_seed + options.n_seeds)
    for case in filter(options.wants, CASES):
        for method, embed in ways.items():
            yield from _searches(case, method, embed, dict(zip(seeds, _targets(case, seeds), strict=True)))


def generate(made_with: dict[str, float], seed: int) -> xr.DataArray:
    """Make a membrane; the radius is that of a cube of 200 voxels."""
    stretch = [made_with[name] for name in STRETCHES]
    return membrane(round(made_with["n_points"]), stretch, made_with["radius"] * SIZE / 200, SIZE, seed)


def _targets(case: str, seeds: range) -> list[dict[str, float]]:
    """Settings of the target of each search."""
    if case == "unseen":
        places = SPACE.candidates(len(seeds), seed=UNSEEN + seeds[0])
        return [{n: places[n].values[i].item() for n in SPACE.names} for i in range(len(seeds))]
    points, radius, *stretch = TARGETS[case]
    return [{"radius": radius, "n_points": points, **dict(zip(STRETCHES, stretch, strict=True))}] * len(seeds)


def _searches(case: str, method: str, embed: Embed, targets: dict[int, dict[str, float]]) -> Iterator[Row]:
    rows: list[dict[str, float]] = []
    taken = 0.0
    for seed, true in targets.items():
        target = generate(true, 10**6 + seed)
        history, seconds = timed(
            inverse_design, target, SPACE, generate, embed, n_start=N_START, n=N_MADE, seed=seed
        )
        taken += seconds / len(targets)
        rows.append(_judge(history, true))
    for metric in rows[0]:
        values = [row[metric] for row in rows]
        middle = np.mean(values) if metric.startswith("coverage") else np.median(values)
        yield Row("search", case, method, metric, float(middle), taken)
    yield Row("search", case, method, "cpu_seconds", taken, taken)


def _judge(history: xr.Dataset, true: dict[str, float]) -> dict[str, float]:
    """Errors of one search, the least distance, and which of the settings its intervals hold."""
    found = {name: history["found"].sel(setting=name).item() for name in SPACE.names}
    ratios, wanted = (np.array([of[name] for name in STRETCHES]) for of in (found, true))
    told = {f"relative_error_{name}": abs(found[name] / true[name] - 1) for name in ("radius", "n_points")}
    told["error_stretch"] = float(np.median(np.abs(ratios / ratios.max() - wanted / wanted.max())))
    told["least_distance"] = float(history["least_distance"][-1])
    for name in ("radius", "n_points"):  # of the stretch only ratios show, so no interval ends at 1
        low, high = (history[end].sel(setting=name).item() for end in ("low", "high"))
        told[f"coverage_90_{name}"] = float(low <= true[name] <= high)
    return told


def _descriptions() -> Embed:
    plan = planned(60, 7, SIZE, n_points=(40, 220), radius=4.3, n_stretched=2)
    seen = [describe(volume) for volume in made(plan, SIZE)]
    values = {str(name): [float(d[name]) for d in seen] for name in seen[0]}
    used = {name: np.std(column) for name, column in values.items() if np.ptp(column) > 0}

    def embed(structure: xr.DataArray) -> np.ndarray:
        described = describe(structure)
        return np.array([float(described[name]) / spread for name, spread in used.items()])

    return embed


def _latents(options: Options) -> Embed:
    posterior = load_posterior(options.keep or "")
    assert isinstance(posterior, VolumePosterior)

    def embed(structure: xr.DataArray) -> np.ndarray:
        return posterior.components(posterior.shape.n_texture, structure)["score"].values

    return embed
