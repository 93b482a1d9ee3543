"""Write a campaign out: tables for anybody, or a crate with all that it is made of."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, get_args

from tieline.campaign.citation import Citation
from tieline.campaign.export.actions import table_path
from tieline.campaign.export.crate import METADATA, datacite_of, metadata_of
from tieline.campaign.export.kadi import RECORDS, kadi_records, write_records
from tieline.campaign.export.sheets import sheets_of
from tieline.campaign.export.view import View
from tieline.campaign.export.writing import whole
from tieline.campaign.files import checksums, kept_netcdf
from tieline.campaign.learning import table_of
from tieline.campaign.store.database import without_password
from tieline.campaign.verifying import files_of
from tieline.errors import TielineError, did_you_mean
from tieline.readers.mapping import mapping_path, write_mapping
from tieline.schema import open_netcdf, save_netcdf

Format = Literal["crate", "csv", "kadi"]
SUMS = "SHA256SUMS"
ABOUT = {
    "arrays": "what the imported files said together after one import, with units",
    "posteriors": "what a fit learned, as numbers and JSON",
    "artifacts": "a file that was attached, as it came",
    "raw": "a file that was imported, as it came",
}


def export(view: View, path: Path, form: Format, *, replace: bool) -> Path:
    """Write a campaign out.

    Args:
        view: of the campaign.
        path: a folder, or a file that ends in .zip.
        form: what to write.
        replace: what is there already.

    Raises:
        TielineError: something is there already that is no earlier export, or not to be replaced; or creators
            or a licence are missing for a crate.
    """
    if form not in get_args(Format):
        raise TielineError(
            f"There is no format '{form}'. {did_you_mean(form, get_args(Format))}".strip(),
            hint=" or ".join(get_args(Format)),
        )
    citation = Citation.from_dict(view.settings.citation)
    if form == "crate":
        citation.refuse_gaps()
    with whole(path, replace=replace, keeps=view.folder) as folder:
        files = dict(_write_sheets(view, folder))
        if form != "csv":
            files |= dict(_write_data(view, folder)) | dict(_copy_files(view, folder))
        if form == "crate":
            _write_crate(view, citation, files, folder)
        elif form == "kadi":
            records = kadi_records(view, citation, sorted(files))
            _write(folder / RECORDS, write_records(records))
    return path


def _write_crate(view: View, citation: Citation, files: dict[str, str], folder: Path) -> None:
    """Write citation, checksums and metadata beside the files, of which each has its description."""
    _write(folder / "datacite.json", datacite_of(view, citation))
    sums = [f"{digest}  {path}\n" for path, digest in checksums(folder).items()]
    _write(folder / SUMS, "".join(sums))
    files |= {
        "datacite.json": "the citation, as repositories take it",
        SUMS: f"checksum of every file but itself and {METADATA}: sha256sum -c {SUMS}",
    }
    _write(folder / METADATA, metadata_of(view, citation, dict(sorted(files.items())), folder))


def _write(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8", newline="\n")


def _write_sheets(view: View, folder: Path) -> Iterator[tuple[str, str]]:
    """Write the tables; yields the path of each and what it is."""
    for sheet in sheets_of(view):
        file = folder / sheet.name
        _write(file, sheet.text)
        yield sheet.name, sheet.about
        if sheet.mapped is not None:
            write_mapping(file, sheet.mapped)
            yield mapping_path(file).name, f"how tieline reads {sheet.name} as it was"


def _write_data(view: View, folder: Path) -> Iterator[tuple[str, str]]:
    """Write the record, the table, those that fits read, the log and the settings."""
    if view.record is not None:
        save_netcdf(view.record, folder / "record.nc")
        yield "record.nc", "what imported files and told measurements say together, with units"
        save_netcdf(table_of(view.record, view.settings), folder / "table.nc")
        yield "table.nc", "the table that models read now, with units"
    (folder / "tables").mkdir()
    for fit in view.fits():
        if fit["posterior"]:
            posterior = open_netcdf(kept_netcdf(view.folder / "posteriors", fit["posterior"]))
            table = posterior["table"].to_dataset()
            save_netcdf(table, folder / table_path(fit["name"]))
            yield table_path(fit["name"]), f"the table that {fit['name']} learned from"
    lines = [json.dumps(vars(event), ensure_ascii=False) + "\n" for event in view.events]
    _write(folder / "events.jsonl", "".join(lines))
    yield (
        "events.jsonl",
        "the log of all that happened, one event a line, each with the digest of the one before",
    )
    settings = (view.folder / "campaign.toml").read_text(encoding="utf-8")
    shown = [without_password(s) if s.lstrip().startswith("store") else s for s in settings.splitlines()]
    _write(folder / "campaign.toml", "\n".join([*shown, ""]))
    yield "campaign.toml", "what was studied and what for"


def _copy_files(view: View, folder: Path) -> Iterator[tuple[str, str]]:
    """Copy every file that the log names."""
    named = dict(pair for event in view.events for pair in files_of(event))
    for path in sorted(named):
        source, target = view.folder / path, folder / path
        if not source.is_file():
            raise TielineError(
                f"A file of the campaign is gone: {path}.",
                hint="put it back from a backup; tieline verify lists all that is missing",
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        yield path, ABOUT[path.partition("/")[0]]
