import threading

import pytest
import sqlalchemy as sa
from stories import a_campaign, claiming, fitting, importing, moving, proposing, telling, undoing

from tieline.campaign.store import tables
from tieline.campaign.store.checking import check_store, contents
from tieline.campaign.store.replay import rebuild
from tieline.campaign.store.store import Store
from tieline.errors import Conflict, NotFound, TielineError


def everything(store):
    with store.reading() as connection:
        return {table.name: contents(connection, table) for table in tables.derived.sorted_tables}


def state(store, name):
    return store.rows(sa.select(tables.proposal.c.state).where(tables.proposal.c.name == name))[0][0]


def test_the_tables_follow_from_the_log(store):
    a_campaign(store)
    before = everything(store)
    assert all(before.values())
    with store.database.writing() as connection:
        rebuild(connection)
    assert everything(store) == before
    assert check_store(store) == []


def test_what_was_written_is_there_when_the_store_is_opened_again(store, place):
    a_campaign(store)
    again = Store.open(*place)
    assert again.events() == store.events()
    assert everything(again) == everything(store)
    again.close()


@pytest.mark.parametrize(
    "deed",
    [
        "UPDATE event SET kind = 'told'",
        "DELETE FROM event",
        "UPDATE event SET \"by\" = 'eve' WHERE number = 3",
    ],
)
def test_the_log_refuses_to_be_changed(store, deed):
    a_campaign(store)
    before = store.events()
    with pytest.raises((sa.exc.DBAPIError, TielineError)), store.database.writing() as connection:
        connection.exec_driver_sql(deed)
    assert store.events() == before


def test_a_request_that_is_sent_again_counts_once_and_is_answered_alike(store):
    first = store.write("proposed", proposing("P1"), key="k", request={"n": 1})
    again = store.write("proposed", proposing("P2"), key="k", request={"n": 1})
    assert again == first
    assert store.answered("proposed", {"n": 1}, "k") == first
    assert len(store.events()) == 1


def test_a_key_of_another_request_is_refused(store):
    store.write("proposed", proposing("P1"), key="k", request={"n": 1})
    for attempt in (
        lambda: store.write("proposed", proposing("P2"), key="k", request={"n": 2}),
        lambda: store.write("told", telling("s", 1.0), key="k"),
        lambda: store.answered("proposed", {"n": 2}, "k"),
    ):
        with pytest.raises(Conflict, match="used for another request"):
            attempt()
    assert len(store.events()) == 1


def test_what_contradicts_the_record_leaves_no_trace(store):
    store.write("proposed", proposing("P1"))
    store.write("claimed", claiming("P1", "one"))
    before = everything(store)
    with pytest.raises(Conflict, match=r"cannot become claimed(.|\n)*claimed by one"):
        store.write("claimed", claiming("P1", "two"))
    with pytest.raises(NotFound, match="no proposal 'P7'"):
        store.write("claimed", claiming("P7"))
    assert len(store.events()) == 2
    assert everything(store) == before


def test_one_place_has_one_live_proposal_for_one_purpose(store):
    store.write("proposed", proposing("P1", place="here"))
    with pytest.raises(sa.exc.IntegrityError):
        store.write("proposed", proposing("P2", place="here"))
    store.write("proposed", proposing("P3", place="here", measures="phase"))
    store.write("moved", moving("P1", state="abandoned"))
    store.write("proposed", proposing("P2", place="here"))
    assert check_store(store) == []


def test_of_many_who_claim_one_proposal_one_gets_it(store):
    store.write("proposed", proposing("P1"))
    outcomes = []

    def claim(who):
        try:
            outcomes.append(store.write("claimed", claiming("P1", who)).number)
        except Conflict:
            outcomes.append(None)

    threads = [threading.Thread(target=claim, args=(f"robot {i}",)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes, key=str) == [2, *[None] * 7]


def test_a_late_result_counts_whatever_was_thought_of_its_proposal(store):
    store.write("proposed", proposing("P1"))
    store.write("moved", moving("P1", state="abandoned"))
    store.write("told", telling("P1", 3.0, "P1"))
    assert state(store, "P1") == "done"


def test_what_is_undone_is_as_if_it_had_not_been_and_can_come_back(store):
    store.write("proposed", proposing("P1"))
    untouched = everything(store)
    told = store.write("told", telling("P1", 3.0, "P1"))
    with_result = everything(store)
    undo = store.write("undone", undoing(told.number))
    after = everything(store)
    assert after["measurement"] == []
    assert after["proposal"] == untouched["proposal"]
    assert store.fact("data") == str(undo.number)
    store.write("undone", undoing(undo.number))
    assert everything(store)["measurement"] == with_result["measurement"]
    assert len(store.events()) == 4
    assert check_store(store) == []


def test_what_others_build_on_cannot_be_undone(store):
    asked = store.write("proposed", proposing("P1"))
    store.write("claimed", claiming("P1"))
    with pytest.raises(NotFound, match="no proposal 'P1'"):
        store.write("undone", undoing(asked.number))
    assert state(store, "P1") == "claimed"


def test_an_undone_import_gives_back_the_record_before(store):
    store.write("imported", importing("a", "r1"))
    later = store.write("imported", importing("b", "r2"))
    store.write("undone", undoing(later.number) | {"record": "r1"})
    assert store.fact("record") == "r1"
    assert store.rows(sa.select(tables.imported.c.name)) == [("a",)]


def test_the_store_can_be_seen_as_it_was(store):
    a_campaign(store)
    first = store.as_of(5)
    assert {r.name for r in first.rows(sa.select(tables.proposal))} == {"P1", "P2", "P3"}
    assert first.rows(sa.select(tables.measurement)) == []
    assert first.fact("record") == "r1"
    latest = store.as_of(store.events()[-1].at)
    assert everything(latest) == everything(store)
    assert everything(store.as_of("2001-01-01"))["proposal"] == []
    with pytest.raises(TielineError, match="past"):
        first.write("claimed", claiming("P1"))
    with pytest.raises(TielineError, match="no point in time"):
        store.as_of("yesterday")


def test_time_in_the_log_never_goes_back(store, monkeypatch):
    from tieline.campaign.store import event

    store.write("created", {})
    first = store.events()[0].at
    monkeypatch.setattr(event, "now", lambda: "2001-01-01T00:00:00.000000Z")
    assert store.write("fit_started", fitting("f")).at == first


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "a\0b", "\ud800", {1, 2}])
def test_what_no_database_can_hold_is_refused_by_name(store, value):
    with pytest.raises(TielineError, match="cannot be recorded"):
        store.write("created", {"x": value})
    assert store.events() == []
