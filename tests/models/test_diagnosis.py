import numpy as np
import pytest
import xarray as xr

import tieline as tl

RNG = np.random.default_rng(0)
X = np.sort(RNG.random(24))
PHASE = np.where(X > 0.5, "fcc", "bcc")
HARDNESS = np.where(X > 0.5, 3.0, 1.0) + X + 0.05 * RNG.standard_normal(24)


def table(x=X, phase=PHASE, hardness=HARDNESS):
    return xr.Dataset(
        {
            "x": ("specimen", x, {"role": "process", "units": "1"}),
            "phase": ("specimen", phase, {"role": "structure"}),
            "hardness": ("specimen", hardness, {"role": "property", "units": "GPa"}),
        },
        {"specimen": [f"s{i}" for i in range(len(x))]},
    )


def diagnose(data, inference="fast"):
    model = tl.PhaseProperty(design=["x"], phase="phase", properties=["hardness"], inference=inference)
    return model.fit(data).diagnose()


def hide(values, which, empty):
    values = values.copy()
    values[which] = empty
    return values


@pytest.fixture(scope="module", params=["exact", "fast"])
def sound(request):
    return request.param, diagnose(table(), request.param)


def test_a_sound_map_is_green(sound):
    inference, found = sound
    assert found.attrs["verdict"] == "green"
    assert found.attrs["worries"] == []
    assert ("approximate" in found.attrs["sentence"]) == (inference == "fast")


def test_figures_agree_with_the_left_out_predictions(sound):
    _, found = sound
    likeliest = found.phase.values[found.loo_phase_probability.values.argmax(1)]
    assert float(found.label_accuracy) == pytest.approx((likeliest == PHASE).mean())
    inside = np.abs(found.loo_mean.values[:, 0] - HARDNESS) <= 1.645 * found.loo_sd.values[:, 0]
    assert float(found.coverage_90.sel(property="hardness")) == pytest.approx(inside.mean())
    assert int(found.n_labelled) == 24
    assert int(found.n_measured.sel(property="hardness")) == 24


def test_left_out_predictions_are_in_the_units_of_the_table(sound):
    _, found = sound
    assert np.abs(found.loo_mean.values[:, 0] - HARDNESS).mean() < 0.2


MIXED = np.array(["bcc", "fcc"] * 12)  # neighbours never agree


def test_labels_that_neighbours_contradict_are_red():
    found = diagnose(table(phase=MIXED, hardness=np.random.default_rng(4).standard_normal(24)))
    assert found.attrs["verdict"] == "red"
    assert "left-out labels" in found.attrs["sentence"]
    assert "do not act" in found.attrs["action"]


def test_few_labels_of_a_phase_are_amber_and_named():
    found = diagnose(table(phase=hide(PHASE, np.flatnonzero(PHASE == "fcc")[1:], "")))
    assert found.attrs["verdict"] == "amber"
    assert "Phase fcc has only 1 label" in found.attrs["worries"]


def test_few_values_are_amber_and_counted():
    found = diagnose(table(hardness=hide(HARDNESS, slice(None, None, 4), np.nan)[:24]))
    assert int(found.n_measured[0]) == 18
    found = diagnose(table(hardness=hide(HARDNESS, np.arange(24) % 4 > 0, np.nan)))
    assert "hardness was measured on only 6 specimens" in found.attrs["worries"]
    assert found.attrs["verdict"] == "amber"


def test_specimens_that_were_not_read_have_no_left_out_prediction():
    found = diagnose(table(phase=hide(PHASE, 3, ""), hardness=hide(HARDNESS, 3, np.nan)))
    assert np.isnan(found.loo_phase_probability.values[3]).all()
    assert np.isnan(found.loo_mean.values[3]).all()
    assert np.isfinite(np.delete(found.loo_mean.values, 3, axis=0)).all()


def test_without_labels_there_is_no_accuracy():
    found = diagnose(table(phase=np.full(24, "")))
    assert np.isnan(found.label_accuracy)
    assert int(found.n_labelled) == 0


def test_the_worst_worry_comes_first():
    labels = np.where(np.arange(24) == 0, "hcp", MIXED)
    found = diagnose(table(phase=labels, hardness=np.random.default_rng(4).standard_normal(24)))
    assert found.attrs["verdict"] == "red"
    assert len(found.attrs["worries"]) > 1
    assert found.attrs["sentence"].startswith(found.attrs["worries"][0])


def test_notes_of_the_fit_are_passed_on():
    found = diagnose(table(x=hide(X, 0, np.nan)))
    assert found.attrs["notes"] == ["1 specimens have no complete design and were left out."]


def test_scatter_that_grows_with_the_value_is_amber_and_asks_for_the_logarithm():
    temperature = np.linspace(300, 800, 40)
    noise = np.exp(0.05 * np.random.default_rng(0).standard_normal(40))
    conductivity = 1e3 * np.exp(-5800 / temperature) * noise
    grown = table(temperature, np.full(40, "alpha"), conductivity)
    found = diagnose(grown, "exact")
    assert "hardness scatters the more the larger it is" in found.attrs["sentence"]
    assert found.attrs["action"] == "Give tieline the logarithm of hardness."
    even = diagnose(table(temperature, np.full(40, "alpha"), np.log(conductivity) + 20), "exact")
    assert not any("scatters" in worry for worry in even.attrs["worries"])


ONE_SIDE = np.where(X < 0.45, HARDNESS, np.nan)


@pytest.fixture(scope="module")
def one_sided():
    model = tl.PhaseProperty(design=["x"], phase="phase", properties=["hardness"], inference="fast")
    return model.fit(table(hardness=ONE_SIDE))


def test_a_prediction_beyond_the_last_value_of_a_property_says_so(one_sided):
    places = xr.Dataset({"x": ("specimen", [0.1, 0.3, 0.7, 0.9], {"role": "process", "units": "1"})})
    assert one_sided.predict(places).attrs["notes"] == [
        "2 of 4 places lie outside the range in which hardness was measured; there hardness is extrapolated."
    ]
    assert one_sided.predict(places.isel(specimen=[0, 1])).attrs["notes"] == []


def test_a_property_measured_on_one_side_is_never_green(one_sided):
    found = one_sided.diagnose()
    assert found.attrs["verdict"] != "green"
    assert "outside the range in which hardness was measured" in " ".join(found.attrs["worries"])
