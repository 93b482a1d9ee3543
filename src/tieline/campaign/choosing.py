"""Proposals before they have names: as plain rows for the log, and as a Dataset for people."""

import json
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import sqlalchemy as sa
import xarray as xr

import tieline
from tieline.campaign.rows import Row, from_rows, place_of, to_rows
from tieline.campaign.store import tables
from tieline.campaign.store.tables import LIVE
from tieline.errors import TielineError
from tieline.models.posterior import Posterior, label_sets
from tieline.planning.goals import Goal
from tieline.planning.pool import design_matrix, design_names
from tieline.planning.propose import Acquisition, Batch, propose
from tieline.planning.spaces.space import Space

MOST_NAMED = 1000  # places in one query: databases have a limit, and all are read sooner then
TO_BEGIN = "chosen to cover what can be made, as nothing was learned yet"


@dataclass(frozen=True)
class Wish:
    """What is asked for.

    Attributes:
        goal: what the proposals are for.
        acquisition: as in `propose`.
        batch: as in `propose`.
        audit: as in `propose`.
        measures: the one property or label that it measures; "" for all.
        seed: of everything random.
        costs: column of the pool that says what each place costs, or what a measurement with each instrument
            costs; None where all cost the same.
    """

    goal: Goal | None
    acquisition: Acquisition | None
    batch: Batch
    audit: int
    measures: str
    seed: int
    costs: str | Mapping[str, float] | None = None

    @property
    def chooses_instrument(self) -> bool:
        """Whether each proposal is for the one instrument that tells most for its cost."""
        return isinstance(self.costs, Mapping) and not self.measures


@dataclass(frozen=True)
class Used:
    """Places that are spoken for: proposed and awaited, or done since the fit.

    Attributes:
        places: name of each.
        measures: what each is for.
        designs: settings of each, as JSON, which is read only where it is needed.
        attrs: unit and role of the settings, as JSON.
    """

    places: tuple[str, ...]
    measures: tuple[str, ...]
    designs: tuple[str, ...]
    attrs: frozenset[str]

    def taken(self, measures: str) -> set[str]:
        """The places that cannot be proposed again for a purpose."""
        pairs = zip(self.places, self.measures, strict=True)
        return {place for place, m in pairs if not measures or m in ("", measures)}

    def beside(self, choices: "Choices | None") -> "Used":
        """The same, and what was chosen for somebody who will ask."""
        if choices is None:
            return self
        return Used(
            (*self.places, *(row["place"] for row in choices.rows)),
            (*self.measures, *(row["measures"] for row in choices.rows)),
            (*self.designs, *(json.dumps(row["design"]) for row in choices.rows)),
            self.attrs | {json.dumps(dict(choices.attrs))},
        )

    def pending(self, wish: Wish, names: Sequence[str]) -> xr.Dataset | None:
        """The places for `propose`; those that lack a setting of the design tell it nothing."""
        designs = [json.loads(text) for text in self.designs]
        whole = [i for i, design in enumerate(designs) if set(names) <= set(design)]
        if not whole:
            return None
        attrs = {name: said for text in sorted(self.attrs) for name, said in json.loads(text).items()}
        places = from_rows([{name: designs[i][name] for name in names} for i in whole], attrs)
        if not wish.measures:
            return places
        under_way = np.array([self.measures[i] or wish.measures for i in whole], dtype=str)
        return places.assign(instrument=("specimen", under_way))


def taken_places(
    connection: sa.Connection, since: int, measures: str, among: Sequence[str] | None = None
) -> set[str]:
    """Places that cannot be proposed again for a purpose; the same as `spoken_for` says, but sooner.

    Args:
        connection: to the store.
        since: the last event that the latest fit knew of.
        measures: what is to be measured there; "" for everything.
        among: places that matter; by default all. Proposals at others are not read.
    """
    proposal = tables.proposal
    query = sa.select(proposal.c.place).where(_awaited(since))
    if among is not None and len(among) <= MOST_NAMED:
        query = query.where(proposal.c.place.in_(among))
    if measures:
        query = query.where(proposal.c.measures.in_(("", measures)))
    taken = {row.place for row in connection.execute(query)}
    return taken | {place_of(design) for design, _ in _told_unasked(connection, since)}


def _awaited(since: int) -> sa.ColumnElement[bool]:
    """Proposals whose results no fit knows of."""
    proposal = tables.proposal
    is_over = proposal.c.state.in_(("done", "failed")) & (proposal.c.changed > since)
    return proposal.c.state.in_(LIVE) | is_over


def _told_unasked(connection: sa.Connection, since: int) -> Iterator[tuple[Row, str]]:
    """Settings, and their attributes as JSON, of specimens that somebody made without a proposal."""
    specimen = tables.specimen
    told = sa.select(specimen.c.asked, specimen.c.made, specimen.c.attrs)
    for row in connection.execute(told.where(specimen.c.event > since, specimen.c.proposal == "")):
        if design := json.loads(row.asked) | json.loads(row.made):
            yield design, row.attrs


def spoken_for(connection: sa.Connection, since: int, *, but: int = 0) -> Used:
    """Find the places that are spoken for.

    Args:
        connection: to the store.
        since: the last event that the latest fit knew of.
        but: event of open proposals that are disregarded.
    """
    proposal = tables.proposal
    disregarded = (proposal.c.event == but) & (proposal.c.state == "proposed")
    columns = (proposal.c.place, proposal.c.measures, proposal.c.design, proposal.c.attrs)
    found = connection.execute(sa.select(*columns).where(_awaited(since), ~disregarded)).all()
    rows = [tuple(row) for row in found]
    for design, about in _told_unasked(connection, since):
        rows.append((place_of(design), "", json.dumps(design), about))
    places, measures, designs, attrs = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Used(places, measures, designs, frozenset(attrs))


@dataclass(frozen=True)
class Choices:
    """Proposals in the order of choice.

    Attributes:
        rows: each with its place, what it is for, its settings, and what else is known about it.
        attrs: unit and role of every variable.
        about: of all of them: goal, acquisition, notes.
    """

    rows: tuple[Row, ...]
    attrs: Mapping[str, Row]
    about: Mapping[str, Any]

    @classmethod
    def of(cls, chosen: xr.Dataset, names: Sequence[str], wish: Wish, posterior: str) -> "Choices":
        """Take apart what `propose` chose.

        Args:
            chosen (specimen): from `propose`.
            names: of the design variables.
            wish: what was asked for.
            posterior: checksum of what it was chosen with.
        """
        rows = []
        chosen = _plainly(chosen)
        for row in to_rows(chosen):
            design = {name: row.pop(name) for name in names}
            instrument = row.pop("instrument", "")
            for ours in ("cost", "proposal"):
                row.pop(ours, None)
            said = {"place": place_of(design), "measures": wish.measures, "design": design, "about": row}
            if wish.chooses_instrument:
                said |= {"measures": instrument, "instrument": instrument}
            rows.append(said)
        attrs = {str(name): dict(variable.attrs) for name, variable in chosen.data_vars.items()}
        return cls(tuple(rows), attrs, {**chosen.attrs, "posterior": posterior})

    def without(self, taken: Set[str]) -> "Choices":
        """The same without places that are spoken for."""
        return replace(self, rows=tuple(row for row in self.rows if row["place"] not in taken))

    def and_then(self, more: "Choices") -> "Choices":
        """The same, and others after them."""
        return replace(self, rows=(*self.rows, *more.rows))

    def content(self, names: Sequence[str], instrument: str) -> dict[str, Any]:
        """What the log keeps of the first rows, under their names."""
        pairs = zip(names, self.rows, strict=False)
        named = [{"name": name, "instrument": instrument, **row} for name, row in pairs]
        said = {"proposals": named, "attrs": dict(self.attrs), "about": dict(self.about)}
        return said | {"tieline": tieline.__version__}


def proposals_of(content: Mapping[str, Any]) -> xr.Dataset:
    """The proposals of one event, as `propose` gives them, with `proposal`, the name of each."""
    rows = [one["design"] | one["about"] for one in content["proposals"]]
    chosen = from_rows(rows, content["attrs"])
    names = np.array([one["name"] for one in content["proposals"]], dtype=str)
    instruments = np.array([one["instrument"] for one in content["proposals"]], dtype=str)
    chosen = chosen.assign(proposal=("specimen", names), instrument=("specimen", instruments))
    return chosen.assign_attrs({"notes": [], **content["about"]})


def choose(
    posterior: Posterior, digest: str, pool: xr.Dataset | Space, wish: Wish, n: int, used: Used
) -> Choices:
    """Choose with what was learned.

    Raises:
        TielineError: places have costs, and one instrument alone is asked for.
    """
    assert wish.goal is not None
    names = design_names(posterior)
    if wish.measures and isinstance(wish.costs, str):
        raise TielineError(
            "What is measured by one instrument alone is not weighed against the costs of places.",
            found=f"instrument '{wish.measures}', and costs = '{wish.costs}' in campaign.toml",
            hint="ask without the instrument, or leave costs out",
        )
    costs = {wish.measures: 1.0} if wish.measures else wish.costs
    chosen = propose(
        posterior,
        pool,
        wish.goal,
        n,
        acquisition=wish.acquisition,
        batch=wish.batch,
        costs=costs,
        audit=wish.audit,
        pending=_over_elements(used.pending(wish, names), posterior),
        seed=wish.seed,
    )
    return Choices.of(chosen, names, wish, digest)


def _plainly(places: xr.Dataset) -> xr.Dataset:
    """The same with text beside the variables, such as categories of a pool, among them."""
    return places.reset_coords([name for name in places.coords if name not in places.dims])


def _over_elements(places: xr.Dataset | None, posterior: Posterior) -> xr.Dataset | None:
    """Bring a composition over the elements of the model, where the places have no others."""
    if places is None or "element" not in places.coords or "element" not in posterior.table.coords:
        return places
    elements = posterior.table["element"].values
    if set(places["element"].values.tolist()) <= set(elements.tolist()):
        return places.reindex(element=elements, fill_value=0.0)
    return places


def cover(places: xr.Dataset, rows: Sequence[int], names: Sequence[str], wish: Wish) -> Choices:
    """Propose places that were chosen before anything was learned.

    Args:
        places (specimen): with the settings among their variables.
        rows: which of them, in the order of choice.
        names: of the settings.
        wish: what was asked for.
    """
    chosen = _plainly(places)[list(names)].isel(specimen=list(rows))
    value, reason = np.full(len(rows), np.nan), np.array([TO_BEGIN] * len(rows), dtype=str)
    chosen = chosen.assign(value=("specimen", value), reason=("specimen", reason))
    return Choices.of(chosen.assign_attrs(notes=[], seed=wish.seed), names, wish, "")


def names_of_places(places: xr.Dataset, names: Sequence[str]) -> list[str]:
    """What the store calls each place (specimen) by its settings."""
    return [place_of(row) for row in to_rows(_plainly(places)[list(names)])]


def farthest(
    places: xr.Dataset, names: Sequence[str], is_taken: Sequence[bool], n: int, seed: int
) -> list[int]:
    """Rows that are, one after the other, the farthest from all before; the first is drawn at random.

    Args:
        places (specimen): with the settings among their variables.
        names: of the settings.
        is_taken (specimen): which were chosen before, and are to be kept away from.
        n: how many; fewer where there are no more different ones.
        seed: of the first.
    """
    x = design_matrix(_plainly(places)[list(names)])
    x = (x - x.min(0)) / np.where(np.ptp(x, axis=0) > 0, np.ptp(x, axis=0), 1)
    distance = np.full(len(x), np.inf)
    for i in np.flatnonzero(is_taken):
        distance = np.minimum(distance, ((x - x[i]) ** 2).sum(1))
    chosen: list[int] = []
    for _ in range(n):
        open_ = np.where(is_taken, -1.0, distance)
        if (open_ <= 0).all():
            break
        is_first = np.isinf(distance).all()
        best = int(np.random.default_rng(seed).integers(len(x))) if is_first else int(open_.argmax())
        chosen.append(best)
        distance = np.minimum(distance, ((x - x[best]) ** 2).sum(1))
    return chosen


def measured_by(instrument: str, posterior: Posterior | None) -> str:
    """The one thing that an instrument measures, if it is named after it; "" for all."""
    if posterior is None:
        return ""
    return instrument if instrument in (*label_sets(posterior.model), *posterior.model.properties) else ""
