"""Tables that other planners exported; the files were written by BayBE 0.15 and Ax 1.3."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import tieline as tl
from tieline.campaign.learning import table_of

FILES = Path(__file__).parent / "planners"


def specimens(record):
    return record["specimens"].to_dataset()


def roles(dataset):
    return {str(name): variable.attrs["role"] for name, variable in dataset.data_vars.items()}


@pytest.mark.parametrize("name", ["baybe.csv", "baybe-index.csv"])
def test_measurements_of_baybe_are_settings_and_results(name):
    record = tl.load(FILES / name)
    read, sheet = specimens(record), pd.read_csv(FILES / name)
    assert roles(read) == {"temperature": "process", "substrate": "process", "hardness": "property"}
    np.testing.assert_array_equal(read["hardness"].values, sheet["Hardness"])
    np.testing.assert_array_equal(read["substrate"].values.astype(str), sheet["Substrate"].astype(str))
    (note,) = [n for n in record.attrs["notes"] if "BayBE" in n]
    assert "Temperature, Substrate was set, Hardness was measured; BatchNr and FitNr are remarks" in note


@pytest.mark.parametrize("name", ["ax.csv", "ax-report.csv"])
def test_trials_of_ax_keep_what_became_of_them(name):
    record = tl.load(FILES / name)
    read = specimens(record)
    assert roles(read) == {
        "hardness": "property",
        "temperature": "process",
        "substrate": "process",
        "hardness_flag": "property",
    }
    assert read["specimen"].values.tolist() == [f"{i}_0" for i in range(6)]
    assert read["hardness_flag"].values.tolist() == ["", "", "failed", "", "", ""]
    assert np.isfinite(read["hardness"].values).tolist() == [True, True, False, False, True, False]
    assert np.isfinite(read["temperature"].values).all()
    notes = "\n".join(record.attrs["notes"])
    for words in ("flagged so: 2_0", "abandoned, without a result: 3_0", "not finished: 5_0"):
        assert words in notes


def test_a_model_learns_from_what_failed_in_ax(tmp_path):
    settings = tl.Settings("film", model="GaussianProcess", design=["temperature", "substrate"])
    with tl.Campaign.create(tmp_path / "film", settings) as campaign:
        campaign.import_file(FILES / "ax.csv")
        table = table_of(campaign.record(), campaign.settings)
        posterior = tl.GaussianProcess(["temperature", "substrate"], ["hardness"]).fit(table, seed=0)
    assert "success_probability" in posterior.predict(table)


def write(folder, text):
    file = folder / "table.csv"
    file.write_text(text)
    return file


def test_a_value_of_a_trial_that_was_given_up_does_not_count(tmp_path):
    text = "trial_index,arm_name,trial_status,hardness,temperature\n"
    text += "0,0_0,COMPLETED,5.0,700\n1,1_0,ABANDONED,9.0,800\n2,2_0,COMPLETED,6.0,750\n"
    record = tl.load(write(tmp_path, text))
    np.testing.assert_array_equal(specimens(record)["hardness"].values, [5, np.nan, 6])
    assert any(
        "left out of trials that failed or were abandoned: 1_0" in note for note in record.attrs["notes"]
    )


def test_an_arm_that_was_tried_twice_is_one_specimen(tmp_path):
    text = "trial_index,arm_name,trial_status,hardness,temperature\n"
    text += "0,0_0,COMPLETED,5.0,700\n1,0_0,COMPLETED,5.2,700\n2,2_0,COMPLETED,6.0,750\n"
    read = specimens(tl.load(write(tmp_path, text)))
    assert read["specimen"].values.tolist() == ["0_0", "0_0", "2_0"]


def test_what_only_its_place_tells_is_named_and_can_be_corrected(tmp_path):
    text = "dose,yield,loss,BatchNr,FitNr\n1.5,3,0.1,1,1\n2.5,4,0.3,1,1\n3.5,5,0.2,2,\n"
    file = write(tmp_path, text)
    record = tl.load(file)
    assert roles(specimens(record)) == {"dose": "process", "yield": "process", "loss": "property"}
    assert any(
        note.startswith("dose, yield: taken for settings by their place") for note in record.attrs["notes"]
    )
    (tmp_path / "table.csv.columns.toml").write_text('[columns.yield]\nrole = "property"\n')
    assert roles(specimens(tl.load(file)))["yield"] == "property"


def test_several_results_of_baybe_are_told_by_their_gaps(tmp_path):
    text = "dose,yield,loss,BatchNr,FitNr\n1.5,3,0.1,1,1\n2.5,,0.3,1,1\n3.5,5,0.2,2,\n"
    assert roles(specimens(tl.load(write(tmp_path, text))))["yield"] == "property"
