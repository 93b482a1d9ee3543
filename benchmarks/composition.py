"""From composition to many properties: AFLOW, ESTM and phonon spectra, beside trees and a plain process.

aflow7_random, aflow7_grouped: seven computed properties of 4,855 formulas; 15 % of the materials, or of the
chemical systems, are held out. crabnet_...: the published split of one property; all learn from its
training and validation rows, tieline also from the other properties of materials that are not in its test
set. estm_grouped: Seebeck coefficient, log electrical and log thermal conductivity at five temperatures;
methods with `_curves` learn from whole curves against temperature. phdos_grouped: phonon densities of
states in 66 bins. transfer...: from 100 labels, with another table beside them. conditioning: thermal
conductivity given the elastic moduli of the same material, and without them. cost: a fit to 3,400 rows, and
10,000 compositions predicted.

Errors are mean absolute errors of the median, over the standard deviation of the training values and averaged
over properties; of crabnet_... in the unit of the property, of phdos_grouped as they are.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd
import xarray as xr

from benchmarks.composition_peers import PEERS
from benchmarks.composition_transfer import transfer_rows
from benchmarks.methods import timed
from benchmarks.tasks import Options, Row, data_folder, no_data
from tieline import datasets
from tieline.features.represent import represent
from tieline.models.composition_properties import CompositionProperties
from tieline.schema import chemical_systems
from tieline.schema import table as tieline_table

ELASTIC = ("bulk_modulus", "shear_modulus")
CRABNET = {
    "crabnet_bulk": "bulk_modulus",
    "crabnet_shear": "shear_modulus",
    "crabnet_debye": "debye_temperature",
    "crabnet_kappa": "thermal_conductivity",
    "crabnet_alpha": "thermal_expansion",
}
AFLOW = ("band_gap", *CRABNET.values(), "energy")
CASES = (
    "aflow7_random",
    "aflow7_grouped",
    *CRABNET,
    "estm_grouped",
    "phdos_grouped",
    "conditioning",
    "transfer",
    "transfer_phdos",
    "cost",
)
WITH_ENCODER = (*CRABNET, "cost")  # also with networks of attention, which take minutes
WITH_HCLMP = ("aflow7_grouped", "estm_grouped")
SOURCE = ("debye_temperature", "thermal_conductivity", "thermal_expansion", "band_gap", "energy")
CONDUCTIVITIES = ("electrical_conductivity", "thermal_conductivity")
TEMPERATURES = (300, 400, 500, 600, 700)  # K
BESIDE = 30  # K that a curve may end before the first or the last of them
FEWEST_ON_CURVE = 3
SPECTRUM = "phonon_dos"
SEEDS = (0, 5)
HELD_OUT = 0.15


@dataclass(frozen=True, eq=False)
class Split:
    """Learn from one table, predict another.

    Attributes:
        known: what is learned from.
        asked: what is predicted and scored.
        design: of the model.
        properties: that are learned.
        scored: those of them that count.
        scale: what errors are divided by (scored).
    """

    known: xr.Dataset
    asked: xr.Dataset
    design: list[str]
    properties: list[str]
    scored: list[str]
    scale: np.ndarray


def run(options: Options) -> Iterator[Row]:
    """Run the cases."""
    folder = data_folder("composition")
    for case in filter(options.wants, CASES):
        if folder is None:
            yield no_data("composition", case)
            continue
        seeds = range(options.first_seed, options.first_seed + options.n_seeds)
        if case.startswith("transfer"):
            if options.methods != "peers":
                yield from _transfer(case, seeds)
            continue
        yield from _case(case, list(seeds)[: 1 if case in (*CRABNET, "cost") else None], options.methods)


def _case(case: str, seeds: Sequence[int], methods: str) -> Iterator[Row]:
    splits = [_split(case, seed) for seed in seeds]
    asked: dict[str, Callable] = {}
    if methods in ("all", "tieline"):
        asked["tieline"] = _ask_given if case == "conditioning" else _ask_tieline
        if case == "conditioning":
            asked["tieline:composition"] = _ask_tieline
        if case in WITH_ENCODER:
            asked["tieline:encoder"] = partial(_ask_tieline, method="encoder")
        if case in WITH_HCLMP:
            asked["tieline:hclmp"] = partial(_ask_tieline, method="hclmp")
    if methods in ("all", "peers") and case not in ("conditioning", "cost"):
        asked |= PEERS
    if case == "estm_grouped":
        joint = {"tieline": "tieline:curves"}
        asked |= {
            joint.get(name, f"{name}_curves"): along_curves(ask)
            for name, ask in asked.items()
            if name != "tieline:hclmp"
        }
    for method, ask in asked.items():
        scores: dict[str, list[float]] = {}
        taken = []
        for split, seed in zip(splits, seeds, strict=True):
            found, seconds = timed(ask, split, seed)
            taken.append(seconds)
            for metric, value in _scores(split, found).items():
                scores.setdefault(metric, []).append(value)
        for metric, values in scores.items():
            yield Row("composition", case, method, metric, float(np.mean(values)), float(np.mean(taken)))
        if len(seeds) > 1:
            error = float(np.std(scores["mae"], ddof=1) / np.sqrt(len(seeds)))
            yield Row("composition", case, method, "mae_se", error, float(np.mean(taken)))


def _scores(split: Split, found: xr.Dataset) -> dict[str, float]:
    errors, inside = [], []
    for name, scale in zip(split.scored, split.scale, strict=True):
        truth = split.asked[name].values
        # What never varied in the training rows was not learned.
        guess = found[name].values if name in found else split.known[name].values.mean()
        errors.append(np.abs(guess - truth).mean() / scale)
        if f"{name}_low" in found:
            inside.append(((found[f"{name}_low"] <= truth) & (truth <= found[f"{name}_high"])).values.mean())
    scores = {"mae": float(np.mean(errors))}
    if inside:
        scores["coverage_90"] = float(np.mean(inside))
    return scores | found.attrs


def _ask_tieline(split: Split, seed: int, given: Sequence[str] = (), *, method: str = "stack") -> xr.Dataset:
    model = CompositionProperties(split.design, split.properties, method)
    posterior = model.fit(split.known, seed=seed)
    predicted, seconds = timed(posterior.predict, split.asked, given=given)
    answer = {}
    for name, quantile in _quantiles(predicted, split):
        for end, level in (("_low", 0.05), ("", 0.5), ("_high", 0.95)):
            answer[f"{name}{end}"] = quantile.sel(probability=level, drop=True)
    attrs = {"cpu_seconds_predict": seconds}
    if SPECTRUM in split.properties:
        attrs["band_90"] = _share_in_band(predicted, split.asked)
    return xr.Dataset(answer, attrs=attrs)


def _quantiles(predicted: xr.Dataset, split: Split) -> Iterator[tuple[str, xr.DataArray]]:
    """Names and quantiles (specimen, probability) of what is scored, bins of a spectrum one by one."""
    for name in split.properties:
        quantile = predicted[f"{name}_quantile"]
        if name == SPECTRUM:
            yield from ((f"bin_{i}", quantile.isel(bin=i, drop=True)) for i in range(quantile.sizes["bin"]))
        elif name in split.scored:
            yield name, quantile


def _share_in_band(predicted: xr.Dataset, asked: xr.Dataset) -> float:
    """Share of the spectra that lie in their bands with all bins."""
    band, truth = predicted[f"{SPECTRUM}_band"], asked[SPECTRUM]
    is_inside = (band.sel(side="low") <= truth) & (truth <= band.sel(side="high"))
    return float(is_inside.all("bin").mean())


def _ask_given(split: Split, seed: int) -> xr.Dataset:
    return _ask_tieline(split, seed, given=ELASTIC)


def _split(case: str, seed: int) -> Split:
    if case in CRABNET:
        return crabnet(CRABNET[case])
    if case == "estm_grouped":
        return _estm(seed)
    if case == "phdos_grouped":
        return _phonons(seed)
    table = complete_aflow()
    if case == "cost":
        return _repeated(table, seed)
    is_test = held_out(table, seed, grouped=case == "aflow7_grouped")
    scored = ["thermal_conductivity"] if case == "conditioning" else list(AFLOW)
    return _divided(table, is_test, ["composition"], list(AFLOW), scored)


def _transfer(case: str, seeds: Sequence[int]) -> Iterator[Row]:
    aflow = complete_aflow()
    if case == "transfer":
        yield from transfer_rows(case, aflow, ["bulk_modulus"], aflow[["composition", *SOURCE]], seeds)
        return
    table, names = _phonon_bins()
    yield from transfer_rows(case, table, names, aflow[["composition", *AFLOW]], seeds)


def complete_aflow() -> xr.Dataset:
    """The 4,855 rows of AFLOW that have all seven properties."""
    table = represent(datasets.load("aflow"), properties=AFLOW)
    return table.isel(specimen=np.isfinite(np.stack([table[name] for name in AFLOW])).all(0))


def held_out(table: xr.Dataset, seed: int, *, grouped: bool) -> np.ndarray:
    """Mark a share of the materials, or of the chemical systems, whatever the spelling of their formulas."""
    systems = chemical_systems(table["composition"])
    group = np.unique(systems, return_inverse=True)[1].ravel() if grouped else _materials(table)
    order = np.random.default_rng(seed).permutation(group.max() + 1)
    return np.isin(group, order[: round(HELD_OUT * len(order))])


def _materials(table: xr.Dataset) -> np.ndarray:
    """Number of the material of each row, whatever the spelling of its formula."""
    fractions = table["composition"].values.round(9)
    return np.unique(fractions, axis=0, return_inverse=True)[1].ravel()


def _divided(
    table: xr.Dataset, is_test: np.ndarray, design: list[str], properties: list[str], scored: list[str]
) -> Split:
    known, asked = table.isel(specimen=~is_test), table.isel(specimen=is_test)
    scale = np.array([float(known[name].std()) for name in scored])
    return Split(known, asked, design, properties, scored, scale)


def crabnet(name: str) -> Split:
    """The published split of one property. What is in any test set teaches nothing, in any spelling."""
    table = represent(datasets.load("aflow"), properties=list(CRABNET.values()))
    is_test = (table[f"{name}_split"] == "test").values
    splits = [table[f"{other}_split"].values for other in CRABNET.values()]
    material = _materials(table)
    is_hidden = np.isin(material, material[is_test])
    is_used = np.isin(splits, ("train", "val")).any(0) & ~is_hidden
    is_scored = is_test & table[name].notnull().values
    known = table.isel(specimen=is_used)
    for other, split in zip(CRABNET.values(), splits, strict=True):
        # A row of this property's training set may be in the test set of another: that label stays unseen.
        known[other] = known[other].where(np.isin(split[is_used], ("train", "val")))
    asked = table.isel(specimen=is_scored)
    return Split(known, asked, ["composition"], list(CRABNET.values()), [name], np.ones(1))


def _logarithmic_estm() -> xr.Dataset:
    """ESTM with the logarithms of its conductivities."""
    table = represent(datasets.load("estm"))
    return table.assign({name: np.log10(table[name].where(table[name] > 0)) for name in CONDUCTIVITIES})


def _estm(seed: int) -> Split:
    """Three properties at five temperatures, of the 458 formulas that were measured from one to the other."""
    columns = ["formula", "temperature", "seebeck_coefficient", *CONDUCTIVITIES]
    rows = _logarithmic_estm().reset_coords("formula")[columns].to_dataframe()
    wide = {}
    for formula, one in rows.dropna().groupby("formula"):
        one = one.groupby("temperature").mean(numeric_only=True)
        is_wide = one.index[0] <= TEMPERATURES[0] + BESIDE and one.index[-1] >= TEMPERATURES[-1] - BESIDE
        if is_wide and len(one) >= FEWEST_ON_CURVE:
            wide[formula] = {
                f"{name}_{at}": np.interp(at, one.index, one[name]) for name in one for at in TEMPERATURES
            }
    sheet = pd.DataFrame.from_dict(wide, orient="index")
    names = list(sheet.columns)
    made = tieline_table(sheet.rename_axis("formula").reset_index(), formula="formula")
    return _divided(made, held_out(made, seed, grouped=True), ["composition"], names, names)


def along_curves(ask: Callable) -> Callable:
    """Answer the questions of `_estm` after learning from all curves of other chemical systems."""

    def answer(split: Split, seed: int) -> xr.Dataset:
        table = _logarithmic_estm()
        names = ["seebeck_coefficient", *CONDUCTIVITIES]
        known = np.isfinite(np.stack([table[name] for name in names])).all(0)
        asked_systems = chemical_systems(split.asked["composition"])
        known &= ~np.isin(chemical_systems(table["composition"]), asked_systems)
        n = split.asked.sizes["specimen"]
        composition = split.asked["composition"].reindex(element=table["element"].values).fillna(0.0)
        at = np.repeat(TEMPERATURES, n).astype(float)
        asked = xr.Dataset(
            {
                "composition": (composition.dims, np.tile(composition.values, (len(TEMPERATURES), 1))),
                "temperature": ("specimen", at, {"units": "K"}),
            },
            {"specimen": np.arange(len(at)), "element": table["element"].values},
        )
        long = Split(
            table.isel(specimen=known),
            asked,
            ["composition", "temperature"],
            names,
            names,
            np.ones(len(names)),
        )
        found = ask(long, seed)
        wide = {}
        for name, values in found.data_vars.items():
            end = next((e for e in ("_low", "_high") if str(name).endswith(e)), "")
            for temperature, part in zip(
                TEMPERATURES, np.split(values.values, len(TEMPERATURES)), strict=True
            ):
                wide[f"{str(name).removesuffix(end)}_{temperature}{end}"] = ("specimen", part)
        return xr.Dataset(wide)

    return answer


def _phonon_bins() -> tuple[xr.Dataset, list[str]]:
    """Phonon densities of states, one column a bin."""
    table = represent(datasets.load("phonon-dos"))
    names = [f"bin_{i}" for i in table["bin"].values]
    bins = {name: table[SPECTRUM].isel(bin=i, drop=True) for i, name in enumerate(names)}
    return table.assign(bins), names


def _phonons(seed: int) -> Split:
    """Spectra as a whole for tieline, as one column a bin for the others."""
    table, names = _phonon_bins()
    is_test = held_out(table, seed, grouped=True)
    split = _divided(table, is_test, ["composition"], [SPECTRUM], names)
    return replace(split, scale=np.ones(len(names)))


def _repeated(table: xr.Dataset, seed: int) -> Split:
    """3,400 to learn from, and 10,000 to ask about, some of them alike."""
    rng = np.random.default_rng(seed)
    known = table.isel(specimen=np.sort(rng.permutation(table.sizes["specimen"])[:3400]))
    asked = table.isel(specimen=rng.integers(table.sizes["specimen"], size=10_000))
    scale = np.array([float(known[name].std()) for name in AFLOW])
    return Split(known, asked, ["composition"], list(AFLOW), list(AFLOW), scale)
