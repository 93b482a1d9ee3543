"""Back-tests of what a campaign, or a table of results, already knows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import xarray as xr

from tieline.campaign.campaign import Campaign
from tieline.campaign.places import read_places
from tieline.campaign.settings import Settings, complete
from tieline.errors import TielineError, did_you_mean
from tieline.features.represent import represent
from tieline.models.gaussian_process import GaussianProcess
from tieline.models.phase_property import PhaseProperty
from tieline.planning.backtest import RANDOM
from tieline.planning.backtest_answer import tabulate
from tieline.planning.goals import Goal, parse_goal, property_terms
from tieline.planning.strategies import Rule, Strategy
from tieline.schema import as_variables, save_netcdf

MODELS = ("gaussian", "phase")
RUNS = "runs.jsonl"


@dataclass(frozen=True)
class Known:
    """Results that are known, and what they are about.

    Attributes:
        table (specimen): the results.
        design: the name of a composition, or names of columns.
        phase: the column of phase labels, or several; "" if there is none.
        goal: what is looked for.
    """

    table: xr.Dataset
    design: str | list[str]
    phase: str | list[str]
    goal: Goal


def known_results(
    source: Path, *, goal: str = "", design: Sequence[str] = (), sheet: str | None = None
) -> Known:
    """Read a campaign's record, or a table of results.

    Args:
        source: a campaign's folder, or a file.
        goal: as `parse_goal` reads it; by default that of the campaign, or the first property to maximise.
        design: names of design variables; by default those of the campaign, or by the roles of the columns.
        sheet: which sheet of a spreadsheet file, when several hold data.

    Raises:
        TielineError: there is no such file, or the table lacks what is asked for.
    """
    if (source / "campaign.toml").is_file():
        folder = Campaign.open(source)
        settings, table = folder.settings, represent(folder.record())
    elif source.is_file():
        settings, table = Settings(source.stem), read_places(source, sheet)
    else:
        raise TielineError(
            f"There are no results in '{source}'.",
            found="a folder without campaign.toml" if source.is_dir() else "no such file",
            hint="name a table of results, or the folder of a campaign",
        )
    if design:
        is_composition = len(design) == 1 and design[0] in table and "element" in table[design[0]].dims
        settings = replace(settings, design=design[0] if is_composition else list(design))
    settings = replace(settings, goal=goal or settings.goal)
    settings = complete(settings, table)
    assert settings.design is not None  # complete fills both
    assert settings.goal is not None
    names = [settings.design] if isinstance(settings.design, str) else settings.design
    table = as_variables(table, names)  # categories of a campaign's table stand beside it
    return Known(table, settings.design, settings.phase or "", parse_goal(settings.goal))


def strategies_of(known: Known, acquisitions: Sequence[str], model: str) -> dict[str, Rule | str]:
    """Make a strategy of each acquisition, named after it; the word "random" is chance.

    Raises:
        TielineError: there is no such model, or the goal has no best place.
    """
    properties = list(dict.fromkeys(part.name for _, part in property_terms(known.goal)))
    if not properties:
        raise TielineError(
            "A back-test looks for the best place, which this goal does not have.",
            found=str(known.goal),
            hint="--goal maximize:NAME, minimize:NAME or target:NAME=VALUE",
        )
    if model == "gaussian":
        learner = GaussianProcess(known.design, properties)
    elif model == "phase":
        learner = PhaseProperty(design=known.design, phase=known.phase or None, properties=properties)
    else:
        raise TielineError(
            f"There is no model '{model}' for back-tests. {did_you_mean(model, MODELS)}".strip(),
            hint=" or ".join(MODELS),
        )
    return {
        name: name if name == RANDOM else Strategy(learner, name)  # type: ignore[arg-type] - backtest checks it
        for name in dict.fromkeys(acquisitions)
    }


def write_backtest(result: xr.Dataset, folder: Path) -> list[Path]:
    """Write figures, the whole answer and its table into a folder.

    Returns:
        found.png, regret.png, summary.csv and backtest.nc, as they lie there.
    """
    from tieline.figures import backtest, regret, save  # matplotlib takes a second

    figures = [save(backtest(result), folder / "found.png"), save(regret(result), folder / "regret.png")]
    tabulate(result).to_csv(folder / "summary.csv", index=False)
    return [*figures, folder / "summary.csv", save_netcdf(result, folder / "backtest.nc")]
