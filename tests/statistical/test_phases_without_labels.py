"""How often a phase whose labels are all hidden is found, and how often one is found that is not there.

Worlds come from the simulator, which is not the model: the properties of a phase are no Gaussian process,
and labels and values may be wrong. The phase hidden is the one whose property differs most clearly from
those of all others, if it holds enough specimens.
"""

from dataclasses import dataclass

import numpy as np
import pytest
import xarray as xr
from scipy.stats import binom

import tieline as tl
from tieline.worlds import World, phase_map

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("phases without labels")]

FALSE_ALARM = 1e-3  # chance that a model as good as claimed fails a check
FOUND = 0.75  # claimed share of hidden phases that are found, and where they are
SPURIOUS = 0.10  # claimed share, at most, of fully labelled worlds in which a phase is added
CLEAR = 1.5  # standard deviations within phases by which the hidden one's mean differs from every other's
LEAST_SHARE, FEWEST_VALUES = 0.15, 8  # of all specimens, and of values, that the hidden phase must have
N_WORLDS = 60


@dataclass(frozen=True)
class Hidden:
    """A world, its table without the labels of one phase, and that phase."""

    world: World
    table: xr.Dataset
    phase: str


def hide(seed):
    """A world in which a phase can be hidden, or None."""
    world = phase_map(seed, n_dimensions=2, n_specimens=60 + seed % 60)
    phase, values = world.truth(world.table)["phase"].values, world.table["property"].values
    everywhere = world.truth(world.grid)
    inside = {p: everywhere["property"].values[everywhere["phase"].values == p] for p in world.phases}

    def gap(p):
        others = [inside[q] for q in world.phases if q != p]
        return min(
            abs(inside[p].mean() - o.mean()) / np.sqrt((inside[p].var() + o.var()) / 2) for o in others
        )

    def is_large(p):
        own = phase == p
        return own.mean() >= LEAST_SHARE and np.isfinite(values[own]).sum() >= FEWEST_VALUES

    clear = [p for p in world.phases if is_large(p) and gap(p) >= CLEAR]
    if not clear:
        return None
    chosen = max(clear, key=gap)
    label = world.table["phase"]
    return Hidden(world, world.table.assign(phase=label.where(label != chosen, "")), chosen)


def added(world, table):
    """The posterior of a table, and the phases it has beside the labelled ones."""
    posterior = tl.PhaseProperty(world.design, "phase", "property").fit(table)
    return posterior, set(posterior.phases) - set(np.unique(table["phase"].values))


@pytest.fixture(scope="module")
def worlds():
    return [hidden for seed in range(N_WORLDS) if (hidden := hide(seed)) is not None]


def test_most_phases_without_labels_are_found_where_they_are(worlds):
    n_found = 0
    for hidden in worlds:
        posterior, extra = added(hidden.world, hidden.table)
        found = np.isin(posterior.predict(hidden.world.grid)["most_likely_phase"].values, list(extra))
        true = hidden.world.truth(hidden.world.grid)["phase"].values == hidden.phase
        n_found += (found & true).sum() > 0.5 * (found | true).sum()
    assert binom.cdf(n_found, len(worlds), FOUND) > FALSE_ALARM, f"{n_found} of {len(worlds)}"


def test_where_all_phases_are_labelled_hardly_any_is_added(worlds):
    n_spurious = sum(bool(added(hidden.world, hidden.world.table)[1]) for hidden in worlds)
    assert binom.sf(n_spurious - 1, len(worlds), SPURIOUS) > FALSE_ALARM, f"{n_spurious} of {len(worlds)}"
