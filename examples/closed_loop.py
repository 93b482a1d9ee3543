# %% [markdown]
# # A closed loop on a simulated map
#
# A robot makes three specimens a round, where their labels tell most about the phase map. The world is
# simulated, so the truth is known and we can watch the map get better.

# %%
import numpy as np
import xarray as xr

import tieline as tl
from tieline.evaluation.scores import accuracy

N_ROUNDS = 3
N_PER_ROUND = 3

world = tl.worlds.phase_map(14, n_dimensions=2, n_phases=3, n_specimens=15, label_noise=0.0)
model = tl.PhaseProperty(design=world.design, phase="phase", properties=["property"])
truth = world.truth(world.grid)


# %% [markdown]
# What the robot does with proposals: it makes the specimens, labels them and measures their property.


# %%
def measure(proposals: xr.Dataset, first_number: int) -> xr.Dataset:
    """Make the proposed specimens and return them as rows of the table."""
    numbers = first_number + np.arange(proposals.sizes["specimen"])
    made = proposals[list(model.design_names)].assign_coords(specimen=numbers)
    return made.merge(world.truth(made))


# %% [markdown]
# Fit, propose, measure, again.

# %%
table, history = world.table, []
for round_number in range(N_ROUNDS + 1):
    posterior = model.fit(table, seed=0)
    found = posterior.predict(world.grid)["most_likely_phase"]
    history.append(accuracy(truth["phase"].values, found.values))
    print(f"{table.sizes['specimen']} specimens: {history[-1]:.0%} of the map is right")
    if round_number < N_ROUNDS:
        proposals = tl.propose(posterior, world.grid, tl.LearnPhaseMap(), n=N_PER_ROUND)
        table = xr.concat([table, measure(proposals, table.sizes["specimen"])], dim="specimen")
