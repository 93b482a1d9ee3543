import numpy as np
import pandas as pd
import pytest

from tieline.campaign.folder import Folder
from tieline.campaign.settings import Settings
from tieline.campaign.uses import describe_use, notes_on_settings
from tieline.errors import SchemaError
from tieline.schema import table

SHEET = pd.DataFrame(
    {
        "Fe": [0.2, 0.5, 0.8],
        "Ga": [0.8, 0.5, 0.2],
        "annealing_temperature": [700.0, 800.0, 900.0],
        "pressure": [1.0, 1.0, 1.0],
        "phase": ["A", "B", ""],
        "polymorph": ["x", "", "y"],
        "hardness": [1.0, 2.0, None],
        "hardness_sd": [0.1, 0.1, None],
        "ductility": [None, None, None],
    }
)
ROLES = {"annealing_temperature": "process", "pressure": "process", "polymorph": "structure"}


@pytest.fixture
def spread():
    made = table(SHEET, composition=["Fe", "Ga"], basis="fraction", roles=ROLES)
    return made.assign(atmosphere=("specimen", ["Ar", "N2", "Ar"], {"role": "process"}))


def test_one_line_says_what_is_learned_from_what_and_how_to_use_the_rest(spread):
    assert describe_use(Settings("x"), spread.drop_vars("atmosphere"), spread) == (
        "Learned phase, hardness from composition. Not used:"
        ' annealing_temperature (design = ["composition", "annealing_temperature"] in campaign.toml);'
        " pressure (always 1);"
        ' polymorph (phase = "polymorph" in campaign.toml);'
        " atmosphere (text)."
    )


def test_what_settings_leave_out_is_named(spread):
    settings = Settings("x", design=["annealing_temperature"], phase="", properties=["hardness"])
    line = describe_use(settings, spread, spread[["annealing_temperature", "hardness", "ductility"]])
    assert line == "Learned hardness from annealing_temperature."
    less = Settings("x", design="composition", properties=[])
    assert 'hardness (properties = ["hardness"] in campaign.toml)' in describe_use(less, spread, spread)


def test_a_property_that_was_never_measured_is_noted(spread):
    assert notes_on_settings(Settings("x"), spread) == [
        "ductility: never measured, so nothing is learned of it."
    ]


def test_a_goal_that_the_data_lack_is_noted_at_import_and_refused_at_propose(tmp_path):
    sheet = pd.DataFrame({"time (h)": np.arange(8.0), "hardness (GPa)": np.arange(8.0) ** 2})
    sheet.to_csv(tmp_path / "runs.csv", index=False)
    folder = Folder.create(tmp_path / "c", Settings("c", goal="maximize:hardnes"))
    notes = folder.import_file(tmp_path / "runs.csv")
    told = (
        "The goal asks for 'hardnes', which is not among the properties: hardness.  Did you mean 'hardness'?"
    )
    assert told in notes
    assert told in folder.uses()[1]
    folder.fit()
    with pytest.raises(SchemaError, match=r"Did you mean 'hardness'(.|\n)*in campaign\.toml"):
        folder.propose()


def test_a_new_campaign_over_data_refuses_a_goal_that_they_lack(tmp_path):
    sheet = pd.DataFrame({"time (h)": np.arange(8.0), "hardness (GPa)": np.arange(8.0) ** 2})
    sheet.to_csv(tmp_path / "runs.csv", index=False)
    folder = Folder.create(tmp_path / "c")
    folder.import_file(tmp_path / "runs.csv")
    (folder.path / "campaign.toml").unlink()
    with pytest.raises(SchemaError, match="Did you mean 'hardness'"):
        Folder.create(tmp_path / "c", Settings("c", goal="maximize:hardnes"))
    Folder.create(tmp_path / "c", Settings("c", goal="maximize:hardness"))
    assert Folder.open(tmp_path / "c").has_record
