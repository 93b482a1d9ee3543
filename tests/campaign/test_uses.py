import numpy as np
import pandas as pd
import pytest

from tieline.campaign.campaign import Campaign
from tieline.campaign.settings import Settings
from tieline.campaign.uses import describe_use, notes_on_settings
from tieline.errors import SchemaError
from tieline.readers import load
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
        ' atmosphere (text, which model = "GaussianProcess" reads).'
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
    folder = Campaign.create(tmp_path / "c", Settings("c", goal="maximize:hardnes"))
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
    folder = Campaign.create(tmp_path / "c")
    folder.import_file(tmp_path / "runs.csv")
    (folder.path / "campaign.toml").unlink()
    with pytest.raises(SchemaError, match="Did you mean 'hardness'"):
        Campaign.create(tmp_path / "c", Settings("c", goal="maximize:hardnes"))
    Campaign.create(tmp_path / "c", Settings("c", goal="maximize:hardness"))
    assert Campaign.open(tmp_path / "c").has_record


def test_label_sets_and_instruments_of_the_settings_are_learned_from(tmp_path):
    rng = np.random.default_rng(0)
    x = np.linspace(0, 1, 24)
    label = np.where(x > 0.5, "B", "A")
    sheet = pd.DataFrame(
        {
            "temperature": x,
            "xrd phase": label,
            "raman phase": np.where(np.arange(24) == 3, "B", label),
            "lab": np.where(np.arange(24) % 3 == 0, "away", "home"),
            "hardness": np.where(x > 0.5, 3.0, 1.0) + 0.4 * (np.arange(24) % 3 == 0) + 0.02 * rng.random(24),
        }
    )
    sheet.to_csv(tmp_path / "sheet.csv", index=False)
    columns = list(load(tmp_path / "sheet.csv")["specimens"].to_dataset().data_vars)
    phases = [name for name in columns if "phase" in name]
    campaign = Campaign.create(
        tmp_path / "two-labs", Settings("two-labs", phase=phases, instrument="lab", inference="fast")
    )
    campaign.import_file(tmp_path / "sheet.csv")
    line, _ = campaign.uses()
    assert line.startswith(
        f"Learned {', '.join(phases)}, hardness from temperature, with an offset for each lab."
    )
    posterior = campaign.fit()
    assert posterior.label_errors().label_set.values.tolist() == phases
    away = posterior.offsets().sel(instrument="away", property="hardness")
    assert abs(float(away["offset"]) - 0.4) < 0.3
    assert campaign.propose(n=1).sizes["specimen"] == 1


def test_an_instrument_that_the_data_lack_is_named(tmp_path, spread):
    with pytest.raises(SchemaError, match=r"line instrument in campaign\.toml names 'labb'"):
        describe_use(Settings("x", instrument="labb"), spread.drop_vars("atmosphere"), spread)
