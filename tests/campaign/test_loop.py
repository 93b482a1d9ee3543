"""From proposals to results and back: the list that `propose` writes is the file that is imported."""

import re
import shutil

import numpy as np
import pandas as pd
import pytest
from furnace_runs import SHEET

from tieline.campaign.campaign import Campaign
from tieline.campaign.places import read_places
from tieline.campaign.settings import Settings
from tieline.errors import SchemaError
from tieline.planning.goals import Maximize


def fitted(place, sheet, columns="", **settings):
    folder = Campaign.create(place / "c", Settings("c", **settings))
    sheet.to_csv(place / "runs.csv", index=False)
    if columns:
        (place / "runs.csv.columns.toml").write_text(columns, encoding="utf-8")
    folder.import_file(place / "runs.csv")
    folder.fit()
    return folder


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """The folder of a campaign that has learned its sheet."""
    with fitted(tmp_path_factory.mktemp("loop"), SHEET) as campaign:
        return campaign.path


@pytest.fixture
def folder(learned, tmp_path):
    with Campaign.open(shutil.copytree(learned, tmp_path / "c")) as campaign:
        yield campaign


def fill(folder, **columns):
    """Fill in the first rows of the list as a spreadsheet program would, and save it."""
    file = folder.path / "proposals.csv"
    table = pd.read_csv(file)
    for header, values in columns.items():
        table[header] = [*values, *[""] * (len(table) - len(values))]
    table.to_csv(file, index=False, encoding="utf-8-sig")
    return file


def test_a_list_that_was_filled_in_adds_specimens_with_their_results(folder):
    batch = folder.propose(n=3)
    file = fill(folder, **{"phase": ["beta", "", ""], "hardness (GPa)": [5.25, 5.5, ""]})
    notes = folder.import_file(file)
    specimens = folder.record()["specimens"]
    assert set(specimens.data_vars) == {"temperature", "phase", "hardness"}
    assert specimens.sizes["specimen"] == 18
    first, second, third = batch["proposal"].values
    made = specimens.to_dataset().sel(specimen=[first, second])
    np.testing.assert_allclose(made["temperature"], batch["temperature"][:2])
    np.testing.assert_array_equal(made["hardness"], [5.25, 5.5])
    assert list(made["phase"].values) == ["beta", ""]
    assert f"no result yet, left out: {third}" in notes
    (aside,) = [note for note in notes if "as tieline wrote it" in note]
    assert "predicted hardness (GPa), predicted hardness (GPa) sd, most likely phase, value, reason" in aside
    assert not [note for note in notes if "unit" in note or "too few" in note]
    folder.fit()
    assert folder.posterior().table.sizes["specimen"] == 18


def test_a_list_survives_a_workbook(folder, tmp_path):
    folder.propose(n=2)
    table = pd.read_csv(folder.path / "proposals.csv")
    table["hardness (GPa)"] = [4.5, 5.5]
    table.to_excel(tmp_path / "results.xlsx", index=False)
    folder.import_file(tmp_path / "results.xlsx")
    specimens = folder.record()["specimens"]
    assert set(specimens.data_vars) == {"temperature", "phase", "hardness"}
    np.testing.assert_array_equal(specimens["hardness"][-2:], [4.5, 5.5])


def test_a_list_without_any_result_is_not_imported(folder):
    folder.propose(n=2)
    with pytest.raises(SchemaError, match=r"no result yet(.|\n)*phase, hardness \(GPa\)"):
        folder.import_file(folder.path / "proposals.csv")


def test_a_list_can_be_filled_in_and_imported_row_by_row(folder):
    batch = folder.propose(n=2)
    folder.import_file(fill(folder, **{"hardness (GPa)": [4.5]}))
    folder.import_file(fill(folder, **{"hardness (GPa)": [4.5, 5.5]}))
    specimens = folder.record()["specimens"]
    assert list(specimens["specimen"].values[-2:]) == list(batch["proposal"].values)
    np.testing.assert_array_equal(specimens["hardness"][-2:], [4.5, 5.5])


def test_names_and_roles_that_were_corrected_hold_for_the_list(tmp_path):
    columns = """
    [columns."temperature (°C)"]
    name = "T"
    [columns."hardness (GPa)"]
    name = "lattice_strength"
    role = "property"
    """
    folder = fitted(tmp_path, SHEET, columns)
    folder.propose(n=1)
    folder.import_file(fill(folder, **{"lattice strength (GPa)": [6.0]}))
    specimens = folder.record()["specimens"]
    assert set(specimens.data_vars) == {"T", "phase", "lattice_strength"}
    assert specimens["lattice_strength"].attrs["role"] == "property"
    assert not (folder.path / "proposals.csv.columns.toml").exists()


def test_a_property_in_a_unit_that_is_not_known_can_be_filled_in(tmp_path):
    folder = fitted(tmp_path, SHEET.rename(columns={"hardness (GPa)": "hardness (shore D)"}))
    folder.propose(n=1)
    folder.import_file(fill(folder, **{"hardness (shore D)": [6.0]}))
    assert folder.record()["specimens"]["hardness"].values[-1] == 6.0


@pytest.mark.parametrize(
    "headers", [("Fe (at.%)", "Ga (at.%)"), ("P3HT content (%)", "CN6-CP content (%)", "dye content (%)")]
)
def test_compositions_come_back(tmp_path, headers):
    share = np.linspace(10, 80, 15)
    parts = [share, *[(100 - share) / (len(headers) - 1)] * (len(headers) - 1)]
    sheet = pd.DataFrame({"specimen": [f"s{i}" for i in range(15)], **dict(zip(headers, parts, strict=True))})
    folder = fitted(tmp_path, sheet.assign(**{"hardness (GPa)": 1 + share / 20}))
    batch = folder.propose(n=2)
    folder.import_file(fill(folder, **{"hardness (GPa)": [4.5, 5.5]}))
    specimens = folder.record()["specimens"]
    np.testing.assert_allclose(specimens["composition"][-2:], batch["composition"], atol=1e-12)
    assert set(specimens.data_vars) == {"composition", "hardness"}


def test_proposals_without_a_result_are_not_proposed_again(folder):
    one, two = folder.propose(n=3), folder.propose(n=3)
    assert not set(one["temperature"].values) & set(two["temperature"].values)
    assert len({*one["proposal"].values, *two["proposal"].values}) == 6
    assert (
        "3 earlier proposals without a result count as under way (--anew disregards them)."
        in two.attrs["notes"]
    )
    again = folder.propose(n=3, anew=True)
    np.testing.assert_array_equal(again["temperature"], one["temperature"])
    assert not set(again["proposal"].values) & {*one["proposal"].values, *two["proposal"].values}


def test_a_proposal_with_a_result_is_no_longer_under_way(folder):
    folder.propose(n=2)
    folder.import_file(fill(folder, **{"hardness (GPa)": [4.5, 5.5]}))
    assert not [note for note in folder.propose(n=1).attrs["notes"] if "under way" in note]


def test_an_earlier_list_is_kept_as_it_was_filled_in(folder):
    folder.propose(n=2)
    filled = fill(folder, **{"hardness (GPa)": [4.5]}).read_bytes()
    notes = folder.propose(n=2).attrs["notes"]
    (kept,) = folder.path.glob("proposals-*.csv")
    assert re.fullmatch(r"proposals-\d{4}-\d\d-\d\dT\d{6}\.csv", kept.name)
    assert kept.read_bytes() == filled
    assert f"The earlier list is kept as {kept.name}." in notes
    folder.propose(n=2)  # within the same second perhaps
    assert len(list(folder.path.glob("proposals-*.csv"))) == 2


def test_a_list_of_another_kind_is_named_and_kept(folder):
    (folder.path / "proposals.csv").write_text("proposal,temperature (°C)\n1,700\n2,710\n", encoding="utf-8")
    notes = folder.propose(n=1).attrs["notes"]
    assert "proposals.csv is not a list of proposals to be filled in, and was not looked at." in notes
    assert len(list(folder.path.glob("proposals-*.csv"))) == 1


def test_a_report_leaves_the_list_alone(folder):
    folder.propose(n=2)
    before = fill(folder, **{"hardness (GPa)": [4.5]}).read_bytes()
    folder.report()
    assert (folder.path / "proposals.csv").read_bytes() == before
    assert not list(folder.path.glob("proposals-*.csv"))


def test_places_of_a_list_are_read_without_what_tieline_wrote(folder):
    folder.propose(n=2, goal=Maximize("hardness"))
    places = read_places(folder.path / "proposals.csv")
    assert set(places.data_vars) == {"temperature", "phase", "hardness"}


def test_settings_are_written_as_people_would(tmp_path):
    sheet = pd.DataFrame({"Fe (at.%)": np.arange(10, 90, 5), "Ga (at.%)": 100 - np.arange(10, 90, 5)})
    sheet = sheet.assign(specimen=[f"s{i}" for i in range(16)], hardness=np.sqrt(np.arange(16)))
    folder = fitted(tmp_path, sheet)
    folder.propose(n=5)
    cells = [
        line.split(",")[1] for line in (folder.path / "proposals.csv").read_text("utf-8").splitlines()[1:]
    ]
    assert max(len(cell) for cell in cells) <= 4


def test_results_that_were_filled_in_and_not_imported_are_noticed(folder):
    folder.propose(n=2)
    fill(folder, **{"hardness (GPa)": [4.5]})
    assert "proposals.csv holds results that were not imported yet." in folder.propose(n=1).attrs["notes"]
