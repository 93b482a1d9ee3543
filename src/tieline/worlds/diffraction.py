"""Simulated diffraction of a composition spread: phases that coexist as thermodynamics has it.

**Phases.** Three are near the pure elements, further ones are compounds anywhere. Each has a parabolic free
energy, stiff (a compound) or soft (a solid solution); a specimen consists of the phases on the lower convex
hull at its composition, by the lever rule, so that one, two or three coexist.

**Patterns.** Each phase has a random lattice (cubic, tetragonal, hexagonal or orthorhombic), with log-normal
structure factors, the Lorentz-polarisation factor of a powder and a Debye-Waller factor. Its lattice follows
its own composition (Vegard). Texture multiplies every line by a log-normal factor of its own in every
specimen. A specimen has a brightness (film thickness), a displacement that shifts all lines, and a background
of a falling and a broad part. Counts are Poisson.

**Property.** A smooth function of composition in each phase, weighed by the phase fractions.
"""

from dataclasses import dataclass

import numpy as np
import xarray as xr

from tieline.errors import TielineError
from tieline.worlds.phase_equilibrium import FreeEnergies

ELEMENTS = ("Fe", "Ga", "Pd")
WAVELENGTH = 1.5406  # angstrom, copper
LATTICES = {  # lengths relative to the first, and which reflections are systematically absent
    "primitive cubic": (1.0, 1.0),
    "body-centred cubic": (1.0, 1.0),
    "face-centred cubic": (1.0, 1.0),
    "tetragonal": (1.0, 1.4),
    "hexagonal": (1.0, 1.6),
    "orthorhombic": (1.25, 1.5),
}
LOWEST_FRACTION = 0.5  # of a phase somewhere, that a world counts as showing it


@dataclass(frozen=True, eq=False)
class DiffractionWorld:
    """A simulated truth of phases, and what a diffractometer and a magnetometer saw of it.

    Attributes:
        table: composition (specimen, element) and magnetisation, a property, on `specimen`.
        patterns: intensity (measurement, two_theta) in counts, with the specimen of each.
        truth: fraction (specimen, phase), activation (specimen, phase), the part of the lines' counts, strain
            (specimen, phase), the relative change of the lattice, region (specimen), the phases present, and
            main_phase (specimen).
        sticks: of each phase, two_theta in degrees and intensity of its lines at its own composition
            (phase, line), NaN where it has fewer.
    """

    table: xr.Dataset
    patterns: xr.Dataset
    truth: xr.Dataset
    sticks: xr.Dataset

    @property
    def record(self) -> xr.DataTree:
        """The table and the patterns as a laboratory keeps them."""
        return xr.DataTree.from_dict({"/specimens": self.table, "/xrd": self.patterns})


@dataclass(frozen=True)
class _Lines:
    """Reciprocal spacings (line) in 1/angstrom and intensities (line) of one phase."""

    inverse_spacing: np.ndarray
    intensity: np.ndarray


def diffraction(
    seed: int = 0,
    *,
    n_phases: int = 5,
    n_specimens: int = 231,
    two_theta: tuple[float, float] = (15.0, 80.0),
    n_angles: int = 650,
    cell: tuple[float, float] = (4.0, 9.0),
    softness: tuple[float, float] = (0.02, 0.3),
    vegard: float = 0.03,
    texture: float = 0.2,
    width: float = 0.5,
    displacement: float = 0.02,
    background: float = 0.1,
    counts: float = 1000.0,
    noise: float = 0.05,
) -> DiffractionWorld:
    """Draw the diffraction patterns of a ternary composition spread whose phases are known.

    Args:
        seed: of everything that is drawn.
        n_phases: how many phases show somewhere; three or more.
        n_specimens: evenly spread over the triangle of compositions.
        two_theta: the range of angles, degrees.
        n_angles: how many of them.
        cell: the range of lattice parameters, angstrom. Small cells have few lines.
        softness: the range of how far the composition of a phase reaches, mole fraction.
        vegard: sd of the relative change of a lattice with the mole fraction of an element.
        texture: sd of the logarithm of each line between specimens.
        width: full width of a line at half its height, degrees.
        displacement: sd of the shift of all lines of a specimen, degrees.
        background: height relative to the strongest line of a specimen.
        counts: at the strongest line of a typical specimen.
        noise: standard error of the property, which is of order one.

    Returns:
        The world.

    Raises:
        TielineError: a setting is out of range.
    """
    _check(n_phases, n_specimens, two_theta, n_angles, counts, softness)
    rng = np.random.default_rng(seed)
    composition = _spread(n_specimens)
    energies, fraction, own = _phases(rng, composition, n_phases, softness)
    lines = [_lines(rng, cell, two_theta) for _ in range(n_phases)]
    strength = np.exp(0.3 * rng.standard_normal(n_phases))
    slope = vegard * rng.standard_normal((n_phases, 3))
    strain = np.einsum("ikj,kj->ik", own - energies.centre, slope)
    angles = np.linspace(*two_theta, n_angles)
    shift = displacement * rng.standard_normal(n_specimens)
    clean = np.zeros((n_specimens, n_angles))
    for k, phase in enumerate(lines):
        factor = np.exp(texture * rng.standard_normal((n_specimens, len(phase.intensity))))
        drawn = _draw(angles, phase, strain[:, k], shift, factor, width)
        clean += (fraction[:, k] * strength[k])[:, None] * drawn
    seen = _counted(rng, clean, angles, background, counts)
    specimens = np.array([f"S{i + 1:03d}" for i in range(n_specimens)])
    table = _table(rng, composition, fraction, specimens, noise)
    in_sight = strength * np.array([_area(phase, two_theta) for phase in lines])
    truth = _truth(fraction, fraction * in_sight, strain, specimens)
    patterns = xr.Dataset(
        {"intensity": (("measurement", "two_theta"), seen, {"units": "counts", "role": "structure"})},
        coords={
            "specimen": ("measurement", specimens),
            "two_theta": ("two_theta", angles, {"units": "deg"}),
        },
    )
    return DiffractionWorld(table, patterns, truth, _sticks(lines, strength, truth["phase"].values))


def _truth(
    fraction: np.ndarray, activation: np.ndarray, strain: np.ndarray, specimens: np.ndarray
) -> xr.Dataset:
    names = np.array([chr(ord("A") + k) for k in range(fraction.shape[1])])
    region = ["+".join(names[row > 0]) for row in fraction.round(3)]
    dims = ("specimen", "phase")
    return xr.Dataset(
        {
            "fraction": (dims, fraction, {"units": "1"}),
            "activation": (dims, activation / activation.sum(1, keepdims=True), {"units": "1"}),
            "strain": (dims, strain, {"units": "1"}),
            "region": ("specimen", np.array(region)),
            "main_phase": ("specimen", names[fraction.argmax(1)]),
        },
        coords={"specimen": specimens, "phase": names},
    )


def _check(
    n_phases: int,
    n_specimens: int,
    two_theta: tuple[float, float],
    n_angles: int,
    counts: float,
    softness: tuple[float, float],
) -> None:
    is_range = 0 < two_theta[0] < two_theta[1] < 180 and 0 < softness[0] <= softness[1]
    if not (3 <= n_phases <= 12 and n_specimens >= 3 and n_angles >= 20 and counts > 0 and is_range):
        raise TielineError(
            "A world of diffraction has 3 to 12 phases, 3 or more specimens, 20 or more rising angles.",
            found=f"n_phases={n_phases}, n_specimens={n_specimens}, two_theta={two_theta}, "
            f"n_angles={n_angles}, counts={counts:g}, softness={softness}",
        )


def _spread(n: int) -> np.ndarray:
    """Compositions (specimen, element): n of the coarsest lattice over the triangle that has as many."""
    steps = 1
    while (steps + 1) * (steps + 2) // 2 < n:
        steps += 1
    lattice = [(a, b, steps - a - b) for a in range(steps + 1) for b in range(steps + 1 - a)]
    kept = np.linspace(0, len(lattice) - 1, n).round().astype(int)
    return np.array(lattice)[kept] / steps


def _phases(
    rng: np.random.Generator, composition: np.ndarray, n_phases: int, softness: tuple[float, float]
) -> tuple[FreeEnergies, np.ndarray, np.ndarray]:
    """Draw free energies until every phase is the main one somewhere."""
    while True:
        corners = 0.05 + 0.85 * np.eye(3)
        centre = np.vstack([corners, rng.dirichlet([2.0, 2.0, 2.0], n_phases - 3)])
        distance = np.linalg.norm(centre[:, None] - centre, axis=2) + 9 * np.eye(n_phases)
        lowest = np.append(np.zeros(3), -rng.uniform(0.3, 1.0, n_phases - 3))
        reach = np.exp(rng.uniform(np.log(softness[0]), np.log(softness[1]), n_phases))
        energies = FreeEnergies(centre, lowest, 0.1 / reach**2)
        if distance.min() < 0.2:
            continue
        fraction, own = energies.equilibrium(composition)
        if (fraction.max(0) > LOWEST_FRACTION).all():
            return energies, fraction, own


def _lines(rng: np.random.Generator, cell: tuple[float, float], two_theta: tuple[float, float]) -> _Lines:
    """Draw a lattice with at least one line well inside the range of angles."""
    low, high = _inverse_spacings(two_theta)
    hkl = np.array(np.meshgrid(*[np.arange(-9, 10)] * 3)).reshape(3, -1).T
    while True:
        kind = list(LATTICES)[rng.integers(len(LATTICES))]
        h, k, l = hkl.T  # noqa: E741
        a = rng.uniform(*cell)
        second, third = (a * (r if r == 1 else r * rng.uniform(0.85, 1.15)) for r in LATTICES[kind])
        square = (h / a) ** 2 + (k / second) ** 2 + (l / third) ** 2
        if kind == "hexagonal":
            square = 4 / 3 * (h**2 + h * k + k**2) / a**2 + (l / third) ** 2
        allowed = square > 0
        if kind == "body-centred cubic":
            allowed &= (h + k + l) % 2 == 0
        if kind == "face-centred cubic":
            allowed &= (h % 2 == k % 2) & (k % 2 == l % 2)
        inverse, multiplicity = np.unique(np.sqrt(square[allowed]).round(8), return_counts=True)
        inside = (inverse > 0.95 * low) & (inverse < 1.05 * high)
        inverse, multiplicity = inverse[inside], multiplicity[inside]
        if not ((inverse > 1.02 * low) & (inverse < 0.98 * high)).any():
            continue
        theta = np.arcsin(inverse * WAVELENGTH / 2)
        polarisation = (1 + np.cos(2 * theta) ** 2) / (np.sin(theta) ** 2 * np.cos(theta))
        waller = np.exp(-2 * 1.0 * (inverse / 2) ** 2)
        squared = rng.gamma(0.7, 1.0, len(inverse))
        intensity = multiplicity * squared * polarisation * waller
        strong = intensity > 0.005 * intensity.max()
        return _Lines(inverse[strong], (intensity / intensity.max())[strong])


def _area(lines: _Lines, two_theta: tuple[float, float]) -> float:
    """Sum of the lines within the range of angles."""
    low, high = _inverse_spacings(two_theta)
    return float(lines.intensity[(lines.inverse_spacing > low) & (lines.inverse_spacing < high)].sum())


def _inverse_spacings(two_theta: tuple[float, float]) -> np.ndarray:
    """Reciprocal spacings, 1/angstrom, of angles in degrees."""
    return 2 * np.sin(np.radians(np.array(two_theta) / 2)) / WAVELENGTH


def _angles(inverse_spacing: np.ndarray) -> np.ndarray:
    """Angles, degrees, of reciprocal spacings in 1/angstrom; 180 of those too large for one."""
    return 2 * np.degrees(np.arcsin(np.clip(inverse_spacing * WAVELENGTH / 2, 0, 1)))


def _draw(
    angles: np.ndarray,
    lines: _Lines,
    strain: np.ndarray,
    shift: np.ndarray,
    factor: np.ndarray,
    width: float,
) -> np.ndarray:
    """Patterns (specimen, two_theta) of one phase: pseudo-Voigt lines, half Gaussian and half Lorentzian."""
    drawn = np.zeros((len(strain), len(angles)))
    for line, (inverse, intensity) in enumerate(zip(lines.inverse_spacing, lines.intensity, strict=True)):
        place = _angles(inverse / (1 + strain)) + shift
        away = (angles - place[:, None]) / (width / 2)
        profile = 0.5 * np.exp2(-(away**2)) + 0.5 / (1 + away**2)
        drawn += intensity * factor[:, line, None] * profile
    return drawn


def _counted(
    rng: np.random.Generator, clean: np.ndarray, angles: np.ndarray, background: float, counts: float
) -> np.ndarray:
    """Add background and brightness, and count photons."""
    n, along = len(clean), (angles - angles[0]) / np.ptp(angles)
    height = background * np.exp(0.2 * rng.standard_normal((n, 2)))
    falling = height[:, :1] * np.exp(-2 * along)
    broad = height[:, 1:] * np.exp(-0.5 * ((along - rng.uniform(0.2, 0.6)) / 0.15) ** 2)
    typical = np.median(clean.max(1))
    brightness = np.exp(0.15 * rng.standard_normal((n, 1))) * counts / typical
    return rng.poisson(brightness * (clean + typical * (falling + broad))).astype(float)


def _table(
    rng: np.random.Generator,
    composition: np.ndarray,
    fraction: np.ndarray,
    specimens: np.ndarray,
    noise: float,
) -> xr.Dataset:
    """Composition and a property that is smooth within every phase."""
    level = rng.standard_normal(fraction.shape[1])
    slope = rng.standard_normal((fraction.shape[1], 3))
    value = (fraction * (level + composition @ slope.T)).sum(1) + noise * rng.standard_normal(len(fraction))
    return xr.Dataset(
        {
            "composition": (("specimen", "element"), composition, {"role": "synthesis", "units": "1"}),
            "magnetisation": ("specimen", value, {"role": "property", "units": "1"}),
        },
        coords={"specimen": specimens, "element": list(ELEMENTS)},
    )


def _sticks(lines: list[_Lines], strength: np.ndarray, names: np.ndarray) -> xr.Dataset:
    """Lines (phase, line) of every phase, NaN where it has fewer."""
    n_lines = max(len(phase.intensity) for phase in lines)
    place, height = np.full((2, len(lines), n_lines), np.nan)
    for k, phase in enumerate(lines):
        n = len(phase.intensity)
        place[k, :n] = _angles(phase.inverse_spacing)
        height[k, :n] = phase.intensity * strength[k]
    dims = ("phase", "line")
    return xr.Dataset(
        {
            "two_theta": (dims, place, {"units": "deg"}),
            "intensity": (dims, height, {"units": "a.u."}),
        },
        coords={"phase": names},
    )
