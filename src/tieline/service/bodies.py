"""What may be sent: the forms of requests, with examples.

A value is looked over where it is told (campaign/telling.py), in the words of the lab; here stands only its
form. A name that no form has is refused, so that a slip of the pen is not lost in silence.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from tieline.campaign.proposals import LEASE

STRICT = ConfigDict(extra="forbid", frozen=True)
MOST_PROPOSALS = 500  # of one question
MOST_PLACES = 20_000  # of one prediction
LONGEST_NAME, LONGEST_TEXT = 200, 2000
YEAR = 365 * 24 * 3600.0

Name = Annotated[str, Field(max_length=LONGEST_NAME)]
Text = Annotated[str, Field(max_length=LONGEST_TEXT)]
By = Annotated[Name, Field(description="Who does it, for the log.", examples=["furnace-2"])]
Instrument = Annotated[
    Name, Field(description="Who or what will do the work; empty for any.", examples=["furnace-2"])
]
Lease = Annotated[
    float,
    Field(gt=0, le=YEAR, description="Seconds until it counts as overdue, no more.", examples=[8 * 3600.0]),
]
Why = Annotated[Text, Field(description="For the log.", examples=["the film peeled off"])]

_ONE = {
    "oneOf": [
        {"type": "number"},
        {"type": "string", "description": "the text of a label"},
        {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "value": {"type": ["number", "string"]},
                "sd": {"type": "number", "minimum": 0, "description": "standard error"},
                "unit": {"type": "string"},
                "flag": {"enum": ["ok", "failed", "below", "above"]},
            },
        },
    ]
}
Value = Annotated[Any, WithJsonSchema({"oneOf": [*_ONE["oneOf"], {"type": "array", "items": _ONE}]})]
Setting = Annotated[
    Any,
    WithJsonSchema(
        {
            "oneOf": [
                {"type": "number"},
                {"type": "string"},
                {
                    "type": "object",
                    "description": "a value with its unit, or mole fractions by element",
                    "additionalProperties": True,
                },
            ]
        }
    ),
]
Made = Annotated[
    dict[Name, Setting],
    Field(examples=[{"temperature": {"value": 763, "unit": "degC"}, "composition": {"Fe": 0.7, "Ga": 0.3}}]),
]


class Ask(BaseModel):
    """A question for proposals."""

    model_config = STRICT
    n: Annotated[int, Field(ge=1, le=MOST_PROPOSALS, description="How many.", examples=[5])] = 1
    instrument: Instrument = ""
    goal: Annotated[
        Name, Field(description="By default that of the campaign.", examples=["maximize:hardness"])
    ] = ""
    acquisition: Annotated[
        Name, Field(description="By default the best for the goal.", examples=["log_ei"])
    ] = ""
    batch: Annotated[Name, Field(description="How several are chosen.", examples=["believer"])] = "believer"
    audit: Annotated[
        int, Field(ge=0, le=MOST_PROPOSALS, description="How many of them are drawn at random.")
    ] = 0
    by: By = ""


class Claim(BaseModel):
    """Taking a proposal for oneself."""

    model_config = STRICT
    proposal: Annotated[
        Name, Field(description="Its name; by default the first that is open.", examples=["P2026-11-24-1"])
    ] = ""
    instrument: Instrument = ""
    lease: Lease = LEASE
    by: By = ""


class Renew(BaseModel):
    """At work, for some time still."""

    model_config = STRICT
    lease: Lease = LEASE
    is_running: Annotated[bool, Field(description="Whether the work has begun.")] = True
    by: By = ""


class GiveUp(BaseModel):
    """Giving a proposal back or up."""

    model_config = STRICT
    why: Why = ""
    by: By = ""


class Tell(BaseModel):
    """What came out of an experiment."""

    model_config = STRICT
    results: Annotated[
        dict[Name, Value],
        Field(
            description="By property: a number, a label, a value with `sd`, `unit` and `flag`, or a list.",
            examples=[{"hardness": {"value": 5.2, "sd": 0.1, "unit": "GPa"}, "phase": "fcc"}],
        ),
    ] = {}
    proposal: Annotated[
        Name, Field(description="That was followed; none by default.", examples=["P2026-11-24-1"])
    ] = ""
    specimen: Annotated[
        Name, Field(description="Its identity; by default that of the proposal, or a new one.")
    ] = ""
    made: Annotated[
        Made,
        Field(description="Settings as really made, where they are not those asked for; else all of them."),
    ] = {}
    is_partial: Annotated[bool, Field(description="Whether more results of the proposal will follow.")] = (
        False
    )
    by: By = ""


class StartFit(BaseModel):
    """Beginning to learn."""

    model_config = STRICT
    by: By = ""


class Predict(BaseModel):
    """Places to predict at."""

    model_config = STRICT
    places: Annotated[
        list[Made] | None,
        Field(
            min_length=1,
            max_length=MOST_PLACES,
            description="By default the explored region.",
            examples=[[{"temperature": 760, "substrate": "steel"}]],
        ),
    ] = None
    model: Annotated[
        str, Field(max_length=LONGEST_NAME, description="One that is kept; by default what was learned last.")
    ] = ""
