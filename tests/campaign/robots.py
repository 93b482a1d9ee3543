"""A campaign that robots run without any file: a space, a model, and a furnace that answers."""

from tieline.campaign.settings import Settings
from tieline.planning.spaces.inputs import Categorical, Numeric
from tieline.planning.spaces.space import Space

SPACE = Space(
    [Numeric("temperature", 600, 900, step=5, units="degC"), Categorical("substrate", ["glass", "steel"])]
)
SETTINGS = Settings(
    "robots",
    model="GaussianProcess",
    properties=["hardness"],
    space=SPACE.to_dict(),
    goal="maximize:hardness",
)


def hardness(temperature, substrate):
    """What the furnace gives, GPa: best at 760 degC on steel."""
    return 6 - ((temperature - 760) / 100) ** 2 + (substrate == "steel")


def row_of(campaign, name):
    listed = campaign.proposals()
    return listed.isel(specimen=listed["proposal"].values.tolist().index(name))


def run(campaign, name, **about):
    """Do an experiment and tell its result."""
    row = row_of(campaign, name)
    value = hardness(float(row["temperature"]), str(row["substrate"].values))
    return campaign.tell({"hardness": {"value": value, "unit": "GPa"}}, proposal=name, **about)


def run_all(campaign, n):
    """Ask for n proposals and do them all."""
    for name in campaign.ask(n)["proposal"].values.tolist():
        run(campaign, name)
