"""`python -m benchmarks NAME`: run a benchmark, print its rows and keep them as JSON lines."""

import argparse
import json
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

from benchmarks.tasks import Options, Row

BENCHMARKS = (
    "active_fegapd",
    "calibration",
    "composition",
    "fegapd",
    "fingerprint",
    "inverse",
    "membrane",
    "pools",
    "reliability",
    "sage_1d",
    "sage_2d",
    "sage_cost",
    "sage_mcmc",
    "sage_seeds",
    "search",
    "tofsims",
    "tortuosity",
    "transfer",
    "volume_vae",
    "workflow",
    "xrd",
)


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and run what it names."""
    chosen = _parser().parse_args(arguments)
    if chosen.list or chosen.name is None:
        for name in BENCHMARKS:
            module = import_module(f"benchmarks.{name}")
            print(f"{name:14} {', '.join(module.CASES)}\n{'':14} {(module.__doc__ or '').splitlines()[0]}")
        return
    module = import_module(f"benchmarks.{chosen.name}")
    if chosen.case not in (None, *module.CASES):
        raise SystemExit(f"{chosen.name} has no case '{chosen.case}'. Try: {', '.join(module.CASES)}.")
    known = ("all", "tieline", "peers", *getattr(module, "METHODS", ()))
    if chosen.methods not in known:
        raise SystemExit(f"{chosen.name} has no methods '{chosen.methods}'. Try: {', '.join(known)}.")
    first, count = getattr(module, "SEEDS", (0, 0))
    first = first if chosen.first_seed is None else chosen.first_seed
    count = count if chosen.seeds is None else chosen.seeds
    options = Options(chosen.case, chosen.methods, count, first, chosen.keep)
    print(f"{'benchmark':15}{'case':17}{'method':19}{'metric':38}{'value':>12}{'seconds':>10}")
    for row in module.run(options):
        _show(row)
        if chosen.json:
            with chosen.json.open("a") as file:
                file.write(json.dumps(asdict(row)) + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", nargs="?", choices=BENCHMARKS, metavar="NAME", help="see --list")
    parser.add_argument("--list", action="store_true", help="name the benchmarks and their cases")
    parser.add_argument("--case", help="run one case only")
    parser.add_argument(
        "--methods", default="all", metavar="WHO", help="all, tieline, peers, or one by its name (pools)"
    )
    parser.add_argument(
        "--seeds",
        type=int,
        help="number of fresh worlds (sage_seeds, calibration) or repeats (active_fegapd, pools)",
    )
    parser.add_argument("--first-seed", type=int, help="seed of the first of them")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="append the rows to FILE, one JSON object a line"
    )
    parser.add_argument(
        "--keep",
        type=Path,
        metavar="FILE",
        help="append worlds or loops to FILE and go on from there (calibration, pools, sage_mcmc)",
    )
    return parser


def _show(row: Row) -> None:
    """Print one row in its columns."""
    value = row.value if isinstance(row.value, str) else f"{row.value:.4f}"
    names = f"{row.benchmark:15}{row.case:17}{row.method:19}{row.metric:38}"
    print(f"{names}{value:>12}{row.seconds:>10.2f}", flush=True)


if __name__ == "__main__":
    main()
