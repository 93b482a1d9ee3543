"""A change of any byte is found, and what cannot be read or written says so."""

import random
import shutil

import pytest
import sqlalchemy as sa
from stories import a_campaign, telling

from tieline.campaign.store.checking import check_store
from tieline.campaign.store.store import Store
from tieline.errors import TielineError

FILES = ("campaign.db", "campaign.db-seal")


@pytest.fixture(scope="module")
def closed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("closed")
    store = Store.open(folder)
    a_campaign(store)
    store.close()
    return folder


def findings(folder):
    try:
        store = Store.open(folder)
    except TielineError as error:
        return [str(error)]
    found = check_store(store)
    store.database.close()
    return found


@pytest.mark.parametrize("name", FILES)
def test_a_change_of_any_byte_is_found(closed, tmp_path, name):
    rng = random.Random(0)
    whole = (closed / name).read_bytes()
    places = sorted(rng.sample(range(len(whole)), min(60, len(whole))))
    for i in places:
        shutil.copytree(closed, tmp_path / str(i))
        changed = bytearray(whole)
        changed[i] ^= 1 << rng.randrange(8)
        (tmp_path / str(i) / name).write_bytes(changed)
    assert [i for i in places if not findings(tmp_path / str(i))] == []


def test_an_untouched_store_has_nothing_to_find(closed, tmp_path):
    shutil.copytree(closed, tmp_path / "c")
    assert findings(tmp_path / "c") == []
    assert findings(tmp_path / "c") == []


def test_a_store_that_went_on_is_not_held_against_its_old_seal(closed, tmp_path):
    shutil.copytree(closed, tmp_path / "c")
    store = Store.open(tmp_path / "c")
    store.write("told", telling("later", 1.0))
    store.database.close()  # as if killed: no new seal
    assert findings(tmp_path / "c") == []


@pytest.mark.parametrize(
    ("forgery", "told"),
    [
        ("UPDATE event SET content = replace(content, '5.0', '6.0') WHERE kind = 'told'", "was changed"),
        ("DELETE FROM event WHERE number = 8", "missing"),
        ("UPDATE measurement SET value = 7.0", "'measurement' does not say what the log says"),
        ("DELETE FROM proposal WHERE name = 'P2'", "'proposal' does not say what the log says"),
        ("UPDATE version SET number = 99", "later version"),
    ],
)
def test_a_forgery_by_sql_is_found_and_named(closed, tmp_path, forgery, told):
    shutil.copytree(closed, tmp_path / "c")
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'c' / 'campaign.db'}")
    with engine.begin() as connection:
        for deed in ("update", "delete"):
            connection.exec_driver_sql(f"DROP TRIGGER event_refuses_{deed}")
        connection.exec_driver_sql(forgery)
    engine.dispose()
    assert told in "\n".join(findings(tmp_path / "c"))


def test_a_database_without_room_loses_nothing(tmp_path):
    store = Store.open(tmp_path)
    store.write("told", telling("s0", 1.0))
    with store.database.engine.connect() as connection:
        used = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={used}")
        connection.commit()
    with pytest.raises(TielineError, match=r"cannot be written(.|\n)*full(.|\n)*free some space"):
        store.write("told", telling("s1", 1.0, label="x" * 100_000))
    kept = len(store.events())
    with store.database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=100000")
        connection.commit()
    store.write("told", telling("after", 1.0))
    assert len(store.events()) == kept + 1
    assert check_store(store) == []
    store.close()


def test_a_read_only_database_says_so(tmp_path):
    store = Store.open(tmp_path)
    with store.database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only=ON")
        connection.commit()
    with pytest.raises(TielineError, match=r"cannot be written(.|\n)*right to write"):
        store.write("created", {})
    store.database.close()


def test_what_is_no_database_is_named(tmp_path):
    (tmp_path / "campaign.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(TielineError, match=r"cannot be read(.|\n)*backup"):
        Store.open(tmp_path)
    with pytest.raises(TielineError, match="PostgreSQL server"):
        Store.open(tmp_path, "mysql://somewhere/x")
    with pytest.raises(TielineError, match=r"connection(.|\n)*campaign\.toml") as failure:
        Store.open(tmp_path, "postgresql://ada:secret@localhost:1/none#steel")
    assert "secret" not in str(failure.value)
