"""Porous membranes: what one costs, beside porespy's Voronoi generator, and a data set with descriptors.

64, 128, 200: cubes of so many voxels with 40, 100 and 170 seed points, mean CPU seconds of one membrane after
compilation. porespy makes polyhedra's edges of as many cells, thickened by dilation.
"""

from collections.abc import Callable, Iterator

import numpy as np

from benchmarks.methods import timed
from benchmarks.tasks import Options, Row
from tieline.worlds import membrane

CASES = ("64", "128", "200")
POINTS = (40, 100, 170)
SEEDS = (0, 3)
RADIUS = 3.4  # voxels


def run(options: Options) -> Iterator[Row]:
    """Run the cases."""
    seeds = range(options.first_seed, options.first_seed + options.n_seeds)
    for case in filter(options.wants, CASES):
        for method, make in _methods(options.methods).items():
            make(POINTS[0], 32, 0)  # compiles
            for n_points in POINTS:
                made = [timed(make, n_points, int(case), seed) for seed in seeds]
                seconds = float(np.mean([taken for _, taken in made]))
                porosity = float(np.mean([value for value, _ in made]))
                yield Row("membrane", case, method, f"cpu_seconds_n{n_points}", seconds, seconds)
                yield Row("membrane", case, method, f"porosity_n{n_points}", porosity, seconds)


def _methods(methods: str) -> dict[str, Callable[[int, int, int], float]]:
    named = {"tieline": _tieline, "porespy": _porespy}
    return {
        name: f for name, f in named.items() if methods in ("all", name if name == "tieline" else "peers")
    }


def _tieline(n_points: int, size: int, seed: int) -> float:
    made = membrane(n_points, radius=RADIUS, size=size, seed=seed)
    return 1 - np.count_nonzero(made.values) / made.size


def _porespy(n_points: int, size: int, seed: int) -> float:
    import porespy

    made = porespy.generators.voronoi_edges((size,) * 3, ncells=n_points, r=RADIUS, seed=seed)
    return float(np.mean(np.asarray(made, dtype=bool)))
