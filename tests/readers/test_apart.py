"""Files read by a process of their own: the answer is the same, and what does harm does it there."""

import os
import time

import pandas as pd
import pytest

from tieline.errors import SchemaError
from tieline.readers import apart
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
    return len(bytearray(apart.MEMORY + (64 << 20)))


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
        apart._apart(work, sheet)


def test_what_never_ends_is_stopped(sheet, monkeypatch):
    monkeypatch.setattr(apart, "PATIENCE", 0.5)
    with pytest.raises(SchemaError, match="takes more than"):
        apart._apart(sleep, sheet)
