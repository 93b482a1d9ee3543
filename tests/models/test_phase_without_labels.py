"""A phase whose labels are all hidden: what the posterior, its notes, its verdict and its file say of it."""

import numpy as np
import pytest
import xarray as xr

import tieline as tl

RNG = np.random.default_rng(7)
N = 40
X, Y = RNG.random((2, N))
TRUE = np.where(X + Y > 1.25, "sigma", np.where(X > 0.5, "fcc", "bcc"))
HARDNESS = np.select([TRUE == "sigma", TRUE == "fcc"], [6.0, 3.0], 1.5) + 0.1 * RNG.standard_normal(N)
LABELLED = np.arange(N) % 2 == 0


def table(labelled):
    return xr.Dataset(
        {
            "x": ("specimen", X, {"role": "process", "units": "1"}),
            "y": ("specimen", Y, {"role": "process", "units": "1"}),
            "phase": ("specimen", np.where(labelled, TRUE, ""), {"role": "structure"}),
            "hardness": ("specimen", HARDNESS, {"role": "property", "units": "GPa"}),
        },
        {"specimen": [f"s{i}" for i in range(N)]},
    )


def fit(labelled, **settings):
    settings = {"phase": "phase", "properties": "hardness"} | settings
    return tl.PhaseProperty(["x", "y"], **settings).fit(table(labelled))


@pytest.fixture(scope="module")
def posterior():
    return fit(LABELLED & (TRUE != "sigma"))


@pytest.fixture(scope="module")
def complete():
    return fit(LABELLED)


def test_the_phase_is_found_where_it_is(posterior):
    assert posterior.phases == ("bcc", "fcc", "1")
    found = posterior.predict(posterior.table)["most_likely_phase"].values
    assert np.mean((found == "1") == (TRUE == "sigma")) > 0.9


def test_the_probability_of_each_number_of_phases_is_told(posterior):
    count = posterior.phase_count()
    assert count.name == "n_phases_probability"
    assert count.dims == ("n_phases",)
    assert count["n_phases"].values.tolist() == [2, 3, 4]
    assert float(count.sum()) == pytest.approx(1)
    assert float(count.sel(n_phases=3)) > 0.9


def test_predictions_say_that_a_phase_was_found(posterior):
    notes = posterior.predict(posterior.table).attrs["notes"]
    assert any(note.startswith("Phase 1 has no labels, it was found from the properties") for note in notes)


def test_the_verdict_asks_for_labels_of_the_phase(posterior):
    found = posterior.diagnose()
    assert found.attrs["verdict"] == "amber"
    assert found.attrs["sentence"].startswith("A phase without labels, 1, explains ")
    named = found.attrs["action"].removeprefix("Label specimens there, first ").removesuffix(".").split(", ")
    assert all(TRUE[int(name.removeprefix("s"))] == "sigma" for name in named)


def test_where_all_phases_are_labelled_nothing_is_said(complete):
    assert complete.phases == ("bcc", "fcc", "sigma")
    assert complete.notes == ()
    assert not any("without labels" in worry for worry in complete.diagnose().attrs["worries"])
    assert float(complete.phase_count().sel(n_phases=3)) > 0.9


def test_a_number_that_was_given_is_certain():
    count = fit(LABELLED & (TRUE != "sigma"), n_phases=3).phase_count()
    assert count["n_phases"].values.tolist() == [3]
    assert count.values.tolist() == [1.0]


def test_labels_alone_show_no_further_phase():
    posterior = fit(LABELLED & (TRUE != "sigma"), properties=())
    assert posterior.phases == ("bcc", "fcc")
    assert posterior.phase_count()["n_phases"].values.tolist() == [2]


def test_without_labels_the_number_is_found_and_noted():
    posterior = fit(LABELLED, phase=None)
    assert posterior.phases == ("1", "2", "3")
    assert posterior.notes[-1].startswith("The number of phases was found from the properties")
    assert int(posterior.phase_count().idxmax()) == 3
    assert not any("without labels" in worry for worry in posterior.diagnose().attrs["worries"])


def test_on_a_line_without_labels_every_region_is_a_phase():
    line = tl.PhaseProperty(["x"], properties="hardness").fit(table(LABELLED).sortby("x"))
    regions = line.boundaries()["region_count_probability"]
    np.testing.assert_array_equal(line.phase_count(), regions)
    assert tl.PhaseProperty(["x"], "phase").fit(table(LABELLED)).phase_count().values.tolist() == [1.0]


def test_a_file_keeps_the_number_of_phases(posterior, tmp_path):
    loaded = tl.load_posterior(posterior.save(tmp_path / "posterior.nc"))
    xr.testing.assert_identical(loaded.phase_count(), posterior.phase_count())
    xr.testing.assert_identical(loaded.predict(loaded.table), posterior.predict(posterior.table))
    assert loaded.diagnose().attrs == posterior.diagnose().attrs
