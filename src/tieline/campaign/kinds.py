"""Numbers, texts and compositions: what a name was once, it stays, or nothing could be learned of it."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import xarray as xr

from tieline.errors import SchemaError
from tieline.planning.spaces.inputs import Categorical
from tieline.planning.spaces.mixture import Composition
from tieline.planning.spaces.space import Space

NUMBER, TEXT, COMPOSITION = "a number", "a text", "a composition"
FORMS = {NUMBER: "700, without quotes", TEXT: '"steel", in quotes', COMPOSITION: '{"Fe": 0.7, "Ga": 0.3}'}


def kind_of(value: Any) -> str:
    """What a setting or result is, once it is brought into plain form."""
    return COMPOSITION if isinstance(value, Mapping) else TEXT if isinstance(value, str) else NUMBER


def kinds_of(specimens: xr.Dataset, space: Space | None) -> dict[str, str]:
    """What the variables of a record, and the inputs of a space, are.

    Args:
        specimens (specimen): of the record.
        space: of what could be made, if one is stated.
    """
    kinds = {} if space is None else {one.name: _kind_of_input(one) for one in space.inputs}
    for name, variable in specimens.data_vars.items():
        if "element" in variable.dims:
            kinds[str(name)] = COMPOSITION
        elif variable.dims == ("specimen",):
            kinds |= {str(name): kind for kind in _kind_of_column(variable)}
    return kinds


def _kind_of_column(variable: xr.DataArray) -> Iterator[str]:
    """What a column holds, unless it is empty."""
    if variable.dtype.kind not in "iufb":
        yield TEXT
    elif np.isfinite(variable.values).any():
        yield NUMBER


def _kind_of_input(one: Any) -> str:
    return COMPOSITION if isinstance(one, Composition) else TEXT if isinstance(one, Categorical) else NUMBER


def refuse_other_kind(name: str, value: Any, known: str | None) -> None:
    """See that a value is what its name stands for.

    Raises:
        SchemaError: it is not.
    """
    if known is not None and kind_of(value) != known:
        raise SchemaError(
            f"'{name}' is {known}, and this is {kind_of(value)}.", found=repr(value)[:80], hint=FORMS[known]
        )
