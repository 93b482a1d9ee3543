"""Phases of a spread, found from its diffraction patterns alone."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from tieline.errors import NotIdentified, SchemaError
from tieline.features.composition import simplex_coordinates
from tieline.features.phases.arrays import Array
from tieline.features.phases.draws import draw_shares
from tieline.features.phases.factors import Factors, Prepared, in_order
from tieline.features.phases.neighbourhood import Neighbourhood, isolated, neighbourhood
from tieline.features.phases.reading import Lines, Patterns, lines_of, read_patterns
from tieline.features.phases.search import choose, fitted, search
from tieline.schema import require

READER = "find_phases"
PRESENT = 0.5
STRANGE = 4.0  # times the typical misfit of a specimen


def find_phases(
    record: xr.DataTree,
    *,
    node: str = "xrd",
    design: str | Sequence[str] | None = "composition",
    n_phases: int | None = None,
    most_phases: int = 9,
    most_together: int | None = None,
    level: float = 0.9,
    seed: int = 0,
) -> xr.Dataset:
    """Find the phases of a spread from its diffraction patterns: no labels, no references.

    Patterns of phases and their amounts are found together, with lattices that change from specimen to
    specimen. Neighbours in composition are expected to have the same phases.

    Args:
        record: /specimens with the design, and a node of patterns: intensity (measurement, two_theta) in
            degrees, or over q. What was not measured is NaN, or has no row.
        node: name of the node of patterns.
        design: the composition or the names of the columns in which specimens are neighbours; None if there
            are none.
        n_phases: how many phases; found if not given.
        most_phases: how many to look for.
        most_together: how many may coexist in a specimen; by default as many as there are elements, by
            Gibbs' rule at given temperature and pressure, else 3.
        level: probability of the intervals.
        seed: of the draws behind intervals and probabilities.

    Returns:
        On `specimen`: phase_probability (specimen, phase), that a phase is the main one, which
        `PhaseProperty` reads as labels; presence_probability, share, share_low and share_high (specimen,
        phase), the part of the counts of all lines; strain (specimen, phase), the relative change of the
        lattice, NaN where a phase is absent; region, the phases present; unexplained, the part of the lines
        that no phase explains, and is_none_of_phases. NaN where there was no pattern. pattern (phase,
        channel) of every phase; observed and fitted (specimen, channel), without background; explained
        (number), what each number of phases explains. Phases are named by numbers, the commonest first.

    Raises:
        SchemaError: patterns or design are not what they should be.
        NotIdentified: there is too little to tell phases from.

    Source:
        Le Bras et al. (2014) and Xue et al. (2017); what departs from them is told in `factors`.
    """
    specimens = specimens_of(record, node)
    _check(n_phases, most_phases, most_together, level)
    patterns = read_patterns(record[node].to_dataset(), specimens["specimen"].values)
    points = points_of(specimens, design, READER)
    lines = lines_of(patterns)
    near, placed = neighbours(points, patterns)
    together = most_together or _coexisting(specimens, design)
    seen = Prepared(lines.counts, lines.weight, lines.step, near, together)
    most, most_seen = (n_phases or most_phases), len(patterns.rows) - 1
    if n_phases and most_seen < n_phases:
        raise NotIdentified(
            f"{n_phases} phases cannot be told from so few patterns.", found=f"{len(patterns.rows)} patterns"
        )
    # From some phases more the way down finds better descriptions.
    found = search(seen, min(most + 2 if n_phases else most, most_seen))
    number = n_phases or choose(found)
    factors = in_order(found[number], np.argsort(-found[number].amount.sum(0), kind="stable"))
    notes = [*patterns.notes, *placed]
    if not n_phases:
        notes.append(f"{number} phases were found; `explained` says what fewer and more would explain.")
    answer = _answer(specimens, patterns, lines, seen, factors, level, seed)
    explained = [found[n].explained for n in sorted(found)]
    answer["explained"] = ("number", explained, {"units": "1"})
    return answer.assign_coords(number=sorted(found)).assign_attrs(notes=notes)


def specimens_of(record: xr.DataTree, node: str) -> xr.Dataset:
    """The specimens of a record that has a node of patterns."""
    if not isinstance(record, xr.DataTree) or not {"specimens", node} <= set(record.children):
        nodes = ", ".join(record.children) if isinstance(record, xr.DataTree) else type(record).__name__
        raise SchemaError(
            f"Patterns are read from a record with the nodes /specimens and /{node}.",
            found=nodes or "an empty record",
            hint="tieline.load makes a record of files; node= names the node of patterns",
        )
    return record["specimens"].to_dataset()


def _check(n_phases: int | None, most_phases: int, most_together: int | None, level: float) -> None:
    counts = {"n_phases": n_phases, "most_phases": most_phases, "most_together": most_together}
    wrong = [f"{k}={v}" for k, v in counts.items() if v is not None and (v < 1 or v > 12 or v != int(v))]
    if wrong or not 0 < level < 1:
        raise SchemaError(
            "Numbers of phases are whole, from 1 to 12; a level lies between 0 and 1.",
            found=", ".join([*wrong, f"level={level:g}"]),
        )


def points_of(specimens: xr.Dataset, design: str | Sequence[str] | None, reader: str) -> Array | None:
    """Coordinates (specimen, d) in which specimens are neighbours; a refusal names the reader."""
    if design is None:
        return None
    names = [design] if isinstance(design, str) else list(design)
    require(specimens, names, reader)
    if len(names) == 1 and specimens[names[0]].ndim == 2:
        return simplex_coordinates(specimens[names[0]])
    columns = np.column_stack([specimens[name].values.astype(float) for name in names])
    spread = np.nanmax(columns, axis=0) - np.nanmin(columns, axis=0)
    return columns / np.where(spread > 0, spread, 1)


def _coexisting(specimens: xr.Dataset, design: str | Sequence[str] | None) -> int:
    is_composition = isinstance(design, str) and specimens[design].ndim == 2
    return min(specimens.sizes["element"], 4) if is_composition else 3


def neighbours(points: Array | None, patterns: Patterns) -> tuple[Neighbourhood, list[str]]:
    """Neighbours of the specimens with a pattern, and notes on those that have none."""
    n = len(patterns.rows)
    if points is None:
        return isolated(n), []
    own = points[patterns.rows]
    placed = np.isfinite(own).all(1)
    if not placed.any():
        return isolated(n), ["No specimen with a pattern has a complete design: none has neighbours."]
    near = neighbourhood(own[placed])
    if placed.all():
        return near, []
    mean, roughness = np.zeros((2, n, n))
    mean[np.ix_(placed, placed)], roughness[np.ix_(placed, placed)] = near.mean, near.roughness
    return Neighbourhood(mean, roughness), [
        f"{(~placed).sum()} specimens without a design have no neighbours."
    ]


def _answer(
    specimens: xr.Dataset,
    patterns: Patterns,
    lines: Lines,
    seen: Prepared,
    factors: Factors,
    level: float,
    seed: int,
) -> xr.Dataset:
    """Everything that is known, back on all specimens and on the axis of the patterns."""
    known = draw_shares(seen, factors, patterns.axis.extent(lines.place), level, seed)
    n = specimens.sizes["specimen"]
    names = np.array([str(k + 1) for k in range(factors.n_phases)])
    by_phase, by_channel = ("specimen", "phase"), ("specimen", patterns.axis.name)
    is_present = known.present > PRESENT
    misfit = factors.misfit / np.median(factors.misfit)
    left = np.maximum(seen.counts - fitted(factors, seen.step), 0).sum(1)
    text = np.full(n, "", dtype=object)
    text[patterns.rows] = ["+".join(names[row]) for row in is_present]
    strange = np.zeros(n, dtype=bool)
    strange[patterns.rows] = misfit > STRANGE
    logarithm = patterns.axis.logarithm

    def on_axis(rows: Array) -> Array:
        return np.stack([np.interp(logarithm, lines.place, row) for row in rows])

    def on_all(values: Array) -> Array:
        wide = np.full((n, *values.shape[1:]), np.nan)
        wide[patterns.rows] = values
        return wide

    unit, structure = {"units": "1"}, {"units": "1", "role": "structure"}
    total = lines.total[:, None]
    return xr.Dataset(
        {
            "phase_probability": (by_phase, on_all(known.main), structure),
            "presence_probability": (by_phase, on_all(known.present), structure),
            "share": (by_phase, on_all(known.share), structure),
            "share_low": (by_phase, on_all(known.low), structure),
            "share_high": (by_phase, on_all(known.high), structure),
            "strain": (by_phase, on_all(np.where(is_present, -factors.strain, np.nan)), unit),
            "region": ("specimen", text.astype(str), {"role": "structure"}),
            "unexplained": ("specimen", on_all(left), unit),
            "is_none_of_phases": ("specimen", strange),
            "pattern": (("phase", patterns.axis.name), on_axis(factors.pattern), {"units": "a.u."}),
            "observed": (by_channel, on_all(patterns.intensity - lines.background), {"units": "counts"}),
            "fitted": (by_channel, on_all(on_axis(fitted(factors, seen.step)) * total), {"units": "counts"}),
        },
        coords={
            "specimen": specimens["specimen"],
            "phase": names,
            patterns.axis.name: patterns.axis.values,
        },
        attrs={"n_phases": factors.n_phases, "level": level},
    )
