"""Closed loops on finite pools: how many tries find the best candidate, and what a suggestion costs.

p3ht, autoam: extra tries after five random ones until the best of the pool. p3ht_batch5: the same in
batches of five, counted as all experiments. oer_3496, photo_pce10: until one of the best 1 %. vapdiff: 50
tries where many fail, with failures learned or not. suzuki_i: two objectives, after 30 experiments.
million: one suggestion from a million candidates. landscapes: simulated pools, on which defaults of ours
were chosen; never on the real ones.

Every method starts from the same candidates in the same repeat. Methods of more than a tenth of a second a
suggestion take the first 20 repeats, or all of them if they are asked for by name.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import asdict

import numpy as np

from benchmarks import pool_data, pool_methods, pool_million, pool_scores
from benchmarks.landscapes import LANDSCAPES, landscape
from benchmarks.pool_loop import Course, Pool, State, follow, random_tries
from benchmarks.pool_methods import RANDOM, SLOW, Maker, answering
from benchmarks.tasks import Options, Row, data_folder, no_data

CASES = (
    "p3ht",
    "autoam",
    "p3ht_batch5",
    "oer_3496",
    "photo_pce10",
    "vapdiff",
    "suzuki_i",
    "million",
    "landscapes",
)
METHODS = pool_methods.METHODS
SEEDS = (0, 50)  # the first repeat, and how many
N_SLOW = 20  # repeats of slow methods
N_RANDOM = 1000  # repeats of chance, where it is not exact
BATCH = {"p3ht_batch5": 5}
N_TOTAL = {"vapdiff": 55, "suzuki_i": 30}  # experiments of a loop that has no end of its own
COSTS = (25, 50, 100)  # outcomes known when a suggestion is timed
N_TIMED = 10  # suggestions


def run(options: Options) -> Iterator[Row]:
    """Run the cases."""
    folder = data_folder()
    for case in filter(options.wants, CASES):
        if case == "landscapes":
            numbers = _landscapes(options)
        elif case == "million":
            numbers = pool_million.numbers(options.methods)
        elif folder is None:
            yield no_data("pools", case)
            continue
        else:
            numbers = _real(case, pool_data.read(case, folder), options)
        for method, metric, value, seconds in numbers:
            yield Row(
                "pools", case, method, metric, value if isinstance(value, str) else float(value), seconds
            )


Numbers = Iterator[tuple[str, str, float | str, float]]  # method, metric, value, CPU seconds of a suggestion


def _real(case: str, pool: Pool, options: Options) -> Numbers:
    """Run the loops of a case and score them."""
    batch, scores = BATCH.get(case, 1), {}
    for method, maker in answering(case, options.methods):
        courses = [_course(case, pool, method, maker, seed, options) for seed in _repeats(method, options)]
        seconds = sum(course.seconds for course in courses) / max(sum(course.rounds for course in courses), 1)
        if case == "suzuki_i":
            scores[method] = pool_scores.pareto(pool, courses)
        elif case == "vapdiff":
            scores[method] = pool_scores.failures(pool, courses)
        else:
            scores[method] = pool_scores.tries(pool, courses, batch)
        yield method, "repeats", len(courses), seconds
        for metric, value in pool_scores.means(scores[method]):
            yield method, metric, value, seconds
        if case == "p3ht":
            for n in COSTS:
                yield method, f"cpu_ms_n{n}", 1000 * _cost(pool, maker, n), seconds
    if case not in N_TOTAL and options.methods in ("all", "peers", "random"):
        start = len(pool.start(0).tried) if batch > 1 else 0
        yield "random", "tries_mean", random_tries(pool, batch) + start, 0.0
    for method in scores if "tieline" in scores else ():
        if method == "tieline":
            continue
        for metric, value in pool_scores.differences(scores["tieline"], scores[method], method):
            yield "tieline", metric, value, 0.0


def _repeats(method: str, options: Options) -> range:
    """The repeats that a method takes."""
    n = options.n_seeds
    if method in SLOW and options.methods != method:
        n = min(n, N_SLOW)
    if method in RANDOM:
        n = N_RANDOM
    return range(options.first_seed, options.first_seed + n)


def _course(case: str, pool: Pool, method: str, maker: Maker, seed: int, options: Options) -> Course:
    """Run one loop, or take it from the file of those that were run."""
    key = {"case": case, "pool": pool.name, "method": method, "seed": seed}
    if options.keep is not None and options.keep.exists():
        with options.keep.open() as file:
            for kept in map(json.loads, file):
                if kept.items() >= key.items():
                    return Course(kept["tried"], kept["rounds"], kept["seconds"])
    course = follow(pool, maker(pool, seed), seed, BATCH.get(case, 1), N_TOTAL.get(case))
    if options.keep is not None:
        with options.keep.open("a") as file:
            file.write(json.dumps(key | asdict(course)) + "\n")
    return course


def _cost(pool: Pool, maker: Maker, n: int) -> float:
    """CPU seconds of one suggestion from n random outcomes, all but the last of which were told before."""
    taken = []
    for seed in range(N_TIMED):
        rule = maker(pool, seed)
        known = pool.start(seed, n).tried
        rule(State(pool, known[:-1], seed), 1)
        begun = time.process_time()
        rule(State(pool, known, seed), 1)
        taken.append(time.process_time() - begun)
    return float(np.mean(taken))


def _landscapes(options: Options) -> Numbers:
    """Run the simulated pools, and give the mean tries relative to chance."""
    for method, maker in answering("landscapes", options.methods):
        found, seconds, rounds = {}, 0.0, 0  # found: the ratios (repeat) in each landscape
        for name in LANDSCAPES:
            pools = {seed: landscape(name, seed) for seed in _repeats(method, options)}
            courses = {s: _course("landscapes", pool, method, maker, s, options) for s, pool in pools.items()}
            found[name] = np.array([courses[s].tries / random_tries(pool) for s, pool in pools.items()])
            seconds += sum(course.seconds for course in courses.values())
            rounds += sum(course.rounds for course in courses.values())
        found["relative_tries"] = np.mean(list(found.values()), axis=0)
        for metric, value in pool_scores.means(found):
            yield method, metric, value, seconds / rounds
