import numpy as np
import pytest

import tieline as tl
from tieline.features.spectra import peak_areas
from tieline.readers.spectra import load_spectra


@pytest.fixture(scope="module")
def world():
    return tl.worlds.tofsims(3, n_peaks=90, n_mixtures=2, spots_per_mixture=2)


@pytest.fixture(scope="module")
def folder(world, tmp_path_factory):
    """Raw spectra as an instrument writes them: a folder for each compound, and one of unknowns."""
    place = tmp_path_factory.mktemp("raw")
    references = world.references.isel(specimen=np.flatnonzero(np.arange(60) % 12 < 3))
    raw = tl.worlds.raw_spectra(references, mass_shift=3e-4, step=0.01)
    unknown = tl.worlds.raw_spectra(world.unknowns, mass_shift=3e-4, step=0.01)
    kinds = [*references["reference"].values, *["unknown"] * 4]
    for i, (kind, row) in enumerate(zip(kinds, np.vstack([raw.values, unknown.values]), strict=True)):
        (place / kind).mkdir(exist_ok=True)
        columns = np.column_stack([raw["mz"].values, row])
        np.savetxt(place / kind / f"spot {i:02d}.txt", columns, fmt=("%.4f", "%d"), header="Mass Intensity")
    return place


def test_folders_of_raw_spectra_lead_to_shares(world, folder):
    table = peak_areas(tl.represent(tl.load(folder, axis="mz")))
    is_unknown = table["folder"].values == "unknown"
    table["reference"] = ("specimen", np.where(is_unknown, "", table["folder"].values))
    posterior = tl.SpectralComposition().fit(table)
    found = posterior.predict(table.isel(specimen=np.flatnonzero(is_unknown)))
    truth = world.truth["share"].values
    assert np.abs(found["share"].sel(compound=world.truth["compound"]).values - truth).mean() < 0.03


def test_how_far_axes_were_moved_is_told(folder):
    table = peak_areas(load_spectra(folder))
    assert table.sizes["specimen"] == 19
    assert abs(float(table["mass_shift"].median())) > 1e-4
    assert any("Calibrated to 6Li, Li, O, OH" in note for note in table.attrs["notes"])
    assert any(note.startswith(f"{table.sizes['mz']} peaks") for note in table.attrs["notes"])


def test_unknowns_take_the_borders_of_the_references(folder):
    raw = load_spectra(folder)
    together = peak_areas(raw, ions=())
    borders = tl.features.spectra.find_peaks(raw["counts"])
    alone = peak_areas(raw.isel(specimen=[16]), ions=(), borders=borders)
    np.testing.assert_array_equal(alone["area"], together["area"].isel(specimen=[16]))


def test_areas_go_through_as_they_are(world):
    assert peak_areas(world.references) is world.references


def test_what_are_no_spectra_is_refused(world):
    with pytest.raises(tl.SchemaError, match="made of raw spectra"):
        peak_areas(world.references.rename(area="height"))
    with pytest.raises(tl.SchemaError, match="Did you mean 'whole_masses'"):
        peak_areas(world.references.rename(area="counts"), borders="whole_mass")
