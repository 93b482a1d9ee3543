"""What every posterior answers, whatever its model: all that planning, figures and campaigns ask."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import xarray as xr

from tieline.errors import SchemaError
from tieline.schema.wording import name_known


class Question(Protocol):
    """The settings of a model that its posterior is read with."""

    @property
    def design(self) -> str | Sequence[str]:
        """One composition, or the names of numeric columns."""
        ...

    @property
    def phase(self) -> str | Sequence[str] | None:
        """The variable of phase labels, or the variables of several label sets, if it reads any."""
        ...

    @property
    def properties(self) -> Sequence[str]:
        """Names of the properties that were learned."""
        ...


def label_sets(model: Question) -> tuple[str, ...]:
    """Names of the label variables that a model reads."""
    return names_of(model.phase or ())


def model_name(model: object) -> str:
    """What a model is called in a sentence: its way of learning, or its class."""
    return getattr(model, "way", type(model).__name__).replace("_", " ")


def names_of(said: str | Sequence[str]) -> tuple[str, ...]:
    """One name or several, as several."""
    return (said,) if isinstance(said, str) else tuple(said)


def refuse_twice(reader: str, names: Sequence[str], hint: str) -> None:
    """Make sure that a model reads every variable for one purpose.

    Raises:
        SchemaError: a name stands twice.
    """
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SchemaError(
            f"{reader} reads every variable for one purpose.",
            found=f"{', '.join(twice)} more than once",
            hint=hint,
        )


def no_boundaries(said: str, model: Question) -> SchemaError:
    """What a posterior raises that has no boundaries along a line; `said` is the model in a sentence."""
    return SchemaError(
        f"{said} knows no boundaries.",
        found=type(model).__name__,
        hint="tl.PhaseProperty learns where properties jump",
    )


class Posterior(Protocol):
    """The immutable answer of a model."""

    @property
    def model(self) -> Question:
        """The question."""
        ...

    @property
    def table(self) -> xr.Dataset:
        """What it was asked of."""
        ...

    @property
    def results(self) -> xr.Dataset:
        """The same with only those values that count as results: no limits, nothing of earlier campaigns."""
        ...

    @property
    def has_boundaries(self) -> bool:
        """Whether `boundaries` has an answer."""
        ...

    @property
    def notes(self) -> Sequence[str]:
        """What was left out or should be known."""
        ...

    def predict(self, grid: xr.Dataset) -> xr.Dataset:
        """Means and standard deviations at places (specimen); with phases, their probabilities too."""
        ...

    def functions(self, grid: xr.Dataset, n: int = 200, *, seed: int = 0) -> xr.DataArray:
        """Joint draws (draw, specimen, property), with `phase_draw (draw, specimen)` if it knows phases."""
        ...

    def diagnose(self) -> xr.Dataset:
        """A verdict, one sentence, one action, and the figures behind them."""
        ...

    def boundaries(self) -> xr.Dataset:
        """Where boundaries are along a line."""
        ...

    def save(self, path: str | Path) -> Path:
        """Write one netCDF file."""
        ...


def property_named(
    known: Sequence[str], name: str | None, *, called: str = "property that was learned"
) -> str:
    """The property that is meant: by default the only one.

    Raises:
        SchemaError: there is none of that name, or none was named and there are several.
    """
    name = known[0] if name is None and len(known) == 1 else name
    if name is None or name not in known:
        raise SchemaError(f"Name a {called}.", found=name_known(known, name or "nothing"))
    return name
