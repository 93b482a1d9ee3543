"""Run and draw the virtual experiments of the page on LATP: `python docs/draw_latp.py FOLDER [WORKERS]`.

The runs are kept in FOLDER, so that a broken-off drawing goes on. Half an hour of one core.
"""

import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import tieline as tl
from tieline.planning.backtest_answer import tabulate

IMAGES = Path(__file__).parent / "images"
DESIGN = ["relative_phosphoric_acid", "sintering_temperature", "dwell_time"]
RULES = {  # with replacement as published, and without
    "virtual": {"starts_with_replacement": False, "picks_with_replacement": False},
    "virtual-replaced": {},
}
STARTS = {"virtual": [5, 10, 15, 20, 30], "virtual-replaced": [10, 20, 30]}
N_REPEATS = {"virtual": 100, "virtual-replaced": 40}


def main(folder: Path, n_workers: int) -> None:
    """Run both sets of rules, draw them and print their tables."""
    model = tl.GaussianProcess(design=DESIGN, properties=["ionic_conductivity"])
    strategies = {"EI": tl.Strategy(model, "log_ei"), "UCB": tl.Strategy(model, "ucb")}
    strategies |= {"PI": tl.Strategy(model, "pi")}
    with ProcessPoolExecutor(n_workers, get_context("spawn")) as executor:
        for name, rules in RULES.items():
            result = tl.backtest(
                tl.worlds.latp(0).table,
                tl.Maximize("ionic_conductivity"),
                strategies,
                n_start=STARTS[name],
                n_repeats=N_REPEATS[name],
                noise=3e-5,
                executor=executor,
                keep=folder / f"{name}.jsonl",
                progress=lambda done, total: print(f"\r{done} of {total}", end="", file=sys.stderr),
                **rules,
            )
            print("\n", tabulate(result).round(3).to_string(index=False))
            print(tl.figures.save(tl.figures.backtest(result), IMAGES / f"latp-{name}.png"))
            if name == "virtual":
                print(tl.figures.save(tl.figures.regret(result, 10), IMAGES / "latp-regret.png"))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)
