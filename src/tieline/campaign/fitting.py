"""One fit, from the record to a file that the log names, with signs of life on the way."""

from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import uuid4

import xarray as xr

import tieline
from tieline.campaign.challenging import Chosen, choose_model
from tieline.campaign.files import adopt, kept_netcdf
from tieline.campaign.fits import Fit, beating, begin, bury_interrupted, end, find_fit, latest_fit, list_fits
from tieline.campaign.learning import checksum_of, model_of, settings_of_fit, table_of
from tieline.campaign.memory import posterior_of_design
from tieline.campaign.settings import Settings
from tieline.campaign.spawning import spawn
from tieline.campaign.store.store import Store
from tieline.campaign.uses import describe_use, notes_on_settings
from tieline.errors import Conflict, TielineError, three_clauses
from tieline.models.posterior import Posterior
from tieline.schema import specimens_of

PACKAGES = ("numpy", "scipy", "scikit-learn", "pandas", "xarray")  # on which the numbers of a fit depend


def plan(store: Store, settings: Settings) -> dict[str, Any]:
    """What a fit is about, before it begins."""
    packages = {name: version(name) for name in PACKAGES}
    about = {"settings": settings_of_fit(settings), "seed": settings.seed, "tieline": tieline.__version__}
    return {"data": int(store.fact("data") or 0), "about": about | {"packages": packages}}


def is_stale(store: Store, fit: Fit, settings: Settings) -> bool:
    """Whether data or settings changed since a fit."""
    learned = fit.about["settings"]
    # A setting that came with a later version was left out then.
    is_changed = learned is not None and settings_of_fit(Settings("")) | learned != settings_of_fit(settings)
    return is_changed or int(store.fact("data") or 0) > fit.data


def start(folder: Path, store: Store, settings: Settings, *, by: str, key: str) -> str:
    """Begin a fit as a process of its own; returns its name.

    Raises:
        Conflict: a fit is running.
    """
    if before := store.answered("fit_started", {}, key):
        return before.told["fit"]
    bury_interrupted(store)
    if running := [fit.name for fit in list_fits(store) if fit.state == "running"]:
        raise Conflict(
            "A fit is running; it will take notice of what arrived meanwhile.",
            found=running[-1],
            hint="wait for it, or cancel_fit",
        )
    name = begin(store, plan(store, settings), by=by, key=key)
    spawn(folder, store, name)
    return name


def carry_out(folder: Path, store: Store, name: str, record: xr.DataTree, settings: Settings) -> Posterior:
    """Do a fit that was written down as begun.

    Args:
        folder: of the campaign.
        store: its store.
        name: of the fit.
        record: what is known.
        settings: of the campaign.

    Raises:
        TielineError: the data cannot answer.
        Conflict: the fit was cancelled meanwhile.
    """
    try:
        with beating(store, name, "challenging" if settings.challengers else "fitting"):
            table = table_of(record, settings)
            chosen = choose_model(store, settings, table)
        with beating(store, name, "fitting"):
            posterior, outcome = _learned(chosen, table, _on_arrived(folder, store, table))
    except Conflict:
        raise
    except TielineError as error:
        end(store, name, "failed", outcome=three_clauses(error))
        raise
    except KeyboardInterrupt:
        if find_fit(store, name).state != "cancelled":
            end(store, name, "cancelled")
        raise
    used = replace(settings, model=chosen.settings.model) if settings.challengers else settings
    outcome["use"] = describe_use(used, table, specimens_of(record))
    outcome["notes"] = list(dict.fromkeys([*outcome["notes"], *notes_on_settings(settings, table)]))
    file = folder / "posteriors" / f".{uuid4().hex}.nc"
    digest = adopt(posterior.save(file), file.parent)
    end(store, name, "done", posterior=digest, outcome={**outcome, "table_sha256": checksum_of(table)})
    return posterior


def _learned(chosen: Chosen, table: xr.Dataset, arrived: str) -> tuple[Posterior, dict[str, Any]]:
    """What the chosen model learns, and what the log says of it."""
    from tieline.evaluation.retraining import with_decisions
    from tieline.insight.explanation import model_card

    model = model_of(chosen.settings)
    judged = {"arrived": arrived, "decision": "", **chosen.challenge}
    kept = with_decisions(table, [judged]) if chosen.challenge or arrived else table
    posterior = model.fit(kept, seed=chosen.settings.seed)
    found = posterior.diagnose()
    outcome = {key: found.attrs[key] for key in ("verdict", "sentence", "action")}
    outcome |= {"model": type(model).__name__, "arrived": arrived, "challenge": chosen.challenge}
    outcome |= {"notes": found.attrs["notes"], "card": model_card(posterior, found)}
    return posterior, outcome


def _on_arrived(folder: Path, store: Store, table: xr.Dataset) -> str:
    """How the latest fit does on what it had not seen; "" where there is no fit, or nothing arrived."""
    from tieline.evaluation.retraining import how_it_did

    before = latest_fit(store)
    if before is None:
        return ""
    try:
        return how_it_did(posterior_of_design(kept_netcdf(folder / "posteriors", before.posterior)), table)
    except TielineError as error:
        return f"{before.name} cannot say what arrived: {error.what}"
