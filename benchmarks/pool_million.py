"""One suggestion from a million candidates: CPU seconds and peak memory, each method in its own process.

Six inputs drawn evenly from a cube, 200 of them with an outcome: Hartmann's function of six inputs with
noise. The peak is that of the whole process, the table of candidates (48 MB) and all libraries included.
What needs more than half an hour or 12 GB is stopped.
"""

import resource
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection

import numpy as np

from benchmarks.landscape_functions import FUNCTIONS
from benchmarks.pool_loop import Pool, State
from benchmarks.pool_methods import ANSWERS, answering

N_CANDIDATES, N_KNOWN, N_INPUTS = 1_000_000, 200, 6
NOISE = 0.1  # sd, where the function ranges over 3.3
LIMIT_SECONDS = 1800.0  # on the clock
LIMIT_BYTES = 12 * 1024**3  # of address space
ANSWERS["million"] = {name: ANSWERS["p3ht"][name] for name in ("tieline", "gpr_ei", "botorch", "baybe", "ax")}


def numbers(methods: str, n: int = N_CANDIDATES) -> Iterator[tuple[str, str, float | str, float]]:
    """Time one suggestion of each method."""
    for method, _ in answering("million", methods):
        receiver, sender = get_context("spawn").Pipe(duplex=False)
        process = get_context("spawn").Process(target=_measure, args=(method, n, sender))
        process.start()
        sender.close()
        found = None
        with suppress(EOFError):  # it ended without an answer: out of memory
            found = receiver.recv() if receiver.poll(LIMIT_SECONDS) else None
        process.terminate()
        process.join()
        if found is None:
            yield method, "cpu_seconds", "stopped", 0.0
            continue
        seconds, peak = found
        yield method, "cpu_seconds", seconds, seconds
        yield method, "peak_mb", peak, seconds


def _measure(method: str, n: int, sender: Connection) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT_BYTES, LIMIT_BYTES))
    pool = hartmann_pool(n)
    maker = dict(answering("million", method))[method]
    small = hartmann_pool(1000)
    maker(small, 0)(small.start(0), 1)  # imports and compilation are paid before
    begun = time.process_time()
    maker(pool, 0)(State(pool, np.arange(N_KNOWN), 0), 1)
    seconds = time.process_time() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sender.send((seconds, peak / (1e6 if sys.platform == "darwin" else 1e3)))


def hartmann_pool(n: int) -> Pool:
    """Draw the candidates."""
    rng = np.random.default_rng(0)
    x = rng.random((n, N_INPUTS))
    outcome = np.zeros((n, 1))  # only those that are known are ever read
    outcome[:N_KNOWN, 0] = -FUNCTIONS["hartmann_6"][0](x[:N_KNOWN]) + rng.normal(0, NOISE, N_KNOWN)
    return Pool("million", x, outcome, [f"x{i + 1}" for i in range(N_INPUTS)])
