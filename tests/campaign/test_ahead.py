"""Lines of proposals chosen ahead: handed out once each, made longer in time, and to the last place."""

import threading

import pytest

from tieline.campaign.ahead import FIRST, Ahead
from tieline.campaign.choosing import Choices
from tieline.errors import TielineError


class Pool:
    """Places 0, 1, 2, ... of which some are taken; remembers what was asked of it."""

    def __init__(self, size):
        self.size, self.taken, self.asked = size, set(), []

    def choose(self, n, beside):
        spoken = self.taken | ({row["place"] for row in beside.rows} if beside else set())
        free = [f"{i}" for i in range(self.size) if f"{i}" not in spoken]
        self.asked.append((n, len(beside.rows) if beside else None))
        if not free:
            raise TielineError("There are no more places.")
        return Choices(tuple({"place": place} for place in free[:n]), {}, {})

    def ask(self, ahead, fit="fit-1"):
        """Ask for one; returns it once nothing is chosen in the background any more."""
        place = ahead.choices("kind", fit, frozenset(self.taken), 1, self.choose).rows[0]["place"]
        self.taken.add(place)
        for thread in threading.enumerate():
            if thread.name == "choosing ahead":
                thread.join()
        return place


def test_whoever_asks_once_waits_for_a_short_line():
    pool = Pool(1000)
    assert pool.ask(Ahead(256)) == "0"
    assert pool.asked == [(FIRST, None)]


def test_a_line_that_is_used_is_made_longer_beside_what_is_left_of_it():
    pool, ahead = Pool(1000), Ahead(256)
    assert [pool.ask(ahead) for _ in range(200)] == [f"{i}" for i in range(200)]
    left = FIRST // 2 - 1
    assert pool.asked[:2] == [(FIRST, None), (256 - left, left)]
    assert len(pool.asked) == 3


def test_a_new_fit_begins_a_new_line_and_the_old_one_answers_meanwhile():
    pool, ahead = Pool(1000), Ahead(256)
    pool.ask(ahead)
    assert pool.ask(ahead, "fit-2") == "1"
    assert pool.asked == [(FIRST, None), (FIRST, None)]


def test_every_place_is_given_once_and_then_there_are_no_more():
    pool, ahead = Pool(70), Ahead(256)
    assert {pool.ask(ahead) for _ in range(70)} == {f"{i}" for i in range(70)}
    with pytest.raises(TielineError, match="no more places"):
        pool.ask(ahead)


def test_without_lines_only_what_is_asked_for_is_chosen():
    pool = Pool(10)
    pool.ask(Ahead())
    assert pool.asked == [(1, None)]
