"""A campaign without phases: `model = "GaussianProcess"`, categories, limits and failures in a sheet."""

import numpy as np
import pandas as pd
import pytest

from tieline.campaign.campaign import Campaign
from tieline.campaign.places import read_places
from tieline.campaign.settings import Settings
from tieline.errors import SchemaError
from tieline.models.gaussian_process import GaussianProcess


def sheet(n=18):
    rng = np.random.default_rng(0)
    temperature = np.round(600 + 300 * rng.random(n))
    substrate = np.array(["glass", "steel"])[np.arange(n) % 2]
    hardness = 5 + (temperature - 600) / 100 + (substrate == "steel") + 0.05 * rng.standard_normal(n)
    flag = np.where(np.arange(n) == 3, "failed", np.where(np.arange(n) == 5, "below", ""))
    return pd.DataFrame(
        {
            "specimen": [f"A{i}" for i in range(n)],
            "temperature (°C)": temperature,
            "substrate": substrate,
            "hardness (GPa)": hardness.round(3),
            "hardness_flag": flag,
        }
    )


@pytest.fixture
def campaign(tmp_path):
    sheet().to_csv(tmp_path / "results.csv", index=False)
    settings = Settings("smooth", model="GaussianProcess", design=["temperature", "substrate"], kernel="rbf")
    folder = Campaign.create(tmp_path / "smooth", settings)
    folder.import_file(tmp_path / "results.csv")
    return folder


def test_categories_and_flags_reach_the_model(campaign):
    posterior = campaign.fit()
    assert posterior.model == GaussianProcess(["temperature", "substrate"], ["hardness"], kernel="rbf")
    assert "success_probability" in posterior.predict(posterior.table)
    assert (posterior.reading.bound != 0).sum() == 1
    line, _ = campaign.uses()
    assert line.startswith("Learned hardness from temperature, substrate.")
    assert not any("text, not used" in note for note in posterior.table.attrs["notes"])


def test_proposals_are_listed_filled_in_and_imported(campaign, tmp_path):
    campaign.fit()
    batch = campaign.propose(n=3, batch="liar_min", audit=1)
    assert "at random" in batch["reason"].values[-1]
    kept = pd.read_csv(campaign.path / "proposals.csv")
    assert set(kept["substrate"]) <= {"glass", "steel"}
    kept["hardness (GPa)"] = [7.0, 8.0, 7.5]
    kept.to_csv(campaign.path / "proposals.csv", index=False)
    campaign.import_file(campaign.path / "proposals.csv")
    assert campaign.fit().table.sizes["specimen"] == 21
    pool = tmp_path / "pool.csv"
    pd.DataFrame({"temperature (°C)": [700, 800], "substrate": ["glass", "steel"]}).to_csv(pool, index=False)
    chosen = campaign.propose(read_places(pool), n=1, anew=True)
    assert chosen["substrate"].values[0] == "steel"
    assert campaign.report().is_file()


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('model = "Gaussian"', "no model 'Gaussian'"),
        (
            'model = "GaussianProcess"\nphase = "phase"',
            "'phase' in campaign.toml is not one of GaussianProcess",
        ),
        ('kernel = "rbf"', "'kernel' in campaign.toml is not one of PhaseProperty"),
    ],
)
def test_settings_of_the_other_model_are_refused(campaign, lines, message):
    (campaign.path / "campaign.toml").write_text(lines, encoding="utf-8")
    with pytest.raises(SchemaError, match=message):
        _ = campaign.settings


def test_a_proposal_that_failed_is_a_result(campaign):
    campaign.fit()
    batch = campaign.propose(n=3)
    file = campaign.path / "proposals.csv"
    filled = pd.read_csv(file, dtype={"hardness_flag": str})
    assert filled["hardness_flag"].isna().all()
    filled.loc[1, "hardness_flag"] = "failed"
    filled.to_csv(file, index=False)
    campaign.import_file(file)
    name = batch["proposal"].values[1]
    posterior = campaign.fit()
    row = posterior.table["specimen"].values.astype(str).tolist().index(str(name))
    assert posterior.table["hardness_flag"].values[row] == "failed"
    assert posterior.reading.is_failed.sum() == 2
