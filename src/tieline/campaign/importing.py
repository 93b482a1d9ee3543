"""Files of the lab become part of a campaign: kept as they came, and joined to what was known."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
import xarray as xr

import tieline
from tieline.campaign.files import checksums, keep_netcdf, read_kept
from tieline.campaign.joining import join_records
from tieline.campaign.lists import LIST
from tieline.campaign.naming import name_apart, number_first
from tieline.campaign.raw import is_same_file, keep, name_import
from tieline.campaign.results import has_result, is_list, read_results, without_empty_rows
from tieline.campaign.store import tables
from tieline.campaign.store.store import Store
from tieline.campaign.told import Told, with_told
from tieline.errors import TielineError
from tieline.schema import specimens_of
from tieline.schema.wording import name_some


class _Overtaken(Exception):
    """Somebody else imported something meanwhile: join anew."""


@dataclass(frozen=True)
class Imports:
    """What was imported into a campaign.

    Attributes:
        folder: of the campaign.
        store: its store.
    """

    folder: Path
    store: Store

    def names(self) -> dict[str, str]:
        """Folders in raw/ and what lies in them, in the order of import."""
        table = tables.imported
        rows = self.store.rows(sa.select(table.c.name, table.c.file).order_by(table.c.position))
        return {row.name: row.file for row in rows}

    def joined(self) -> xr.DataTree | None:
        """What the imports say together; None if there are none."""
        digest = self.store.fact("record")
        return None if not digest else as_record(read_kept(self.folder / "arrays", digest))

    def add(
        self, file: str | Path, known: xr.Dataset | None, *, sheet: str | None, by: str, key: str
    ) -> list[str]:
        """Keep a file or folder, and join what it says to the record.

        Args:
            file: a table, a pattern, or a folder of them.
            known (specimen): all that is known, for lists of ours that somebody filled in.
            sheet: which sheet of a spreadsheet file.
            by: who does it.
            key: of the request.

        Returns:
            Notes: what was guessed and what changed.
        """
        source = Path(file) if Path(file).name not in ("", "..") else Path(file).resolve()  # "." has no name
        self._refuse_campaigns(source)
        reading = read(source, known, sheet)
        name = name_import(source, str(reading.attrs["source_sha256"]))
        request = {"name": name, "sheet": sheet or ""}
        if before := self.store.answered("imported", request, key):
            return before.told["notes"]
        while True:
            base = self.store.fact("record") or ""
            content, notes = self._content(source, name, reading, known, sheet or "")
            try:
                self.store.write(
                    "imported", self._unless_overtaken(base, content), by=by, key=key, request=request
                )
            except _Overtaken:
                continue
            return notes

    def without(self, name: str, known: xr.Dataset | None) -> str:
        """Join all imports but one afresh; returns the checksum of the record, "" if nothing is left."""
        record = None
        for earlier, file in self.names().items():
            if earlier != name:
                record = add(record, read(self.folder / "raw" / earlier / file, known), file)[0]
        return "" if record is None else keep_netcdf(record, self.folder / "arrays")

    def _content(
        self, source: Path, name: str, reading: xr.DataTree, known: xr.Dataset | None, sheet: str
    ) -> tuple[dict[str, Any], list[str]]:
        notes = list(reading.attrs.get("notes", []))
        earlier = next((n for n in self.names() if is_same_file(name, n)), "")
        if earlier:
            record, changes = self._join_again(name, reading, known)
        else:
            record, changes = add(self.joined(), reading, source.name)
        with_told(record, Told.of(self.store))  # what was told must still be understood beside it
        # Only what could be read and joined is kept; an import counts once the log says so.
        file = keep(source, self.folder / "raw" / name)
        specimens = specimens_of(reading)
        measured = specimens["specimen"].values.astype(str)[has_result(specimens)]
        notes += changes
        content = {
            "name": name,
            "sheet": sheet,
            "file": file,
            "files": checksums(self.folder / "raw" / name),
            "record": keep_netcdf(record, self.folder / "arrays"),
            "replaces": earlier,
            "done": self._proposals_among(measured.tolist()),
            "notes": notes,
            "tieline": tieline.__version__,
        }
        return content, notes

    def _unless_overtaken(self, base: str, content: Mapping[str, Any]) -> Any:
        def settle(connection: sa.Connection) -> Mapping[str, Any]:
            fact = tables.fact
            now = connection.execute(sa.select(fact.c.value).where(fact.c.name == "record")).scalar()
            if (now or "") != base:
                raise _Overtaken
            return content

        return settle

    def _proposals_among(self, names: list[str]) -> list[str]:
        known = self.store.rows(sa.select(tables.proposal.c.name))
        return sorted({row.name for row in known} & set(names))

    def _join_again(
        self, name: str, reading: xr.DataTree, known: xr.Dataset | None
    ) -> tuple[xr.DataTree, list[str]]:
        """Join all imports afresh, a new reading of one of them in the place of the earlier one."""
        record = None
        for earlier, file in self.names().items():
            is_this = is_same_file(name, earlier)
            part = reading if is_this else read(self.folder / "raw" / earlier / file, known)
            record = add(record, part, file)[0]
        assert record is not None  # the earlier reading is among the imports
        before = self.joined()
        assert before is not None
        notes = ["imported before: this reading takes the place of the earlier one"]
        after = specimens_of(record)
        if gone := [v for v in specimens_of(before).data_vars if v not in after]:
            notes.append(f"no longer in the record: {name_some(gone)}")
        return record, notes

    def _refuse_campaigns(self, source: Path) -> None:
        if not source.exists():
            raise TielineError(f"There is no file '{source}'.", hint="check the name; quote one with spaces")
        if (source / "campaign.toml").is_file():
            raise TielineError(
                f"'{source}' is the folder of a campaign, not of measurements.",
                found="campaign.toml in it",
                hint=f"import a file that holds results, such as {source / LIST} when it is filled in",
            )
        if source.is_dir() and source.resolve() in self.folder.resolve().parents:
            raise TielineError(
                f"The campaign lies in the folder '{source}' itself.",
                found=str(self.folder),
                hint="import the files one by one, or put those of one import into a folder of their own",
            )


def read(source: Path, known: xr.Dataset | None, sheet: str | None = None) -> xr.DataTree:
    """Read a file of the lab, or a list of proposals, of which the rows with a result are kept."""
    reading = read_results(source, known, sheet=sheet)
    return without_empty_rows(reading) if is_list(reading) else reading


def add(record: xr.DataTree | None, reading: xr.DataTree, file: str) -> tuple[xr.DataTree, list[str]]:
    """Join what was read now to what was known, if anything was."""
    stem = Path(file).stem
    if record is None:
        return number_first(reading, stem), []
    record, reading, notes = name_apart(record, reading, stem)
    joined, changes = join_records(record, reading)
    joined.attrs["notes"] += [f"{file}: {note}" for note in notes]
    return joined, changes + notes


def as_record(data: xr.Dataset | xr.DataTree) -> xr.DataTree:
    """A record that was read from a file: join and load give nothing else."""
    assert isinstance(data, xr.DataTree)
    return data


def specimen_names(record: xr.DataTree | None) -> set[str]:
    """Identities of the specimens of a record, as text."""
    if record is None:
        return set()
    return set(np.atleast_1d(specimens_of(record)["specimen"].values).astype(str).tolist())
