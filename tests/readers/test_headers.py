import pytest

from tieline.readers.headers import identifier, parse_header, symbol_name


@pytest.mark.parametrize(
    ("header", "name", "units"),
    [
        ("T (°C)", "temperature", "degC"),
        ("sigma [S/cm]", "sigma", "S/cm"),
        ("σ (S cm-1)", "sigma", "S/cm"),
        ("time / min", "time", "min"),
        ("T/K", "temperature", "K"),
        ("temperature_C", "temperature", "degC"),
        ("ionic_conductivity_S_per_cm", "ionic_conductivity", "S/cm"),
        ("rel_H3PO4_wt_pct", "rel_h3po4", "wt.%"),
        ("Conductivity (measured) (S/cm)", "conductivity_measured", "S/cm"),
        ("grain size ($\\mu$m)", "grain_size", "µm"),
        ("Test temperature ($^\\circ$C)", "test_temperature", "degC"),
        ("Härte (HV)", "haerte", "HV"),
        ("M_s (emu/g)", "m_s", "emu/g"),
        ("BCC/FCC/other", "bcc_fcc_other", None),
        ("strain_min", "strain_min", None),
        ("2θ (deg)", "two_theta", "deg"),
        ("Hardness HV10", "hardness_hv10", None),
        ("0.2% proof stress (MPa)", "x_0_2_percent_proof_stress", "MPa"),
    ],
)
def test_name_and_unit_of_a_header(header, name, units):
    parsed = parse_header(header)
    assert (symbol_name(parsed.base, parsed.units), parsed.units) == (name, units)
    assert not parsed.is_error


@pytest.mark.parametrize(
    "header",
    [
        "x sd",
        "x_sd",
        "x ±",
        "x error",
        "x std",
        "x (sd)",
        "sd of x",
        "x std. dev.",
        "x +/-",
        "uncertainty in x",
    ],
)
def test_headers_of_standard_errors(header):
    parsed = parse_header(header)
    assert parsed.is_error
    assert identifier(parsed.base) == "x"


def test_an_error_header_keeps_its_unit():
    parsed = parse_header("Hardness (HV) sd")
    assert (parsed.base, parsed.units, parsed.is_error) == ("Hardness", "HV", True)


@pytest.mark.parametrize("header", ["width (furlong)", "charge (C)", "kappa_W_mK", "seebeck_uV_K", "debye_K"])
def test_an_unclear_unit_is_a_question_and_never_a_guess(header):
    parsed = parse_header(header)
    assert parsed.units is None
    assert "?" in parsed.question


def test_a_units_row_wins_over_nothing():
    assert parse_header("T", "(°C)").units == "degC"
    assert parse_header("t", "min").units == "min"


def test_selenium_is_no_standard_error():
    assert not parse_header("Se").is_error
