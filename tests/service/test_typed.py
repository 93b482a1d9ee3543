"""What people type for a result, as the lab writes it."""

import pytest

from tieline.errors import SchemaError
from tieline.service.pages.typed import read_typed


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("5.2", {"value": 5.2}),
        ("5,2", {"value": 5.2}),
        ("-3e-4", {"value": -3e-4}),
        ("\N{MINUS SIGN}7", {"value": -7.0}),
        ("5.2 ± 0.1", {"value": 5.2, "sd": 0.1}),
        ("5.2+-0,1 GPa", {"value": 5.2, "sd": 0.1, "unit": "GPa"}),
        ("760 °C", {"value": 760.0, "unit": "°C"}),
        ("< 0.5", {"value": 0.5, "flag": "below"}),
        ("≥3", {"value": 3.0, "flag": "above"}),
        ("Failed", {"flag": "failed"}),
    ],
)
def test_numbers_are_read_as_the_lab_writes_them(text, said):
    assert read_typed(text, is_number=True) == said


@pytest.mark.parametrize("text", ["abc", "5.2.1", "1,234.5", "5 ± x", "±", "<", "1 2"])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(SchemaError, match="not a number"):
        read_typed(text, is_number=True)


def test_a_label_stays_as_it_was_typed():
    assert read_typed("5 GPa", is_number=False) == "5 GPa"
