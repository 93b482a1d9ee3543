import numpy as np
import pandas as pd
import pytest

from tieline.campaign.settings import Settings, complete, read_settings, write_settings
from tieline.errors import SchemaError
from tieline.schema import table

SHEET = pd.DataFrame(
    {
        "temperature": [700.0, 800.0, 900.0, 950.0],
        "atmosphere_pressure": [1.0, 1.0, 1.0, 1.0],
        "phase": ["A", "B", "", "B"],
        "hardness": [1.0, 2.0, 3.0, None],
        "hardness_sd": [0.1, 0.1, 0.2, None],
    }
)
ROLES = {
    "temperature": "process",
    "atmosphere_pressure": "process",
    "phase": "structure",
    "hardness": "property",
}


@pytest.fixture
def measured():
    return table(SHEET, roles=ROLES)


@pytest.mark.parametrize(
    "settings",
    [
        Settings("plain"),
        Settings('a "quoted" näme \\', design=["a b", "c"], phase="", properties=["σ"], seed=3),
        Settings("two labs", phase=["xrd", "raman"], instrument="lab", inference="mcmc", n_sweeps=500),
        Settings("spread", design="composition", phase="phase", goal="0.7*maximize:a + 0.3*learn-phase-map"),
    ],
    ids=lambda s: s.name,
)
def test_settings_survive_the_file(tmp_path, settings):
    file = tmp_path / "campaign.toml"
    file.write_text(write_settings(settings), encoding="utf-8")
    assert read_settings(file) == settings


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("goal = maximize:a", "cannot be read"),
        ('gaol = "maximize:a"', "no setting 'gaol'"),
        ("design = 3", "'design'(.|\n)*wrong form"),
        ("properties = [1, 2]", "'properties'(.|\n)*wrong form"),
        ("n_sweeps = 1.5", "'n_sweeps'(.|\n)*wrong form"),
        ("seed = true", "'seed'(.|\n)*wrong form"),
        ('goal = "maximse:a"', "'goal' in campaign.toml is not a goal(.|\n)*Did you mean 'maximize'"),
    ],
)
def test_mistakes_in_the_file_are_named(tmp_path, text, message):
    file = tmp_path / "campaign.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SchemaError, match=message):
        read_settings(file)


def test_roles_fill_what_settings_leave_open(measured):
    settings = complete(Settings("x"), measured)
    assert settings.design == ["temperature"]  # the pressure never varies
    assert settings.phase == "phase"
    assert settings.properties == ["hardness"]
    assert settings.goal == "maximize:hardness"


def test_a_measured_structure_is_no_phase(measured):
    told = measured.drop_vars("phase").assign(
        porosity=("specimen", np.linspace(0.1, 0.3, measured.sizes["specimen"]), {"role": "structure"})
    )
    assert complete(Settings("x"), told).phase == ""


def test_what_is_set_stands(measured):
    wanted = Settings(
        "x", design=["temperature"], phase="", properties=["hardness"], goal="minimize:hardness"
    )
    assert complete(wanted, measured) == wanted


def test_unknown_column_in_the_settings_is_answered_with_the_nearest(measured):
    with pytest.raises(SchemaError, match="Did you mean 'hardness'") as told:
        complete(Settings("x", properties=["hardnes"]), measured)
    assert "The line properties in campaign.toml names 'hardnes'" in str(told.value)
    assert "rename" not in str(told.value)


def test_without_anything_to_set_the_design_is_asked_for(measured):
    with pytest.raises(SchemaError, match=r"design = \["):
        complete(Settings("x"), measured.drop_vars("temperature"))


def test_composition_is_the_design_where_there_is_one():
    sheet = pd.DataFrame({"Fe": [0.5, 0.2], "Ga": [0.5, 0.8], "time": [1.0, 2.0]})
    spread = table(sheet, composition=["Fe", "Ga"], basis="fraction", roles={"time": "process"})
    assert complete(Settings("x"), spread).design == "composition"
