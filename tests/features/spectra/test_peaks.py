import numpy as np
import pytest
import xarray as xr

import tieline as tl
from tieline.features.spectra import calibrate, find_peaks, integrate, whole_masses
from tieline.schema.isotopes import ion_mass

IONS = ("6Li", "Li", "CH", "O", "OH", "C2H", "O2", "LiO2", "CO3", "LiCO3")
AREAS = np.array([800, 9000, 500, 20_000, 15_000, 3000, 4000, 2500, 1500, 700.0])


def table(n=5):
    areas = np.random.default_rng(0).poisson(AREAS, (n, len(AREAS))).astype(float)
    return xr.Dataset(
        {"area": (("specimen", "mz"), areas)},
        {"specimen": [f"spot {i}" for i in range(n)], "mz": [ion_mass(ion) for ion in IONS]},
    )


@pytest.fixture(scope="module")
def shifted():
    return tl.worlds.raw_spectra(table(), mass_shift=6e-4, seed=2)


def centres(spectra, near):
    window = spectra.sel(mz=slice(near - 0.12, near + 0.12))
    return ((window * window["mz"]).sum("mz") / window.sum("mz")).values


def test_a_shifted_axis_is_brought_back(shifted):
    found = calibrate(shifted)
    for ion in ("CO3", "LiCO3"):  # not among those that it was calibrated to, and beyond them
        before, after = (abs(centres(s, ion_mass(ion)) - ion_mass(ion)) for s in (shifted, found["counts"]))
        assert before.max() > 0.015
        assert after.max() < 0.004
    assert float(abs(found["residual"]).max()) < 0.002
    assert float(abs(found["mass_shift"]).max()) > 0.004


def test_calibration_keeps_every_count(shifted):
    np.testing.assert_allclose(calibrate(shifted)["counts"].sum("mz"), shifted.sum("mz"))


def test_an_ion_that_is_another_peak_does_not_spoil_the_calibration(shifted):
    # CH3- is not there, and nothing else is near: what is found at C2H2- is the far end of C2H-.
    found = calibrate(shifted, ("6Li", "Li", "O", "OH", "O2", "C2H2"), reach=1.05)
    assert found["residual"].sel(ion="C2H2").isnull().all()
    assert float(abs(found["residual"]).max()) < 0.004


def test_peaks_are_found_where_they_are_with_common_borders(shifted):
    peaks = find_peaks(calibrate(shifted)["counts"], minimum=100)
    np.testing.assert_allclose(peaks["mz"], table()["mz"], atol=0.004)
    assert (peaks["left"] < peaks["mz"]).all()
    assert (peaks["mz"] < peaks["right"]).all()
    assert (peaks["left"].values[1:] >= peaks["right"].values[:-1]).all()


def test_areas_are_what_they_were_drawn_from(shifted):
    spectra = calibrate(shifted)["counts"]
    area = integrate(spectra, find_peaks(spectra))
    assert area.dims == ("specimen", "mz")
    # The background between peaks belongs to them as well.
    np.testing.assert_allclose(area, table()["area"], rtol=0.03, atol=25)


def test_only_peaks_with_enough_counts_below_the_limit_are_kept(shifted):
    spectra = calibrate(shifted)["counts"]
    assert find_peaks(spectra, minimum=2000).sizes["mz"] == 6
    assert float(find_peaks(spectra, highest=50.0)["mz"].max()) < 50
    with pytest.raises(tl.NotIdentified, match="No peak below m/z 120 has 1e\\+06 counts"):
        find_peaks(spectra, minimum=1e6)


def test_whole_masses_stand_a_drift_of_the_axis(shifted):
    borders = whole_masses(shifted, minimum=100)
    assert borders["mz"].values.tolist() == [6, 7, 13, 16, 17, 25, 32, 39, 60, 67]
    np.testing.assert_allclose(integrate(shifted, borders), table()["area"], rtol=0.02, atol=10)


def test_a_spectrum_without_the_ions_is_named(shifted):
    dark = shifted.copy()
    dark[2] = 0
    with pytest.raises(tl.NotIdentified, match="'spot 2' shows fewer than two"):
        calibrate(dark)
    with pytest.raises(tl.SchemaError, match="two ions or more"):
        calibrate(shifted, ["O"])


def test_what_is_no_raw_spectrum_is_refused(shifted):
    with pytest.raises(tl.SchemaError, match="counts on"):
        find_peaks(shifted.rename(mz="mass"))
    with pytest.raises(tl.SchemaError, match="not negative"):
        find_peaks(shifted - 1)
    with pytest.raises(tl.SchemaError, match="rising m/z"):
        find_peaks(shifted[:, ::-1])


def test_raw_spectra_hold_the_areas():
    raw = tl.worlds.raw_spectra(table(), background=0)
    np.testing.assert_array_equal(raw.sum("mz"), table()["area"].sum("mz"))
    xr.testing.assert_identical(raw, tl.worlds.raw_spectra(table(), background=0))
    with pytest.raises(tl.TielineError, match="positive"):
        tl.worlds.raw_spectra(table(), step=0)
