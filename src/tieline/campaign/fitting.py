"""One fit, from the record to a file that the log names, with signs of life on the way."""

from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import uuid4

import xarray as xr

import tieline
from tieline.campaign.files import adopt
from tieline.campaign.fits import Fit, beating, begin, bury_interrupted, end, find_fit, list_fits
from tieline.campaign.learning import checksum_of, model_of, settings_of_fit, table_of
from tieline.campaign.settings import Settings, complete
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
    is_changed = learned is not None and learned != settings_of_fit(settings)
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
    from tieline.insight.explanation import model_card

    try:
        with beating(store, name, "fitting"):
            table = table_of(record, settings)
            whole = complete(settings, table)
            posterior = model_of(whole).fit(table, seed=whole.seed)
            found = posterior.diagnose()
            about, card = found.attrs, model_card(posterior, found)
    except Conflict:
        raise
    except TielineError as error:
        end(store, name, "failed", outcome=three_clauses(error))
        raise
    except KeyboardInterrupt:
        if find_fit(store, name).state != "cancelled":
            end(store, name, "cancelled")
        raise
    outcome = {key: about[key] for key in ("verdict", "sentence", "action")}
    outcome |= {
        "use": describe_use(settings, table, specimens_of(record)),
        "notes": list(dict.fromkeys([*about["notes"], *notes_on_settings(settings, table)])),
        "card": card,
    }
    file = folder / "posteriors" / f".{uuid4().hex}.nc"
    digest = adopt(posterior.save(file), file.parent)
    end(store, name, "done", posterior=digest, outcome={**outcome, "table_sha256": checksum_of(table)})
    return posterior
