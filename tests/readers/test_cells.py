import math

import numpy as np
import pytest

from tieline.errors import SchemaError
from tieline.readers.cells import choose_decimal, decimal_mark, is_missing, is_number, to_number


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("12", ""), ("-3.5", "."), ("3,5", ","), ("0,125", ","), ("1,234", "?,"), ("1.234", "?."),
        ("1234.567", "."),
        ("1,234.5", "."), ("1.234,5", ","), ("1,234,567", "."), ("1e-3", ""), ("1.234e-3", "."),
        ("−1,5", ","),
        ("1 234,5", ","), ("1'234.5", "."), ("fcc", None), ("S1", None), ("1,2,3", None),
        ("12.5.1", None),
        ("٣", None), ("1_000", None), (".", None), ("5 2", None),
        ("0x10", None), ("2.1×10^-4", "."),
    ],
)  # fmt: skip
def test_the_decimal_mark_is_read_or_doubted(text, mark):
    assert decimal_mark(text) == mark


@pytest.mark.parametrize(
    ("text", "decimal", "number"),
    [
        ("1,5", ",", 1.5), ("1.234,5", ",", 1234.5), ("1,234.5", ".", 1234.5),
        ("−2.5", ".", -2.5),
        ("1 234,5", ",", 1234.5), ("2.1×10^-4", ".", 2.1e-4),
        ("3·10⁻³", ".", 3e-3), ("5,67E-4", ",", 5.67e-4),
    ],
)  # fmt: skip
def test_numbers_of_many_spellings(text, decimal, number):
    assert to_number(text, decimal) == pytest.approx(number, rel=1e-15)


def test_infinite_text_and_overflow_become_infinite_so_that_they_can_be_refused():
    assert to_number("inf", ".") == math.inf
    assert to_number("1e999", ".") == math.inf


def test_missing_marks_are_not_numbers_and_words_are_not_missing():
    assert all(is_missing(m) for m in ["", " ", "-", "n/a", "NaN", "NA", "–", np.nan])
    assert not any(is_missing(m) for m in ["0", "NaCl", "n.d.", 0.0])
    assert not is_number("NaN")


def test_a_doubtful_mark_is_settled_by_the_rest_of_the_sheet_or_refused():
    assert choose_decimal(["1,234", "2,500"], column="x", file_marks={","}) == ","
    assert choose_decimal(["1.234", "2.500"], column="x", file_marks=set()) == "."
    assert choose_decimal(["1,234", "2.5"], column="x", file_marks=set()) == "."
    with pytest.raises(SchemaError, match="decimal mark of column 'x'"):
        choose_decimal(["1,234", "2,500"], column="x", file_marks=set())
    with pytest.raises(SchemaError, match="decimal mark of column 'x'"):
        choose_decimal(["1.234"], column="x", file_marks={","})
    with pytest.raises(SchemaError, match="decimal mark of column 'x'"):
        choose_decimal(["1.5", "2,5"], column="x", file_marks=set())
