"""Real ToF-SIMS spectra of ruthenium alloys: what holds when the primary ion changes."""

import os
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from tieline.evaluation.classifiers import compare_classifiers, further_classifiers
from tieline.evaluation.folds import grouped_folds
from tieline.features.spectra import integrate, whole_masses

FILE = Path(os.environ.get("TIELINE_DATA", "nowhere")) / "spectra" / "tofsims_hea_N_binned_0p05u.npz"
pytestmark = pytest.mark.skipif(not FILE.is_file(), reason="$TIELINE_DATA has no spectra/")


@pytest.fixture(scope="module")
def spectra():
    stored = np.load(FILE)
    names = [name.split("_") for name in stored["ids"].tolist()]
    alloy, ion = np.array([n[1] for n in names]), np.array([n[2] for n in names])
    kept = np.array([(alloy == a).sum() == 20 for a in alloy])
    counts = xr.DataArray(
        stored["counts"][kept].astype(float),
        dims=("specimen", "mz"),
        coords={"specimen": stored["ids"][kept], "mz": stored["mz_left"] + 0.025},
    )
    return counts, alloy[kept], ion[kept]


def test_an_alloy_is_told_with_a_primary_ion_that_was_not_learned(spectra):
    counts, alloy, ion = spectra
    table = xr.Dataset(
        {
            "area": integrate(counts, whole_masses(counts)),
            "reference": ("specimen", alloy),
            "ion": ("specimen", ion),
        }
    )
    found = compare_classifiers(
        table,
        {"discriminant": further_classifiers()["discriminant"]},
        group="ion",
        scaling=("total_count", "log", "standard"),
        folds=grouped_folds(alloy, ion, n_folds=0),
    )
    assert table.sizes["specimen"] == 120
    assert float(found["accuracy"][0]) >= 0.85
