"""What lies in other groups is learned from, whether or not it knows the target."""

import numpy as np
import pytest
import xarray as xr

import tieline as tl
from tieline.evaluation.challenge import challenge


def test_labels_without_the_property_are_learned_from():
    rng = np.random.default_rng(0)
    x = np.sort(rng.uniform(0, 1, 40))
    is_right = x > 0.5
    has_property = np.arange(40) % 2 == 0
    table = xr.Dataset(
        {
            "x": ("specimen", x, {"role": "process", "units": "1"}),
            "phase": ("specimen", np.where(has_property, "", np.where(is_right, "b", "a"))),
            "y": ("specimen", np.where(has_property, 5.0 * is_right, np.nan)),
        },
        {"specimen": [f"S{i}" for i in range(40)]},
    )
    table["phase"].attrs["role"] = "structure"
    table["y"].attrs.update(role="property", units="GPa")
    model = tl.PhaseProperty(design=["x"], phase="phase", properties=["y"])
    asked = tl.task(table, "y", ["x"])
    found = challenge(asked, model, [], n_folds=4)
    wrong = []
    for _, test in asked.folds("y", n_folds=4):
        apart = table.isel(specimen=np.setdiff1d(np.arange(40), test))
        assert (apart["phase"] != "").sum() == 20  # all labels, none of which stands on a tested row
        said = model.fit(apart, seed=0).predict(table.isel(specimen=test)[["x"]])
        wrong.append(np.abs(said["y"].values - table["y"].values[test]))
    assert found.scores["loss"].sel(model="PhaseProperty") == pytest.approx(np.concatenate(wrong).mean())
