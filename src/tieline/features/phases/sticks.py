"""Stick patterns of known structures: where the lines of a powder are, and how strong per gram."""

from pathlib import Path

import gemmi
import numpy as np
import xarray as xr

from tieline.errors import SchemaError
from tieline.features.phases.arrays import Array

COPPER = 1.54184  # angstrom, K-alpha, both lines weighed
WEAKEST = 1e-3  # of the strongest line
SAME_SPACING = 1e-4  # relative: lines that no powder tells apart
SHORTEST = 0.6  # angstrom
DEBYE_WALLER = 0.5  # square angstrom, of atoms for which the structure gives none
ELECTRON_VOLT_ANGSTROM = 12398.42


def powder_sticks(
    structure: str | Path,
    *,
    wavelength: float = COPPER,
    two_theta: tuple[float, float] = (5.0, 140.0),
) -> xr.Dataset:
    """Work out the lines of a powder from its crystal structure.

    Args:
        structure: path of a CIF file, or its text.
        wavelength: angstrom.
        two_theta: range of angles, degrees.

    Returns:
        two_theta (line) in degrees, rising, and intensity (line): multiplicity |F|^2 Lorentz-polarisation /
        (mass and volume of the cell), the same unit for all structures, so that amounts are weights.
        Debye-Waller factors are the structure's.

    Raises:
        SchemaError: the structure cannot be read, has no atoms, or the wavelength is not one.

    Source:
        Scattering factors of International Tables C (1992) with anomalous terms of Cromer and Liberman, as in
        gemmi; weights as by Hill and Howard (1987), doi:10.1107/S0021889887086199.
    """
    low, high = two_theta
    if not 0 < wavelength < 10 or not 0 < low < high < 180:
        raise SchemaError(
            "A wavelength is in angstrom, below 10; angles rise within 0 to 180 degrees.",
            found=f"wavelength={wavelength}, two_theta={two_theta}",
        )
    crystal = _crystal(structure)
    shortest = max(wavelength / 2 / np.sin(np.radians(high / 2)), SHORTEST)
    mass = sum(site.element.weight * site.occ for site in crystal.get_all_unit_cell_sites())
    crystal.change_occupancies_to_crystallographic()  # else an atom on a mirror counts twice
    spacing, squared = _reflections(crystal, shortest, wavelength)
    sine = wavelength / 2 / spacing
    theta = np.arcsin(np.minimum(sine, 1))
    polarisation = (1 + np.cos(2 * theta) ** 2) / (np.sin(theta) ** 2 * np.cos(theta))
    intensity = squared * polarisation / (mass * crystal.cell.volume)
    place = np.degrees(2 * theta)
    kept = (place >= low) & (place <= high)
    if not kept.any():
        raise SchemaError("The structure has no lines in this range.", found=f"{low:g} to {high:g} degrees")
    kept &= intensity > WEAKEST * intensity[kept].max()
    order = np.argsort(place[kept])
    return xr.Dataset(
        {
            "two_theta": ("line", place[kept][order], {"units": "deg"}),
            "intensity": ("line", intensity[kept][order], {"units": "a.u."}),
        },
        attrs={"wavelength": wavelength, "density": float(mass * 1.66054 / crystal.cell.volume)},
    )


def _crystal(structure: str | Path) -> gemmi.SmallStructure:
    is_text = isinstance(structure, str) and "\n" in structure
    try:
        document = gemmi.cif.read_string(str(structure)) if is_text else gemmi.cif.read_file(str(structure))
        crystal = gemmi.make_small_structure_from_block(document[0])
    except (ValueError, OSError, RuntimeError, IndexError) as error:
        raise SchemaError(
            "The crystal structure cannot be read.", found=str(error)[:120], hint="a CIF file, or its text"
        ) from error
    if not crystal.sites or crystal.spacegroup is None or crystal.cell.volume <= 1:
        raise SchemaError(
            "A crystal structure has a cell, a space group and atoms.",
            found=f"{len(crystal.sites)} atoms, space group '{crystal.spacegroup_hm}'",
        )
    for site in crystal.sites:
        if site.u_iso <= 0 and not site.aniso.nonzero():
            site.u_iso = DEBYE_WALLER / (8 * np.pi**2)
    return crystal


def _reflections(crystal: gemmi.SmallStructure, shortest: float, wavelength: float) -> tuple[Array, Array]:
    """Spacings (line) in angstrom and the sums of |F|^2 (line) over all reflections at each."""
    calculator = gemmi.StructureFactorCalculatorX(crystal.cell)
    calculator.addends.clear()
    energy = ELECTRON_VOLT_ANGSTROM / wavelength
    for element in {site.element.name for site in crystal.sites}:
        known = gemmi.Element(element)
        calculator.addends.set(known, float(gemmi.cromer_liberman(known.atomic_number, energy)[0]))
    # One of every pair h, -h: their intensities are alike.
    half = gemmi.make_miller_array(crystal.cell, gemmi.SpaceGroup("P 1"), shortest, 0.0, True)
    spacing = np.array([crystal.cell.calculate_d(list(map(int, hkl))) for hkl in half])
    squared = np.array(
        [
            2 * abs(calculator.calculate_sf_from_small_structure(crystal, tuple(map(int, hkl)))) ** 2
            for hkl in half
        ]
    )
    order = np.argsort(-spacing)
    spacing, squared = spacing[order], squared[order]
    starts = np.flatnonzero(np.append(True, -np.diff(spacing) > SAME_SPACING * spacing[1:]))
    return spacing[starts], np.add.reduceat(squared, starts)
