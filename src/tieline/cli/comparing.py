"""The command `tieline compare`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tieline.cli.arguments import AsJson, Sheet, words_in
from tieline.cli.backtesting import executor_of
from tieline.cli.inspecting import inspection_json, print_findings, read_source
from tieline.cli.printing import console, print_json, print_notes
from tieline.errors import TielineError
from tieline.progress import progress_bar

if TYPE_CHECKING:
    from tieline.evaluation.comparison import Comparison


def compare(
    source: Annotated[Path, typer.Argument(help="A table, or a campaign's folder.")],
    target: Annotated[str, typer.Option(help="What is to be predicted; several with commas between.")],
    inputs: Annotated[str, typer.Option(help="What from, with commas between.")] = "",
    groups: Annotated[str, typer.Option(help="Column of what was made or measured together.")] = "",
    sheet: Sheet = "",
    models: Annotated[str, typer.Option(help="Which, with commas between; all by default.")] = "",
    scheme: Annotated[str, typer.Option(help="grouped, clusters or time.")] = "grouped",
    order: Annotated[str, typer.Option(help="Column of when each row was measured, for time.")] = "",
    folds: Annotated[int, typer.Option(help="How many.")] = 5,
    repeats: Annotated[int, typer.Option(help="How often rows are divided anew.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Of folds and fits.")] = 0,
    workers: Annotated[int, typer.Option(help="Processes that run side by side.")] = 1,
    out: Annotated[Path, typer.Option(help="Folder for scores, figure and runs.")] = Path("comparison"),
    save: Annotated[Path | None, typer.Option(help="Fit what is recommended, and keep it as .nc.")] = None,
    as_json: AsJson = False,
) -> None:
    """Compare models through the same folds without leaks, and recommend one of them."""
    from tieline.evaluation.compare import compare as run
    from tieline.evaluation.task import task
    from tieline.figures import comparison as draw
    from tieline.figures import save as save_figure

    targets = words_in(target)
    if save is not None:
        _check_place(save, targets)
    asked = task(
        read_source(source, sheet or None),
        targets,
        words_in(inputs) or None,
        groups or None,
        order=order or None,
        seed=seed,
    )
    with progress_bar("Runs") as progress, executor_of(workers) as executor:
        found = run(
            asked,
            words_in(models) or None,
            scheme=scheme,
            n_folds=folds,
            n_repeats=repeats,
            seed=seed,
            executor=executor,
            keep=out,
            progress=progress,
        )
    found.scores.to_dataframe().reset_index().to_csv(out / "scores.csv", index=False)
    save_figure(draw(found), out / "comparison.png")
    if save is not None:
        _keep(found, save, seed)
    report = asked.inspection
    if as_json:
        rows = found.scores.to_dataframe().reset_index().to_dict("records")
        said = {name: found.sentences(name) for name in targets}
        about = {"recommended": dict(found.recommended), "sentences": said, "scores": rows}
        print_json(about | inspection_json(report))
        return
    print_findings(report)
    print_notes(report.notes)
    console.print()
    console.print(str(found), highlight=False, markup=False, soft_wrap=True)
    kept = f"Wrote scores.csv and comparison.png into {out}"
    print_notes([f"{kept}; the runs are kept there, and the same command goes on from them."])
    if save is not None:
        print_notes([f"Kept the recommended model as {save}, with its card {save.with_suffix('.md').name}."])


def _check_place(save: Path, targets: Sequence[str]) -> None:
    """See that a model can be kept, before any is learned."""
    if len(targets) > 1:
        raise TielineError(
            "One model is kept in one file.", found=", ".join(targets), hint="name one target with --save"
        )
    if not save.parent.is_dir():
        raise TielineError(
            f"There is no folder '{save.parent}'.", found=f"--save {save}", hint="create it first"
        )


def _keep(found: "Comparison", save: Path, seed: int) -> None:
    """Fit what is recommended to all rows, and keep it with its card."""
    from tieline.insight.explanation import model_card

    posterior = found.model().fit(found.task.table, seed=seed)
    posterior.save(save)
    save.with_suffix(".md").write_text(model_card(posterior), encoding="utf-8")
