"""Simulated ToF-SIMS of lithium compounds: pure references and mixtures of known composition.

The generator is *not* the model that is judged on it: its noise is log-normal in every peak, its matrix
effects and contaminations belong to one specimen.

**Peaks.** The characteristic ions that the study prints (Table 4.6, part C) at their exact masses, and
further peaks at random places below m/z 120, together `n_peaks`.

**Pure spectra.** Every peak has a level that all compounds share, log-normal (median 150 counts, sd 1.2 of
the logarithm), and every compound departs from it by a log-normal factor (sd 0.5). A characteristic ion of a
compound has a further log-normal number of counts (median 10,000, sd 1), the first of the printed list twice
and the last half of that; in each other compound it has at most a tenth of it. Li2O has no characteristic
ion, as in the
study: its LiO-, LiO2- and Li2O- are weaker than those of Li2CO3 and LiOH. 6Li-, O- and OH- are strong in all.

**Spots.** The counts of one spot are Poisson around

    dose * factor_j * sum over compounds of share * yield * level_j

with a log-normal dose (sd 0.15) and a log-normal factor for each peak (sd 0.25). The yield of a compound is 1
in its pure pellet; in every mixture it is log-normal with sd `matrix_effect`.

**Unknowns.** Each mixture has two compounds with a share uniform in [0.1, 0.9], by weight. A share
`contamination` of them carries a film of hydrocarbons, and a share `strangers` of them has a tenth to a half
of a compound that is none of the references.

Source: Zhao, KIT (2024), section 4.3; Zhao et al. (2023), doi:10.1021/acsami.3c09643.
"""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import xarray as xr

from tieline.errors import TielineError
from tieline.schema.isotopes import ion_mass

COMPOUNDS = ("Li2CO3", "Li2O", "Li3N", "LiH", "LiOH")
HYDROCARBONS = ("CH", "CH2", "CH3", "C2H", "C2H2", "C2H3", "C3H", "C3H2", "C3H3", "C4H", "C4H2")
OXIDES = ("LiO", "LiO2", "Li2O")
COMMON = ("6Li", "O", "OH")  # strong in all, as the study calibrates its mass axis to them
RANGE = (5.0, 120.0)  # u
CLOSEST = 0.02  # u: peaks that are nearer would not have been told apart
LEVEL, LEVEL_SD, OWN_SD = 150.0, 1.2, 0.5
ION_COUNTS, ION_SD = 10_000.0, 1.0
ELSEWHERE = 0.1


@dataclass(frozen=True, eq=False)
class SpectralWorld:
    """A simulated truth of spectra, and what an instrument counted.

    Attributes:
        references: spots of pure compounds on `specimen`: area (specimen, mz) in counts, reference (the
            compound) and pellet.
        unknowns: spots of mixtures on `specimen`: area (specimen, mz) and pellet.
        truth: of the unknowns: share (specimen, compound), yield_factor (specimen, compound), and whether
            they carry a film (is_contaminated) or a compound that is no reference (has_stranger).
        ions: level (compound, mz) in counts, and ion and characteristic_of (mz); "" where nothing is known.
    """

    references: xr.Dataset
    unknowns: xr.Dataset
    truth: xr.Dataset
    ions: xr.Dataset

    def characteristic(self, compound: str) -> list[float]:
        """List m/z of the characteristic ions that were planted for a compound."""
        of = [compound in str(text).split() for text in self.ions["characteristic_of"].values]
        return self.ions["mz"].values[of].tolist()


def tofsims(
    seed: int = 0,
    *,
    n_spots: int = 12,
    n_mixtures: int = 30,
    n_peaks: int = 300,
    spot_noise: float = 0.25,
    dose_noise: float = 0.15,
    dose: float = 1.0,
    matrix_effect: float = 0.0,
    contamination: float = 0.0,
    strangers: float = 0.0,
    spots_per_mixture: int = 1,
) -> SpectralWorld:
    """Draw ToF-SIMS spectra of five lithium compounds and of mixtures whose composition is known.

    Args:
        seed: of everything that is drawn.
        n_spots: measured on each pure compound.
        n_mixtures: how many mixtures.
        n_peaks: peaks of a spectrum; at least 90, so that all characteristic ions have their place.
        spot_noise: sd of the logarithm of each peak between spots.
        dose_noise: sd of the logarithm of the dose between spots.
        dose: ions per spot in units of the study's; counts are proportional to it.
        matrix_effect: sd of the logarithm of a compound's yield between mixtures.
        contamination: share of the mixtures with a film of hydrocarbons.
        strangers: share of the mixtures with a compound that is no reference.
        spots_per_mixture: measured on each mixture.

    Returns:
        The world; its tables have one row for each spot.

    Raises:
        TielineError: a setting is out of range.

    Example:
        >>> tofsims(0).references["area"].sizes
        Frozen({'specimen': 60, 'mz': 300})
    """
    positive = {
        "n_spots": n_spots,
        "n_mixtures": n_mixtures,
        "dose": dose,
        "spots a mixture": spots_per_mixture,
    }
    _check(positive, {"contamination": contamination, "strangers": strangers}, n_peaks)
    streams = np.random.default_rng(seed).spawn(4)
    ions = _ions(streams[0], n_peaks)
    pure = np.repeat(ions["level"].values, n_spots, axis=0)
    noise = (dose, dose_noise, spot_noise)
    references = _table(_spots(streams[1], pure, *noise), ions, np.repeat(COMPOUNDS, n_spots), n_spots)
    truth = _mixtures(streams[2], n_mixtures, matrix_effect, contamination, strangers)
    mixed = np.repeat(_levels(streams[2], truth, ions), spots_per_mixture, axis=0)
    names = np.repeat([f"mixture {i + 1}" for i in range(n_mixtures)], spots_per_mixture)
    unknowns = _table(_spots(streams[3], mixed, *noise), ions, names, spots_per_mixture)
    rows = np.repeat(np.arange(n_mixtures), spots_per_mixture)
    truth = truth.isel(specimen=rows).assign_coords(specimen=unknowns["specimen"])
    return SpectralWorld(
        references.assign(reference=references["pellet"].assign_attrs(role="structure")),
        unknowns,
        truth,
        ions,
    )


@cache
def characteristic_ions() -> dict[str, tuple[str, ...]]:
    """Look up the characteristic ions of each compound as the study prints them, most important first.

    Source:
        Zhao, KIT (2024), Table 4.6, part C. Li- stands for the misprinted eleventh of LiH; the twelfth of
        LiOH repeats the fifth and is left out; Li2O has none of its own.
    """
    text = files("tieline").joinpath("data/lithium_ions.csv").read_text(encoding="utf-8")
    found: dict[str, tuple[str, ...]] = {compound: () for compound in COMPOUNDS}
    for compound, _, ion in (line.split(",") for line in text.splitlines()[1:]):
        found[compound] = (*found[compound], ion)
    return found


def _check(positive: dict[str, float], shares: dict[str, float], n_peaks: int) -> None:
    wrong = [f"{name}={value:g}" for name, value in positive.items() if value <= 0]
    wrong += [f"{name}={value:g}" for name, value in shares.items() if not 0 <= value <= 1]
    if wrong:
        raise TielineError(
            "Numbers of spots and mixtures and the dose are positive, shares lie between 0 and 1.",
            found=", ".join(wrong),
        )
    if not 90 <= n_peaks <= 1500:
        raise TielineError("A spectrum has 90 to 1500 peaks.", found=f"n_peaks={n_peaks}")


def _ions(rng: np.random.Generator, n_peaks: int) -> xr.Dataset:
    """Draw the peaks and the pure spectrum of each compound."""
    planted = characteristic_ions()
    named = dict.fromkeys(ion for row in planted.values() for ion in row)
    named |= dict.fromkeys((*COMMON, *OXIDES, *HYDROCARBONS))
    masses = {ion: ion_mass(ion) for ion in named}
    mz = _further_peaks(rng, list(masses.values()), n_peaks)
    name = {round(mass, 6): ion for ion, mass in masses.items()}
    ion = np.array([name.get(round(m, 6), "") for m in mz])
    shared = LEVEL * np.exp(LEVEL_SD * rng.standard_normal(n_peaks))
    level = shared * np.exp(OWN_SD * rng.standard_normal((len(COMPOUNDS), n_peaks)))
    for k, compound in enumerate(COMPOUNDS):
        for rank, own in enumerate(planted[compound]):
            height = ION_COUNTS * 2 ** (1 - 2 * rank / 14) * np.exp(ION_SD * rng.standard_normal())
            elsewhere = rng.uniform(0, ELSEWHERE, len(COMPOUNDS))
            elsewhere[k] = 1
            level[:, ion == own] += (elsewhere * height)[:, None]
    for common in COMMON:
        level[:, ion == common] += 2 * ION_COUNTS
    for oxide in OXIDES:
        level[:, ion == oxide] += ION_COUNTS * np.array([1.0, 0.6, 0.05, 0.05, 0.8])[:, None]
    of = [" ".join(c for c in COMPOUNDS if i in planted[c]) for i in ion]
    return xr.Dataset(
        {
            "level": (("compound", "mz"), level, {"units": "counts"}),
            "ion": ("mz", ion),
            "characteristic_of": ("mz", np.array(of)),
        },
        coords={"compound": list(COMPOUNDS), "mz": ("mz", mz, {"units": "u"})},
    )


def _further_peaks(rng: np.random.Generator, masses: list[float], n_peaks: int) -> np.ndarray:
    """Add peaks to the known masses until there are enough, none too near to another."""
    found = list(masses)
    while len(found) < n_peaks:
        # A mass defect grows with the mass, and differs between oxides (below) and hydrocarbons (above).
        whole = rng.integers(int(RANGE[0]) + 1, int(RANGE[1]))
        place = round(float(whole + whole * rng.uniform(-5e-4, 9e-4) + 0.005 * rng.standard_normal()), 4)
        if min(abs(place - other) for other in found) > CLOSEST / 4:
            found.append(place)
    return np.sort(found)


def _mixtures(
    rng: np.random.Generator, n: int, matrix_effect: float, contamination: float, strangers: float
) -> xr.Dataset:
    """Draw what the mixtures are made of."""
    share = np.zeros((n, len(COMPOUNDS)))
    for row in share:
        weight = rng.uniform(0.1, 0.9)
        row[rng.choice(len(COMPOUNDS), 2, replace=False)] = weight, 1 - weight
    dims = ("specimen", "compound")
    return xr.Dataset(
        {
            "share": (dims, share, {"units": "1"}),
            "yield_factor": (dims, np.exp(matrix_effect * rng.standard_normal(share.shape)), {"units": "1"}),
            "is_contaminated": ("specimen", rng.random(n) < contamination),
            "has_stranger": ("specimen", rng.random(n) < strangers),
        },
        coords={"compound": list(COMPOUNDS)},
    )


def _levels(rng: np.random.Generator, truth: xr.Dataset, ions: xr.Dataset) -> np.ndarray:
    """Expected counts (mixture, mz) at the usual dose."""
    level = (truth["share"] * truth["yield_factor"]).values @ ions["level"].values
    n, n_peaks = level.shape
    is_film = np.array([bool(re.fullmatch("C[0-9]?H[0-9]?", str(ion))) for ion in ions["ion"].values])
    film = np.exp(rng.normal(np.log(3 * ION_COUNTS), 0.7, (n, n_peaks))) * is_film
    stranger = LEVEL * np.exp(LEVEL_SD * rng.standard_normal(n_peaks)) * (rng.random(n_peaks) < 0.5)
    stranger += ION_COUNTS * np.exp(ION_SD * rng.standard_normal(n_peaks)) * (rng.random(n_peaks) < 0.05)
    part = (rng.uniform(0.1, 0.5, n) * truth["has_stranger"].values)[:, None]
    return (1 - part) * level + part * stranger + film * truth["is_contaminated"].values[:, None]


def _spots(
    rng: np.random.Generator, level: np.ndarray, dose: float, dose_noise: float, spot_noise: float
) -> np.ndarray:
    """Count ions: Poisson around levels that vary from spot to spot."""
    doses = dose * np.exp(dose_noise * rng.standard_normal((len(level), 1)))
    factors = np.exp(spot_noise * rng.standard_normal(level.shape))
    return rng.poisson(doses * factors * level).astype(float)


def _table(counts: np.ndarray, ions: xr.Dataset, pellet: np.ndarray, n_spots: int) -> xr.Dataset:
    """One row for each spot."""
    spots = [f"{name}, spot {i % n_spots + 1}" for i, name in enumerate(pellet)]
    return xr.Dataset(
        {
            "area": (("specimen", "mz"), counts, {"units": "counts", "role": "structure"}),
            "pellet": ("specimen", pellet.astype(str), {"role": "process"}),
        },
        coords={"specimen": spots, "mz": ions["mz"]},
    )
