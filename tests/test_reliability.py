"""Small versions of the benchmark of reliability: nothing is lost or doubled, whoever dies when."""

import pytest
from benchmarks import reliability, reliability_ask, reliability_files, reliability_loop
from benchmarks.reliability_server import programs

from tieline.readers import process


def test_kills_lose_and_double_nothing(tmp_path):
    found = reliability.kill_case(tmp_path, n_kills=12, n_records=60)
    assert found["kills"] > 0
    assert (found["lost"], found["duplicates"], found["faults"]) == (0, 0, 0)


@pytest.mark.parametrize("case", ["writers_sqlite", "writers_postgres"])
def test_many_writers_lose_and_double_nothing(case, tmp_path_factory):
    if case == "writers_postgres" and programs() is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    place = tmp_path_factory.mktemp("w", numbered=True)
    with reliability.database(case, place) as url:
        found = reliability.writers_case(place, n_writers=4, n_turns=6, url=url)
    assert (found["lost"], found["duplicates"], found["faults"], found["errors"]) == (0, 0, 0, 0)


def test_a_laboratory_runs_by_itself_whoever_is_killed(tmp_path):
    found = reliability_loop.loop_case(tmp_path, n_experiments=6, n_kills=6, fit_every=0)
    assert found["experiments"] == 6
    assert found["kills_service"] + found["kills_robot"] > 0
    assert [found[what] for what in ("lost", "duplicates", "in_vain", "faults")] == [0, 0, 0, 0]


@pytest.mark.parametrize("case", [reliability_ask.ask_case, reliability_ask.ask_http_case])
def test_clients_get_different_places(case, tmp_path, monkeypatch):
    monkeypatch.setattr(reliability_ask, "PAUSE", (0.0, 0.05))
    sizes = {"n_specimens": 30, "n_candidates": 200, "n_clients": 5, "n_questions": 6}
    assert case(tmp_path, **sizes)["duplicates"] == 0


def test_damaged_and_hostile_files_are_read_or_refused_by_name(tmp_path):
    found = reliability_files.files_case(tmp_path, 500, seed=1)
    assert found["faults"] == 0
    assert found["slowest_seconds"] < process.PATIENCE + 10
    assert 0.05 < found["read_share"] < 0.9
    assert found["refused_share"] > 0.1
