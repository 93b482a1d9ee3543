"""The robots of `reliability`: each is a process that may die at any moment."""

import socket
import time
from collections import Counter
from collections.abc import Callable, Sequence
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np

from tieline.campaign.campaign import Campaign
from tieline.campaign.settings import Settings
from tieline.errors import TielineError
from tieline.planning.spaces.inputs import Numeric
from tieline.planning.spaces.space import Space
from tieline.service.serving import serve

LAB = Settings(
    "lab",
    model="GaussianProcess",
    properties=["y"],
    goal="maximize:y",
    space=Space([Numeric("x", 0, 1_000_000, step=1, units="1", role="process")]).to_dict(),
)
FIT_EVERY = 100  # records


def start(work: Callable[..., None], *arguments: Any) -> BaseProcess:
    """Start a process that has the libraries already, so that it lives long enough to work."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["benchmarks.reliability_robots", "benchmarks.reliability_loop"])
    process = context.Process(target=work, args=arguments)
    process.start()
    return process


def robot(folder: Path, acknowledged: Path, n: int) -> None:
    """Tell results as long as one lives."""
    tell_until_killed(folder, acknowledged, n)


def tell_until_killed(folder: Path, acknowledged: Path, n: int) -> None:
    """Go on behind the last result that was acknowledged; the one after it is perhaps sent again."""
    with Campaign.open(folder) as campaign, acknowledged.open("a") as log:
        for i in range(len(acknowledged.read_text().split()), n):
            name = f"s{i}"
            campaign.tell({"y": float(i)}, specimen=name, made={"x": float(i)}, key=f"tell {i}")
            log.write(f"{name}\n")
            log.flush()
            if i % FIT_EVERY == FIT_EVERY - 1:
                campaign.fit()


def writer(folder: Path, log: Path, n: int, seed: int, dies: bool) -> None:
    """Ask, claim and tell; who dies does so half way, with a claim."""
    rng = np.random.default_rng(seed)
    by = f"writer-{seed}"
    with Campaign.open(folder) as campaign, log.open("a") as lines:

        def timed(kind: str, work: Callable[[], Any], name: str = "") -> Any:
            begun = time.perf_counter()
            try:
                answer = work()
            except TielineError as error:
                lines.write(f"error 0 {type(error).__name__}\n")
                lines.flush()
                return None
            name = name or str(getattr(answer, "name", "-"))
            lines.write(f"{kind} {time.perf_counter() - begun} {name}\n")
            lines.flush()
            return answer

        for turn in range(n):
            asked = timed("ask", lambda: campaign.ask(1, by=by, key=f"{by} ask {turn}"), "-")  # noqa: B023
            if asked is None:
                continue
            name = str(asked["proposal"].values[0])
            timed("claim", lambda: campaign.claim(name, by=by, lease=0.5), name)  # noqa: B023
            if dies and turn == n // 2:
                return
            value = {"y": float(rng.standard_normal())}
            told = lambda: campaign.tell(value, proposal=name, by=by, key=f"{by} tell {turn}")  # noqa: B023, E731
            timed("tell", told, name)


def served(folder: Path, port: int) -> None:
    """Serve the campaign until killed."""
    serve(folder, port=port)


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        return door.getsockname()[1]


def lost_and_doubled(campaign: Campaign, acknowledged: Sequence[str]) -> tuple[int, int]:
    """Count results that were acknowledged and are not there, and those that are there twice."""
    if not campaign.has_record:
        return len(set(acknowledged)), 0
    counts = Counter(campaign.record()["specimens"]["specimen"].values.astype(str).tolist())
    lost = sum(name not in counts for name in set(acknowledged))
    return lost, sum(count - 1 for count in counts.values())
