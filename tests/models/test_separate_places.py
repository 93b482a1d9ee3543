"""Three phases and three properties, everything measured at places of its own, against the truth."""

import numpy as np
import pytest
import xarray as xr

import tieline as tl

ATTRS = {"role": "process", "units": "1"}
NAMES = ["strength", "hardness", "density"]
LEVELS = np.array([[0.0, 2.0, 4.0], [5.0, 1.0, 5.0], [1.0, 1.5, 3.0]])  # of each property in each phase
SLOPES = np.array([[0.5, -0.5, 1.0], [0.0, 1.0, -1.0], [0.3, 0.3, 0.3]])
NOISE = 0.1
N_LABELS, N_VALUES = 24, 22


def truth(x):
    """Three sectors that meet in the middle, with smooth properties in each."""
    angle = np.arctan2(x[:, 1] - 0.5, x[:, 0] - 0.5)
    phase = np.floor((angle + np.pi) / (2 * np.pi / 3)).astype(int) % 3
    values = LEVELS[:, phase] + SLOPES[:, phase] * x[:, 0] + 0.3 * np.sin(3 * x[:, 1])
    return phase, values.T


def places(x):
    variables = {axis: ("specimen", x[:, i], ATTRS) for i, axis in enumerate("xy")}
    return xr.Dataset(variables, {"specimen": np.arange(len(x))})


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(1)
    x = rng.random((N_LABELS + 3 * N_VALUES, 2))
    phase, values = truth(x)
    values = values + NOISE * rng.standard_normal(values.shape)
    what = np.repeat([-1, 0, 1, 2], [N_LABELS, N_VALUES, N_VALUES, N_VALUES])
    made = places(x)
    made["phase"] = (
        "specimen",
        np.where(what == -1, np.array(list("ABC"))[phase], ""),
        {"role": "structure"},
    )
    for j, name in enumerate(NAMES):
        made[name] = (
            "specimen",
            np.where(what == j, values[:, j], np.nan),
            {"role": "property", "units": "1"},
        )
    return made


@pytest.mark.parametrize(("inference", "least"), [("fast", 0.9), ("mcmc", 0.9)])
def test_labels_and_properties_from_separate_places_make_one_map(table, inference, least):
    model = tl.PhaseProperty(["x", "y"], "phase", NAMES, inference=inference, n_phases=3, n_sweeps=30)
    rng = np.random.default_rng(2)
    x = 0.05 + 0.9 * rng.random((300, 2))
    phase, values = truth(x)
    predicted = model.fit(table, seed=0).predict(places(x))
    assert (predicted["most_likely_phase"].values == np.array(list("ABC"))[phase]).mean() > least
    for j, name in enumerate(NAMES):
        fresh = values[:, j] + NOISE * rng.standard_normal(len(x))
        z = np.abs(fresh - predicted[name].values) / predicted[f"{name}_sd"].values
        assert (z < 1.645).mean() > 0.8
        wrong = predicted[name].values - values[:, j]
        assert np.sqrt((wrong**2).mean()) < 0.4 * values[:, j].std()
