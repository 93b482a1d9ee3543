import numpy as np
import pytest
import xarray as xr

import tieline as tl


@pytest.fixture(scope="module")
def predicted():
    """Two spectra of ten bins: a median of one, intervals of ± 0.2, a band of ± 0.5."""
    flat = np.ones((2, 10))
    quantile = flat[:, :, None] + np.array([-0.2, 0.0, 0.2])
    band = flat[:, :, None] + np.array([-0.5, 0.5])
    energy = ("energy", np.linspace(0, 5, 10), {"units": "eV"})
    return xr.Dataset(
        {
            "absorption": (("specimen", "energy"), flat, {"units": "1/cm"}),
            "absorption_quantile": (("specimen", "energy", "probability"), quantile),
            "absorption_band": (("specimen", "energy", "side"), band),
            "new_system": ("specimen", [True, False]),
        },
        {
            "specimen": ["a", "b"],
            "energy": energy,
            "probability": [0.05, 0.5, 0.95],
            "side": ["low", "high"],
            "formula": ("specimen", ["TiO2", "VN"]),
        },
    )


def test_a_spectrum_stands_within_its_band_beside_what_was_measured(predicted):
    measured = predicted[["absorption"]].isel(specimen=[1, 0]) + 0.1
    figure = tl.figures.predicted_spectra(predicted, "absorption", measured)
    left, right = figure.axes
    assert left.get_title(loc="left") == "TiO2 · new system"
    assert right.get_title(loc="left") == "VN"
    band, inner = (part.get_paths()[0].vertices[:, 1] for part in left.collections)
    assert (band.min(), band.max()) == (0.5, 1.5)
    assert (inner.min(), inner.max()) == (0.8, 1.2)
    median, curve = left.lines
    np.testing.assert_allclose(median.get_ydata(), 1.0)
    np.testing.assert_allclose(curve.get_ydata(), 1.1)
    assert figure.get_supxlabel() == "energy (eV)"
    assert figure.get_supylabel() == "absorption (1/cm)"


def test_what_is_no_predicted_spectrum_is_refused(predicted):
    with pytest.raises(tl.SchemaError, match="no predicted spectrum") as caught:
        tl.figures.predicted_spectra(predicted, "absorbtion")
    assert "absorption" in caught.value.found
    with pytest.raises(tl.SchemaError, match="lacks specimens"):
        tl.figures.predicted_spectra(predicted, "absorption", predicted.isel(specimen=[0]))
    with pytest.raises(tl.SchemaError, match="not in what was measured"):
        tl.figures.predicted_spectra(predicted, "absorption", predicted.drop_vars("absorption"))
    many = xr.concat([predicted] * 7, "specimen", data_vars="minimal")
    with pytest.raises(tl.SchemaError, match="at most 12"):
        tl.figures.predicted_spectra(many, "absorption")


def test_correlations_are_written_into_their_cells():
    values = np.array([[1.0, -0.55], [-0.55, 1.0]])
    dims, names = ("property", "other"), ["gap", "bulk_modulus"]
    found = xr.Dataset(
        {"over_compositions": (dims, values), "at_one_specimen": (dims, np.eye(2))},
        {"property": names, "other": names},
    )
    figure = tl.figures.property_correlation(found)
    left = figure.axes[0]
    assert [text.get_text() for text in left.texts][1] in ("−0.6", "−0.5")
    assert [label.get_text() for label in left.get_yticklabels()] == ["gap", "bulk modulus"]
    with pytest.raises(tl.SchemaError, match="not what property_correlation"):
        tl.figures.property_correlation(found.drop_vars("at_one_specimen"))


def test_bars_are_the_effects_and_their_errors():
    found = xr.Dataset(
        {
            "effect": ("element", [2.0, -1.0, 0.1], {"units": "eV"}),
            "effect_se": ("element", [0.2, 0.1, 0.1]),
            "pair_effect": ("pair", [0.5]),
            "pair_effect_se": ("pair", [0.1]),
        },
        {"element": ["O", "As", "Ga"], "pair": ["O-Zn"]},
        {"property": "band_gap"},
    )
    elements, pairs = tl.figures.element_effects(found, n=2).axes
    assert [bar.get_width() for bar in elements.patches] == [2.0, -1.0]
    assert [label.get_text() for label in elements.get_yticklabels()] == ["O", "As"]
    assert elements.get_xlabel() == "change of band gap (eV)"
    assert [label.get_text() for label in pairs.get_yticklabels()] == ["O-Zn"]
    alone = found.isel(pair=slice(0, 0))
    assert len(tl.figures.element_effects(alone).axes) == 1
