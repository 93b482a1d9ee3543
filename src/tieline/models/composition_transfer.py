"""Help from other tables, refused where left-out chemical systems of the present one do not gain by it.

Each source is tried once as it is and once shuffled, so that its compositions have the properties of others.
It is used if chemical systems that were left out are predicted better with it than without, by more than
chance allows, and by more than with the shuffled source.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from tieline.models.arrays import Array
from tieline.models.composition_fit import CompositionFit, fit
from tieline.models.composition_reading import FIRST_NUMBER, CompositionReading, Scale, read
from tieline.models.composition_source import Source, fit_source, source_columns
from tieline.models.element_slots import Slots
from tieline.models.network_ensemble import Lesson

ENOUGH = 1.0  # standard errors that a gain has to exceed


@dataclass(frozen=True)
class Help:
    """What a source does for left-out chemical systems.

    Attributes:
        source: its name.
        gain: share of the mean absolute error that it saves.
        gain_se: standard error of it, over chemical systems.
        control: what the shuffled source saves.
        skill: share of the error of the median that is saved in the source itself, mean over its properties.
        control_skill: the same where it is shuffled.
        is_used: whether the model reads it.
    """

    source: str
    gain: float
    gain_se: float
    control: float
    skill: float
    control_skill: float
    is_used: bool


def fit_with_sources(
    table: xr.Dataset,
    design: Sequence[str],
    properties: Sequence[str],
    method: str,
    sources: Mapping[str, xr.Dataset],
    seed: int,
) -> tuple[CompositionReading, CompositionFit, tuple[Help, ...]]:
    """Fit a table, with those of the sources that help.

    Raises:
        SchemaError: a variable is missing, or is not what it should be.
        NotIdentified: too little was measured to learn anything, here or in a source.
    """
    best = read(table, design, properties)
    if not sources:
        return best, fit(best, method, seed), ()
    composition = best.coordinates.composition
    # Whether a source helps is asked of the quick learners; the others take longer than a question is worth.
    quick = fit(best, "stack", seed)
    used: list[Source] = []
    told = []
    for name, rows in sources.items():
        real, control = (fit_source(name, rows, composition, seed, shuffled=s) for s in (False, True))
        readings = [read(table, design, properties, [*used, source]) for source in (real, control)]
        fits = [fit(reading, "stack", seed) for reading in readings]
        (gain, gain_se), (by_chance, _) = (_gain(best, quick, found) for found in fits)
        is_used = gain > ENOUGH * gain_se and gain > by_chance + ENOUGH * gain_se
        skills = float(real.skill.mean()), float(control.skill.mean())
        told.append(Help(name, gain, gain_se, by_chance, *skills, is_used))
        if is_used:
            used.append(real)
            best, quick = readings[0], fits[0]
    if method == "stack":
        return best.with_notes(map(_note, told)), quick, tuple(told)
    helpful = [source_columns(source.name, sources[source.name], composition) for source in used]
    final = fit(best, method, seed, _earlier(best, helpful) if helpful else None)
    return best.with_notes(map(_note, told)), final, tuple(told)


def _earlier(reading: CompositionReading, sources: Sequence[xr.Dataset]) -> Lesson:
    """All rows of sources, in the coordinates of the table that they help."""
    coordinates = reading.coordinates
    compositions = [source[coordinates.composition].variable for source in sources]
    elements = [source["element"].values for source in sources]
    together = xr.concat(
        [xr.DataArray(c, {"element": e}) for c, e in zip(compositions, elements, strict=True)],
        "specimen",
        join="outer",
        fill_value=0.0,
    )
    design = xr.Dataset({coordinates.composition: together})
    # Numbers beside the composition, which a source does not know, are what they are on average.
    numbers = [name for name in coordinates.names if name != coordinates.composition]
    for i, name in enumerate(numbers):
        middle = float(coordinates.centre[coordinates.group == FIRST_NUMBER + i][0])
        design[name] = ("specimen", np.full(design.sizes["specimen"], middle))
    x = coordinates.place(design)
    known = np.asarray(np.isfinite(x).all(1))
    values = _side_by_side([_values(source, coordinates.composition) for source in sources])[known]
    return Lesson(x[known], Slots.of(together).at(known), values, np.ones(values.shape))


def _values(source: xr.Dataset, composition: str) -> Array:
    """Properties of a source of order one (row, property)."""
    columns = [source[name].values.astype(float) for name in source.data_vars if name != composition]
    return np.stack([Scale.of(values[np.isfinite(values)]).inward(values) for values in columns], 1)


def _side_by_side(blocks: Sequence[Array]) -> Array:
    """Rows of all blocks, each with columns of its own; NaN in those of others."""
    shapes = np.array([block.shape for block in blocks])
    whole = np.full(tuple(shapes.sum(0)), np.nan)
    for block, (row, column) in zip(blocks, np.cumsum(shapes, axis=0) - shapes, strict=True):
        whole[row : row + len(block), column : column + block.shape[1]] = block
    return whole


def _gain(
    reading: CompositionReading, without: CompositionFit, with_it: CompositionFit
) -> tuple[float, float]:
    """Share of the error that is saved, and its standard error, systems being left out."""
    before, after = (_errors(reading, found) for found in (without, with_it))
    saved = before - after
    seen = np.isfinite(saved)
    system = np.broadcast_to(reading.system[without.rows][:, None], saved.shape)[seen]
    n = np.bincount(system)
    of_system = np.bincount(system, saved[seen])[n > 0]
    total = before[seen].sum()
    # Systems are independent, their specimens are not.
    se = np.sqrt(len(of_system)) * of_system.std(ddof=1) if len(of_system) > 1 else np.inf
    return float(saved[seen].sum() / total), float(se / total)


def _errors(reading: CompositionReading, found: CompositionFit) -> Array:
    guesses, regime = found.left_out[-1], found.left_out_regime[-1]
    measured = np.where(reading.is_value, reading.y, np.nan)[found.rows]
    return np.abs(measured - found.stack.mean(guesses, regime))


def _note(help_: Help) -> str:
    figures = (
        f"in left-out systems it saves {help_.gain:.1%} ± {help_.gain_se:.1%} of the error,"
        f" shuffled {help_.control:.1%}"
    )
    if help_.is_used:
        return f"The source '{help_.source}' helps: {figures}."
    return f"The source '{help_.source}' was left out: {figures}."
