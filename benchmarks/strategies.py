"""Rules of where to measure next, and what each believes the phase map to be, from what was measured so far.

Each is asked once a round. Peers are set up as in `peers`; a rule of ours is `tl.propose` on a fit of
`PhaseProperty`.

Source:
    Srinivas et al. (2010), doi:10.48550/arXiv.0912.3995, for GP-UCB. Kusne et al. (2020),
    doi:10.1038/s41467-020-19597-w, for CAMEO: the phase map first, then the property within the best region;
    Zhu, Lafferty & Ghahramani (2003), for the expected risk by which it labels.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr

import tieline as tl
from benchmarks import peers
from benchmarks.tasks import attributes
from tieline.models.phase_posterior import PhasePosterior

N_START = 10  # compositions that are measured with both instruments before a rule is asked
LABEL, VALUE = "phase", "magnetisation"
UCB_WIDTH = 2.0  # sd above the mean
MAP_ROUNDS = 20  # of the CAMEO-like rule, before it turns to the property
GOAL = tl.Maximize(VALUE) + tl.LearnPhaseMap()
BATCH = 3  # measurements that are proposed from one fit where instruments are chosen


@dataclass(frozen=True, eq=False)
class Lab:
    """What can be measured.

    Attributes:
        grid (specimen): the compositions.
        label (specimen): their phases.
        value (specimen): their magnetisation.
    """

    grid: xr.Dataset
    label: np.ndarray
    value: np.ndarray

    @cached_property
    def laplacian(self) -> np.ndarray:
        """Laplacian (place, place) of the Delaunay graph of all compositions."""
        places = State.start(self, np.arange(3)).seen(self).grid
        weight = peers.neighbours(places).toarray()
        return np.diag(weight.sum(1)) - weight


@dataclass(frozen=True, eq=False)
class State:
    """Which compositions (specimen) have a label, and which a magnetisation."""

    has_label: np.ndarray
    has_value: np.ndarray

    @classmethod
    def start(cls, lab: Lab, rows: np.ndarray) -> "State":
        """Measure both at some rows of the grid."""
        measured = np.isin(np.arange(len(lab.label)), rows)
        return cls(measured, measured.copy())

    def after(self, measurements: "list[Measurement]") -> "State":
        """Add measurements."""
        has = {LABEL: self.has_label.copy(), VALUE: self.has_value.copy()}
        for row, instrument in measurements:
            has[instrument][row] = True
        return State(has[LABEL], has[VALUE])

    @property
    def n_places(self) -> int:
        """Compositions where anything was measured."""
        return int((self.has_label | self.has_value).sum())

    @property
    def open(self) -> np.ndarray:
        """Rows where nothing was measured."""
        return np.flatnonzero(~(self.has_label | self.has_value))

    def table(self, lab: Lab) -> xr.Dataset:
        """Write what was measured as a table."""
        table = lab.grid.assign(
            {
                LABEL: ("specimen", np.where(self.has_label, lab.label, ""), attributes("structure")),
                VALUE: ("specimen", np.where(self.has_value, lab.value, np.nan), attributes("property")),
            }
        )
        return table.isel(specimen=self.has_label | self.has_value)

    def seen(self, lab: Lab) -> peers.Seen:
        """Write what was measured as peers read it."""
        return peers.seen_by_peers(self.table(lab), lab.grid, "composition", VALUE)


Measurement = tuple[int, str]  # a row of the grid, and an instrument
Turn = tuple[np.ndarray, list[Measurement]]  # the most likely phase (specimen), and what is measured next
Strategy = Callable[[Lab, State, np.random.Generator], Turn]


def with_both(row: int) -> list[Measurement]:
    """Measure both at one composition."""
    return [(int(row), LABEL), (int(row), VALUE)]


def measure_anywhere(lab: Lab, state: State, rng: np.random.Generator) -> Turn:
    """Take any composition; the map is that of GP classification."""
    return _classified(state.seen(lab)), with_both(rng.choice(state.open))


def climb_bound(lab: Lab, state: State, rng: np.random.Generator) -> Turn:
    """Take the largest upper confidence bound of one GP; the map is that of GP classification."""
    seen = state.seen(lab)
    moments = peers.regress(seen)
    bound = moments.mean + UCB_WIDTH * moments.sd
    return _classified(seen), with_both(state.open[bound[state.open].argmax()])


def _classified(seen: peers.Seen) -> np.ndarray:
    if len(np.unique(seen.labels)) == 1:
        return np.repeat(seen.labels[:1], len(seen.grid))
    phases = peers.classify_by_axis(seen)
    return phases.labels[phases.on_grid.argmax(1)]


def map_then_climb(lab: Lab, state: State, rng: np.random.Generator) -> Turn:
    """Take what lowers the risk of the harmonic map most; later the bound within the best region."""
    phases, risk = _harmonic(lab, state)
    phase = phases.labels[phases.on_grid.argmax(1)]
    if state.n_places < N_START + MAP_ROUNDS:
        return phase, with_both(state.open[risk.argmin()])
    moments = peers.regress_regions(state.seen(lab), phases).of_most_likely_region()
    bound = moments.mean + UCB_WIDTH * moments.sd
    best = np.where(state.has_value, lab.value, -np.inf).argmax()
    inside = state.open[phase[state.open] == phase[best]]
    inside = inside if inside.size else state.open
    return phase, with_both(inside[bound[inside].argmax()])


def _harmonic(lab: Lab, state: State) -> tuple[peers.Phases, np.ndarray]:
    """The harmonic map, and the risk (open place) that is expected to be left after one more label."""
    known, unknown = np.flatnonzero(state.has_label), state.open
    labels = np.unique(lab.label[known])
    probability = (lab.label[:, None] == labels).astype(float)
    inverse = np.linalg.inv(lab.laplacian[np.ix_(unknown, unknown)])
    probability[unknown] = -inverse @ lab.laplacian[np.ix_(unknown, known)] @ probability[known]
    now = probability[unknown]
    pull = inverse / np.diag(inverse)  # (place, asked): how far a place follows the one asked
    risk = np.zeros(len(unknown))
    for k, answer in enumerate(np.eye(len(labels))):
        then = now[:, None] + pull[..., None] * (answer - now)  # (place, asked, phase)
        risk += now[:, k] * (1 - then.max(2)).sum(0)
    return peers.Phases(labels, probability[state.has_value], probability), risk


def measure_best_place(lab: Lab, state: State, rng: np.random.Generator) -> Turn:
    """Take what `tl.propose` proposes, for the magnetisation and the map together."""
    posterior, phase = _fitted(lab, state)
    pool = lab.grid.isel(specimen=state.open)
    proposal = tl.propose(posterior, pool, GOAL)
    return phase, with_both(state.open[proposal["candidate"].values[0]])


def measure_anywhere_and_fit(lab: Lab, state: State, rng: np.random.Generator) -> Turn:
    """Take any composition; the map is that of our fit."""
    return _fitted(lab, state)[1], with_both(rng.choice(state.open))


def choose_instruments(costs: Mapping[str, float]) -> Strategy:
    """Make the rule that takes what `tl.propose` proposes by gain per cost, places and instruments."""

    def rule(lab: Lab, state: State, rng: np.random.Generator) -> Turn:
        posterior, phase = _fitted(lab, state)
        proposals = tl.propose(posterior, lab.grid, GOAL, BATCH, costs=costs)
        pairs = zip(proposals["candidate"].values, proposals["instrument"].values, strict=True)
        return phase, [(int(row), str(instrument)) for row, instrument in pairs]

    return rule


def _fitted(lab: Lab, state: State) -> tuple[PhasePosterior, np.ndarray]:
    model = tl.PhaseProperty(design="composition", phase=LABEL, properties=[VALUE])
    posterior = model.fit(state.table(lab), seed=0)
    return posterior, posterior.predict(lab.grid)["most_likely_phase"].values


STRATEGIES: dict[str, Strategy] = {
    "tieline": measure_best_place,
    "tieline:random": measure_anywhere_and_fit,
    "random": measure_anywhere,
    "gp_ucb": climb_bound,
    "cameo_like": map_then_climb,
}
