"""Proposals as rows of text, for terminals, reports and spreadsheets."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr

from tieline.models.posterior import Posterior, label_sets
from tieline.planning.field_proposals import GaussianAnswer
from tieline.planning.goals import names_in, parse_goal
from tieline.planning.pool import check_pool, design_names
from tieline.planning.wording import label, spoken_unit
from tieline.schema.wording import plus_minus

MARK = "tieline: "  # before the headers of what is ours in a list; a reader of it leaves these columns aside


def list_proposals(posterior: Posterior, batch: xr.Dataset) -> pd.DataFrame:
    """Write each proposal as one row that people read.

    Args:
        posterior: what a model learned; says what the design is.
        batch (specimen): from `propose`.

    Returns:
        One row a proposal, numbered from 1, all text: settings with units in the header, what to measure
        where instruments were chosen, the prediction of each property in the goal, the most likely phase
        where there are several, and the reason.
    """
    settings = design_columns(posterior, check_pool(posterior, batch))
    columns = {
        name: [str(v) if values.dtype.kind not in "iufb" else f"{v:.4g}" for v in values]
        for name, values in settings.items()
    }
    if "instrument" in batch:
        columns["measure"] = [str(v).replace("_", " ") for v in batch["instrument"].values]
    for name in names_in(parse_goal(batch.attrs["goal"])):
        mean, sd = batch[name], batch[f"{name}_sd"]
        pairs = zip(mean.values, sd.values, strict=True)
        columns[name.replace("_", " ")] = [plus_minus(m, s, spoken_unit(mean)) for m, s in pairs]
    if "phase_entropy" in batch and batch["phase_entropy"].values.any():
        columns["most likely phase"] = [str(v) for v in batch["most_likely_phase"].values]
    columns["why"] = [str(v) for v in batch["reason"].values]
    return pd.DataFrame(columns, index=pd.RangeIndex(1, batch.sizes["specimen"] + 1, name="proposal"))


def tabulate_proposals(posterior: Posterior, batch: xr.Dataset, names: Sequence[str]) -> pd.DataFrame:
    """Write proposals as a list to be filled in: one row a proposal, with empty columns for what is measured.

    Args:
        posterior: what a model learned; says what the design is, and what is measured.
        batch (specimen): from `propose`.
        names (specimen): identities for the specimens that are to be made.

    Returns:
        Indexed by `specimen`: the settings with units in the headers; nothing yet for the phase label, each
        property and, where the model reads it, its flag; and, marked with `MARK`, predictions, score, reason.
    """
    # Fifteen digits are what a spreadsheet keeps; with more, 58 may read 57.99999999999999.
    columns: dict[str, Sequence[object]] = {
        header: values.tolist() if values.dtype.kind not in "iufb" else [float(f"{v:.15g}") for v in values]
        for header, values in design_columns(posterior, check_pool(posterior, batch)).items()
    }
    model, n = posterior.model, batch.sizes["specimen"]
    for name in (*label_sets(model), *model.properties):
        columns[heading(posterior.table[name], name)] = [""] * n
        if isinstance(posterior, GaussianAnswer):
            columns[f"{name}_flag"] = [""] * n
    for name in names_in(parse_goal(batch.attrs["goal"])):
        predicted = f"{MARK}predicted {heading(batch[name], name)}"
        columns[predicted] = batch[name].values.tolist()
        columns[f"{predicted} sd"] = batch[f"{name}_sd"].values.tolist()
    for name in (n for n in ("most_likely_phase", "value", "reason") if n in batch):
        columns[MARK + name.replace("_", " ")] = batch[name].values.tolist()
    return pd.DataFrame(columns, index=pd.Index(list(names), name="specimen"))


def is_ours(header: str) -> bool:
    """Tell a column that `tabulate_proposals` wrote for people to read, in whatever case it came back."""
    return header.strip().casefold().startswith(MARK.strip())


def heading(variable: xr.DataArray, name: str) -> str:
    """Write a variable's name with its unit, if need be as the lab wrote it."""
    written = str(variable.attrs.get("unit_as_written", ""))
    if "units" in variable.attrs or not written:
        return label(variable, name)
    return f"{name.replace('_', ' ')} ({written})"


def element_heading(element: str) -> str:
    """Write the header of one element of a composition."""
    return f"{element} (at.%)"


def design_columns(posterior: Posterior, places: xr.Dataset) -> dict[str, np.ndarray]:
    """Spread a design over columns, headed by name and unit; a composition gives its elements in at.%.

    Args:
        posterior: what a model learned; says what the design is, and in which units.
        places (specimen): in these units, as `check_pool` gives them.
    """
    columns = {}
    for name in design_names(posterior):
        variable = places[name]
        if "element" in variable.dims:
            elements = [str(e) for e in posterior.table["element"].values]
            columns |= {element_heading(e): 100 * variable.sel(element=e).values for e in elements}
        else:
            columns[heading(posterior.table[name], name)] = variable.values
    return columns
