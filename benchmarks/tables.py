"""`python -m benchmarks.tables ROWS.jsonl`: the rows that `--json` kept, as the tables of a page."""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

SHOWN = (
    *("accuracy", "nll", "brier", "r2", "crps", "coverage_90", "coverage_95"),
    *("rhat_max", "ess_bulk_min", "ess_tail_min", "sweeps", "ess_per_second"),
    *("cpu_seconds", "peak_mb", "slope"),
    *("repeats", "tries_mean", "tries_se", "best_grade_mean", "best_grade_se", "failed_mean", "failed_se"),
    *("hypervolume_mean", "hypervolume_se", "relative_tries_mean", "relative_tries_se"),
    *("cpu_ms_n25", "cpu_ms_n50", "cpu_ms_n100"),
    *(
        "accuracy_10",
        "accuracy_20",
        "accuracy_30",
        "accuracy_area",
        "best_10",
        "best_20",
        "best_30",
        "best_area",
    ),
    *("cost_to_accuracy", "accuracy_saving", "accuracy_saving_se", "cost_to_best", "best_saving"),
)
DIGITS = {
    "ess_bulk_min": 0,
    "ess_tail_min": 0,
    "sweeps": 0,
    "cpu_seconds": 1,
    "peak_mb": 0,
    "cost_to_accuracy": 0,
    "cost_to_best": 0,
    "repeats": 0,
    **dict.fromkeys(("cpu_ms_n25", "cpu_ms_n50", "cpu_ms_n100"), 0),
    **dict.fromkeys(
        (f"{name}_{end}" for name in ("tries", "best_grade", "failed") for end in ("mean", "se")), 1
    ),
}


def markdown(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Write a table for each case of each benchmark: a line a method, a column a metric."""
    for name in dict.fromkeys((row["benchmark"], row["case"]) for row in rows):
        case = [row for row in rows if (row["benchmark"], row["case"]) == name]
        found = {row["metric"] for row in case}
        columns = [metric for metric in SHOWN if metric in found]
        if not columns:
            continue
        yield f"**`{name[0]}`, `{name[1]}`**\n"
        yield _line(["method", *columns, "seconds"])
        yield _line(["---"] * (len(columns) + 2))
        for method in dict.fromkeys(row["method"] for row in case):
            value = {row["metric"]: row["value"] for row in case if row["method"] == method}
            seconds = next(row["seconds"] for row in case if row["method"] == method)
            cells = [_cell(metric, value.get(metric)) for metric in columns]
            yield _line([f"`{method}`", *cells, f"{seconds:.1f}"])
        yield ""


def growth(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Write what each method costs as specimens are added: a line a size, a column a method and metric."""
    value = {(row["method"], row["metric"]): row["value"] for row in rows}
    methods = list(dict.fromkeys(method for method, _ in value))
    sizes = [name.removeprefix("cpu_seconds_") for name in dict.fromkeys(name for _, name in value)]
    columns = [(m, metric) for metric in ("cpu_seconds", "peak_mb") for m in methods]
    units = {"cpu_seconds": "s", "peak_mb": "MB"}
    yield _line(["specimens", *(f"`{m}`, {units[metric]}" for m, metric in columns)])
    yield _line(["---"] * (len(columns) + 1))
    for n in filter(str.isdigit, sizes):
        yield _line([f"{int(n):,}", *(_brief(value[m, f"{metric}_{n}"]) for m, metric in columns)])
    yield ""


def differences(rows: Sequence[dict[str, Any]], case: str) -> Iterator[str]:
    """Write how far tieline is ahead of each peer on simulated worlds, in standard errors."""
    value = {row["metric"]: row["value"] for row in rows if row["case"] == case}
    metrics = ("accuracy", "brier", "r2", "crps")
    peers = dict.fromkeys(row["method"] for row in rows if row["case"] == case)
    yield _line(["tieline minus", *metrics])
    yield _line(["---"] * (len(metrics) + 1))
    for peer in peers:
        cells = []
        for metric in metrics:
            mean, error = (value.get(f"{metric}_minus_{peer}{end}") for end in ("", "_se"))
            cells.append("" if mean is None or error is None else f"{mean:+.3f} ({mean / error:+.1f} se)")
        if any(cells):
            yield _line([f"`{peer}`", *cells])
    yield ""


def _cell(metric: str, value: float | str | None) -> str:
    return value if isinstance(value, str) else "" if value is None else f"{value:.{DIGITS.get(metric, 3)}f}"


def _brief(value: float) -> str:
    """Two digits that count."""
    return f"{float(f'{value:.2g}'):g}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    kept = [json.loads(line) for line in Path(sys.argv[1]).read_text().splitlines()]
    print(*markdown(kept), sep="\n")
    if grown := [row for row in kept if row["case"] == "growth"]:
        print(*growth(grown), sep="\n")
    if any(row["benchmark"] == "sage_seeds" for row in kept):
        print(*differences([row for row in kept if row["benchmark"] == "sage_seeds"], "all"), sep="\n")
