import pytest
import xarray as xr

from tieline.planning.wording import NO_BREAK, label, rounded, unbroken
from tieline.schema.wording import plus_minus


@pytest.mark.parametrize(
    ("value", "sd", "units", "expected"),
    [
        (8.94, 1.13, "a.u.", "8.9 ± 1.1 a.u."),
        (95.3, 0.42, "%", "95.30 ± 0.42 %"),
        (1090.0, 120.0, "", "1090 ± 120"),
        (7.2e-4, 1.1e-4, "S/cm", "(7.2 ± 1.1)·10⁻⁴ S/cm"),
        (3.0, 0.0, "", "3 ± 0"),
        (0.0, 0.0, "", "0 ± 0"),
        (2.5e7, 3e5, "Pa", "(2.500 ± 0.030)·10⁷ Pa"),
        (float("nan"), 1.0, "K", "nan ± 1 K"),
    ],
)
def test_uncertainty_has_two_digits_and_the_value_as_many(value, sd, units, expected):
    assert plus_minus(value, sd, units) == expected


@pytest.mark.parametrize(
    "sentence",
    [
        "σ predicted (8.1 ± 0.9)·10⁻⁴ S/cm, 4.9·10⁻⁴ above the highest so far, beats it with 31 %",
        "hardness predicted 8.9 ± 1.1, nothing measured yet",
        "loss predicted -8.9 ± 1.1 dB; phase A with 93 %",
    ],
)
def test_no_number_is_broken_over_lines(sentence):
    written = unbroken(sentence)
    assert written.replace(NO_BREAK, " ") == sentence
    assert not {"±", "S/cm,", "dB;", "%"} & set(written.split(" "))


@pytest.mark.parametrize(
    ("value", "span", "expected"),
    [
        (0.5176, 86.93, "0.5"),
        (87.45, 86.93, "87.5"),
        (12.5, 100.0, "12.5"),
        (40.0, 100.0, "40"),
        (0.09753, 0.2, "0.0975"),
        (931.4, 600.0, "931"),
        (1200.0, 600.0, "1200"),
        (4.9e-7, 1e-6, "4.9·10⁻⁷"),
        (-0.001, 100.0, "0"),
        (7.0, 0.0, "7"),
        (0.0, 0.0, "0"),
    ],
)
def test_settings_are_written_as_finely_as_matters(value, span, expected):
    assert rounded(value, span) == expected


def test_a_label_carries_unit_and_power_of_ten():
    variable = xr.DataArray(0.0, attrs={"units": "S/cm"})
    assert label(variable, "ionic_conductivity") == "ionic conductivity (S/cm)"
    assert label(variable, "ionic_conductivity", -4) == "ionic conductivity (10⁻⁴ S/cm)"
    assert label(xr.DataArray(0.0), "yield", 12) == "yield (10¹²)"
