"""Whether a campaign is as it was written: its log, its tables, and every file that the log names."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from tieline.campaign.files import checksums
from tieline.campaign.store.checking import check_store
from tieline.campaign.store.event import Event
from tieline.campaign.store.store import Store

FOLDERS = ("raw", "arrays", "posteriors", "artifacts")


def verify(folder: Path, store: Store) -> list[str]:
    """Tell what is not as it was written, one sentence each; none if all is well.

    Files that people may edit are not looked at: campaign.toml, lists of proposals, reports.

    Args:
        folder: of the campaign.
        store: its store.
    """
    found = check_store(store)
    if found:
        return found  # what the log says of files cannot be trusted
    events, expected = store.events(), {}
    for event in events:
        expected |= dict(files_of(event))
    return [*_compare(folder, expected), *_missing_studies(folder, events)]


def files_of(event: Event) -> Iterator[tuple[str, str]]:
    """Files that an event names, with their checksums."""
    told = event.told
    if event.kind == "imported":
        for path, digest in told["files"].items():
            yield f"raw/{told['name']}/{path}", digest
    if told.get("record"):
        yield f"arrays/{told['record']}.nc", told["record"]
    if event.kind == "fit_ended" and told["posterior"]:
        yield f"posteriors/{told['posterior']}.nc", told["posterior"]
    if event.kind == "attached":
        yield f"artifacts/{told['file']}", told["sha256"]


def _missing_studies(folder: Path, events: Iterable[Event]) -> Iterator[str]:
    """Tell what was read or learned last in a study and is not there, wherever it was moved to."""
    latest = {}
    for told in (event.told for event in events if event.kind == "studied"):
        if told["made"]:
            latest[told["study"], told["of"]] = told
    there = set(checksums(folder / "studies").values()) if latest else set()
    for told in latest.values():
        if told["made"] not in there:
            what = "read in" if told["of"] else "learned from"
            yield f"What was {what} {told['name']} (studies/{told['study']}) is gone or was changed."


def _compare(folder: Path, expected: dict[str, str]) -> Iterator[str]:
    there = {}
    for part in FOLDERS:
        if (folder / part).is_dir():
            there |= {f"{part}/{path}": digest for path, digest in checksums(folder / part).items()}
    for path, digest in expected.items():
        if path not in there:
            yield f"{path} is gone."
        elif there[path] != digest:
            yield f"{path} was changed."
    for path in there:
        if path.startswith("raw/") and path not in expected:
            yield f"{path} was not imported."
