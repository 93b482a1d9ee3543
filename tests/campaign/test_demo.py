import pytest

from tieline import datasets
from tieline.campaign.demo import run, studies


@pytest.fixture(scope="module")
def bundled():
    return [s for s in studies(offline=True) if not isinstance(s, str)][:2]


def test_without_its_data_a_study_is_named_and_left_out(monkeypatch):
    monkeypatch.delenv("TIELINE_DATA", raising=False)
    *_, last = studies(offline=True)
    assert isinstance(last, str)
    assert "Fe-Ga-Pd" in last


@pytest.fixture(scope="module")
def latp(bundled):
    return run(bundled[0])


def test_latp_proposals_are_five_different_recipes_of_the_study(latp):
    grid = datasets.latp_candidates()
    recipes = list(zip(*(latp.batch[name].values for name in grid.data_vars), strict=True))
    assert len(set(recipes)) == 5
    assert set(recipes) <= set(zip(*(grid[name].values for name in grid.data_vars), strict=True))


def test_every_latp_proposal_could_beat_the_best_pellet(latp):
    could_be = latp.batch["ionic_conductivity"] + 2 * latp.batch["ionic_conductivity_sd"]
    assert float(could_be.min()) > float(latp.posterior.table["ionic_conductivity"].max())


def test_simulated_study_is_compared_with_its_truth(bundled):
    chapter = run(bundled[1])
    assert "so the truth is known" in chapter.remarks[0]
    assert "its label tells" in chapter.batch["reason"].values[0]
