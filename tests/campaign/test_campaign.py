import numpy as np
import pandas as pd
import pytest
import xarray as xr
from furnace_runs import SHEET, TEMPERATURE

from tieline.campaign.campaign import Campaign
from tieline.campaign.places import read_places, write_places
from tieline.campaign.settings import Settings
from tieline.errors import SchemaError, TielineError
from tieline.planning.goals import Minimize


@pytest.fixture
def sheet(tmp_path):
    file = tmp_path / "furnace runs.csv"
    SHEET.to_csv(file, index=False)
    return file


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    place = tmp_path_factory.mktemp("fitted")
    SHEET.to_csv(place / "runs.csv", index=False)
    settings = Settings("runs", design=["temperature"], phase="phase", properties=["hardness"])
    folder = Campaign.create(place / "campaign", settings)
    folder.import_file(place / "runs.csv")
    folder.fit()
    return folder


def test_a_new_campaign_can_be_opened_and_not_made_twice(tmp_path):
    folder = Campaign.create(tmp_path / "steel")
    assert Campaign.open(tmp_path / "steel").settings.name == "steel"
    assert folder.imports() == []
    with pytest.raises(TielineError, match="is taken"):
        Campaign.create(tmp_path / "steel")


def test_what_is_no_campaign_is_not_opened(tmp_path):
    with pytest.raises(TielineError, match=r"no campaign.toml(.|\n)*tieline new"):
        Campaign.open(tmp_path)
    with pytest.raises(TielineError, match="no such folder"):
        Campaign.open(tmp_path / "nowhere")


def test_every_step_says_which_step_comes_before(tmp_path, sheet):
    folder = Campaign.create(tmp_path / "c")
    with pytest.raises(TielineError, match="tieline import"):
        folder.fit()
    folder.import_file(sheet)
    with pytest.raises(TielineError, match="tieline fit"):
        folder.propose()


def test_imported_file_is_kept_byte_for_byte_and_once(tmp_path, sheet):
    folder = Campaign.create(tmp_path / "c")
    folder.import_file(sheet)
    folder.import_file(sheet)
    kept = list((folder.path / "raw").glob("*/*.csv"))
    assert [k.read_bytes() for k in kept] == [sheet.read_bytes()]
    assert folder.imports() == ["furnace runs.csv"]


def test_unreadable_file_leaves_the_campaign_as_it_was(tmp_path):
    folder = Campaign.create(tmp_path / "c")
    empty = tmp_path / "empty.csv"
    empty.touch()
    with pytest.raises(TielineError):
        folder.import_file(empty)
    assert not folder.has_record
    assert folder.imports() == []
    with pytest.raises(TielineError, match="no file"):
        folder.import_file(tmp_path / "nothing.csv")


def test_second_import_adds_specimens(tmp_path, sheet):
    folder = Campaign.create(tmp_path / "c")
    more = tmp_path / "more.csv"
    SHEET.assign(specimen=[f"t{i}" for i in range(16)]).iloc[:3].to_csv(more, index=False)
    folder.import_file(sheet)
    assert "specimens: 3 new beside 16" in folder.import_file(more)
    assert folder.record()["specimens"].sizes["specimen"] == 19


def test_a_refused_file_leaves_the_campaign_as_it_was(tmp_path, sheet):
    folder = Campaign.create(tmp_path / "c")
    folder.import_file(sheet)
    other = tmp_path / "other.csv"
    SHEET.assign(**{"temperature (°C)": TEMPERATURE + 50}).to_csv(other, index=False)
    with pytest.raises(SchemaError, match="was made with another temperature"):
        folder.import_file(other)
    assert folder.imports() == ["furnace runs.csv"]
    assert not list((folder.path / "raw").glob("*/other.csv"))


def correct(sheet, **columns):
    lines = [f'[columns."{header}"]\n{said}' for header, said in columns.items()]
    sheet.with_name(f"{sheet.name}.columns.toml").write_text("\n".join(lines), encoding="utf-8")


def test_corrected_file_takes_the_place_of_its_earlier_reading(tmp_path, sheet):
    folder = Campaign.create(tmp_path / "c")
    more = tmp_path / "more.csv"
    pd.DataFrame({"specimen": ["s0", "s1"], "hardness (GPa)": [9.0, 8.0]}).to_csv(more, index=False)
    folder.import_file(sheet)
    folder.import_file(more)
    correct(sheet, **{"temperature (°C)": 'name = "annealing"\nunits = "K"'})
    notes = folder.import_file(sheet)
    specimens = folder.record()["specimens"]
    assert "no longer in the record: temperature" in notes
    assert specimens["annealing"].attrs["units"] == "K"
    np.testing.assert_array_equal(specimens["annealing"], TEMPERATURE)
    np.testing.assert_array_equal(specimens["hardness"][:2], [9.0, 8.0])  # the later file still stands
    assert folder.imports() == ["furnace runs.csv", "more.csv"]
    assert list((folder.path / "raw").glob("*/furnace runs.csv.columns.toml"))


def test_values_that_a_correction_takes_away_are_gone(tmp_path):
    folder = Campaign.create(tmp_path / "c")
    sheet = tmp_path / "runs.csv"
    sheet.write_text("specimen,time (h),hardness (GPa)\na,1,2.5\nb,2,999\nc,3,4.5\n", encoding="utf-8")
    folder.import_file(sheet)
    correct(sheet, **{"hardness (GPa)": 'missing = ["999"]'})
    folder.import_file(sheet)
    np.testing.assert_array_equal(folder.record()["specimens"]["hardness"], [2.5, np.nan, 4.5])


def test_corrections_inside_a_folder_are_noticed(tmp_path):
    place = tmp_path / "plate"
    place.mkdir()
    SHEET.to_csv(place / "runs.csv", index=False)
    folder = Campaign.create(tmp_path / "c")
    folder.import_file(place)
    correct(place / "runs.csv", **{"hardness (GPa)": 'name = "indentation"'})
    folder.import_file(place)
    assert "hardness" not in folder.record()["specimens"]
    assert folder.imports() == ["plate"]


def test_fit_is_kept_and_answers_the_same_when_read_again(fitted):
    places = xr.Dataset(
        {"temperature": ("specimen", [650.0, 850.0], {"units": "degC"})}, {"specimen": [0, 1]}
    )
    again = Campaign.open(fitted.path)
    predicted = again.predict(places)
    assert list(predicted["most_likely_phase"].values) == ["alpha", "beta"]
    np.testing.assert_allclose(predicted["hardness"], [2, 5], atol=0.3)
    np.testing.assert_array_equal(predicted["temperature"], [650, 850])


def test_a_result_in_the_grid_does_not_stand_for_the_prediction(fitted):
    grid = xr.Dataset(
        {
            "temperature": ("specimen", [650.0, 850.0], {"units": "degC"}),
            "hardness": ("specimen", [77.0, 77.0], {"units": "GPa"}),
            "phase": ("specimen", ["x", "y"]),
        },
        {"specimen": [0, 1]},
        {"source": "a sheet"},
    )
    predicted = fitted.predict(grid)
    np.testing.assert_allclose(predicted["hardness"], [2, 5], atol=0.3)
    assert list(predicted["phase"].values) == ["alpha", "beta"]
    assert "hardness: left out of the places, where it is predicted" in predicted.attrs["notes"]
    assert predicted.attrs["model"] == "PhaseProperty"
    assert list(grid["hardness"].values) == [77.0, 77.0]


def test_changed_settings_make_a_fit_stale(fitted):
    assert not fitted.is_stale
    file = fitted.path / "campaign.toml"
    before = file.read_text(encoding="utf-8")
    file.write_text(f'{before}inference = "fast"\n', encoding="utf-8")
    assert fitted.is_stale
    file.write_text(before.replace('name = "runs"', 'name = "furnace runs"'), encoding="utf-8")
    assert not fitted.is_stale
    file.write_text(before, encoding="utf-8")


def test_proposals_are_kept_as_a_list_to_fill_in(fitted):
    batch = fitted.propose(n=3, goal=Minimize("hardness"))
    kept = pd.read_csv(fitted.path / "proposals.csv")
    np.testing.assert_allclose(kept["temperature (°C)"], batch["temperature"])
    np.testing.assert_allclose(kept["tieline: predicted hardness (GPa)"], batch["hardness"])
    assert kept["tieline: reason"].str.contains("hardness predicted").all()
    assert list(kept["specimen"]) == list(batch["proposal"].values)
    assert list(kept.columns[:4]) == ["specimen", "temperature (°C)", "phase", "hardness (GPa)"]
    assert kept[["phase", "hardness (GPa)"]].isna().all(axis=None)
    assert kept.columns[4:].str.startswith("tieline: ").all()


def test_goal_is_taken_from_the_data_until_the_settings_name_one(fitted):
    assert str(fitted.goal()) == "maximize hardness"


@pytest.mark.parametrize("ending", ["csv", "nc"])
def test_predictions_are_written_whole(fitted, tmp_path, ending):
    predicted = fitted.predict()
    file = tmp_path / f"map.{ending}"
    write_places(predicted, file)
    if ending == "csv":
        table = pd.read_csv(file)
        np.testing.assert_allclose(table["phase_probability_alpha"] + table["phase_probability_beta"], 1)
        np.testing.assert_allclose(table["hardness"], predicted["hardness"])
    else:
        xr.testing.assert_allclose(xr.open_dataset(file).load()["hardness"], predicted["hardness"])
    with pytest.raises(SchemaError, match=r"map\.csv"):
        write_places(predicted, tmp_path / "map.xlsx")


def test_pool_is_read_from_a_sheet(fitted, tmp_path):
    file = tmp_path / "pool.csv"
    pd.DataFrame({"temperature (K)": [900.0, 1000.0, 1100.0]}).to_csv(file, index=False)
    batch = fitted.propose(read_places(file), n=3)
    assert sorted(batch["candidate"].values) == [0, 1, 2]


def test_nothing_half_written_is_left_behind(fitted):
    assert not [p for p in fitted.path.rglob("*") if "partial" in p.name]


def test_report_is_written_into_the_campaign(fitted):
    page = fitted.report().read_text(encoding="utf-8")
    assert "to maximize hardness" in page
    assert "16 specimens from runs.csv" in page
    assert (fitted.path / "report" / "line.png").is_file()


def rows(first, last):
    """Rows of a sheet that names no specimens."""
    return SHEET.drop(columns="specimen").iloc[first:last]


def names(folder):
    return [str(name) for name in folder.record()["specimens"]["specimen"].values]


def test_rows_of_a_later_file_without_identities_are_new_specimens(tmp_path):
    folder = Campaign.create(tmp_path / "c")
    rows(0, 2).to_csv(tmp_path / "first.csv", index=False)
    rows(8, 10).to_csv(tmp_path / "more.csv", index=False)
    folder.import_file(tmp_path / "first.csv")
    notes = folder.import_file(tmp_path / "more.csv")
    assert names(folder) == ["1", "2", "more-1", "more-2"]
    assert "no column names the specimens: they are new ones, called more-1 to more-2" in notes
    np.testing.assert_allclose(folder.record()["specimens"]["temperature"], TEMPERATURE[[0, 1, 8, 9]])


def test_numbers_that_a_later_file_names_are_not_the_rows_of_an_earlier_one(tmp_path):
    folder = Campaign.create(tmp_path / "c")
    rows(0, 2).to_csv(tmp_path / "first.csv", index=False)
    SHEET.assign(specimen=range(1, 17)).iloc[:2].to_csv(tmp_path / "named.csv", index=False)
    folder.import_file(tmp_path / "first.csv")
    notes = folder.import_file(tmp_path / "named.csv")
    assert names(folder) == ["first-1", "first-2", "1", "2"]
    assert any("now called first-1 to first-2" in note for note in notes)
    folder.import_file(tmp_path / "first.csv")  # joined afresh, and the same
    assert names(folder) == ["first-1", "first-2", "1", "2"]


def test_a_sheet_that_grew_adds_its_new_rows_only(tmp_path):
    folder = Campaign.create(tmp_path / "c")
    sheet = tmp_path / "runs.csv"
    for last in (3, 5):
        rows(0, last).to_csv(sheet, index=False)
        folder.import_file(sheet)
    assert names(folder) == ["1", "2", "3", "4", "5"]


def test_another_sheet_of_the_same_name_is_not_taken_for_it(tmp_path):
    folder = Campaign.create(tmp_path / "c")
    for place, first in (("a", 0), ("b", 4), ("d", 8)):
        (tmp_path / place).mkdir()
        rows(first, first + 2).to_csv(tmp_path / place / "runs.csv", index=False)
        folder.import_file(tmp_path / place / "runs.csv")
    assert names(folder) == ["1", "2", "runs-1", "runs-2", "runs-2-1", "runs-2-2"]


def test_the_folder_one_stands_in_is_imported_by_its_name(tmp_path, monkeypatch):
    folder = Campaign.create(tmp_path / "c")
    (tmp_path / "plate").mkdir()
    SHEET.to_csv(tmp_path / "plate" / "runs.csv", index=False)
    monkeypatch.chdir(tmp_path / "plate")
    folder.import_file(".")
    assert folder.imports() == ["plate"]


def test_a_campaign_is_not_imported(tmp_path, sheet, fitted):
    folder = Campaign.create(tmp_path / "c")
    with pytest.raises(TielineError, match=r"is the folder of a campaign(.|\n)*proposals\.csv"):
        folder.import_file(fitted.path)
    with pytest.raises(TielineError, match="The campaign lies in the folder"):
        folder.import_file(tmp_path)
    assert sheet.exists()
    assert not folder.has_record


def test_one_sheet_of_several_is_chosen_and_remembered(tmp_path):
    folder = Campaign.create(tmp_path / "c")
    file = tmp_path / "runs.xlsx"
    with pd.ExcelWriter(file) as book:
        SHEET.to_excel(book, sheet_name="May", index=False)
        SHEET.assign(specimen=[f"j{i}" for i in range(16)]).to_excel(book, sheet_name="June", index=False)
    folder.import_file(file, sheet="June")
    assert names(folder)[0] == "j0"
    folder.import_file(file)
    assert names(folder)[0] == "j0"
