import json
import tomllib

import pytest

import tieline as tl
from tieline.errors import SchemaError, TielineError

TEXT = """
[[inputs]]
name = "composition"
elements = ["Fe", "Ga", "Pd"]
low = {Pd = 0.05}
high = 0.9
at_most = 2
step = 0.01

[[inputs]]
name = "temperature"
low = 300
high = 900
units = "degC"
role = "synthesis"

[[inputs]]
name = "acid"
levels = [-7.5, 0, 7.5]

[[inputs]]
name = "solvent"
categories = ["water", "ethanol"]

[[constraints]]
coefficients = {temperature = 1.0, Fe = 100.0}
at_most = 950
"""

SPACE = tl.Space(
    [
        tl.Composition("composition", ["Fe", "Ga", "Pd"], low={"Pd": 0.05}, high=0.9, at_most=2, step=0.01),
        tl.Numeric("temperature", 300, 900, units="degC", role="synthesis"),
        tl.Levels("acid", [-7.5, 0, 7.5]),
        tl.Categorical("solvent", ["water", "ethanol"]),
    ],
    [tl.LinearConstraint({"temperature": 1.0, "Fe": 100.0}, at_most=950)],
)


def test_toml_says_the_same():
    assert tl.Space.from_dict(tomllib.loads(TEXT)) == SPACE
    assert SPACE.to_dict() == tomllib.loads(TEXT)


def test_json_carries_it():
    assert tl.Space.from_dict(json.loads(json.dumps(SPACE.to_dict()))) == SPACE
    assert tl.Space([tl.Levels("x", [1])]).to_dict() == {"inputs": [{"name": "x", "levels": [1.0]}]}


def test_a_rule_is_no_text():
    def dry(places):
        return places["solvent"] != "water"

    with pytest.raises(TielineError, match="cannot be written as text") as caught:
        tl.Space(SPACE.inputs, [dry]).to_dict()
    assert caught.value.found == "dry"


@pytest.mark.parametrize(
    ("settings", "message", "found"),
    [
        ({"input": []}, "A space has no setting 'input'", "Did you mean 'inputs'"),
        ({"inputs": {"name": "x"}}, "inputs of a space are a list", "name"),
        ({"inputs": [{"name": "x"}]}, "neither what it ranges over", "name"),
        ({"inputs": [{"name": "x", "low": 1}]}, "Numeric 'x' lacks high", "name, low"),
        (
            {"inputs": [{"name": "x", "low": 1, "high": 2, "stp": 3}]},
            "no setting 'stp'",
            "Did you mean 'step'",
        ),
        ({"inputs": [{"name": "x", "low": "1", "high": 2}]}, "low of 'x' must be a number", "'1'"),
        ({"inputs": [{"name": "x", "levels": 1}]}, "of Levels 'x' has the wrong form", "levels"),
        (
            {
                "inputs": [{"name": "x", "levels": [1]}],
                "constraints": [{"coefficients": ["x"], "at_most": 1}],
            },
            "of LinearConstraint has the wrong form",
            "coefficients",
        ),
    ],
)
def test_bad_settings_are_named(settings, message, found):
    with pytest.raises(SchemaError, match=message) as caught:
        tl.Space.from_dict(settings)
    assert found in caught.value.found
