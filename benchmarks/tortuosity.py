"""The tortuosity factor of porous volumes, beside taufactor and porespy.

channels: open space, straight channels and layers, whose factor is 1. membrane_64, membrane_128: Voronoi
membranes of porosity 0.85. blobs_128: a thresholded random field of porosity 0.5. berea_128, berea_200: a
scan of sandstone, porosity 0.2. CPU seconds of one thread for one axis, after compilation; of tieline also
for all three axes. taufactor runs at a loose (1e-2) and a tight (1e-3) criterion of convergence, on
membrane_64 also at one beyond which nothing changes (1e-5), porespy with its default solver, and neither on
what would take it many minutes.
"""

from collections.abc import Callable, Iterator

import numpy as np
from scipy.ndimage import gaussian_filter

from benchmarks.methods import timed
from benchmarks.tasks import Options, Row, data_folder, no_data
from tieline.features.volumes import tortuosity
from tieline.worlds import membrane

CASES = ("channels", "membrane_64", "membrane_128", "blobs_128", "berea_128", "berea_200")
POINTS, POROSITY = 100, 0.85
TIGHTEST, TIGHT, LOOSE = 1e-5, 1e-3, 1e-2
Solver = Callable[[np.ndarray], float]


def run(options: Options) -> Iterator[Row]:
    """Run the cases."""
    for solve in _methods(options.methods, "channels").values():
        solve(np.ones((8, 8, 8), bool))  # imports and compiles
    for case in filter(options.wants, CASES):
        if case == "channels":
            yield from _channels(options.methods)
            continue
        is_pore = _volume(case)
        if is_pore is None:
            yield no_data("tortuosity", case)
            continue
        for method, solve in _methods(options.methods, case).items():
            value, seconds = timed(solve, is_pore)
            yield Row("tortuosity", case, method, "factor", value, seconds)
            yield Row("tortuosity", case, method, "cpu_seconds", seconds, seconds)
        if options.methods != "peers":
            _, seconds = timed(tortuosity, is_pore, pore=1)
            yield Row("tortuosity", case, "tieline", "cpu_seconds_3_axes", seconds, seconds)


def _channels(methods: str) -> Iterator[Row]:
    """Volumes whose factor is known to be 1."""
    section = np.random.default_rng(0).random((48, 48)) < 0.4
    layers = np.ones((48, 48, 48), bool)
    layers[:, ::3] = False
    volumes = {
        "open": np.ones((48, 48, 48), bool),
        "straight": np.repeat(section[None], 48, 0),
        "layers": layers,
    }
    for method, solve in _methods(methods, "channels").items():
        for name, is_pore in volumes.items():
            value, seconds = timed(solve, is_pore)
            yield Row("tortuosity", "channels", method, f"error_{name}", abs(value - 1), seconds)


def _volume(case: str) -> np.ndarray | None:
    """The pores of a case (x, y, z); None without its data."""
    kind, size = case.split("_")
    n = int(size)
    if kind == "membrane":
        return membrane(POINTS, porosity=POROSITY, size=n, seed=1).values == 0
    if kind == "blobs":
        field = gaussian_filter(np.random.default_rng(0).standard_normal((n, n, n)), 3, mode="wrap")
        return field > np.median(field)
    folder = data_folder()
    if folder is None:
        return None
    stored = np.load(folder / "volumes" / "berea_xct_200_packed.npz")
    shape = stored["shape"]
    return np.unpackbits(stored["bits"])[: np.prod(shape)].reshape(shape)[:n, :n, :n].astype(bool)


def _methods(methods: str, case: str) -> dict[str, Solver]:
    ours: dict[str, Solver] = {"tieline": _tieline}
    peers: dict[str, Solver] = {"taufactor:loose": _taufactor(LOOSE), "taufactor:tight": _taufactor(TIGHT)}
    if case == "membrane_64":
        peers["taufactor:tightest"] = _taufactor(TIGHTEST)
    if not case.startswith("berea"):
        peers["porespy"] = _porespy
    if case == "berea_200":
        peers = {}
    return {**(ours if methods != "peers" else {}), **(peers if methods != "tieline" else {})}


def _tieline(is_pore: np.ndarray) -> float:
    return float(tortuosity(is_pore, "x", pore=1))


def _taufactor(criterion: float) -> Solver:
    def solve(is_pore: np.ndarray) -> float:
        import taufactor
        import torch

        torch.set_num_threads(1)
        solver = taufactor.Solver(is_pore.astype(np.uint8), device="cpu")
        solver.solve(conv_crit=criterion, verbose=False, iter_limit=20_000)
        return float(np.asarray(solver.tau).ravel()[0])

    return solve


def _porespy(is_pore: np.ndarray) -> float:
    import porespy

    return float(porespy.simulations.tortuosity_fd(is_pore, axis=0).tortuosity)
