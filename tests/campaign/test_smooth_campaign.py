"""A campaign without phases: `model = "GaussianProcess"`, categories, limits and failures in a sheet."""

import numpy as np
import pandas as pd
import pytest

from tieline.campaign.backtesting import known_results, strategies_of
from tieline.campaign.campaign import Campaign
from tieline.campaign.places import read_places
from tieline.campaign.settings import Settings
from tieline.errors import SchemaError, TielineError
from tieline.models.gaussian_process import GaussianProcess
from tieline.planning.backtest import backtest


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
        ('model = "GaussianProcess"\ngoal = "learn-phase-map"', "cannot learn a phase map"),
    ],
)
def test_settings_of_the_other_model_are_refused(campaign, lines, message):
    (campaign.path / "campaign.toml").write_text(lines, encoding="utf-8")
    with pytest.raises(SchemaError, match=message):
        _ = campaign.settings


def test_a_phase_map_is_refused_before_anything_is_made(tmp_path):
    settings = Settings("smooth", model="GaussianProcess", goal="maximize:hardness + learn-phase-map")
    with pytest.raises(SchemaError, match="cannot learn a phase map"):
        Campaign.create(tmp_path / "smooth", settings)
    assert not (tmp_path / "smooth").exists()


def set_line(campaign, line):
    file = campaign.path / "campaign.toml"
    kept = [s for s in file.read_text().splitlines() if not s.startswith(line.split(" =")[0])]
    file.write_text("\n".join([*kept, line, ""]))


def test_a_design_that_takes_in_text_is_asked_for_before_the_next_fit(campaign):
    set_line(campaign, 'design = ["temperature"]')
    campaign.fit()
    set_line(campaign, 'design = ["temperature", "substrate"]')
    assert campaign.is_stale
    assert campaign.ask(1).attrs["goal"] == "maximize:hardness"


def test_a_campaign_with_text_in_its_design_is_back_tested(campaign):
    known = known_results(campaign.path)
    assert known.design == ["temperature", "substrate"]
    assert set(known.table["substrate"].values) == {"glass", "steel"}
    strategy = strategies_of(known, ["ucb"], "gaussian")
    result = backtest(known.table, known.goal, strategy, n_start=5, n_repeats=1, n_tries=2, seed=0)
    assert result["best_so_far"].sizes["strategy"] == 1


def test_places_that_cost_less_are_chosen_for_their_gain_per_cost(campaign):
    pool = {"temperature (°C)": [850, 850.5], "substrate": ["steel"] * 2, "price": [1000, 1]}
    pd.DataFrame(pool).to_csv(campaign.path / "pool.csv", index=False)
    set_line(campaign, 'pool = "pool.csv"')
    set_line(campaign, 'costs = "price"')
    campaign.fit()
    chosen = campaign.ask(1)
    assert chosen["price"].values.tolist() == [1]
    assert chosen.attrs["costs"] == "price"
    with pytest.raises(TielineError, match="not weighed against the costs"):
        campaign.ask(1, instrument="hardness")


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
