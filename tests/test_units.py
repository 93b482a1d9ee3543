import subprocess
import sys

import numpy as np
import pytest

from tieline.errors import UnitError
from tieline.units import canonical, convert, parse


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        *[("at.%", "at.%"), ("at %", "at.%"), ("Atomic %", "at.%"), ("wt%", "wt.%"), ("wt.%", "wt.%")],
        *[("mol%", "mol%"), ("a.u.", "a.u."), ("Arb. Units", "a.u."), ("emu/g", "emu/g"), ("S/cm", "S/cm")],
        *[("°C", "degC"), ("C", "degC"), ("degC", "degC"), ("deg C", "degC"), ("°C/min", "degC/min")],
        *[("min", "min"), ("h", "h"), ("counts", "counts"), ("cts", "counts"), ("deg", "deg"), ("°", "deg")],
        *[("GPa", "GPa"), ("V", "V"), ("nm", "nm"), ("µm", "µm"), ("um", "µm"), ("μm", "µm"), ("ohm", "Ω")],
        *[("", "1"), ("1", "1"), ("-", "1"), ("1/cm", "1/cm"), ("cm^-1", "1/cm"), ("cm²", "cm^2")],
        *[
            ("S cm-1", "S/cm"),
            ("S·cm⁻¹", "S/cm"),
            ("S cm^{-1}", "S/cm"),
            ("S cm−1", "S/cm"),
            ("uS/cm", "µS/cm"),
        ],
        *[("W/(m K)", "W/m/K"), ("W m-1 K-1", "W/m/K"), ("J/(g·K)", "J/g/K"), ("g/cm3", "g/cm^3")],
        *[
            ("S / cm", "S/cm"),
            ("W / (m K)", "W/m/K"),
            ("g / cm ^3", "g/cm^3"),
            ("1 / K", "1/K"),
            ("V s", "V*s"),
        ],
        *[("mAh/g", "mAh/g"), ("µC/cm^2", "µcoulomb/cm^2"), ("mbar", "mbar"), ("m/m", "1"), (" K ", "K")],
    ],
)
def test_a_unit_has_one_spelling(written, meant):
    assert canonical(written) == meant
    assert canonical(meant) == meant


@pytest.mark.parametrize(
    ("written", "nearest"),
    [("emu/gm", "emu/g"), ("Mpa", "MPa"), ("gpa", "GPa"), ("wtt%", "wt.%"), ("k", "K"), ("S//cm", "S/cm")],
)
def test_an_unknown_unit_is_a_question_with_a_suggestion(written, nearest):
    with pytest.raises(UnitError, match="Which unit is") as caught:
        canonical(written)
    assert f"'{written}'" in caught.value.what
    assert f"did you mean '{nearest}'?" in caught.value.hint


@pytest.mark.parametrize(
    "written", ["furlong", "/", "^2", "m^", "%%%", "K^", "{", "/cm", "W (m K)^-1", "J/(g", "a.u. a", "atm.%"]
)
def test_what_is_not_listed_is_never_guessed(written):
    with pytest.raises(UnitError, match="Which unit is"):
        canonical(written)


def test_c_inside_a_compound_could_be_coulomb():
    with pytest.raises(UnitError, match="write 'degC' for degrees Celsius or 'coulomb'"):
        canonical("C/cm^2")


def test_powers_of_ten_belong_to_the_values():
    with pytest.raises(UnitError, match="put the power of ten into the values") as caught:
        canonical("1e-6/K")
    assert "1e-6/K" in caught.value.what


def test_parse_gives_factors_with_powers():
    assert dict(parse("W/(m K)").factors) == {"W": 1, "m": -1, "K": -1}
    assert parse("") == parse("1") == parse("dimensionless")


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        *[(25.0, "°C", "K", 298.15), (300.0, "K", "degC", 26.85), (32.0, "degF", "degC", 0.0)],
        *[(10.0, "degC/min", "K/s", 1 / 6), (2.0, "h", "min", 120.0), (1.0, "S/cm", "mS/cm", 1000.0)],
        *[(1.0, "emu/g", "A m^2/kg", 1.0), (1.0, "Oe", "A/m", 1000 / (4 * np.pi)), (1.0, "T", "G", 1e4)],
        *[(50.0, "at.%", "1", 0.5), (50.0, "wt.%", "%", 50.0), (180.0, "deg", "rad", np.pi)],
        *[(3.0, "cps", "counts/s", 3.0), (1.0, "Torr", "Pa", 133.32236842105263), (10.0, "Å", "nm", 1.0)],
    ],
)
def test_numbers_convert(value, source, target, expected):
    assert convert(value, source, target) == pytest.approx(expected, abs=1e-10)


def test_a_standard_error_of_a_temperature_has_no_offset():
    assert convert(5.0, "degC", "K", difference=True) == pytest.approx(5.0)


def test_conversion_keeps_shape_and_gaps_and_its_input():
    celsius = np.array([[0.0, np.nan], [100.0, 25.0]])
    kelvin = convert(celsius, "degC", "K")
    np.testing.assert_allclose(kelvin, [[273.15, np.nan], [373.15, 298.15]])
    np.testing.assert_array_equal(celsius, [[0.0, np.nan], [100.0, 25.0]])
    same = convert(celsius, "degC", "°C")
    same[0, 0] = 7.0
    assert celsius[0, 0] == 0.0


@pytest.mark.parametrize(
    ("source", "target"), [("a.u.", "V"), ("a.u.", "1"), ("counts", "1"), ("HV", "GPa"), ("K", "V")]
)
def test_units_of_different_things_do_not_convert(source, target):
    with pytest.raises(UnitError, match="do not measure the same thing") as caught:
        convert(1.0, source, target)
    assert f"'{source}' cannot be converted to '{target}'" in caught.value.what


def test_weight_percent_needs_the_whole_composition():
    with pytest.raises(UnitError, match="without the whole composition") as caught:
        convert(1.0, "wt.%", "at.%")
    assert "tieline.table" in caught.value.hint


def test_reading_a_unit_does_not_load_pint():
    code = "import sys, tieline.units as u; u.canonical('S cm-1'); sys.exit('pint' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
