"""Worlds that an earlier run answered, one JSON object a line: a long benchmark can be interrupted."""

import json
from pathlib import Path
from typing import Any

World = dict[str, Any]


def kept_worlds(file: Path | None, case: str) -> dict[int, World]:
    """Read the worlds of a case that an earlier run kept, by seed."""
    if file is None or not file.exists():
        return {}
    worlds = [json.loads(line) for line in file.read_text().splitlines()]
    return {world["seed"]: world for world in worlds if world["case"] == case}


def keep_world(file: Path | None, world: World) -> None:
    """Append a world, which has a case and a seed, if there is a file for it."""
    if file is not None:
        with file.open("a") as kept:
            kept.write(json.dumps(world) + "\n")
