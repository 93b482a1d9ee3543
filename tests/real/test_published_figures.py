"""The published challenges of SAGE and the Fe-Ga-Pd spread, with the figures that are claimed for them."""

import os
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import tieline as tl
from tieline.evaluation import scores

ROOT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("TIELINE_DATA", "nowhere"))
HARMONIC = 0.835  # accuracy of the harmonic function in the published comparison on Fe-Ga-Pd

pytestmark = [
    pytest.mark.skipif(not (FOLDER / "sage").is_dir(), reason="$TIELINE_DATA has no sage/"),
    pytest.mark.skipif(not (ROOT / "benchmarks").is_dir(), reason="benchmarks/ is not beside tests/"),
]


@pytest.fixture(scope="module")
def task():
    """Build a benchmark's task; the benchmarks are no part of the installed package."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT))
        if find_spec("benchmarks") is None:
            pytest.skip("the benchmarks cannot be imported")
        yield lambda name, *case: import_module(f"benchmarks.{name}").task(FOLDER, *case)


def figures(task):
    """Fit as a user would, and score the first property and the phases on the whole grid."""
    model = tl.PhaseProperty(task.design, "phase", list(task.properties), **task.settings)
    found = model.fit(task.table, seed=0).predict(task.grid)
    name = task.properties[0]
    true, mean, sd = (v.values for v in (task.truth[name], found[name], found[f"{name}_sd"]))
    scored = np.ones(len(true), bool) if task.is_scored is None else task.is_scored
    phases = task.truth["phase"].values
    return {
        "accuracy": scores.accuracy(phases, found["most_likely_phase"].values),
        "nll": scores.log_loss(phases, found["phase_probability"].values, found["phase"].values),
        "r2": scores.r2(true[scored], mean[scored]),
        "coverage_95": scores.coverage(true, mean, sd, 0.95),
    }


@pytest.mark.parametrize("case", ["1", "2"])
def test_the_challenges_on_a_line(task, case):
    found = figures(task("sage_1d", case))
    assert found["accuracy"] >= 0.99
    assert found["r2"] >= 0.995


@pytest.mark.parametrize("case", ["2a", "2b"])
def test_the_challenges_on_a_square(task, case):
    found = figures(task("sage_2d", case))
    assert found["r2"] >= 0.90
    assert found["accuracy"] >= 0.965
    assert found["nll"] <= 0.07
    assert 0.90 <= found["coverage_95"] <= 0.99


def test_the_challenge_of_separate_places(task):
    found = figures(task("sage_2d", "2c"))
    assert found["accuracy"] >= 0.97
    assert found["r2"] >= 0.90


def test_the_fe_ga_pd_spread(task):
    found = figures(task("fegapd"))
    assert found["r2"] >= 0.90
    assert found["accuracy"] > HARMONIC
    assert 0.90 <= found["coverage_95"] <= 0.99
