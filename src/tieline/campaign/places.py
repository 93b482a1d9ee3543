"""Tables of places to predict or to choose from, and predictions, as files."""

from pathlib import Path

import pandas as pd
import xarray as xr

from tieline.campaign.results import read_results
from tieline.errors import SchemaError
from tieline.features.represent import represent
from tieline.models.posterior import Posterior
from tieline.schema import save_netcdf, specimens_of
from tieline.schema.partial import partial_beside


def read_places(file: str | Path, sheet: str | None = None) -> xr.Dataset:
    """Read a table of places to predict or to choose from, columns of text too: they may be categories.

    What was said about the file, in the small file beside it, counts.

    Args:
        file: the table.
        sheet: which sheet of a spreadsheet file, when several hold data.
    """
    record = read_results(Path(file), sheet=sheet)
    table, specimens = represent(record), specimens_of(record)
    return table.assign({str(n): v for n, v in specimens.data_vars.items() if n not in table})


def write_places(places: xr.Dataset, file: Path) -> None:
    """Write places and what is predicted there as CSV or netCDF, by the name's ending.

    Raises:
        SchemaError: another ending, or there is no such folder.
    """
    if file.suffix in (".nc", ".csv") and not file.parent.is_dir():
        raise SchemaError(f"There is no folder '{file.parent}'.", found=file.name, hint="create it first")
    if file.suffix == ".nc":
        save_netcdf(places, file)
    elif file.suffix == ".csv":
        write_whole(file, flat(places).to_csv())
    else:
        raise SchemaError("Predictions are written as .csv or .nc.", found=file.name, hint=f"{file.stem}.csv")


def predict_beside(posterior: Posterior, places: xr.Dataset) -> xr.Dataset:
    """Predict at places, and keep what else is known of them.

    Returns:
        The places with the prediction, whose `attrs` it has. A variable of the places that bears a name
        of the prediction is left out, which `attrs["notes"]` then says.
    """
    predicted = posterior.predict(places)
    taken = {str(v) for v in (*predicted.variables, *predicted.dims)} - {"specimen"}
    clashing = [str(n) for n, v in places.variables.items() if n in taken or taken & set(v.dims)]
    notes = [f"{name}: left out of the places, where it is predicted" for name in clashing]
    answer = xr.merge([places.drop_vars(clashing), predicted], compat="equals", join="exact")
    answer.attrs = {**predicted.attrs, "notes": [*predicted.attrs["notes"], *notes]}
    return answer


def flat(places: xr.Dataset) -> pd.DataFrame:
    """One row a place; an array over phases, elements or parts becomes columns: phase_probability_A.

    Text that stands beside places, such as a formula, comes first.
    """
    beside = {str(n): c.values for n, c in places.coords.items() if c.dims == ("specimen",)}
    columns = {name: values for name, values in beside.items() if name != "specimen"}
    for name, variable in places.data_vars.items():
        if variable.dims == ("specimen",):
            columns[str(name)] = variable.values
            continue
        (other,) = (d for d in variable.dims if d != "specimen")
        for value in variable[other].values:
            columns[f"{name}_{value}"] = variable.sel({other: value}).values
    return pd.DataFrame(columns, index=pd.Index(places["specimen"].values, name="specimen"))


def write_whole(path: Path, text: str, *, encoding: str = "utf-8") -> None:
    """Write a text file whole or not at all."""
    partial = partial_beside(path)
    partial.write_text(text, encoding=encoding)
    partial.replace(path)
