"""Whether another table helps where there are few labels: 100 of them, paired over seeds.

transfer: bulk modulus of AFLOW; the source has Debye temperature, thermal conductivity and expansion, band
gap and energy of others. transfer_phdos: phonon densities of states; the source is AFLOW's seven
properties. What is asked are chemical systems that neither the labels nor the source contain. `tieline` has
no source, `tieline:shuffled` one whose compositions have the properties of others: it should gain nothing.

gain is the share of the error that is saved against `tieline`, mean over seeds; gain_se its standard error.
used is the share of seeds in which the model kept the source.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import xarray as xr

from benchmarks.methods import timed
from benchmarks.tasks import Row
from tieline.models.composition_properties import CompositionProperties
from tieline.schema import chemical_systems

N_LABELS = 100
N_SOURCE = 2000  # rows of a source, so that a seed takes about a minute
HELD_OUT = 0.15


def transfer_rows(
    case: str, target: xr.Dataset, properties: Sequence[str], source: xr.Dataset, seeds: Sequence[int]
) -> Iterator[Row]:
    """Compare what is learned from few labels without, with, and with a shuffled source."""
    errors: dict[str, list[float]] = {"tieline": [], "tieline:transfer": [], "tieline:shuffled": []}
    seconds: dict[str, list[float]] = {method: [] for method in errors}
    used: dict[str, list[bool]] = {"tieline:transfer": [], "tieline:shuffled": []}
    for seed in seeds:
        known, asked, others = few_labels(target, source, seed)
        sources = {
            "tieline": {},
            "tieline:transfer": {"source": others},
            "tieline:shuffled": {"source": shuffled(others, seed)},
        }
        scale = np.array([float(known[name].std()) or 1.0 for name in properties])
        for method, given in sources.items():
            posterior, taken = timed(
                CompositionProperties("composition", properties).fit, known, transfer=given, seed=seed
            )
            predicted = posterior.predict(asked)
            off = [
                np.abs(predicted[f"{name}_quantile"].sel(probability=0.5) - asked[name]).mean()
                for name in properties
            ]
            errors[method].append(float(np.mean(np.array(off) / scale)))
            seconds[method].append(taken)
            if given:
                used[method].append(posterior.help[0].is_used)
    for method, values in errors.items():
        taken = float(np.mean(seconds[method]))
        figures = {"mae": float(np.mean(values))}
        if method in used:
            gain = 1 - np.array(values) / np.array(errors["tieline"])
            figures |= {"gain": float(gain.mean()), "used": float(np.mean(used[method]))}
            if len(gain) > 1:
                figures["gain_se"] = float(gain.std(ddof=1) / np.sqrt(len(gain)))
        for metric, value in figures.items():
            yield Row("composition", case, method, metric, value, taken)


def few_labels(
    target: xr.Dataset, source: xr.Dataset, seed: int
) -> tuple[xr.Dataset, xr.Dataset, xr.Dataset]:
    """Labels to learn from, systems to ask about, and a source without these."""
    rng = np.random.default_rng(seed)
    systems, in_source = (chemical_systems(table["composition"]) for table in (target, source))
    names = rng.permutation(np.unique(systems))
    is_asked = np.isin(systems, names[: round(HELD_OUT * len(names))])
    known = rng.permutation(np.flatnonzero(~is_asked))[:N_LABELS]
    others = rng.permutation(np.flatnonzero(~np.isin(in_source, systems[is_asked])))[:N_SOURCE]
    return (
        target.isel(specimen=np.sort(known)),
        target.isel(specimen=is_asked),
        source.isel(specimen=np.sort(others)),
    )


def shuffled(source: xr.Dataset, seed: int) -> xr.Dataset:
    """The same properties, each set of them of another composition."""
    order = np.random.default_rng(seed).permutation(source.sizes["specimen"])
    columns = {
        name: values.copy(data=values.values[order])
        for name, values in source.data_vars.items()
        if name != "composition"
    }
    return source.assign(columns)
