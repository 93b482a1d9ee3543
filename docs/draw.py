"""Draw the figures of the pages: run docs/figures.md and keep the pictures that it writes.

`python docs/draw.py ROWS.jsonl` draws the closed loops from the rows that `active_fegapd` kept there.
"""

import json
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from page_examples import examples, run

from tieline.figures.style import PHASE_COLOURS, save, settings, sheet

HERE = Path(__file__).parent
LOOPS = {
    "tieline": "tieline",
    "cameo_like": "CAMEO-like",
    "gp_ucb": "GP-UCB",
    "random": "random",
    "tieline:random": "tieline's map, random places",
}


def main() -> None:
    """Run the page in a folder of its own, then take the pictures from there."""
    page = HERE / "figures.md"
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
    labels = {"accuracy": "right part of the map", "best": "best magnetisation found"}
    with settings():
        figure = sheet(7.0, 3.0)
        for axes, (name, label) in zip(figure.subplots(1, 2), labels.items(), strict=True):
            for colour, (method, called) in zip(PHASE_COLOURS, LOOPS.items(), strict=False):
                rounds = [n for n in range(1000) if (method, f"{name}_{n}") in value]
                mean, error = ([value[method, f"{name}_{n}{end}"] for n in rounds] for end in ("", "_se"))
                if rounds:
                    axes.errorbar(rounds, mean, error, label=called, color=colour, marker="o", markersize=3)
            axes.set_xlabel("compositions measured after the first ten")
            axes.set_ylabel(label)
        axes.legend(loc="lower right")
    return save(figure, HERE / "images" / "active-fegapd.png")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(draw_loops(Path(sys.argv[1])))
    else:
        main()
