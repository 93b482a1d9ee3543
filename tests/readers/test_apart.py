"""Files read by a process of their own: the answer is the same, and what does harm does it there."""

import os
import time
from pathlib import Path

import pandas as pd
import pytest

from tieline.errors import SchemaError
from tieline.readers import apart, process
from tieline.readers.preview import preview


@pytest.fixture
def sheet(tmp_path):
    table = pd.DataFrame(
        {"T (degC)": [600, 700, 800], "hardness (GPa)": [5.1, None, 6.3], "gas": list("aab")}
    )
    table.to_csv(tmp_path / "sheet.csv", index=False)
    return tmp_path / "sheet.csv"


def test_the_preview_is_the_same(sheet):
    here = preview(sheet)
    rows = apart.previewed_apart(sheet)
    assert rows == [{k: None if pd.isna(v) else v for k, v in row.items()} for row in here.to_dict("records")]
    said = apart.previewed_apart(sheet, {"gas": {"name": "atmosphere"}})
    assert [row["name"] for row in said][2] == "atmosphere"


def test_an_error_comes_back_with_its_three_clauses(tmp_path):
    (tmp_path / "empty.csv").touch()
    with pytest.raises(SchemaError) as there:
        apart.previewed_apart(tmp_path / "empty.csv")
    with pytest.raises(SchemaError) as here:
        preview(tmp_path / "empty.csv")
    assert str(there.value) == str(here.value)


def test_a_file_that_is_only_wrong_is_left_to_whoever_loads_it(tmp_path):
    (tmp_path / "empty.csv").touch()
    apart.survive_apart(tmp_path / "empty.csv")


def hold_much(place):
    return len(bytearray(process.MEMORY + (64 << 20)))


def die(place):
    os._exit(9)


def sleep(place):
    time.sleep(60)


def toil(place):
    import resource

    resource.setrlimit(resource.RLIMIT_CPU, (1, 5))
    while True:
        pass


@pytest.mark.parametrize(
    ("work", "words"), [(hold_much, "GB of memory"), (die, "died"), (toil, "takes more than 30 s")]
)
def test_what_takes_too_much_or_dies_is_refused(sheet, work, words):
    with pytest.raises(SchemaError, match=f"(?s)'sheet.csv' cannot be read.*{words}"):
        process.apart(work, sheet)


def done_but_one_that_dies(_, folder, first, places):
    for i, place in enumerate(places, start=first):
        if "hostile" in place:
            os._exit(9)
        (Path(folder) / f"{i}.done").touch()


def dies_at_the_third_at_once(_, folder, first, places):
    for i in range(first, first + min(len(places), 2)):
        (Path(folder) / f"{i}.done").touch()
    if len(places) > 2:
        os._exit(9)


def test_what_comes_of_each_file_is_told(sheet, tmp_path):
    (tmp_path / "empty.csv").touch()
    assert apart.outcomes_apart([sheet, tmp_path / "empty.csv", sheet]) == ["read", "SchemaError", "read"]


def test_a_file_that_does_harm_is_found_among_others(tmp_path):
    files = [tmp_path / f"{name}.csv" for name in ("a", "b", "hostile", "c")]
    assert list(process.lost_files(done_but_one_that_dies, files, tmp_path)) == [
        (2, "the process that read it died")
    ]
    assert len(list(tmp_path.glob("*.done"))) == len(files) - 1


def test_files_that_are_too_much_together_are_read_one_after_the_other(tmp_path):
    files = [tmp_path / f"{name}.csv" for name in "abcde"]
    assert list(process.lost_files(dies_at_the_third_at_once, files, tmp_path)) == []
    assert len(list(tmp_path.glob("*.done"))) == len(files)


def test_what_never_ends_is_stopped(sheet, monkeypatch):
    monkeypatch.setattr(process, "PATIENCE", 0.5)
    with pytest.raises(SchemaError, match="takes more than"):
        process.apart(sleep, sheet)
