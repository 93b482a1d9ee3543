"""Files and told measurements in one record; undoing an import; folders of earlier versions."""

import json
import threading

import numpy as np
import pandas as pd
import pytest
from furnace_runs import SHEET

from tieline.campaign.campaign import Campaign
from tieline.campaign.importing import Imports
from tieline.campaign.settings import Settings
from tieline.errors import Conflict, SchemaError, TielineError, UnitError
from tieline.schema import save_netcdf


@pytest.fixture
def campaign(tmp_path):
    SHEET.to_csv(tmp_path / "runs.csv", index=False)
    with Campaign.create(tmp_path / "c", Settings("c", goal="maximize:hardness")) as made:
        made.import_file(tmp_path / "runs.csv")
        yield made


def hardness_of(campaign, specimen):
    specimens = campaign.record()["specimens"].to_dataset()
    return specimens["hardness"].values[specimens["specimen"].values.astype(str) == specimen].tolist()


def test_a_told_repeat_stands_beside_the_value_of_a_file(campaign):
    before = hardness_of(campaign, "s0")
    campaign.tell({"hardness": 2.5}, specimen="s0")
    campaign.tell({"hardness": {"value": 2600.0, "unit": "MPa"}}, specimen="s0")
    np.testing.assert_allclose(hardness_of(campaign, "s0"), [*before, 2.5, 2.6])
    posterior = campaign.fit()
    assert posterior.table.sizes["specimen"] == 18


def test_what_a_file_says_and_somebody_tells_is_one_measurement(campaign):
    (value,) = hardness_of(campaign, "s0")
    campaign.tell({"hardness": value}, specimen="s0")
    assert hardness_of(campaign, "s0") == [value]
    assert any("counted once" in note for note in campaign.record().attrs["notes"])


def test_a_told_label_fills_a_gap(campaign, tmp_path):
    pd.DataFrame({"specimen": ["x"], "temperature (°C)": [655.0]}).to_csv(tmp_path / "x.csv", index=False)
    campaign.import_file(tmp_path / "x.csv")
    campaign.tell({"phase": "alpha", "hardness": 2.1}, specimen="x")
    specimens = campaign.record()["specimens"].to_dataset()
    row = specimens.isel(specimen=specimens["specimen"].values.tolist().index("x"))
    assert str(row["phase"].values) == "alpha"
    assert float(row["temperature"]) == 655
    with pytest.raises(SchemaError, match="stands in an imported file"):
        campaign.tell({"hardness": 2.0}, specimen="x", made={"temperature": 700})


def test_a_file_in_which_told_values_make_no_sense_is_refused(tmp_path):
    with Campaign.create(tmp_path / "robots") as robots:
        robots.tell({"density": {"value": 7.1, "unit": "g/cm^3"}}, specimen="a", made={"temperature": 1.0})
        pd.DataFrame({"specimen": ["b"], "temperature": [2.0], "density (GPa)": [7.0]}).to_csv(
            tmp_path / "wrong.csv", index=False
        )
        with pytest.raises(UnitError):
            robots.import_file(tmp_path / "wrong.csv")
        assert robots.imports() == []
        assert robots.record()["specimens"].sizes["specimen"] == 1


def test_a_filled_in_list_closes_its_proposals(campaign):
    campaign.fit()
    campaign.propose(n=2)
    file = campaign.path / "proposals.csv"
    table = pd.read_csv(file)
    table["hardness (GPa)"] = [5.0, np.nan]
    table.to_csv(file, index=False)
    campaign.import_file(file)
    assert campaign.proposals()["state"].values.tolist() == ["done", "proposed"]


def test_an_import_can_be_undone(campaign, tmp_path):
    before = campaign.record()
    more = SHEET.assign(specimen=[f"t{i}" for i in range(16)])
    more.to_csv(tmp_path / "more.csv", index=False)
    campaign.import_file(tmp_path / "more.csv")
    number = campaign.store.last()
    undone = campaign.undo(number)
    assert campaign.imports() == ["runs.csv"]
    assert campaign.record()["specimens"].identical(before["specimens"])
    with pytest.raises(Conflict, match="not brought back"):
        campaign.undo(undone.number)
    campaign.import_file(tmp_path / "more.csv")
    assert campaign.record()["specimens"].sizes["specimen"] == 32
    assert campaign.verify() == []


def test_two_who_import_at_once_both_count(campaign, tmp_path):
    faults = []

    def bring(i):
        file = tmp_path / f"more-{i}.csv"
        SHEET.assign(specimen=[f"m{i}-{j}" for j in range(16)]).to_csv(file, index=False)
        try:
            with Campaign.open(campaign.path) as mine:
                mine.import_file(file)
        except TielineError as error:
            faults.append(error)

    threads = [threading.Thread(target=bring, args=(i,)) for i in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert campaign.record()["specimens"].sizes["specimen"] == 64
    assert campaign.verify() == []


def test_the_same_import_request_counts_once(campaign, tmp_path):
    SHEET.iloc[:2].assign(specimen=["u1", "u2"]).to_csv(tmp_path / "u.csv", index=False)
    one = campaign.import_file(tmp_path / "u.csv", key="k")
    n = campaign.store.last()
    assert campaign.import_file(tmp_path / "u.csv", key="k") == one
    assert campaign.store.last() == n


def test_a_changed_import_is_found(campaign):
    (raw,) = (campaign.path / "raw").glob("*/runs.csv")
    raw.write_bytes(raw.read_bytes().replace(b"alpha", b"alphA", 1))
    assert campaign.verify() == [f"raw/{raw.parent.name}/runs.csv was changed."]


@pytest.fixture
def earlier(tmp_path):
    """A folder as the version without a store left it."""
    SHEET.to_csv(tmp_path / "runs.csv", index=False)
    with Campaign.create(tmp_path / "model", Settings("c", goal="maximize:hardness")) as model:
        model.import_file(tmp_path / "runs.csv")
        posterior = model.fit()
        model.propose(n=3)
        folder = tmp_path / "earlier"
        (folder / "posteriors").mkdir(parents=True)
        record = model.record()
        record.attrs["imports"] = Imports(model.path, model.store).names()
        save_netcdf(record, folder / "record.nc")
        posterior.save(folder / "posteriors" / "posterior.nc")
        (model.path / "raw").rename(folder / "raw")
        for name in ("campaign.toml", "proposals.csv"):
            (model.path / name).rename(folder / name)
        campaign_files = sorted(p.name for p in folder.iterdir())
    assert campaign_files == ["campaign.toml", "posteriors", "proposals.csv", "raw", "record.nc"]
    return folder, record, posterior


def test_a_folder_of_an_earlier_version_is_upgraded_and_nothing_is_lost(earlier):
    folder, record, posterior = earlier
    with Campaign.open(folder) as campaign:
        assert campaign.imports() == ["runs.csv"]
        assert campaign.record()["specimens"].identical(record["specimens"])
        assert campaign.posterior().table.identical(posterior.table)
        assert not campaign.is_stale
        assert campaign.proposals()["state"].values.tolist() == ["proposed"] * 3
        later = campaign.propose(n=2)
        listed = pd.read_csv(folder / "proposals.csv")
        assert not set(listed["specimen"]) & {f"{later['proposal'].values[0][:-2]}-{i}" for i in (1, 2, 3)}
        assert campaign.verify() == []
    with Campaign.open(folder) as again:
        assert again.imports() == ["runs.csv"]
        assert again.proposals().sizes["specimen"] == 5


def test_an_upgrade_that_was_broken_off_goes_on(earlier, monkeypatch):
    folder, record, _ = earlier
    import tieline.campaign.upgrading as upgrading

    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(upgrading, "_adopt_posterior", die)
        with pytest.raises(KeyboardInterrupt):
            Campaign.open(folder)
    with Campaign.open(folder) as campaign:
        assert campaign.record()["specimens"].identical(record["specimens"])
        assert campaign.has_posterior
        assert [e.kind for e in campaign.events()].count("imported") == 1
        assert campaign.verify() == []


def test_the_log_is_plain_json(campaign):
    for event in campaign.events():
        assert json.loads(event.content) == event.told


def test_an_error_told_in_another_unit_is_in_the_unit_of_its_value(campaign):
    campaign.tell({"hardness": {"value": 2600.0, "sd": 100.0, "unit": "MPa"}}, specimen="s0")
    specimens = campaign.record()["specimens"].to_dataset()
    assert specimens["hardness"].attrs["units"] == specimens["hardness_sd"].attrs["units"] == "GPa"
    told = specimens["hardness_sd"].values
    np.testing.assert_allclose(told[np.isfinite(told)], [0.1])
