"""A campaign as a folder of plain files.

campaign.toml     what is studied and what for; people may edit it
raw/SHA-256/      every imported file as it came, never changed
record.nc         what the imports say together, and which they are
posteriors/       what was learned from it
proposals.csv     the latest proposals, to be filled in and imported; earlier ones under their date-time

A file is replaced whole or not at all, so a crash leaves the state before or after, never between. All that
is kept is kept through this class: a store for several machines can take its place without anyone else
noticing.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from tieline.campaign.joining import join_records
from tieline.campaign.lists import LIST, all_lists, name_specimens, set_aside, under_way
from tieline.campaign.naming import name_apart, number_first
from tieline.campaign.raw import is_same_file, keep, name_import
from tieline.campaign.results import is_list, read_results, without_empty_rows
from tieline.campaign.settings import (
    Settings,
    complete,
    properties_of,
    read_settings,
    strangers_in_goal,
    write_settings,
)
from tieline.campaign.uses import describe_use, notes_on_settings
from tieline.errors import SchemaError, TielineError
from tieline.features.represent import represent
from tieline.models.gaussian_process import GaussianProcess
from tieline.models.phase_property import PhaseProperty
from tieline.models.posterior import Posterior
from tieline.models.posterior_file import load_posterior
from tieline.models.spectral_posterior import SpectralPosterior
from tieline.planning.goals import Goal, parse_goal
from tieline.planning.listing import tabulate_proposals
from tieline.planning.pool import default_pool
from tieline.planning.propose import Acquisition, Batch, propose
from tieline.schema import open_netcdf, save_netcdf, specimens_of
from tieline.schema.wording import name_some


@dataclass(frozen=True)
class Folder:
    """A campaign that lives in a folder. Use `create` for a new one and `open` for one that is there."""

    path: Path

    @classmethod
    def create(cls, path: str | Path, settings: Settings | None = None) -> "Folder":
        """Make the folder with its campaign.toml.

        Raises:
            TielineError: there is a campaign already, or a file of that name.
            SchemaError: data are there, and the goal names a property that they lack.
        """
        folder = cls(Path(path))
        if folder._settings_file.exists() or folder.path.is_file():
            raise TielineError(
                f"'{folder.path}' is taken.",
                found="a campaign" if folder._settings_file.exists() else "a file",
                hint="choose another name, or use the campaign that is there",
            )
        settings = settings or Settings(folder.path.resolve().name)
        if folder.has_record and (strangers := folder._strangers(settings)):
            raise SchemaError(strangers[0], hint="name one of these, or leave the goal out")
        for part in ("raw", "posteriors"):
            (folder.path / part).mkdir(parents=True, exist_ok=True)
        _write(folder._settings_file, write_settings(settings))
        return folder

    @classmethod
    def open(cls, path: str | Path) -> "Folder":
        """Find a campaign.

        Raises:
            TielineError: there is none.
        """
        folder = cls(Path(path))
        if not folder._settings_file.is_file():
            raise TielineError(
                f"There is no campaign in '{folder.path}'.",
                found="no campaign.toml" if folder.path.is_dir() else "no such folder",
                hint=f"tieline new {folder.path}",
            )
        return folder

    @property
    def settings(self) -> Settings:
        """What campaign.toml says."""
        return read_settings(self._settings_file)

    @property
    def has_record(self) -> bool:
        """Whether anything was imported."""
        return self._record_file.is_file()

    @property
    def has_posterior(self) -> bool:
        """Whether a fit is there."""
        return self._posterior_file.is_file()

    @property
    def is_stale(self) -> bool:
        """Whether data or settings changed since the fit."""
        fitted = self._posterior_file.stat().st_mtime_ns
        return any(f.stat().st_mtime_ns > fitted for f in (self._record_file, self._settings_file))

    def imports(self) -> list[str]:
        """Names of the files that were imported."""
        return sorted(self._imports().values())

    def import_file(self, file: str | Path, *, sheet: str | None = None) -> list[str]:
        """Keep a copy of a file or folder as it came, and add what it says to the record.

        A value that the record already has is replaced by the newer one, and counted in the notes. A file
        that was imported before, its columns now corrected perhaps, takes the place of its earlier reading.
        Rows of a later file that names no specimens are new ones, named after the file.

        Args:
            file: a table, a pattern, or a folder of them.
            sheet: which sheet of a spreadsheet file, when several hold data; remembered beside the file.

        Returns:
            Notes: what was guessed about the columns and what changed.

        Raises:
            TielineError: there is no such file, it cannot be read, or it contradicts how a specimen was made.
                The campaign is then as it was.
            UnitError: a column has a unit that cannot be converted into that of an earlier import.
        """
        source = Path(file) if Path(file).name not in ("", "..") else Path(file).resolve()  # "." has no name
        self._refuse_campaigns(source)
        reading = self._read(source, sheet)
        notes = list(reading.attrs.get("notes", []))
        name, imports = name_import(source, str(reading.attrs["source_sha256"])), self._imports()
        if any(is_same_file(name, earlier) for earlier in imports):
            record, changes = self._join_again(name, reading)
        else:
            record, changes = _add(self.record() if self.has_record else None, reading, source.name)
        # Only what could be read and joined is kept; an import counts once the record names it.
        kept = keep(source, self.path / "raw" / name)
        imports = {name if is_same_file(name, earlier) else earlier: f for earlier, f in imports.items()}
        record.attrs["imports"] = imports | {name: kept}
        save_netcdf(record, self._record_file)
        return notes + changes + self._strangers(self.settings)

    def record(self) -> xr.DataTree:
        """Read what the imports say together.

        Raises:
            TielineError: nothing was imported yet.
        """
        if not self.has_record:
            raise TielineError(
                f"The campaign '{self.settings.name}' has no data yet.",
                hint=f"tieline import {self.path} FILE",
            )
        record = open_netcdf(self._record_file)
        assert isinstance(record, xr.DataTree)  # join_records and load give nothing else
        return record

    def fit(self):
        """Learn from the record, keep the posterior and return it.

        Raises:
            TielineError: the data cannot answer; the message says what they lack.
        """
        table = self._table(self.record())
        settings = complete(self.settings, table)
        posterior = _model(settings).fit(table, seed=settings.seed)
        posterior.save(self._posterior_file)
        return posterior

    def uses(self) -> tuple[str, list[str]]:
        """Say in one line what `fit` learns from what, and note what the campaign is after but lacks."""
        record, settings = self.record(), self.settings
        table = self._table(record)
        line = describe_use(settings, table, specimens_of(record))
        return line, notes_on_settings(settings, table)

    def _table(self, record: xr.DataTree) -> xr.Dataset:
        """What models read: numbers and labels, and the text that campaign.toml gives a part."""
        table, specimens, settings = represent(record), specimens_of(record), self.settings
        design = [settings.design] if isinstance(settings.design, str) else settings.design or []
        if table_text := [name for name in (settings.instrument, *design) if name in table.coords]:
            table = table.reset_coords(table_text)
        flags = [f"{v}_flag" for v in table.data_vars if settings.is_smooth]
        wanted = [name for name in (settings.instrument, *design, *flags) if name in specimens]
        missing = {name: specimens[name] for name in wanted if name not in table}
        unused = {f"/specimens: {name} is text, kept beside the variables" for name in wanted}
        notes = [note for note in table.attrs.get("notes", []) if note not in unused]
        return table.assign(missing).assign_attrs(notes=notes) if missing else table

    def posterior(self):
        """Read the latest fit.

        Raises:
            TielineError: there is none.
        """
        if not self.has_posterior:
            raise TielineError(
                f"The campaign '{self.settings.name}' has not been fitted.", hint=f"tieline fit {self.path}"
            )
        posterior = load_posterior(self._posterior_file)
        if isinstance(posterior, SpectralPosterior):
            raise SchemaError(
                "A campaign has the posterior of a design, and this one is of spectra.",
                found="SpectralComposition",
                hint="tl.load_posterior reads it outside of a campaign",
            )
        return posterior

    def goal(self) -> Goal:
        """What campaign.toml is after; what it leaves open is taken from the data.

        Raises:
            SchemaError: campaign.toml names a property that was not learned.
        """
        return self._goal(self.posterior())

    def _goal(self, posterior: Posterior) -> Goal:
        if strangers := strangers_in_goal(self.settings.goal, posterior.model.properties):
            raise SchemaError(strangers[0], hint="correct the line goal in campaign.toml, or use --goal")
        settings = complete(self.settings, posterior.table)
        assert settings.goal is not None  # complete fills it
        return parse_goal(settings.goal)

    def predict(self, places: xr.Dataset | None = None) -> xr.Dataset:
        """Predict at places, by default all over the explored region.

        Returns:
            The places with the prediction, whose `attrs` it has. A variable of the places that bears a name
            of the prediction is left out, which `attrs["notes"]` then says.
        """
        posterior = self.posterior()
        places = default_pool(posterior) if places is None else places
        predicted = posterior.predict(places)
        taken = {str(v) for v in (*predicted.variables, *predicted.dims)} - {"specimen"}
        clashing = [str(n) for n, v in places.variables.items() if n in taken or taken & set(v.dims)]
        notes = [f"{name}: left out of the places, where it is predicted" for name in clashing]
        answer = xr.merge([places.drop_vars(clashing), predicted], compat="equals", join="exact")
        answer.attrs = {**predicted.attrs, "notes": [*predicted.attrs["notes"], *notes]}
        return answer

    def propose(
        self,
        pool: xr.Dataset | None = None,
        *,
        n: int = 5,
        goal: Goal | None = None,
        acquisition: Acquisition | None = None,
        batch: Batch = "believer",
        audit: int = 0,
        anew: bool = False,
    ) -> xr.Dataset:
        """Propose what to do next and keep the list as proposals.csv, to be filled in and imported.

        An earlier list is kept under its date-time, and its proposals that have no result yet count as under
        way.

        Args:
            pool (specimen): the places to choose from; by default the explored region.
            n: how many.
            goal: by default that of campaign.toml.
            acquisition: as in `tieline.propose`.
            batch: as in `tieline.propose`.
            audit: as in `tieline.propose`.
            anew: disregard the proposals of earlier lists.

        Returns:
            As `tieline.propose`, with `proposal`: what each specimen is called in the list.
        """
        lists = [] if anew else all_lists(self.path)
        posterior, known = self.posterior(), specimens_of(self.record())
        options = {"acquisition": acquisition, "batch": batch, "audit": audit}
        chosen = self._proposals(posterior, known, lists, pool, n=n, goal=goal, **options)
        names = name_specimens(self.path, known["specimen"].values.astype(str).tolist(), n)
        text = tabulate_proposals(posterior, chosen, names).to_csv()
        notes = [*chosen.attrs["notes"], *set_aside(self.path)]
        _write(self.path / LIST, text, encoding="utf-8-sig")  # Excel takes a file without the mark for cp1252
        return chosen.assign(proposal=("specimen", names)).assign_attrs(notes=notes)

    def _proposals(
        self,
        posterior: Posterior,
        known: xr.Dataset,
        lists: Sequence[Path],
        pool: xr.Dataset | None = None,
        *,
        n: int = 5,
        goal: Goal | None = None,
        **options: Any,
    ) -> xr.Dataset:
        """Propose as if all open proposals in lists were under way; nothing is kept."""
        pending, notes = under_way(lists, known, posterior)
        batch = propose(
            posterior,
            default_pool(posterior) if pool is None else pool,
            goal or self._goal(posterior),
            n,
            **options,
            pending=pending,
            seed=self.settings.seed,
        )
        return batch.assign_attrs(notes=[*batch.attrs["notes"], *notes])

    def report(self) -> Path:
        """Write `report/report.html` and its figures about the latest fit.

        It proposes what is next beside what earlier lists have under way; the latest list is left as it is.
        """
        from tieline.figures.report import Chapter, write_report

        posterior = self.posterior()
        lists = [file for file in all_lists(self.path) if file.name != LIST]
        batch = self._proposals(posterior, specimens_of(self.record()), lists)
        about = f"{posterior.table.sizes['specimen']} specimens from {', '.join(self.imports())}."
        chapter = Chapter(self.settings.name, about, posterior, posterior.diagnose(), batch)
        return write_report([chapter], self.path / "report", title=self.settings.name)[0]

    @property
    def _settings_file(self) -> Path:
        return self.path / "campaign.toml"

    @property
    def _record_file(self) -> Path:
        return self.path / "record.nc"

    @property
    def _posterior_file(self) -> Path:
        return self.path / "posteriors" / "posterior.nc"

    def _imports(self) -> dict[str, str]:
        """Folders in raw/ and what lies in them, in the order of import."""
        return dict(self.record().attrs["imports"]) if self.has_record else {}

    def _read(self, source: Path, sheet: str | None = None) -> xr.DataTree:
        """Read a file of the lab, or a list of proposals, of which the rows with a result are kept."""
        known = specimens_of(self.record()) if self.has_record else None
        reading = read_results(source, known, sheet=sheet)
        return without_empty_rows(reading) if is_list(reading) else reading

    def _strangers(self, settings: Settings) -> list[str]:
        """Properties of the goal that the record lacks, each in one sentence."""
        properties = properties_of(settings, specimens_of(self.record()))
        return strangers_in_goal(settings.goal, properties)

    def _refuse_campaigns(self, source: Path) -> None:
        if not source.exists():
            raise TielineError(f"There is no file '{source}'.", hint="check the name; quote one with spaces")
        if (source / "campaign.toml").is_file():
            raise TielineError(
                f"'{source}' is the folder of a campaign, not of measurements.",
                found="campaign.toml in it",
                hint=f"import a file that holds results, such as {source / LIST} when it is filled in",
            )
        if source.is_dir() and source.resolve() in self.path.resolve().parents:
            raise TielineError(
                f"The campaign lies in the folder '{source}' itself.",
                found=str(self.path),
                hint="import the files one by one, or put those of one import into a folder of their own",
            )

    def _join_again(self, name: str, reading: xr.DataTree) -> tuple[xr.DataTree, list[str]]:
        """Join all imports afresh, a new reading of one of them in the place of the earlier one."""
        record = None
        for earlier, file in self._imports().items():
            is_this = is_same_file(name, earlier)
            part = reading if is_this else self._read(self.path / "raw" / earlier / file)
            record = _add(record, part, file)[0]
        assert record is not None  # the earlier reading is among the imports
        before, after = specimens_of(self.record()), specimens_of(record)
        notes = ["imported before: this reading takes the place of the earlier one"]
        if gone := [v for v in before.data_vars if v not in after]:
            notes.append(f"no longer in the record: {name_some(gone)}")
        return record, notes


def _model(settings: Settings) -> PhaseProperty | GaussianProcess:
    """The model of complete settings."""
    assert settings.design is not None  # complete fills it
    assert settings.properties is not None
    if settings.is_smooth:
        kernel = {} if settings.kernel is None else {"kernel": settings.kernel}
        return GaussianProcess(settings.design, settings.properties, **kernel)
    said = {"inference": settings.inference, "n_sweeps": settings.n_sweeps}
    return PhaseProperty(
        design=settings.design,
        phase=settings.phase or None,
        properties=settings.properties,
        instrument=settings.instrument,
        **{name: value for name, value in said.items() if value is not None},
    )


def _add(record: xr.DataTree | None, reading: xr.DataTree, file: str) -> tuple[xr.DataTree, list[str]]:
    """Join what was read now to what was known, if anything was."""
    stem = Path(file).stem
    if record is None:
        return number_first(reading, stem), []
    record, reading, notes = name_apart(record, reading, stem)
    joined, changes = join_records(record, reading)
    joined.attrs["notes"] += [f"{file}: {note}" for note in notes]
    return joined, changes + notes


def read_places(file: str | Path) -> xr.Dataset:
    """Read a table of places to predict or to choose from, columns of text too: they may be categories."""
    record = read_results(Path(file), remember=False)
    table, specimens = represent(record), specimens_of(record)
    return table.assign({str(n): v for n, v in specimens.data_vars.items() if n not in table})


def write_places(places: xr.Dataset, file: Path) -> None:
    """Write places and what is predicted there as CSV or netCDF, by the name's ending.

    Raises:
        SchemaError: another ending.
    """
    if file.suffix == ".nc":
        save_netcdf(places, file)
    elif file.suffix == ".csv":
        _write(file, _flat(places).to_csv())
    else:
        raise SchemaError("Predictions are written as .csv or .nc.", found=file.name, hint=f"{file.stem}.csv")


def _flat(places: xr.Dataset) -> pd.DataFrame:
    """One row a place; an array over phases, elements or parts becomes columns: phase_probability_A."""
    columns = {}
    for name, variable in places.data_vars.items():
        if variable.dims == ("specimen",):
            columns[str(name)] = variable.values
            continue
        (other,) = (d for d in variable.dims if d != "specimen")
        for value in variable[other].values:
            columns[f"{name}_{value}"] = variable.sel({other: value}).values
    return pd.DataFrame(columns, index=pd.Index(places["specimen"].values, name="specimen"))


def _write(path: Path, text: str, *, encoding: str = "utf-8") -> None:
    """Write a text file whole or not at all."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    partial.write_text(text, encoding=encoding)
    partial.replace(path)
