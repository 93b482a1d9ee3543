"""The rules that answer each case. A peer is imported when it is asked for: that alone takes seconds."""

from collections.abc import Callable, Iterator
from importlib import import_module

from benchmarks import pool_peers
from benchmarks.pool_loop import Pool, Rule
from benchmarks.pool_ours import tieline

Maker = Callable[[Pool, int], Rule]  # makes the rule for one loop, which may remember what it was told


def _imported(module: str, name: str) -> Maker:
    return lambda pool, seed: getattr(import_module(module), name)(pool, seed)


OURS: dict[str, Maker] = {
    "tieline": tieline(),
    "tieline:ucb": tieline("ucb"),
    "tieline:pi": tieline("pi"),
    "tieline:thompson": tieline("thompson"),
}
FAILURES: dict[str, Maker] = {
    "tieline": tieline(),
    "tieline:ignored": tieline(failures="ignored"),
    "tieline:as_value": tieline(failures="as_value"),
}
FAST: dict[str, Maker] = {
    "gpr_ei": pool_peers.scikit_learn(pool_peers.expected_improvement),
    "gpr_ucb": pool_peers.scikit_learn(pool_peers.upper_bound),
}
SLOW: dict[str, Maker] = {
    "botorch": _imported("benchmarks.pool_torch", "botorch"),
    "baybe": _imported("benchmarks.pool_baybe", "baybe"),
    "ax": _imported("benchmarks.pool_torch", "ax"),
}
RANDOM: dict[str, Maker] = {"random": pool_peers.choose_at_random}
METHODS = (*OURS, *list(FAILURES)[1:], *FAST, *SLOW, *RANDOM)
ANSWERS: dict[str, dict[str, Maker]] = {
    "p3ht": OURS | FAST | SLOW,
    "autoam": OURS | FAST | SLOW,
    "p3ht_batch5": OURS | FAST | SLOW,
    "oer_3496": OURS | FAST | SLOW,
    "photo_pce10": OURS | FAST | SLOW,
    "vapdiff": FAILURES | RANDOM,
    "suzuki_i": {"tieline": tieline()} | SLOW | RANDOM,
    "landscapes": OURS | FAST,
}


def answering(case: str, methods: str) -> Iterator[tuple[str, Maker]]:
    """Give the rules of a case that were asked for: all, tieline, peers, or one by its name."""
    for name, maker in ANSWERS[case].items():
        is_ours = name.startswith("tieline")
        if methods in ("all", name) or methods == ("tieline" if is_ours else "peers"):
            yield name, maker
