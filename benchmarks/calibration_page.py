"""`python -m benchmarks.calibration_page WORLDS.jsonl`: the numbers and tables of docs/calibration.md.

Reads the worlds that `calibration --keep` left, writes docs/calibration.json for the figures, prints tables.
Cases that have no worlds in the file stay as they were.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.calibration import CASES, LEVELS, calibration_error, summary, verdicts
from benchmarks.kept import World
from benchmarks.misfits import KINDS
from benchmarks.ranks import POINTS, band, ecdf

STORE = Path(__file__).parents[1] / "docs" / "calibration.json"
Cases = dict[str, list[World]]


def figures(cases: Cases) -> dict[str, Any]:
    """Collect what the figures show: curves of ranks less the uniform, their band, and coverage."""
    found = {}
    for case, worlds in cases.items():
        way = "coverage" if "coverage" in worlds[0] else "normal"
        share = np.array([[w[way][str(level)] for level in LEVELS] for w in worlds])
        found[case] = {
            "worlds": len(worlds),
            "coverage": share.mean(0).round(4).tolist(),
            "coverage_se": (share.std(0, ddof=1) / np.sqrt(len(share))).round(4).tolist(),
            "by_world": sorted(w["normal"]["90"] for w in worlds),
        }
        if "ranks" in worlds[0]:
            low, high = band(len(worlds))
            curves = {name: ecdf(np.array([w["ranks"][name] for w in worlds])) for name in worlds[0]["ranks"]}
            found[case] |= {
                "ranks": {name: (curve - POINTS).round(4).tolist() for name, curve in curves.items()},
                "band": [(low - POINTS).round(4).tolist(), (high - POINTS).round(4).tolist()],
            }
    return {"levels": list(LEVELS), "points": POINTS.round(4).tolist(), "cases": found}


def tables(cases: Cases) -> Iterator[str]:
    """Write the tables of the page."""
    own = {case: worlds for case, worlds in cases.items() if "ranks" in worlds[0]}
    rows = {case: {row.metric: row.value for row in summary(case, worlds)} for case, worlds in own.items()}
    yield from _lines(["engine", "worlds", *(f"{k} %" for k in LEVELS), "90 %, mean ± sd", "ECE", "Brier"])
    for case, value in rows.items():
        shares = [_with_error(value, f"coverage_{k}") for k in LEVELS]
        normal = _with_error(value, "coverage_90_normal")
        ends = [f"{value['ece']:.3f}", f"{value['brier']:.3f}"]
        yield _line([f"`{case}`", f"{value['worlds']:.0f}", *shares, normal, *ends])
    yield ""
    names = list(next(iter(own.values()))[0]["ranks"])
    yield from _lines(["engine", *(name.replace("_", " ") for name in names)])
    for case, value in rows.items():
        cells = [
            f"p = {value[f'rank_chi2_p_{n}']:.2g}, {_excursion(value[f'rank_outside_band_{n}'])}"
            for n in names
        ]
        yield _line([f"`{case}`", *cells])
    yield ""
    yield from _lines(
        [
            "engine",
            "worlds",
            "90 %, mean ± sd",
            "worlds below 80 %",
            "of these not green",
            "green",
            "green but wrong",
            "ECE",
        ]
    )
    for case, worlds in cases.items():
        if case in own:
            continue
        yield _misfit_line(f"`{case.removeprefix('misfit_')}`", worlds)
        for kind in KINDS:
            if chosen := [w for w in worlds if w["kind"] == kind]:
                yield _misfit_line(f"... {kind.replace('_', ' ')}", chosen)


def _misfit_line(name: str, worlds: Sequence[World]) -> str:
    share = np.array([w["normal"]["90"] for w in worlds])
    found = verdicts(worlds)
    n_failed, n_green = round(found["failed"] * len(worlds)), round(found["green"] * len(worlds))
    not_green = found.get("failed_not_green", 0) * n_failed
    error = share.std(ddof=1) / np.sqrt(len(share)) if len(share) > 1 else np.nan
    cells = [
        f"{share.mean():.3f} ± {error:.3f}",
        f"{n_failed}",
        f"{not_green:.0f} of {n_failed}" if n_failed else "",
        f"{n_green}",
        f"{found.get('green_but_wrong', 0) * n_green:.0f} of {n_green}" if n_green else "",
        f"{calibration_error(worlds):.3f}",
    ]
    return _line([name, f"{len(worlds)}", *cells])


def _with_error(value: dict[str, Any], name: str) -> str:
    return f"{value[name]:.3f} ± {value[name + '_se']:.3f}"


def _excursion(distance: float) -> str:
    return f"out by {distance:.3f}" if distance > 0 else "in"


def _lines(names: Sequence[str]) -> Iterator[str]:
    yield _line(names)
    yield _line(["---"] * len(names))


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def read(file: Path) -> Cases:
    """Read kept worlds by case, in the order of the benchmark."""
    worlds = [json.loads(line) for line in file.read_text().splitlines()]
    found = {case: [w for w in worlds if w["case"] == case] for case in CASES}
    return {case: own for case, own in found.items() if len(own) > 1}


if __name__ == "__main__":
    kept = read(Path(sys.argv[1]))
    new = figures(kept)
    before = json.loads(STORE.read_text())["cases"] if STORE.exists() else {}
    STORE.write_text(json.dumps(new | {"cases": before | new["cases"]}) + "\n")
    print(*tables(kept), sep="\n")
