# %% [markdown]
# # What should be sintered next?
#
# 22 real pellets of LATP, a solid electrolyte for lithium batteries: three process settings, density and
# ionic conductivity (Zhao, KIT 2024). Nobody labelled a phase, so the two properties alone say whether they
# need more than one region.

# %%
import tieline as tl

record = tl.datasets.load("latp")
table = tl.represent(record)
print(record.attrs["source"])

# %%
model = tl.PhaseProperty(
    design=["relative_phosphoric_acid", "sintering_temperature", "dwell_time"],
    properties=["ionic_conductivity", "relative_density"],
)
posterior = model.fit(table, seed=0)
diagnosis = posterior.diagnose()
print(len(posterior.phases), "regions;", diagnosis.attrs["verdict"], diagnosis.attrs["sentence"])

# %% [markdown]
# Conductivity matters most, but a pellet has to be dense, too. The pool are the 2574 recipes of the study.

# %%
goal = 0.8 * tl.Maximize("ionic_conductivity") + 0.2 * tl.Maximize("relative_density")
proposals = tl.propose(posterior, tl.datasets.latp_candidates(), goal, n=3)
print(proposals[["sintering_temperature", "dwell_time", "ionic_conductivity"]].to_dataframe())
print(*proposals["reason"].values, sep="\n")

# %%
tl.figures.save(tl.figures.property_map(posterior, "ionic_conductivity", proposals), "latp.png")
