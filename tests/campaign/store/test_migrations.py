"""A store of any released version opens, says the same, and goes on."""

import sqlite3
from pathlib import Path

import pytest
from stories import claiming, proposing

from tieline.campaign.store import migrations
from tieline.campaign.store.checking import check_store
from tieline.campaign.store.store import Store
from tieline.errors import TielineError

HERE = Path(__file__).parent
DUMPS = sorted(HERE.glob("version-*.sql"))


def restore(dump, folder):
    connection = sqlite3.connect(folder / "campaign.db")
    connection.executescript(dump.read_text(encoding="utf-8"))
    connection.close()


def test_there_is_a_dump_of_every_version():
    assert [dump.stem for dump in DUMPS] == [f"version-{i + 1}" for i in range(migrations.LATEST)]


@pytest.mark.parametrize("dump", DUMPS, ids=lambda dump: dump.stem)
def test_a_store_of_an_earlier_version_goes_on(dump, tmp_path):
    restore(dump, tmp_path)
    store = Store.open(tmp_path)
    before = store.events()
    assert [event.kind for event in before][:2] == ["created", "imported"]
    store.write("proposed", proposing("P10"))
    store.write("claimed", claiming("P10"))
    assert store.events()[: len(before)] == before
    assert check_store(store) == []
    store.close()


def test_an_upgrade_makes_the_tables_anew(place, monkeypatch):
    """As a later version with another table would do it."""
    store = Store.open(*place)
    store.write("proposed", proposing("P1"))
    with store.database.writing() as connection:
        connection.exec_driver_sql("DROP TABLE artifact")
    store.database.close()
    monkeypatch.setattr(migrations, "STEPS", (*migrations.STEPS, lambda connection: None))
    monkeypatch.setattr(migrations, "LATEST", migrations.LATEST + 1)
    monkeypatch.setattr("tieline.campaign.store.store.LATEST", migrations.LATEST)
    monkeypatch.setattr("tieline.campaign.store.checking.LATEST", migrations.LATEST)
    again = Store.open(*place)
    assert check_store(again) == []
    assert again.last() == 1
    again.database.close()


def test_a_store_of_a_later_version_is_left_alone(place, monkeypatch):
    store = Store.open(*place)
    store.database.close()
    monkeypatch.setattr("tieline.campaign.store.store.LATEST", 0)
    monkeypatch.setattr(migrations, "LATEST", 0)
    with pytest.raises(TielineError, match=r"later version(.|\n)*upgrade tieline"):
        Store.open(*place)
