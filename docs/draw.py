"""Draw the figures of the pages: run two of them and keep what they write; plot costs and calibration.

`python docs/draw.py ROWS.jsonl` draws the closed loops from the rows that `active_fegapd` kept there.
"""

import json
import re
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from draw_calibration import draw_coverage, draw_ranks
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator
from page_examples import examples, run

from tieline.figures.style import PENCIL, PHASE_COLOURS, save, settings, sheet

HERE = Path(__file__).parent
PAGES = (
    "diffraction",
    "figures",
    "fingerprints-at-work",
    "fingerprints-step-by-step",
    "latp",
    "membranes",
    "models/composition-properties",
    "spectra",
    "workflow",
)  # that draw their own figures
LOOPS = {
    "tieline": "tieline",
    "cameo_like": "CAMEO-like",
    "gp_ucb": "GP-UCB",
    "random": "random",
    "tieline:random": "tieline's map, random places",
}
COSTS = {
    "tieline": "tieline: labels and property",
    "gpr": "scikit-learn: property alone",
    "gpc": "scikit-learn: labels alone",
}


def main() -> None:
    """Draw all of them into docs/images."""
    for page in PAGES:
        run_page(HERE / f"{page}.md")
    costs = read_costs((HERE / "benchmarks.md").read_text(encoding="utf-8"))
    print(save(draw_costs(costs), HERE / "images" / "growth.png"))
    numbers = json.loads((HERE / "calibration.json").read_text(encoding="utf-8"))
    print(save(draw_ranks(numbers), HERE / "images" / "calibration-ranks.png"))
    print(save(draw_coverage(numbers), HERE / "images" / "calibration-coverage.png"))


def run_page(page: Path) -> None:
    """Run a page in a folder of its own, then take the pictures from there."""
    found = [example for example in examples(page.read_text(encoding="utf-8")) if not example.data]
    with TemporaryDirectory() as folder:
        for _ in run(found, page, Path(folder)):
            pass
        for picture in sorted(Path(folder).glob("*.png")):
            print(shutil.copy(picture, HERE / "images"))


def draw_loops(rows: Path) -> Path:
    """Draw the accuracy of the map and the best magnetisation against rounds, with one standard error."""
    kept = [json.loads(line) for line in rows.read_text(encoding="utf-8").splitlines()]
    value = {(row["method"], row["metric"]): row["value"] for row in kept if row["case"] == "rounds"}
    labels = {"accuracy": "share of the map that is right", "best": "best magnetisation found"}
    with settings():
        figure = sheet(7.0, 3.0)
        for axes, (name, label) in zip(figure.subplots(1, 2), labels.items(), strict=True):
            for i, (method, called) in enumerate(LOOPS.items()):
                rounds = [n for n in range(1000) if (method, f"{name}_{n}") in value]
                if not rounds:
                    continue
                mean, error = ([value[method, f"{name}_{n}{end}"] for n in rounds] for end in ("", "_se"))
                aside = [n + 0.25 * i for n in rounds]  # so that no bar hides another
                axes.errorbar(
                    aside, mean, error, label=called, color=PHASE_COLOURS[i], marker="o", ms=3, lw=1.2
                )
            axes.set_xlabel("compositions measured after the first ten")
            axes.set_ylabel(label)
        axes.legend(loc="lower right")
    return save(figure, HERE / "images" / "active-fegapd.png")


def read_costs(page: str) -> dict[str, np.ndarray]:
    """Read the table that begins with `specimens`: its columns by name, as numbers."""
    table = page[page.index("| specimens |") :].split("\n\n")[0].splitlines()
    rows = [[cell.strip(" `") for cell in re.split(r"\|", line)[1:-1]] for line in table]
    values = np.array([[float(cell.replace(",", "")) for cell in row] for row in rows[2:]])
    return {name.replace("`", ""): column for name, column in zip(rows[0], values.T, strict=True)}


def draw_costs(costs: dict[str, np.ndarray]) -> Figure:
    """Draw seconds and memory against the number of specimens, both on logarithmic scales."""
    with settings():
        figure = sheet(7.2, 3.2)
        left, right = figure.subplots(1, 2)
        _draw_lines(left, costs, "s", "CPU seconds, fit and prediction")
        _draw_lines(right, costs, "MB", "peak memory of the process, MB")
        right.set_ylim(100, 1000)
        left.legend(loc="upper left")
    return figure


def _draw_lines(axes: Axes, costs: dict[str, np.ndarray], unit: str, title: str) -> None:
    n = costs["specimens"]
    for colour, (method, label) in zip(PHASE_COLOURS, COSTS.items(), strict=False):
        axes.loglog(n, costs[f"{method}, {unit}"], "o-", color=colour, label=label, markersize=4)
    axes.set_xticks(n, [f"{int(v):,}" for v in n])
    axes.minorticks_off()
    axes.grid(color=PENCIL, alpha=0.2, linewidth=0.5)
    axes.yaxis.set_major_locator(LogLocator(subs=[1, 2, 5]))
    axes.yaxis.set_major_formatter("{x:,g}")
    axes.set_xlabel("specimens")
    axes.set_title(title, loc="left")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(draw_loops(Path(sys.argv[1])))
    else:
        main()
