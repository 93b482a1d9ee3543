"""Make a campaign's folder, or find one; one of an earlier version is upgraded."""

from pathlib import Path

from tieline.campaign.importing import Imports
from tieline.campaign.places import write_whole
from tieline.campaign.settings import (
    Settings,
    check_models,
    fault_of_goal,
    properties_of,
    read_settings,
    write_settings,
)
from tieline.campaign.store.store import Store
from tieline.campaign.upgrading import is_of_earlier_version, upgrade_folder
from tieline.errors import SchemaError, TielineError
from tieline.schema import specimens_of

SETTINGS = "campaign.toml"


def make(folder: Path, settings: Settings) -> Store:
    """Make a folder with its campaign.toml and its store.

    Raises:
        TielineError: there is a campaign already, or a file of that name.
        SchemaError: there is no such model, or it cannot have the goal; or data are there, and the goal names
            a property that they lack.
    """
    check_models(settings.model, settings.challengers or (), settings.goal)
    file = folder / SETTINGS
    if file.exists() or folder.is_file():
        raise TielineError(
            f"'{folder}' is taken.",
            found="a campaign" if file.exists() else "a file",
            hint="choose another name, or use the campaign that is there",
        )
    for part in ("raw", "arrays", "posteriors"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    store = Store.open(folder, settings.store)
    _refuse_strangers(folder, store, settings)
    write_whole(file, write_settings(settings))
    if not store.last():
        store.write("created", {"name": settings.name})
    return store


def can_begin(folder: Path) -> bool:
    """Whether a campaign could begin in a folder: it has none, and is no file."""
    return not folder.is_file() and not (folder / SETTINGS).exists()


def find(folder: Path) -> Store:
    """Open the store of a folder.

    Raises:
        TielineError: there is no campaign.
    """
    file = folder / SETTINGS
    if not file.is_file():
        raise TielineError(
            f"There is no campaign in '{folder}'.",
            found=f"no {SETTINGS}" if folder.is_dir() else "no such folder",
            hint=f"tieline new {folder}",
        )
    store = Store.open(folder, read_settings(file).store)
    if is_of_earlier_version(folder):
        upgrade_folder(folder, store)
    return store


def _refuse_strangers(folder: Path, store: Store, settings: Settings) -> None:
    record = Imports(folder, store).joined()
    if record is None:
        return
    if fault := fault_of_goal(settings.goal, properties_of(settings, specimens_of(record))):
        store.close()
        raise SchemaError(fault.what, found=fault.found, hint="name one of these, or leave the goal out")
