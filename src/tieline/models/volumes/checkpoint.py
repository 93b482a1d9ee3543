"""A training that was stopped, in one file: arrays and text, nothing that is executed."""

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from tieline.errors import Conflict, SchemaError
from tieline.models.arrays import Array

FORMAT = "tieline training 1"
LISTS = ("weights", "state", "best")


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """How far a training came.

    Attributes:
        n_epochs: done.
        weights: of the network now.
        state: of the optimiser now.
        best: weights with the best bound on held-out volumes so far.
        history (epoch, term): of the bound.
    """

    n_epochs: int
    weights: tuple[Array, ...]
    state: tuple[Array, ...]
    best: tuple[Array, ...]
    history: Array


def write_checkpoint(path: Path, mark: str, checkpoint: Checkpoint) -> None:
    """Write a checkpoint; the file is the old one or the new one, never half of it.

    Args:
        path: of the file.
        mark: of the training: settings and data, in one line.
        checkpoint: to write.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    with h5py.File(unfinished, "w") as file:
        file.attrs["format"], file.attrs["mark"] = FORMAT, mark
        file.attrs["n_epochs"] = checkpoint.n_epochs
        file["history"] = checkpoint.history
        for name in LISTS:
            for number, array in enumerate(getattr(checkpoint, name)):
                file[f"{name}/{number}"] = array
    unfinished.replace(path)


def read_checkpoint(path: Path, mark: str, like: Checkpoint) -> Checkpoint:
    """Read a checkpoint of this training.

    Args:
        path: of the file.
        mark: of this training.
        like: one of the same shapes.

    Raises:
        SchemaError: the file is not a checkpoint, or is damaged.
        Conflict: it is of a training with other settings or data.
    """
    try:
        with h5py.File(path, "r") as file:
            if file.attrs.get("format") != FORMAT:
                raise SchemaError(f"'{path.name}' is not a checkpoint of a training.", hint="another name")
            if file.attrs["mark"] != mark:
                raise Conflict(
                    f"'{path.name}' belongs to a training with other settings or volumes.",
                    found=str(file.attrs["mark"]),
                    hint="fit with the same settings, seed and volumes to go on; or name another file",
                )
            lists = {
                name: tuple(
                    np.asarray(file[f"{name}/{number}"]) for number in range(len(getattr(like, name)))
                )
                for name in LISTS
            }
            return Checkpoint(
                int(np.asarray(file.attrs["n_epochs"])), history=np.asarray(file["history"]), **lists
            )
    except (OSError, KeyError) as error:
        raise SchemaError(
            f"'{path.name}' cannot be read as a checkpoint.",
            found=str(error).splitlines()[0],
            hint="delete it, and train from the beginning",
        ) from error
