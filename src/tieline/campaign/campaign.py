"""A campaign: the one thing in tieline that remembers.

campaign.toml     what is studied and what for; people may edit it
campaign.db       the log of all that happened, and tables that follow from it; or a PostgreSQL server
raw/NAME/         every imported file as it came, never changed
arrays/           what the imports say together, named by checksum
posteriors/       what was learned, named by checksum
artifacts/        files that were attached, named by checksum
studies/          beside the log: what was read in spectra and volumes, a fingerprint; backtest/ a back-test
proposals.csv     the latest proposals, to be filled in and imported; earlier ones under their date-time

What counts is the log, which never changes; the rest follows. A file is whole before the log names it.
"""

import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import xarray as xr

from tieline.campaign import asking, proposals
from tieline.campaign.ahead import Ahead
from tieline.campaign.attaching import attach
from tieline.campaign.card import card_of
from tieline.campaign.challenging import in_use
from tieline.campaign.export.exporting import Format, export
from tieline.campaign.export.view import viewed
from tieline.campaign.fits import Fit, begin, end, find_fit, latest_fit, list_fits
from tieline.campaign.fitting import carry_out, is_stale, plan, start
from tieline.campaign.importing import Imports
from tieline.campaign.learning import table_of
from tieline.campaign.lists import write_list
from tieline.campaign.memory import Memory
from tieline.campaign.opening import SETTINGS, find, make
from tieline.campaign.places import predict_beside
from tieline.campaign.proposals import LEASE
from tieline.campaign.reporting import report
from tieline.campaign.settings import Settings, properties_of, read_settings, strangers_in_goal
from tieline.campaign.store.event import Event
from tieline.campaign.store.store import Store
from tieline.campaign.store.tables import LIVE
from tieline.campaign.telling import Value, Vocabulary, fail, tell
from tieline.campaign.told import Told, with_told
from tieline.campaign.undoing import undo
from tieline.campaign.uses import describe_use, notes_on_settings
from tieline.campaign.verifying import verify
from tieline.errors import TielineError
from tieline.models.posterior import Posterior
from tieline.planning.goals import Goal
from tieline.planning.pool import default_pool
from tieline.planning.propose import Acquisition, Batch
from tieline.schema import specimens_of


@dataclass(frozen=True, eq=False)
class Campaign:
    """A campaign that lives in a folder. Use `create` for a new one and `open` for one that is there.

    Every verb that writes takes `by`, who does it, and `key`, which names the request: sent again under the
    same key it changes nothing and is answered as the first time.

    Attributes:
        path: the folder.
        store: what it remembers.
    """

    path: Path
    store: Store
    _memory: Memory = field(repr=False, compare=False)
    _ahead: Ahead = field(repr=False, compare=False)

    @classmethod
    def create(cls, path: str | Path, settings: Settings | None = None) -> "Campaign":
        """Make the folder with its campaign.toml and its store.

        Raises:
            TielineError: there is a campaign already, or a file of that name.
            SchemaError: data are there, and the goal names a property that they lack.
        """
        folder = Path(path)
        return cls._of(folder, make(folder, settings or Settings(folder.resolve().name)))

    @classmethod
    def open(
        cls, path: str | Path, *, as_of: int | str | datetime | None = None, ahead: int = 0
    ) -> "Campaign":
        """Find a campaign; one of an earlier version is upgraded.

        Args:
            path: the folder.
            as_of: look at the campaign as it was after an event, or at a time, for reading only.
            ahead: how many proposals to choose ahead of the next question, for many robots at once.

        Raises:
            TielineError: there is none.
        """
        folder = Path(path)
        store = find(folder)
        if as_of is None:
            return cls._of(folder, store, ahead)
        past = store.as_of(as_of)
        store.close()
        return cls._of(folder, past)

    @classmethod
    def _of(cls, folder: Path, store: Store, ahead: int = 0) -> "Campaign":
        return cls(folder, store, Memory(folder, store), Ahead(ahead))

    def __post_init__(self) -> None:
        # Whoever forgets to close a campaign does not keep its database open for ever.
        object.__setattr__(self, "_closing", weakref.finalize(self, Store.close, self.store))

    def close(self) -> None:
        """Let go of the database, and seal its file."""
        self._closing()  # type: ignore[attr-defined] - set above

    def __enter__(self) -> "Campaign":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _repr_html_(self) -> str:
        known = self._known()
        n = 0 if known is None else known.sizes["specimen"]
        return card_of(self.settings, self.store, n, self.imports())

    @property
    def settings(self) -> Settings:
        """What campaign.toml says."""
        return read_settings(self.path / SETTINGS)

    @property
    def has_record(self) -> bool:
        """Whether anything was imported or told."""
        return bool(self.store.fact("record")) or self.store.has_specimens()

    @property
    def has_posterior(self) -> bool:
        """Whether a fit is there."""
        return latest_fit(self.store) is not None

    @property
    def is_stale(self) -> bool:
        """Whether data or settings changed since the fit."""
        fit = latest_fit(self.store)
        return self.has_record if fit is None else is_stale(self.store, fit, self.settings)

    def imports(self) -> list[str]:
        """Names of the files that were imported."""
        return sorted(Imports(self.path, self.store).names().values())

    def import_file(
        self, file: str | Path, *, sheet: str | None = None, by: str = "", key: str = ""
    ) -> list[str]:
        """Keep a copy of a file or folder as it came, and add what it says to the record.

        A value that the record already has is replaced by the newer one, and counted in the notes. A file
        that was imported before, its columns now corrected perhaps, takes the place of its earlier reading.
        Rows of a later file that names no specimens are new ones, named after the file. Proposals whose
        results a file holds are done.

        Args:
            file: a table, a pattern, or a folder of them.
            sheet: which sheet of a spreadsheet file, when several hold data; remembered beside the file.
            by: who does it.
            key: names the request.

        Returns:
            Notes: what was guessed about the columns and what changed.

        Raises:
            TielineError: there is no such file, it cannot be read, or it contradicts how a specimen was made.
                The campaign is then as it was.
            UnitError: a column has a unit that cannot be converted into that of an earlier import.
        """
        imports = Imports(self.path, self.store)
        notes = imports.add(file, self._known(), sheet=sheet, by=by, key=key)
        properties = properties_of(self.settings, specimens_of(self.record()))
        return [*strangers_in_goal(self.settings.goal, properties), *notes]

    def record(self) -> xr.DataTree:
        """Read what imported files and told measurements say together.

        Raises:
            TielineError: there is nothing yet.
        """
        record = with_told(self._memory.record(), Told.of(self.store))
        if record is None:
            raise TielineError(
                f"The campaign '{self.settings.name}' has no data yet.",
                hint=f"tieline import {self.path} FILE",
            )
        return record

    def fit(self, *, by: str = "", key: str = "") -> Posterior:
        """Learn from the record, here and now; keep the posterior and return it.

        Raises:
            TielineError: the data cannot answer; the message says what they lack.
        """
        record, settings = self.record(), self.settings
        name = begin(self.store, plan(self.store, settings), by=by, key=key)
        return carry_out(self.path, self.store, name, record, settings)

    def start_fit(self, *, by: str = "", key: str = "") -> str:
        """Begin a fit as a process of its own, which goes on when this one ends; returns its name.

        When data arrive while it works, it fits again at its end.

        Raises:
            Conflict: a fit is running.
            TielineError: there are no data yet.
        """
        self.record()  # without data nothing begins
        return start(self.path, self.store, self.settings, by=by, key=key)

    def fits(self) -> list[Fit]:
        """All fits, the latest last; one whose process died is shown as interrupted."""
        return list_fits(self.store)

    def cancel_fit(self, name: str) -> None:
        """Stop a fit; what was learned before stays.

        Raises:
            NotFound: there is no such fit.
            Conflict: it has ended.
        """
        find_fit(self.store, name)
        end(self.store, name, "cancelled")

    def uses(self) -> tuple[str, list[str]]:
        """Say in one line what `fit` learns from what, and note what the campaign is after but lacks."""
        record, settings = self.record(), in_use(self.store, self.settings)
        table = table_of(record, settings)
        return describe_use(settings, table, specimens_of(record)), notes_on_settings(settings, table)

    def posterior(self) -> Posterior:
        """Read the latest fit.

        Raises:
            TielineError: there is none.
        """
        posterior = self._memory.posterior(latest_fit(self.store))
        if posterior is None:
            raise TielineError(
                f"The campaign '{self.settings.name}' has not been fitted.", hint=f"tieline fit {self.path}"
            )
        return posterior

    def goal(self) -> Goal:
        """What campaign.toml is after; what it leaves open is taken from the data.

        Raises:
            SchemaError: campaign.toml names a property that was not learned.
        """
        return asking.goal_of(self.settings, self.posterior())

    def predict(self, places: xr.Dataset | None = None) -> xr.Dataset:
        """Predict at places, by default all over the explored region.

        Returns:
            The places with the prediction, whose `attrs` it has. A variable of the places that bears a name
            of the prediction is left out, which `attrs["notes"]` then says.
        """
        posterior = self.posterior()
        return predict_beside(posterior, default_pool(posterior) if places is None else places)

    def ask(
        self,
        n: int = 1,
        *,
        instrument: str = "",
        goal: Goal | None = None,
        pool: xr.Dataset | None = None,
        acquisition: Acquisition | None = None,
        batch: Batch = "believer",
        audit: int = 0,
        by: str = "",
        key: str = "",
    ) -> xr.Dataset:
        """Ask what to do next. What is answered is remembered as under way, and never proposed to two.

        Before the first fit the proposals cover the space or the pool that campaign.toml names.

        Args:
            n: how many proposals.
            instrument: who or what will do the work. Named after a property or a label, it measures this
                alone, and places are chosen for what that tells.
            goal: by default that of campaign.toml.
            pool (specimen): places to choose from; by default those of campaign.toml, or else the explored
                region.
            acquisition: as in `tieline.propose`.
            batch: as in `tieline.propose`.
            audit: as in `tieline.propose`.
            by: who asks.
            key: names the request.

        Returns:
            As `tieline.propose`, with `proposal`, the name of each.

        Raises:
            TielineError: there are not so many places that are not under way, or nothing to choose from.
        """
        question = asking.Question(n, instrument, goal, pool, acquisition, batch, audit)
        return self._answering().answer(question, by=by, key=key)

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
        by: str = "",
    ) -> xr.Dataset:
        """Ask, and write the answer as proposals.csv, to be filled in and imported.

        An earlier list is kept under its date-time. The arguments are those of `ask`; `anew` gives up the
        earlier proposals that nobody has claimed.
        """
        open_ = self.proposals("proposed")["proposal"].values.tolist()
        if anew and open_:
            self.abandon(*open_, why="proposed anew", by=by)
        n_live = self.proposals(*LIVE).sizes["specimen"]
        chosen = self.ask(n, pool=pool, goal=goal, acquisition=acquisition, batch=batch, audit=audit, by=by)
        return write_list(self.path, self.posterior(), chosen, self._known(), n_live)

    def proposals(self, *states: str) -> xr.Dataset:
        """List proposals, all or those in some states.

        Returns:
            (specimen): their settings and what was predicted, with `proposal`, `state`, `is_overdue` (a
            lease has run out, no more), `claimed_by`, `lease_until`, `instrument` and `why`.
        """
        return proposals.list_proposals(self.store, states=states)

    def claim(
        self, proposal: str = "", *, by: str, lease: float = LEASE, instrument: str = "", key: str = ""
    ) -> str:
        """Take a proposal for oneself, by default the first that is open; returns its name.

        Args:
            proposal: its name.
            by: who takes it.
            lease: seconds until it counts as overdue, which is shown and has no other consequence.
            instrument: only what was asked for this instrument, or for any; without it only what is for any.
            key: names the request.

        Raises:
            NotFound: nothing is open, or there is no such proposal.
            Conflict: somebody else has it.
        """
        options = {"lease": lease, "instrument": instrument, "key": key}
        return proposals.claim(self.store, proposal, by=by, **options)

    def renew(
        self, proposal: str, *, by: str, lease: float = LEASE, is_running: bool = True, key: str = ""
    ) -> Event:
        """Say that one is at work on a proposal that one has claimed, and will be for some time.

        Raises:
            Conflict: somebody else claimed it, or nobody.
        """
        return proposals.renew(self.store, proposal, by=by, lease=lease, is_running=is_running, key=key)

    def release(self, proposal: str, *, by: str, why: str = "", key: str = "") -> Event:
        """Give a proposal back that one has claimed, for somebody else to take.

        Raises:
            Conflict: somebody else claimed it, or nobody.
        """
        return proposals.move(self.store, [proposal], "proposed", by=by, why=why, key=key)

    def abandon(self, *names: str, why: str = "", by: str = "", key: str = "") -> Event:
        """Give proposals up. Nothing is learned from that, and their places may be proposed again.

        Raises:
            Conflict: one has a result, or failed.
        """
        return proposals.move(self.store, names, "abandoned", by=by, why=why, key=key)

    def fail(self, proposal: str, *, why: str = "", by: str = "", key: str = "") -> Event:
        """Record that what was proposed could not be made. `GaussianProcess` learns where this is so.

        Raises:
            Conflict: it has a result, or was given up.
        """
        return fail(self.store, self.vocabulary(), proposal, why=why, by=by, key=key)

    def tell(
        self,
        results: Mapping[str, Value | Sequence[Value]],
        *,
        proposal: str = "",
        specimen: str = "",
        made: Mapping[str, Any] | None = None,
        is_partial: bool = False,
        by: str = "",
        key: str = "",
    ) -> Event:
        """Record what came out of an experiment, with or without a proposal.

        Args:
            results: by property: a number; the text of a label; `{"value": 5.2, "sd": 0.1, "unit": "GPa"}`;
                with `"flag": "below"` or `"above"` if the value is only a limit, `{"flag": "failed"}` if
                there is none; or a list of these for repeats.
            proposal: that was followed.
            specimen: identity; by default that of the proposal, or a new one.
            made: settings that were really made, where they are not those that were asked for; without a
                proposal all of them.
            is_partial: whether more results of the proposal will follow.
            by: who tells.
            key: names the request.

        Returns:
            The event, as it stands in the log.

        Raises:
            SchemaError: a name is not known to the campaign, or a value is none.
            UnitError: a unit is unknown, or is not one of the property.
            NotFound: there is no such proposal.
        """
        about = {"proposal": proposal, "specimen": specimen, "made": made, "is_partial": is_partial}
        return tell(self.store, self.vocabulary(), results, by=by, key=key, **about)

    def attach(
        self,
        file: str | Path,
        *,
        name: str = "",
        specimen: str = "",
        proposal: str = "",
        by: str = "",
        key: str = "",
    ) -> Event:
        """Keep a file of an instrument, a pattern or an image, with the specimen that it is of.

        Raises:
            TielineError: there is no such file, specimen or proposal.
        """
        about = {"name": name or Path(file).name, "specimen": specimen, "proposal": proposal}
        return attach(self.path, self.store, self.vocabulary(), Path(file), by=by, key=key, **about)

    def events(self, *, after: int = 0, limit: int | None = None) -> list[Event]:
        """Read the log, from the event after a number."""
        return self.store.events(after=after, limit=limit)

    def undo(self, event: int, *, why: str = "", by: str = "", key: str = "") -> Event:
        """Let an event count no longer, by a counter-event: it stays in the log, with the reason.

        Raises:
            NotFound: there is no such event.
            Conflict: it was undone before, or later events build on it.
        """
        return undo(self.path, self.store, event, self._known(), why=why, by=by, key=key)

    def verify(self) -> list[str]:
        """Tell what is not as it was written, one sentence each; none if all is well."""
        return verify(self.path, self.store)

    def report(self) -> Path:
        """Write `report/report.html` and its figures about the latest fit.

        It proposes what is next beside what earlier lists have under way; the latest list is left as it is.
        """
        batch = self._answering().preview(asking.Question(5))
        return report(self.path, self.settings.name, self.posterior(), batch, self.imports())

    def export(self, path: str | Path, *, form: Format = "crate", replace: bool = False) -> Path:
        """Write the campaign out as it is now, for others to read; it may be in use meanwhile.

        Args:
            path: a folder, or a file that ends in .zip.
            form: "crate", an RO-Crate; "csv", tables alone; or "kadi", what `kadi_upload.upload` sends.
            replace: what is there already.

        Raises:
            TielineError: something is there already; or, for a crate, campaign.toml does not say who made
                the data and what others may do with them.
        """
        with viewed(self.path, self.store, self.settings) as view:
            return export(view, Path(path), form, replace=replace)

    def vocabulary(self) -> Vocabulary:
        """What may be told: names of settings and results, with their units."""
        return self._memory.vocabulary(self.settings, latest_fit(self.store))

    def _answering(self) -> asking.Answering:
        return asking.Answering(self.store, self._memory, self._ahead, self.settings, latest_fit(self.store))

    def _known(self) -> xr.Dataset | None:
        """The specimens of the record, if there is one."""
        return specimens_of(self.record()) if self.has_record else None
