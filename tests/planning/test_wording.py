import pytest

from tieline.planning.wording import plus_minus


@pytest.mark.parametrize(
    ("value", "sd", "units", "expected"),
    [
        (8.94, 1.13, "a.u.", "8.9 ± 1.1 a.u."),
        (95.3, 0.42, "%", "95.30 ± 0.42 %"),
        (1090.0, 120.0, "", "1090 ± 120"),
        (7.2e-4, 1.1e-4, "S/cm", "(7.2 ± 1.1)e-4 S/cm"),
        (3.0, 0.0, "", "3.000 ± 0.000"),
        (0.0, 0.0, "", "0.000 ± 0.000"),
        (2.5e7, 3e5, "Pa", "(2.500 ± 0.030)e7 Pa"),
        (float("nan"), 1.0, "K", "nan ± 1 K"),
    ],
)
def test_uncertainty_has_two_digits_and_the_value_as_many(value, sd, units, expected):
    assert plus_minus(value, sd, units) == expected
