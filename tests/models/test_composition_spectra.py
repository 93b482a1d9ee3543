"""A spectrum among the properties of `CompositionProperties`."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from ternaries import ternaries

import tieline as tl
from tieline.errors import SchemaError
from tieline.features.elements import element_statistics
from tieline.insight.compositions import element_effects, property_correlation
from tieline.models.composition_basis import Basis, Span, complete
from tieline.schema import compositions

ENERGY = np.linspace(0.0, 5.0, 30)
MODEL = tl.CompositionProperties("composition", ["gap", "absorption"])


def world(n=150, seed=0):
    """A peak moves with the elements and is high where the gap is large; both share what is not told."""
    rng = np.random.default_rng(seed)
    rows = ternaries(rng, n, nonmetals=("O", "S", "N"))
    said = element_statistics(compositions(rows), ["mean"])
    bond, negativity = (said[f"{name}_mean"].values for name in ("cohesive_energy", "electronegativity"))
    hidden = 0.2 * rng.standard_normal(n)
    gap = negativity + hidden
    centre = (bond - bond.mean()) / bond.std() + 2.5
    height = 1 + 0.5 * (gap - gap.mean()) / gap.std()
    spectra = np.abs(height)[:, None] * np.exp(-0.5 * ((ENERGY - centre[:, None]) / 0.6) ** 2)
    spectra += 0.02 * rng.standard_normal(spectra.shape)
    table = tl.table(pd.DataFrame({"formula": rows, "gap": gap}), formula="formula", units={"gap": "eV"})
    attrs = {"role": "property", "units": "1/cm"}
    return table.assign(absorption=(("specimen", "energy"), spectra, attrs)).assign_coords(
        energy=("energy", ENERGY, {"units": "eV"})
    )


@pytest.fixture(scope="module")
def both():
    return world(), world(100, seed=1)


@pytest.fixture(scope="module")
def posterior(both):
    return MODEL.fit(both[0], seed=0)


@pytest.fixture(scope="module")
def predicted(posterior, both):
    return posterior.predict(both[1])


def test_a_spectrum_is_learned_through_a_few_components(posterior, predicted, both):
    n_coefficients = len(posterior.fit.field.coupling.signal)
    assert n_coefficients - 1 in (4, 8, 16)
    error = np.abs(predicted["absorption"] - both[1]["absorption"]).mean()
    alone = np.abs(both[0]["absorption"].mean("specimen") - both[1]["absorption"]).mean()
    assert error < 0.6 * alone
    assert predicted["absorption"].dims == ("specimen", "energy")
    assert predicted["absorption"].attrs["units"] == "1/cm"
    assert predicted["absorption_quantile"].dims == ("specimen", "energy", "probability")
    xr.testing.assert_equal(predicted["energy"].variable, both[0]["energy"].variable)


def test_the_band_holds_whole_spectra(predicted, both):
    truth = both[1]["absorption"]
    low, high = (predicted["absorption_band"].sel(side=side) for side in ("low", "high"))
    whole = ((low <= truth) & (truth <= high)).all("energy").mean()
    assert 0.8 <= whole <= 0.99
    quantile = predicted["absorption_quantile"]
    inside = (quantile.sel(probability=0.05) <= truth) & (truth <= quantile.sel(probability=0.95))
    assert 0.82 <= inside.mean() <= 0.97
    assert inside.all("energy").mean() < whole - 0.2  # bin by bin is another question


def test_a_spectrum_tells_of_a_number_and_the_other_way_round(posterior, predicted, both):
    asked = both[1]
    with_it = posterior.predict(asked, given="absorption")
    errors = [float(np.abs(p["gap"] - asked["gap"]).mean()) for p in (with_it, predicted)]
    assert errors[0] < 0.85 * errors[1]
    told = posterior.predict(asked, given="gap")
    errors = [float(np.abs(p["absorption"] - asked["absorption"]).mean()) for p in (told, predicted)]
    assert errors[0] < errors[1]


def test_spectra_are_drawn_whole(posterior, predicted, both):
    some = both[1].isel(specimen=slice(4))
    drawn = posterior.spectra(some, "absorption", 300, seed=1)
    assert drawn.dims == ("draw", "specimen", "energy")
    neighbours = np.corrcoef(drawn.values[:, 0, 14], drawn.values[:, 0, 15])[0, 1]
    assert neighbours > 0.6
    np.testing.assert_allclose(drawn.mean("draw"), predicted["absorption"][:4], atol=0.25)
    assert posterior.functions(some, 3)["property"].values.tolist() == ["gap"]
    with pytest.raises(SchemaError, match="'gap' is no spectrum"):
        posterior.spectra(some, "gap")


def test_spectra_alone_have_no_functions_and_say_what_has(both):
    alone = tl.CompositionProperties("composition", "absorption").fit(both[0].isel(specimen=slice(60)))
    with pytest.raises(SchemaError, match="one number a specimen") as caught:
        alone.functions(both[1])
    assert "spectra(grid, 'absorption')" in str(caught.value)


def test_holes_in_spectra_are_filled_to_be_learned_from(both):
    table = both[0]
    values = table["absorption"].values.copy()
    values[np.random.default_rng(2).random(values.shape) < 0.1] = np.nan
    values[3, :25] = np.nan  # mostly hole
    holes = table.assign(absorption=table["absorption"].copy(data=values))
    found = MODEL.fit(holes).predict(both[1])
    whole = MODEL.fit(table).predict(both[1])
    apart = np.abs(found["absorption"] - whole["absorption"]).mean()
    assert apart < 0.3 * np.abs(whole["absorption"] - both[1]["absorption"]).mean()


def test_components_and_back_is_the_spectrum_again():
    rng = np.random.default_rng(0)
    y = np.column_stack([rng.standard_normal(40), rng.standard_normal((40, 3)) @ rng.random((3, 12))])
    spans = (Span("number", 0, 1, ""), Span("spectrum", 1, 13, "energy"))
    basis = Basis.of(y, spans, 3)
    assert basis.weights.shape == (4, 13)
    np.testing.assert_allclose(basis.outward(basis.inward(y)), y, atol=1e-10)
    np.testing.assert_allclose(basis.inward(y)[:, 1:].std(0), 1.0)
    lost = y.copy()
    lost[::4, 5], lost[7, 2:] = np.nan, np.nan
    filled = complete(lost, spans)
    np.testing.assert_allclose(filled[::4, 5], y[::4, 5], atol=0.05)
    assert np.isnan(filled[7, 1:]).all()
    assert np.isfinite(basis.inward(filled)[7, 0])


def test_a_bin_has_effects_and_correlations(posterior):
    at = f"absorption[{ENERGY[12]}]"
    effects = element_effects(posterior, at)
    assert effects["effect"].attrs["units"] == "1/cm"
    found = property_correlation(posterior)["over_compositions"]
    assert found.sizes["property"] == 31
    assert float(found.sel(property=at, other=f"absorption[{ENERGY[13]}]")) > 0.8


def test_a_posterior_with_a_spectrum_is_saved(posterior, predicted, both, tmp_path):
    again = tl.load_posterior(posterior.save(tmp_path / "spectra.nc"))
    xr.testing.assert_identical(again.predict(both[1]), predicted)
    assert posterior.diagnose().attrs["verdict"] in ("green", "amber")


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda t: t.assign(absorption=t["absorption"].expand_dims(polarisation=2)), "nor a spectrum"),
        (lambda t: t.assign(absorption=t["absorption"].where(t["energy"] < 4, np.inf)), "infinite"),
        (
            lambda t: t.assign_coords(absorption_flag=("specimen", ["above"] * 150)),
            "calls a spectrum a limit",
        ),
    ],
)
def test_spectra_that_cannot_be_read_are_refused(both, change, what):
    with pytest.raises(SchemaError, match=what):
        MODEL.fit(change(both[0]))
