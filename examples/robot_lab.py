# %% [markdown]
# # A laboratory that runs by itself
#
# A furnace, a diffractometer and an impedance bridge, all simulated, with delays and failures; and a robot
# that runs experiments with them as a campaign on a service proposes. Kill the robot or the service at any
# moment and start it anew: nothing is lost, nothing is counted twice, and no specimen is made in vain.
#
# The robot remembers nothing itself. What it has begun, the campaign knows; what was made and measured lies
# in the laboratory, as specimens and files of instruments do. Every request bears a key made of the name of
# its specimen.

# %%
import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import tieline as tl
from tieline.client.client import Client
from tieline.client.proposal import Proposal

LEASE = 3600.0  # seconds; the furnace says more often than that that it is at work
N_TRIES = 3  # of a measurement, before it counts as failed

SPACE = tl.Space(
    [
        tl.Numeric("temperature", 700, 1100, step=10, units="degC"),
        tl.Levels("dwell_time", [10, 30, 60, 120, 240, 480], units="min"),
    ]
)
SETTINGS = tl.Settings(
    "robot-lab",
    design=["temperature", "dwell_time"],
    phase="phase",
    properties=["conductivity"],
    goal="0.7*maximize:conductivity + 0.3*learn-phase-map",
    space=SPACE.to_dict(),
)


# %% [markdown]
# ## The laboratory


# %%
class NoContactError(Exception):
    """The bridge measured nothing; it may well work when tried again."""


@dataclass(frozen=True)
class Laboratory:
    """Instruments, and what lies on their shelves.

    Attributes:
        shelves: a folder, which outlives every program.
        speed: how much faster than in life time runs.
        seed: of everything that happens by chance.
    """

    shelves: Path
    speed: float = 1e5
    seed: int = 0

    def anneal(
        self, name: str, temperature: float, dwell_time: float, at_work: Callable[[], object]
    ) -> dict[str, float] | None:
        """Anneal a pellet; returns what was really set, or None if the pellet broke.

        Args:
            name: of the specimen; one that was annealed before is taken from the shelf.
            temperature: degC.
            dwell_time: min.
            at_work: called now and then.
        """
        made = self._kept(name, "furnace")
        if made is None:
            for _ in range(4):
                time.sleep(60 * dwell_time / 4 / self.speed)
                at_work()
            chance = self._chance(name, "furnace")
            is_broken = temperature > 1000 and chance.random() < 0.4
            really = temperature + 3 * chance.standard_normal()
            made = {"is_broken": is_broken, "temperature": round(really, 1), "dwell_time": dwell_time}
            self._keep(name, "furnace", made)
        return None if made["is_broken"] else {key: made[key] for key in ("temperature", "dwell_time")}

    def diffract(self, name: str) -> Path:
        """Take a diffraction pattern; returns its file."""
        file = self.shelves / f"{name}.xy"
        if not file.exists():
            time.sleep(1200 / self.speed)
            angle = np.arange(20.0, 30.0, 0.1)
            peak = {"alpha": 22.0, "beta": 25.0, "glass": None}[self._phase(name)]
            height = 0.0 if peak is None else 900.0
            counts = 100 + height * np.exp(-0.5 * ((angle - (peak or 0)) / 0.15) ** 2)
            counts = self._chance(name, "xrd").poisson(counts)
            lines = (f"{x:.2f} {y}" for x, y in zip(angle, counts, strict=True))
            write_whole(file, "\n".join(lines) + "\n")
        return file

    def conduct(self, name: str) -> float:
        """Measure the conductivity, mS/cm.

        Raises:
            NoContactError: this time nothing was measured.
        """
        found = self._kept(name, "bridge") or {"tries": 0}
        if "conductivity" not in found:
            time.sleep(300 / self.speed)
            chance = self._chance(name, "bridge", found["tries"])
            found["tries"] += 1
            if chance.random() > 0.2:
                found["conductivity"] = round(
                    self._conductivity(name) * np.exp(0.1 * chance.standard_normal()), 4
                )
            self._keep(name, "bridge", found)
        if "conductivity" not in found:
            raise NoContactError
        return found["conductivity"]

    def _phase(self, name: str) -> str:
        """The truth: beta from 850 degC on, earlier if it has time; above 1040 degC it melts to a glass."""
        made = self._kept(name, "furnace")
        assert made is not None, "only what was annealed is measured"
        effective = made["temperature"] + 30 * np.log10(made["dwell_time"] / 60)
        return "alpha" if effective < 850 else "beta" if effective < 1040 else "glass"

    def _conductivity(self, name: str) -> float:
        made = self._kept(name, "furnace")
        assert made is not None, "only what was annealed is measured"
        level = {"alpha": 0.1, "beta": 1.0, "glass": 0.02}[self._phase(name)]
        return level * np.exp(-(((made["temperature"] - 940) / 90) ** 2))

    def _chance(self, name: str, *what: object) -> np.random.Generator:
        """Chance that falls alike whenever the same thing is done."""
        letters = "/".join([name, *map(str, what)]).encode()
        return np.random.default_rng([self.seed, *letters])

    def _kept(self, name: str, instrument: str) -> dict[str, Any] | None:
        file = self.shelves / f"{name}.{instrument}.json"
        return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None

    def _keep(self, name: str, instrument: str, content: dict[str, Any]) -> None:
        write_whole(self.shelves / f"{name}.{instrument}.json", json.dumps(content))


def write_whole(file: Path, text: str) -> None:
    """Write a file whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    partial.write_text(text, encoding="utf-8")
    partial.replace(file)


def phase_in(pattern: Path) -> str:
    """Tell the phase by the place of the one peak that each of them has."""
    angle, counts = np.loadtxt(pattern).T
    if counts.max() < 400:
        return "glass"
    return "alpha" if angle[counts.argmax()] < 23.5 else "beta"


# %% [markdown]
# ## The robot
#
# What it had begun before it was killed comes first. A step that was done before is found done: by the
# laboratory, where the specimen or the file is there; by the campaign, where the request has the same key.


# %%
def run_robot(campaign: Client, laboratory: Laboratory, n: int, *, fit_every: int = 8) -> None:
    """Run experiments until n are done or have failed.

    Args:
        campaign: from `tl.connect`.
        laboratory: with its instruments.
        n: how many experiments.
        fit_every: after how many the campaign learns; 0 is never.
    """
    while (n_over := count_over(campaign)) < n:
        if fit_every and n_over and n_over % fit_every == 0:
            learn_by_and_by(campaign, n_over)
        begun = campaign.proposals("claimed", "running", mine=True)
        experiment(campaign, laboratory, begun[0] if begun else campaign.take(lease=LEASE))


def experiment(campaign: Client, laboratory: Laboratory, proposal: Proposal) -> None:
    """Make a specimen and measure it."""
    name = proposal.name
    made = laboratory.anneal(name, **proposal.settings, at_work=lambda: campaign.renew(proposal, lease=LEASE))
    if made is None:
        campaign.fail(proposal, why="the pellet broke", key=f"{name} broke")
        return
    pattern = laboratory.diffract(name)
    campaign.attach(pattern, specimen=name, proposal=proposal, key=f"{name} pattern")
    phase = {"phase": phase_in(pattern)}
    campaign.tell(phase, proposal=proposal, made=made, is_partial=True, key=f"{name} phase")
    campaign.tell(conductivity(laboratory, name), proposal=proposal, key=f"{name} conductivity")


def conductivity(laboratory: Laboratory, name: str) -> dict[str, Any]:
    """Measure, several times if need be."""
    for _ in range(N_TRIES):
        try:
            return {"conductivity": {"value": laboratory.conduct(name), "unit": "mS/cm"}}
        except NoContactError:
            continue
    return {"conductivity": {"flag": "failed"}}


def learn_by_and_by(campaign: Client, n_over: int) -> None:
    """Begin a fit, which goes on beside the experiments."""
    with suppress(tl.Conflict):  # one is running, and takes notice of what arrived meanwhile
        campaign.start_fit(key=f"fit after {n_over}")


def count_over(campaign: Client) -> int:
    """How many experiments are done or have failed."""
    states = campaign.overview()["proposals"]
    return states.get("done", 0) + states.get("failed", 0)


# %% [markdown]
# ## All together
#
# Two terminals in life: `tieline serve robot-lab`, and this file with the address, a folder for the
# laboratory and the number of experiments: `python robot_lab.py http://127.0.0.1:8731 shelves 40`. Without
# these it runs a short round by itself.


# %%
def main(address: str, shelves: str, n: str) -> None:
    """Run the robot."""
    with tl.connect(address, by="robot") as campaign:
        run_robot(campaign, Laboratory(Path(shelves)), int(n))
        print(campaign.overview()["proposals"])


if __name__ == "__main__" and len(sys.argv) == 4:
    main(*sys.argv[1:])
elif __name__ != "robot_lab":
    from tieline.service.app import create_app
    from tieline.service.serving import in_background

    tl.Campaign.create("robot-lab", SETTINGS).close()
    with ExitStack() as session:
        served = session.enter_context(in_background(create_app("robot-lab")))
        robot = session.enter_context(tl.connect(served, by="robot"))
        run_robot(robot, Laboratory(Path("shelves")), 10, fit_every=0)
        robot.learn()
        run_robot(robot, Laboratory(Path("shelves")), 14, fit_every=0)
        specimens = robot.specimens()
    best = max(specimens, key=lambda row: row["conductivity"] or 0.0)
    print(f"best of {len(specimens)}: {best['conductivity']} mS/cm at {best['temperature']} degC")
