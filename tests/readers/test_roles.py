import numpy as np
import pytest

import tieline as tl
from tieline.readers.composition import basis_of, component_of, find_components, mixture_part
from tieline.readers.roles import guess_role, is_identity_name


@pytest.mark.parametrize(
    ("name", "units", "role"),
    [
        ("temperature", "degC", "process"),
        ("curie_temperature", "K", "property"),
        ("sintering_time", "h", "process"),
        ("relaxation_time", "s", "property"),
        ("phase", None, "structure"),
        ("lattice_parameter", "Å", "structure"),
        ("rel_h3po4", "wt.%", "synthesis"),
        ("li_excess", "%", "synthesis"),
        ("hardness", "HV", "property"),
        ("zt", None, "property"),
        ("remark", None, "note"),
    ],
)
def test_the_words_of_a_header_give_the_role(name, units, role):
    assert guess_role(name, units, is_numeric=True)[0] == role


@pytest.mark.parametrize(
    "header",
    [
        "Glühtemperatur (°C)", "Haltezeit (h)", "Anlasstemperatur", "Auslagerungsdauer", "Pressdruck",
        "Heizrate (K/min)", "Abkühlgeschwindigkeit", "Lösungsglühtemperatur", "Austenitisierungstemperatur",
        "Rekristallisationsglühtemperatur", "Wasserdampfdruck", "Laserleistung (W)", "Mahldauer h",
        "annealing_temperature", "annealtime (h)", "strain rate (1/s)",
    ],
)  # fmt: skip
def test_settings_written_as_one_word_are_settings(tmp_path, header):
    assert role_of(tmp_path, header) == "process"


@pytest.mark.parametrize(
    "header",
    [
        "Curie temperature", "Curietemperatur", "transition temperature", "Schmelztemperatur",
        "melting temperature", "Néel temperature", "Néeltemperatur (K)", "Glasübergangstemperatur",
        "Kritische Temperatur", "Sprungtemperatur", "Lebensdauer", "Relaxationszeit", "Dampfdruck",
        "Korrosionsrate", "creep rate (1/s)", "Härteeindruck", "Druckfestigkeit", "iron nitrate (g)",
        "Leitfähigkeit bei Raumtemperatur", "Härte nach Auslagerungsdauer",
    ],
)  # fmt: skip
def test_what_is_measured_stays_a_property_though_it_ends_like_a_setting(tmp_path, header):
    assert role_of(tmp_path, header) == "property"


def role_of(tmp_path, header):
    path = tmp_path / "spread.csv"
    path.write_text(f"sample;{header}\na;100,5\nb;200\nc;150\n", encoding="utf-8")
    (variable,) = tl.load(path)["specimens"].data_vars.values()
    return variable.attrs["role"]


def test_text_without_a_known_word_is_a_note_for_people():
    assert guess_role("colour", None, is_numeric=False)[0] == "note"


@pytest.mark.parametrize("name", ["sample", "specimen_id", "sample_name", "no", "id", "spot"])
def test_names_of_identity_columns(name):
    assert is_identity_name(name)


@pytest.mark.parametrize("name", ["noise", "idle_time", "sample_mass", "phase"])
def test_names_that_only_look_like_identities(name):
    assert not is_identity_name(name)


@pytest.mark.parametrize(
    ("header", "element"),
    [
        ("Fe", "Fe"), ("x_Fe", "Fe"), ("at.% Fe", "Fe"), ("Fe (wt%)", "Fe"), ("Composition (at.%) W", "W"),
        ("c(Fe)", ""), ("T", ""), ("Fe2O3", ""), ("Fe Ga", ""), ("hardness", ""),
    ],
)  # fmt: skip
def test_headers_of_elements(header, element):
    assert component_of(header) == element


def test_parts_of_a_mixture_are_named_by_their_header():
    assert mixture_part("P3HT content (%)") == "P3HT"
    assert mixture_part("hardness") == ""


def test_columns_that_do_not_share_a_whole_are_no_composition():
    fe = np.array([50.0, 60.0])
    assert find_components({"Fe": fe, "Ga": 100 - fe})[0] == {"Fe": "Fe", "Ga": "Ga"}
    assert find_components({"Fe": fe, "Ga": 70 - fe})[0] == {}
    assert find_components({"Fe": fe + 50})[0] == {}


def test_the_basis_stands_in_the_headers():
    assert basis_of(["Fe (wt.%)", "O (wt.%)"], ["wt.%", "wt.%"]) == "wt.%"
    assert basis_of(["at% Fe", "at% O"], [None, None]) == "at.%"
    assert basis_of(["Fe", "O"], [None, "%"]) is None
