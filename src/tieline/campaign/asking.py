"""Ask what to do next: choose, and write down what was chosen before anybody hears of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
import xarray as xr

from tieline.campaign.ahead import Ahead
from tieline.campaign.choosing import (
    Choices,
    Used,
    Wish,
    choose,
    cover,
    farthest,
    measured_by,
    names_of_places,
    proposals_of,
    spoken_for,
    taken_places,
)
from tieline.campaign.fits import Fit
from tieline.campaign.memory import Memory, size_of_small
from tieline.campaign.proposals import day_name
from tieline.campaign.settings import Settings, complete, fault_of_goal
from tieline.campaign.store import tables
from tieline.campaign.store.store import Store
from tieline.errors import TielineError
from tieline.models.posterior import Posterior
from tieline.planning.goals import Goal, parse_goal, write_goal
from tieline.planning.propose import Acquisition, Batch
from tieline.planning.spaces.space import Space

SPARE = 32


class _Overtaken(Exception):
    """Others were given all that was chosen: choose anew."""


@dataclass(frozen=True)
class Question:
    """What somebody asks.

    Attributes:
        n: how many proposals.
        instrument: who or what will do the work.
        goal: by default that of campaign.toml.
        pool: places to choose from; by default those of campaign.toml, or the explored region.
        acquisition: as in `propose`.
        batch: as in `propose`.
        audit: as in `propose`.
    """

    n: int
    instrument: str = ""
    goal: Goal | None = None
    pool: xr.Dataset | Space | None = None
    acquisition: Acquisition | None = None
    batch: Batch = "believer"
    audit: int = 0

    @property
    def request(self) -> dict[str, Any]:
        """The question as plain text, which tells two questions apart."""
        return {
            "n": self.n,
            "instrument": self.instrument,
            "goal": None if self.goal is None else write_goal(self.goal),
            "pool": None if self.pool is None else repr(self.pool),
            "acquisition": self.acquisition,
            "batch": self.batch,
            "audit": self.audit,
        }


@dataclass(frozen=True)
class Answering:
    """All that it takes to answer one question.

    Attributes:
        store: of the campaign.
        memory: what was read before.
        ahead: what was chosen before.
        settings: what campaign.toml says.
        fit: the latest one, if there is one.
    """

    store: Store
    memory: Memory
    ahead: Ahead
    settings: Settings
    fit: Fit | None

    def answer(self, question: Question, *, by: str, key: str) -> xr.Dataset:
        """Choose proposals that nobody else has, and write them down.

        Raises:
            TielineError: there are not so many places, or nothing to choose from.
        """
        if before := self.store.answered("proposed", question.request, key):
            return proposals_of(before.told)
        wish = self.wish(question)
        while True:
            choices = self._choices(question, wish)
            try:
                event = self.store.write(
                    "proposed",
                    self._first_open(choices, question, wish),
                    by=by,
                    key=key,
                    request=question.request,
                )
            except _Overtaken:
                continue
            return proposals_of(event.told)

    def preview(self, question: Question) -> xr.Dataset:
        """Choose as if the latest proposals had not been made; nothing is kept."""
        latest = self.store.rows(sa.select(sa.func.max(tables.proposal.c.event)))[0][0]
        with self.store.reading() as connection:
            used = spoken_for(connection, self._since, but=latest or 0)
        wish = self.wish(question)
        choices = self.choose(question, wish, used, question.n)
        return proposals_of(choices.content([""] * question.n, ""))

    def wish(self, question: Question) -> Wish:
        """The question with all that it leaves open."""
        posterior = self.memory.posterior(self.fit)
        return Wish(
            goal=None if posterior is None else question.goal or self._goal(posterior),
            acquisition=question.acquisition,
            batch=question.batch,
            audit=question.audit,
            measures=measured_by(question.instrument, posterior),
            seed=self.settings.seed,
            costs=self.settings.costs,
        )

    def choose(self, question: Question, wish: Wish, used: Used, n: int) -> Choices:
        """Choose n places beside those that are spoken for."""
        posterior = self.memory.posterior(self.fit)
        is_ahead = n > question.n
        pool = question.pool
        if pool is None:
            pool = self.memory.pool(self.settings, self.fit, many=is_ahead)
        if posterior is None or self.fit is None:
            return self._cover(pool, wish, used, n)
        if is_ahead and not isinstance(pool, Space):
            n = max(question.n, min(n, pool.sizes["specimen"] - len(used.taken(wish.measures))))
        return choose(posterior, self.fit.posterior, pool, wish, n, used)

    def _cover(self, pool: xr.Dataset | Space, wish: Wish, used: Used, n: int) -> Choices:
        """Choose before anything was learned: places far from each other and from those spoken for."""
        n_spare = n + SPARE  # whoever asks at the same moment chooses the same places
        names, taken = _design_names(self.settings, pool), used.taken(wish.measures)
        is_listed = not isinstance(pool, Space) or size_of_small(pool) is not None
        if isinstance(pool, Space):
            places, known_as = self.memory.places_of(pool, n_spare + len(taken), wish.seed)
        else:
            places, known_as = pool, names_of_places(pool, names)
        if is_listed:
            rows = farthest(places, names, [place in taken for place in known_as], n_spare, wish.seed)
        else:
            rows = [i for i, place in enumerate(known_as) if place not in taken][:n_spare]
        if len(rows) < n:
            raise TielineError(
                f"Cannot propose {n} different places.",
                found=f"{len(rows)} that nobody was given yet",
                hint="fewer, a larger pool or space, or a fit, after which places may be measured again",
            )
        return cover(places, rows, names, wish)

    def _goal(self, posterior: Posterior) -> Goal:
        key = (repr(self.settings), None if self.fit is None else self.fit.posterior)
        return self.memory.once("goal", key, lambda: goal_of(self.settings, posterior))

    @property
    def _since(self) -> int:
        """The last event that the latest fit knew of."""
        return 0 if self.fit is None else self.fit.data

    def _choices(self, question: Question, wish: Wish) -> Choices:
        def choose_now(n: int, beside: Choices | None = None) -> Choices:
            with self.store.reading() as connection:
                used = spoken_for(connection, self._since).beside(beside)
            return self.choose(question, wish, used, n)

        if question.pool is not None or question.audit or self.fit is None:
            return choose_now(question.n)
        assert wish.goal is not None  # there is a posterior
        settings = self.settings
        where = self.memory.pool_key(settings)  # a line from elsewhere answers nobody, not even once
        kind = (write_goal(wish.goal), wish.acquisition, wish.batch, wish.measures, *where)
        source = (self.fit.posterior, repr(settings.costs))
        with self.store.reading() as connection:
            taken = taken_places(connection, self._since, wish.measures)
        return self.ahead.choices(kind, source, taken, question.n, choose_now)

    def _first_open(self, choices: Choices, question: Question, wish: Wish) -> Any:
        def settle(connection: sa.Connection) -> Mapping[str, Any]:
            among = [row["place"] for row in choices.rows]
            left = choices.without(taken_places(connection, self._since, wish.measures, among))
            if len(left.rows) < question.n:
                raise _Overtaken
            return left.content(day_name(connection, question.n), question.instrument)

        return settle


def goal_of(settings: Settings, posterior: Posterior) -> Goal:
    """What campaign.toml is after; what it leaves open is taken from the data.

    Raises:
        SchemaError: campaign.toml names a property that was not learned.
    """
    if fault := fault_of_goal(settings.goal, posterior.model.properties):
        raise fault
    whole = complete(settings, posterior.table)
    assert whole.goal is not None  # complete fills it
    return parse_goal(whole.goal)


def _design_names(settings: Settings, pool: xr.Dataset | Space) -> list[str]:
    """Names of the settings, before anything was learned."""
    if isinstance(pool, Space):
        return pool.names
    design = complete(settings, pool).design if settings.design is None else settings.design
    assert design is not None
    return [design] if isinstance(design, str) else design
