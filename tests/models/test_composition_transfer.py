"""Help from other tables: taken where it helps, refused where it does not, and said."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from ternaries import ternaries

import tieline as tl
from tieline.errors import SchemaError
from tieline.features.elements import element_statistics
from tieline.models import network_ensemble
from tieline.models.composition_source import fit_source, source_columns
from tieline.models.composition_transfer import Help
from tieline.schema import compositions

MODEL = tl.CompositionProperties("composition", "hardness")


def formulas(n, seed):
    return ternaries(np.random.default_rng(seed), n)


def hidden(names):
    """What both tables rest on: nothing that statistics of the elements give away at once."""
    found = element_statistics(compositions(names), ["mean", "deviation"])
    bond, radius = found["cohesive_energy_mean"], found["covalent_radius_deviation"]
    return np.sin(2 * bond).values + (radius / radius.mean()).values


def table(names, **columns):
    sheet = pd.DataFrame({"formula": names, **columns})
    return tl.table(
        sheet, formula="formula", units=dict.fromkeys(columns, "1"), roles=dict.fromkeys(columns, "property")
    )


@pytest.fixture(scope="module")
def few():
    names = formulas(50, 0)
    noise = 0.05 * np.random.default_rng(0).standard_normal(50)
    return table(names, hardness=hidden(names) + noise)


@pytest.fixture(scope="module")
def source():
    names = formulas(300, 1)
    return table(names, stiffness=2 * hidden(names), age=np.random.default_rng(1).standard_normal(300))


@pytest.fixture(scope="module")
def alone(few):
    return MODEL.fit(few)


@pytest.fixture(scope="module")
def helped(few, source):
    return MODEL.fit(few, transfer={"stiffness": source.drop_vars("age")})


def off(posterior, names):
    asked = table(names, hardness=hidden(names))
    return float(np.abs(posterior.predict(asked)["hardness"] - asked["hardness"]).mean())


def test_a_source_that_knows_helps(helped, alone):
    (knows,) = helped.help
    assert knows.is_used
    assert knows.gain > 0.1
    assert knows.control < 0.5 * knows.gain
    assert knows.skill > knows.control_skill + 0.1
    names = formulas(100, 2)
    assert off(helped, names) < 0.9 * off(alone, names)


def test_it_is_said_how_much_a_source_helps(helped):
    found = helped.diagnose()
    assert found["is_used"].sel(source="stiffness")
    assert float(found["transfer_gain"].sel(source="stiffness")) == helped.help[0].gain
    assert any(note.startswith("The source 'stiffness' helps") for note in found.attrs["notes"])


def test_a_source_of_chance_is_left_out_and_changes_nothing(few, source, alone):
    refused = MODEL.fit(few, transfer={"chance": source[["composition", "age"]]})
    assert not refused.help[0].is_used
    assert any(note.startswith("The source 'chance' was left out") for note in refused.notes)
    names = formulas(5, 3)
    asked = table(names, hardness=hidden(names))
    xr.testing.assert_equal(refused.predict(asked), alone.predict(asked))


def test_a_helped_posterior_is_saved_with_its_source(helped, tmp_path):
    names = formulas(5, 3)
    asked = table(names, hardness=hidden(names))
    loaded = tl.load_posterior(helped.save(tmp_path / "posterior.nc"))
    xr.testing.assert_identical(loaded.predict(asked), helped.predict(asked))
    assert loaded.help == helped.help
    assert isinstance(loaded.help[0], Help)


def test_a_material_of_the_source_is_predicted_from_others(source):
    some = source.drop_vars("age").isel(specimen=slice(80))
    found = fit_source("s", some, "composition", 0)
    strange = some.copy(deep=True)
    strange["stiffness"][7] += 100.0
    changed = fit_source("s", strange, "composition", 0)
    own = some["composition"].isel(specimen=[7])
    # A value that is far out shifts the scale of all; the material itself must not stand out by it.
    assert abs(float(changed.numbers(own)[0, 0])) < 2 * np.abs(found.numbers(some["composition"])).max()


def test_spectra_are_read_as_a_few_numbers(few):
    names = formulas(60, 4)
    grid = np.linspace(0, 1, 20)
    values = np.exp(-((grid - 0.2 - 0.15 * hidden(names)[:, None]) ** 2) / 0.02)
    spectra = table(names).assign(dos=(("specimen", "bin"), values, {"role": "property", "units": "1"}))
    found = fit_source("dos", spectra, "composition", 0)
    assert found.numbers(few["composition"]).shape == (50, found.n_numbers)
    assert found.n_numbers == 6


def test_networks_take_the_help_too(few, source, monkeypatch):
    for name, value in {"FEWEST_STEPS": 15, "PASSES": 1, "N_TWINS": 1, "N_NETWORKS": 1}.items():
        monkeypatch.setattr(network_ensemble, name, value)
    model = tl.CompositionProperties("composition", "hardness", method="encoder")
    fitted = model.fit(few, transfer={"stiffness": source.drop_vars("age")})
    assert fitted.help[0].is_used
    assert fitted.diagnose()["weight"]["learner"].values.tolist() == ["process", "trees", "encoder"]
    assert off(fitted, formulas(20, 2)) < 1.0


@pytest.mark.parametrize(
    ("source", "what"),
    [
        (xr.Dataset({"stiffness": ("specimen", [1.0])}), "has no 'composition'"),
        (pd.DataFrame({"formula": ["MgO"]}), "has no 'composition'"),
        (xr.Dataset({"composition": compositions(["MgO"])}), "has no property"),
    ],
)
def test_sources_that_cannot_be_read_are_refused(few, source, what):
    with pytest.raises(SchemaError, match=what):
        MODEL.fit(few, transfer={"other": source})


def test_limits_in_a_source_are_not_taken_for_values(source):
    told = source.assign_coords(stiffness_flag=("specimen", np.where(np.arange(300) < 3, "below", "")))
    read = source_columns("other", told, "composition")
    assert read["stiffness"].isnull().values.tolist() == [True] * 3 + [False] * 297
