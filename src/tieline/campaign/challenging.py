"""Which model a campaign uses where campaign.toml names several: the one that stays when challenged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import xarray as xr

from tieline.campaign.fits import latest_fit
from tieline.campaign.learning import model_of, settings_of_fit
from tieline.campaign.settings import PHASE_PROPERTY, Settings, complete
from tieline.campaign.store.store import Store
from tieline.errors import TielineError
from tieline.models.posterior import names_of

FEWEST = 20  # specimens with a value; of fewer the error of a model is too uncertain to choose by
GROWTH = 1.1  # times the specimens of the last challenge, before there is another: each costs many fits


@dataclass(frozen=True)
class Chosen:
    """What a fit learns with.

    Attributes:
        settings: complete, with the model that stays.
        challenge: how it was chosen, as JSON takes it; empty where campaign.toml names one model. `decision`
            is a sentence; where models were judged, `stays`, `scores`, `folds` and `n_specimens` are there.
    """

    settings: Settings
    challenge: Mapping[str, Any]


def model_in_use(store: Store, settings: Settings) -> str:
    """The model of the latest fit, as long as campaign.toml names the same ones; else its first."""
    fit = latest_fit(store)
    if fit is not None and settings.challengers and "model" in fit.outcome:
        learned = fit.about["settings"]
        if all(learned.get(key) == getattr(settings, key) for key in ("model", "challengers")):
            return fit.outcome["model"]
    return settings.model or PHASE_PROPERTY


def in_use(store: Store, settings: Settings) -> Settings:
    """The settings with the model in use."""
    return replace(settings, model=model_in_use(store, settings)) if settings.challengers else settings


def choose_model(store: Store, settings: Settings, table: xr.Dataset) -> Chosen:
    """Let the models of campaign.toml challenge the one in use, on rows that none of them learned from.

    Without challengers, or with the settings of the last challenge and hardly more specimens, nothing is
    judged anew.

    Args:
        store: of the campaign.
        settings: as campaign.toml says them.
        table (specimen): what models read.

    Raises:
        SchemaError: the settings do not go with the data.
    """
    whole = complete(in_use(store, settings), table)
    if not settings.challengers:
        return Chosen(whole, {})
    judges, n, why_not = _judges(complete(settings, table), table)
    if why_not:
        return Chosen(whole, _unchallenged(why_not))
    if last := _still_holds(store, settings, n):
        return Chosen(whole, last)
    first, begins = (s.model or PHASE_PROPERTY for s in (whole, settings))
    names = dict.fromkeys([first, begins, *settings.challengers])
    each = {name: complete(replace(settings, model=name), table) for name in names}
    try:
        stays, record = _judged(each, judges, table)
    except TielineError as error:
        hint = f" Try: {error.hint}" if error.hint else ""
        return Chosen(whole, _unchallenged(f"{error.what}{hint}"))
    return Chosen(each[stays], {**record, "n_specimens": n})


def _unchallenged(why: str) -> dict[str, Any]:
    return {"decision": f"No model was challenged: {why}"}


def _judges(whole: Settings, table: xr.Dataset) -> tuple[list[str], int, str]:
    """Properties that can judge, of how many specimens; or why nothing is to be challenged."""
    from tieline.evaluation.task_arrays import TaskArrays

    if whole.reads_labels and whole.phase:
        labels = ", ".join(names_of(whole.phase))
        return [], 0, f"the others have no phases, and {labels} would be learned no more."
    known = {p: int(TaskArrays.of(table, (), p).has_target.sum()) for p in whole.properties or []}
    judges = [name for name, n in known.items() if n >= FEWEST]
    n = max(known.values(), default=0)
    return judges, n, "" if judges else f"it takes {FEWEST} specimens with a value, and there are {n}."


def _still_holds(store: Store, settings: Settings, n: int) -> Mapping[str, Any]:
    """The last challenge, if the settings are the same and the specimens hardly more; else nothing."""
    fit = latest_fit(store)
    last = {} if fit is None else fit.outcome.get("challenge", {})
    if "n_specimens" not in last or fit is None or fit.about["settings"] != settings_of_fit(settings):
        return {}
    return last if last["n_specimens"] <= n < GROWTH * last["n_specimens"] else {}


def _judged(
    each: Mapping[str, Settings], judges: Sequence[str], table: xr.Dataset
) -> tuple[str, dict[str, Any]]:
    """Which of several models stays, the one in use first, and how that was judged."""
    from tieline.evaluation.challenge import challenge
    from tieline.evaluation.task import state_task

    champion, *challengers = (model_of(settings) for settings in each.values())
    asked = state_task(table, judges, names_of(champion.design))
    settled = challenge(asked, champion, challengers, seed=next(iter(each.values())).seed)
    return type(settled.model).__name__, settled.record
