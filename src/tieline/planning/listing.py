"""Proposals as rows of text, for terminals, reports and spreadsheets."""

import numpy as np
import pandas as pd
import xarray as xr

from tieline.models.posterior import Posterior
from tieline.planning.goals import parse_goal, property_terms
from tieline.planning.pool import design_names
from tieline.planning.wording import label, plus_minus, spoken_unit


def list_proposals(posterior: Posterior, batch: xr.Dataset) -> pd.DataFrame:
    """Write each proposal as one row that people read.

    Args:
        posterior: what a model learned; says what the design is.
        batch (specimen): from `propose`.

    Returns:
        One row a proposal, numbered from 1, all text: settings with units in the header, the prediction of
            each
        property in the goal, the most likely phase where there are several, and the reason.
    """
    columns = {
        name: [f"{v:.4g}" for v in values] for name, values in design_columns(posterior, batch).items()
    }
    for _, goal in property_terms(parse_goal(batch.attrs["goal"])):
        mean, sd = batch[goal.name], batch[f"{goal.name}_sd"]
        pairs = zip(mean.values, sd.values, strict=True)
        columns[goal.name.replace("_", " ")] = [plus_minus(m, s, spoken_unit(mean)) for m, s in pairs]
    if batch["phase_entropy"].values.any():
        columns["most likely phase"] = [str(v) for v in batch["most_likely_phase"].values]
    columns["why"] = [str(v) for v in batch["reason"].values]
    return pd.DataFrame(columns, index=pd.RangeIndex(1, batch.sizes["specimen"] + 1, name="proposal"))


def tabulate_proposals(posterior: Posterior, batch: xr.Dataset) -> pd.DataFrame:
    """Write each proposal as one row that programs read: numbers, with units in the headers.

    Args:
        posterior: what a model learned; says what the design is.
        batch (specimen): from `propose`.
    """
    columns = design_columns(posterior, batch)
    for _, goal in property_terms(parse_goal(batch.attrs["goal"])):
        columns[label(batch[goal.name], f"predicted {goal.name}")] = batch[goal.name].values
        columns[label(batch[goal.name], f"sd of {goal.name}")] = batch[f"{goal.name}_sd"].values
    for name in ("most_likely_phase", "candidate", "value", "reason"):
        columns[name.replace("_", " ")] = batch[name].values
    return pd.DataFrame(columns, index=pd.RangeIndex(1, batch.sizes["specimen"] + 1, name="proposal"))


def design_columns(posterior: Posterior, places: xr.Dataset) -> dict[str, np.ndarray]:
    """Spread a design over columns, headed by name and unit; a composition gives its elements in at.%."""
    columns = {}
    for name in design_names(posterior):
        variable = places[name]
        if "element" in variable.dims:
            elements = [str(e) for e in posterior.table["element"].values]
            columns |= {f"{e} (at.%)": 100 * variable.sel(element=e).values for e in elements}
        else:
            columns[label(variable, name)] = variable.values
    return columns
