"""The demonstration: three campaigns, from data to proposals, without a network."""

import os
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import xarray as xr

from tieline import datasets, worlds
from tieline.errors import TielineError
from tieline.evaluation.scores import accuracy, r2
from tieline.features.represent import represent
from tieline.figures.report import Chapter
from tieline.models.phase_property import PhaseProperty
from tieline.planning.goals import Goal, LearnPhaseMap, Maximize
from tieline.planning.pool import default_pool
from tieline.planning.propose import propose

N_PROPOSALS = 5
WORLD_SEED = 7
LATP = (
    "22 sintered pellets of a lithium conductor from a thesis: three process settings, relative density and"
    " ionic conductivity. What should be sintered next for the highest conductivity?"
)
SIMULATED = (
    "60 specimens of three elements from a simulated world, each with a phase label, a property, both or"
    " neither. Which label would tell most about the phase map, and where is the property large?"
)
FE_GA_PD = (
    "A measured thin-film library. The phase regions of 49 and the remanent magnetisation of 46 specimens are"
    " shown to the model, the rest is held back. Where is the magnetisation largest?"
)


@dataclass(frozen=True)
class Study:
    """One campaign of the demonstration, ready to be fitted."""

    title: str
    about: str
    table: xr.Dataset
    model: PhaseProperty
    goal: Goal
    pool: xr.Dataset | None = None
    source: str = ""
    world: worlds.World | None = None


def studies(*, offline: bool = False) -> Iterator[Study | str]:
    """Offer the campaigns one by one; a sentence in place of one that cannot be had here."""
    yield _latp()
    yield _simulated()
    yield _fe_ga_pd(offline)


def run(study: Study) -> Chapter:
    """Fit, judge and propose."""
    posterior = study.model.fit(study.table, seed=0)
    pool = default_pool(posterior) if study.pool is None else study.pool
    batch = propose(posterior, pool, study.goal, N_PROPOSALS)
    remarks = [f"Data: {study.source}."] if study.source else []
    if study.world is not None:
        remarks.append(_compare_with_truth(posterior, study.world))
    return Chapter(study.title, study.about, posterior, posterior.diagnose(), batch, tuple(remarks))


def _latp() -> Study:
    record = datasets.load("latp")
    design = ["relative_phosphoric_acid", "sintering_temperature", "dwell_time"]
    return Study(
        title="LATP solid electrolyte",
        about=LATP,
        table=represent(record),
        model=PhaseProperty(design=design, properties=["ionic_conductivity", "relative_density"]),
        goal=Maximize("ionic_conductivity"),
        pool=datasets.latp_candidates(),
        source=record.attrs["source"],
    )


def _simulated() -> Study:
    world = worlds.phase_map(WORLD_SEED, composition=True, n_phases=3, n_specimens=60)
    return Study(
        title="A simulated composition spread",
        about=SIMULATED,
        table=world.table,
        model=PhaseProperty(design=world.design, phase="phase", properties=world.properties),
        goal=0.5 * Maximize(world.properties[0]) + 0.5 * LearnPhaseMap(),
        world=world,
    )


def _fe_ga_pd(offline: bool) -> Study | str:
    if offline and not os.environ.get("TIELINE_DATA"):
        return "Fe-Ga-Pd was left out: it is not in $TIELINE_DATA, and nothing may be downloaded."
    try:
        record = datasets.load("fe-ga-pd")
    except TielineError as error:
        return f"Fe-Ga-Pd was left out: {error.what}"
    table = represent(record)
    return Study(
        title="Fe-Ga-Pd composition spread",
        about=FE_GA_PD,
        table=_hide(table, record.attrs["structure_rows"], record.attrs["property_rows"]),
        model=PhaseProperty(design="composition", phase="phase", properties=["remanent_magnetisation"]),
        goal=Maximize("remanent_magnetisation"),
        pool=table[["composition"]].drop_isel(specimen=record.attrs["property_rows"]),
        source=record.attrs["source"],
    )


def _hide(table: xr.Dataset, structure_rows: list[int], property_rows: list[int]) -> xr.Dataset:
    """Keep labels and values of some rows only."""
    rows = np.arange(table.sizes["specimen"])
    labelled = xr.DataArray(np.isin(rows, structure_rows), dims="specimen")
    measured = xr.DataArray(np.isin(rows, property_rows), dims="specimen")
    name = "remanent_magnetisation"
    hidden = table.assign({"phase": table["phase"].where(labelled, ""), name: table[name].where(measured)})
    for variable in ("phase", name):
        hidden[variable].attrs = table[variable].attrs
    return hidden


def _compare_with_truth(posterior, world: worlds.World) -> str:
    """Say how close the posterior comes to a simulated truth, at places it has not seen."""
    truth, predicted = world.truth(world.grid), posterior.predict(world.grid)
    name = world.properties[0]
    right = accuracy(truth["phase"].values, predicted["most_likely_phase"].values)
    explained = r2(truth[name].values, predicted[name].values)
    return (
        f"The world is simulated, so the truth is known: at {world.grid.sizes['specimen']} places that nobody"
        f" measured, {100 * right:.0f} % of the phases are right, and {100 * explained:.0f} % of the variance"
        " of the property is explained."
    )
