"""From spectra as they were read to peak areas that a model reads, in one step."""

from collections.abc import Sequence

import xarray as xr

from tieline.errors import SchemaError, did_you_mean
from tieline.features.spectra.peaks import STUDY_IONS, calibrate, find_peaks, integrate, whole_masses
from tieline.schema.wording import name_some

BORDERS = ("peaks", "whole_masses")
DRIFT = 0.02  # u: a median correction beyond it is worth a note


def peak_areas(
    spectra: xr.Dataset,
    *,
    ions: Sequence[str] = STUDY_IONS,
    charge: int = -1,
    minimum: float = 100.0,
    highest: float = 120.0,
    borders: str | xr.Dataset = "peaks",
) -> xr.Dataset:
    """Make peak areas of raw spectra: calibrate the axis, find peaks common to all, add up their counts.

    References and unknowns go through together, so that their borders are the same, or unknowns take the
    `borders` of the references.

    Args:
        spectra: counts (specimen, mz) as `load_spectra` reads them; areas go through as they are.
        ions: formulas of ions that are surely there, to which the axis is calibrated; () leaves it alone.
        charge: of these ions.
        minimum: counts that some spectrum must have in a peak.
        highest: m/z up to which peaks are looked for, u.
        borders: "peaks" to find them, "whole_masses" where axes drift, or left and right on `mz`.

    Returns:
        area (specimen, mz) with everything else that was said of the specimens; mass_shift (specimen) in u,
        where the axis was calibrated. Notes tell how far.

    Raises:
        SchemaError: these are no spectra over m/z.
        NotIdentified: a spectrum lacks the ions, or no peak has so many counts.
    """
    if "area" in spectra and "counts" not in spectra:
        return spectra
    if "counts" not in spectra:
        raise SchemaError(
            "Peak areas are made of raw spectra: counts (specimen, mz).",
            found=name_some(spectra.data_vars),
            hint="tieline.readers.spectra.load_spectra reads them from files",
        )
    if isinstance(borders, str) and borders not in BORDERS:
        raise SchemaError(
            f"There are no borders '{borders}'. {did_you_mean(borders, BORDERS)}".strip(),
            hint=" or ".join(BORDERS),
        )
    counts, said = spectra["counts"], spectra.drop_dims("mz")
    notes = list(spectra.attrs.get("notes", []))
    if len(ions):
        found = calibrate(counts, ions, charge=charge)
        counts = found["counts"]
        said["mass_shift"] = found["mass_shift"]
        farthest = float(abs(found["mass_shift"]).max())
        left = float(abs(found["residual"]).max())
        notes.append(
            f"Calibrated to {name_some(ions)}: by up to {farthest:.4f} u, {left:.4f} u left"
            + (", which is much: are these the right ions?" if farthest > DRIFT else ".")
        )
    if isinstance(borders, str):
        look = find_peaks if borders == "peaks" else whole_masses
        borders = look(counts, minimum=minimum, highest=highest)
    said["area"] = integrate(counts, borders)
    notes.append(f"{borders.sizes['mz']} peaks up to m/z {highest:g}.")
    return said.assign_attrs(notes=notes)
