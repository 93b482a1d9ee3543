"""What the elements of a composition are like: their properties, and statistics over a composition.

The table has 32 properties of 97 elements, H to Bk, and comes with the package: the 22 of Magpie, and ten of
Oliynyk's that say how strongly atoms hold together (cohesive energy, boiling point, heats of fusion and of
vaporisation, ionisation energy and so on). Both are small, open and read off CBFV 1.1.0 (MIT licence). On
part of AFLOW's seven properties these 32 predict 1 % better than Magpie alone.

Gaps of Oliynyk's (Po to Ac, Pa, Np to Bk; Mulliken's electronegativity of Kr and Xe too) are filled with the
mean of the element's group. Magpie's melting temperatures of He and Fr, which are a mean over elements there,
were replaced by measured ones (0.95 K at 2.5 MPa; 300 K).
"""

import csv
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

import numpy as np
import xarray as xr
from scipy.special import entr

from tieline.errors import SchemaError
from tieline.features.composition import fractions_of
from tieline.schema.wording import name_some

SOURCE = (
    "Ward et al., npj Comput. Mater. 2, 16028 (2016), doi:10.1038/npjcompumats.2016.28; Oliynyk et al., "
    "Chem. Mater. "
    "28, 7324 (2016), doi:10.1021/acs.chemmater.6b02724; tables of CBFV 1.1.0 (MIT licence)"
)
UNITS = {
    "atomic_weight": "g/mol",
    "melting_temperature": "K",
    "covalent_radius": "pm",
    "ground_state_volume": "Å^3",
    "ground_state_band_gap": "eV",
    "atomic_radius": "Å",
    "mulliken_electronegativity": "eV",
    "first_ionization_energy": "kJ/mol",
    "polarizability": "Å^3",
    "boiling_temperature": "K",
    "density": "g/cm^3",
    "enthalpy_of_fusion": "kJ/mol",
    "enthalpy_of_vaporization": "kJ/mol",
    "cohesive_energy": "eV",
}
HALVES = ("electropositive", "electronegative")
STATISTICS = ("mean", "deviation", "largest", "smallest", "range", "commonest", *HALVES)
N_SHARES = 4  # largest mole fractions that `stoichiometry` tells


@cache
def element_properties() -> xr.Dataset:
    """Look up what the elements are like.

    Returns:
        On `element`: atomic and Mendeleev number, weight, group and period, radii, electronegativities,
        electrons and vacancies of the valence shells; volume, band gap, magnetic moment (Bohr magnetons an
        atom) and space group of the ground state; temperatures and heats of melting and boiling, density,
        cohesive energy.

    Source:
        `attrs["source"]`.
    """
    text = files("tieline").joinpath("data/element_properties.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    names = [name for name in rows[0] if name != "element"]
    return xr.Dataset(
        {n: ("element", [float(r[n]) for r in rows], {"units": UNITS.get(n, "1")}) for n in names},
        coords={"element": [row["element"] for row in rows]},
        attrs={"source": SOURCE},
    )


def element_statistics(composition: xr.DataArray, statistics: Sequence[str] = STATISTICS) -> xr.Dataset:
    """Summarise the elements of each composition: a table of numbers for any model.

    Of every property of `element_properties` over the elements of a composition: the mean and the mean
    absolute deviation from it, both weighed by mole fraction; the largest and the smallest value and their
    distance; the value of the commonest element (the one listed first, if several are); and the means over
    the more electropositive half of the atoms and over the more electronegative one, which tell cations from
    anions without a guess of their charges and change steadily with composition.

    Args:
        composition (specimen, element): mole fractions; NaN where not known.
        statistics: which of them.

    Returns:
        On `specimen`, one variable a statistic: `electronegativity_mean` and so on, with the role synthesis
        and units; NaN where the composition is not known. `.to_dataframe()` is what scikit-learn reads.

    Raises:
        SchemaError: an element is not in the table, a statistic does not exist, or there is no composition.

    Example:
        >>> from tieline.schema import compositions
        >>> found = element_statistics(compositions(["MgO"]))
        >>> found["electronegativity_range"].round(2).item()
        2.13
    """
    if unknown := [s for s in statistics if s not in STATISTICS]:
        raise SchemaError(
            f"There is no statistic '{unknown[0]}'.", found=name_some(unknown), hint=" or ".join(STATISTICS)
        )
    table, fractions = element_properties(), fractions_of(composition)
    symbols = composition["element"].values.astype(str)
    is_used = (np.nan_to_num(fractions) > 0).any(0)
    if strangers := [s for s in symbols[is_used] if s not in table["element"].values]:
        raise SchemaError(
            f"Nothing is known of the element {strangers[0]}.",
            found=f"{name_some(strangers)} in the composition",
            hint="leave these specimens out; the table goes from H to Bk",
        )
    known = table.sel(element=symbols[is_used])
    values = np.stack([known[name].values for name in table.data_vars], 1)
    summaries = _summaries(fractions[:, is_used], values)
    if not set(HALVES).isdisjoint(statistics):
        order = np.argsort(known["electronegativity"].values, kind="stable")
        summaries |= _of_halves(fractions[:, is_used], values, order)
    variables = {}
    for j, name in enumerate(table.data_vars):
        attrs = {"role": "synthesis", "units": table[name].attrs["units"]}
        variables |= {f"{name}_{s}": ("specimen", summaries[s][:, j], attrs) for s in statistics}
    coords = {"specimen": composition["specimen"]} if "specimen" in composition.coords else {}
    return xr.Dataset(variables, coords=coords, attrs={"source": SOURCE})


def stoichiometry(composition: xr.DataArray) -> xr.Dataset:
    """Say in which proportions elements are combined, whichever they are: MgO and NaCl are alike.

    Args:
        composition (specimen, element): mole fractions; NaN where not known.

    Returns:
        On `specimen`, with the role synthesis: the four largest mole fractions, `share_1` to `share_4`; the
        number of elements; `concentration`, the root of the summed squares of all mole fractions; and
        `mixing_entropy`, in units of R. NaN where the composition is not known.

    Raises:
        SchemaError: there is no composition.

    Source:
        Ward et al. (2016), doi:10.1038/npjcompumats.2016.28, for stoichiometric attributes. Departs from it:
        one norm only, and the fractions themselves.

    Example:
        >>> from tieline.schema import compositions
        >>> stoichiometry(compositions(["Fe2O3"]))["share_2"].item()
        0.4
    """
    fractions = fractions_of(composition)
    is_known = np.isfinite(fractions).all(1)
    largest = -np.sort(-np.pad(fractions, ((0, 0), (0, N_SHARES))), axis=1)
    columns = {f"share_{k + 1}": largest[:, k] for k in range(N_SHARES)}
    columns["n_elements"] = (fractions > 0).sum(1).astype(float)
    columns["concentration"] = np.sqrt((fractions**2).sum(1))
    columns["mixing_entropy"] = entr(fractions).sum(1)
    attrs = {"role": "synthesis", "units": "1"}
    variables = {n: ("specimen", np.where(is_known, v, np.nan), attrs) for n, v in columns.items()}
    coords = {"specimen": composition["specimen"]} if "specimen" in composition.coords else {}
    return xr.Dataset(variables, coords=coords)


def _summaries(fractions: np.ndarray, values: np.ndarray) -> dict[str, np.ndarray]:
    """Each statistic (specimen, property) of fractions (specimen, element), values (element, property)."""
    mean = fractions @ values
    is_known = np.isfinite(mean)
    at, share = _packed(fractions)
    is_there = share > 0
    deviation = np.zeros_like(mean)
    largest, smallest = np.full_like(mean, -np.inf), np.full_like(mean, np.inf)
    for k in range(at.shape[1]):  # one place at a time: all at once would not fit into memory
        column, here = values[at[:, k]], is_there[:, k, None]
        deviation += share[:, k, None] * np.abs(column - mean)
        np.maximum(largest, column, out=largest, where=here)
        np.minimum(smallest, column, out=smallest, where=here)
    answer = {
        "mean": mean,
        "deviation": deviation,
        "largest": largest,
        "smallest": smallest,
        "range": np.where(is_known, largest, 0) - np.where(is_known, smallest, 0),
        "commonest": values[np.nan_to_num(fractions).argmax(1)],
    }
    return {name: np.where(is_known, value, np.nan) for name, value in answer.items()}


def _of_halves(fractions: np.ndarray, values: np.ndarray, order: np.ndarray) -> dict[str, np.ndarray]:
    """Means over both halves of the atoms; `order` sorts the elements, the most electropositive first."""
    in_order = fractions[:, order]
    before = np.cumsum(in_order, axis=1) - in_order
    first = np.clip(0.5 - before, 0.0, in_order)
    means = (2 * first @ values[order], 2 * (in_order - first) @ values[order])
    return dict(zip(HALVES, means, strict=True))


def _packed(fractions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which elements are in each composition (specimen, place), and their mole fractions: few out of many."""
    is_there = fractions > 0
    most = max(int(is_there.sum(1).max(initial=0)), 1)
    at = np.argsort(~is_there, axis=1, kind="stable")[:, :most]
    return at, np.take_along_axis(fractions, at, 1)
