"""Why a place is predicted to be so: its nearest specimens, and a paragraph made of the numbers."""

from collections.abc import Sequence
from hashlib import sha256

import numpy as np
import xarray as xr

from tieline.models.learner_posterior import LearnerPosterior
from tieline.models.posterior import Posterior, names_of
from tieline.schema import as_variables

NEAREST = 3


def nearest_specimens(posterior: LearnerPosterior, grid: xr.Dataset, n: int = 5) -> xr.Dataset:
    """The specimens most like each place, with what was measured on them.

    Args:
        posterior: of `Learner`.
        grid: the inputs on `specimen`.
        n: how many.

    Returns:
        On (specimen, rank): neighbour (its name), distance (root of the mean square over columns, in standard
        deviations) and every property of it.
    """
    distance, at = posterior.nearest(posterior.placed(grid), min(n, posterior.table.sizes["specimen"]))
    dims = ("specimen", "rank")
    found = {"neighbour": (dims, posterior.table["specimen"].values[at]), "distance": (dims, distance)}
    table = as_variables(posterior.table, posterior.model.properties)
    for name in posterior.model.properties:
        found[name] = (dims, table[name].values[at], table[name].attrs)
    return xr.Dataset(found, {"specimen": grid["specimen"], "rank": np.arange(1, at.shape[1] + 1)})


def explain(posterior: LearnerPosterior, place: xr.Dataset) -> str:
    """Say in a paragraph what is expected at one place, how sure that is, and what it rests on.

    Args:
        posterior: of `Learner` for properties.
        place: one row on `specimen`.
    """
    predicted, near = posterior.predict(place), nearest_specimens(posterior, place, NEAREST)
    found = posterior.diagnose()
    said = []
    for name in posterior.model.properties:
        unit = _unit(predicted[name])
        mean = predicted[name].values[0]
        low, _, high = predicted[f"{name}_quantile"].values[0]
        said.append(
            f"{name.replace('_', ' ')} is expected to be {mean:.4g}{unit}, in nine of ten "
            f"cases between {low:.4g} and {high:.4g}{unit}."
        )
        measured = [v for v in near[name].values[0] if np.isfinite(v)]
        if measured:
            names = ", ".join(str(v) for v in near["neighbour"].values[0])
            values = ", ".join(f"{value:.4g}" for value in measured)
            said.append(f"The specimens most like it, {names}, measured {values}{unit}.")
        share = found["coverage_90"].sel(property=name).item()
        n = found["n_measured"].sel(property=name).item()
        r2 = found["r2"].sel(property=name).item()
        said.append(
            f"On {n} specimens that were left out, such intervals "
            f"held {100 * share:.0f} %, and {100 * max(r2, 0):.0f} % of the variance was explained."
        )
    far = "It is far from every specimen: an extrapolation, less sure than it says."
    said.append(far if predicted["far"].values[0] else "It lies among the specimens.")
    return " ".join(s[0].upper() + s[1:] for s in said)


def model_card(posterior: Posterior) -> str:
    """What should go with a saved posterior: data, quality, limits and how to cite, as Markdown.

    Args:
        posterior: of any model.
    """
    found = posterior.diagnose()
    model, table = posterior.model, posterior.table
    lines = [f"# {type(model).__name__}", "", f"`{model!r}`", "", "## Data", ""]
    lines += [f"* {table.sizes['specimen']} specimens; SHA-256 of what was read: `{table_hash(table)[:16]}`"]
    lines += [f"* inputs: {', '.join(names_of(model.design))}"]
    lines += [f"* source: {table.attrs['source']}"] if "source" in table.attrs else []
    lines += ["", "## Quality", "", f"**{found.attrs['verdict']}**: {found.attrs['sentence']}", ""]
    for name in model.properties:
        row = found.sel(property=name)
        more = f", R² {row['r2'].item():.2f}" if "r2" in row else ""
        lines.append(
            f"* {name}: 90 % intervals hold {100 * row['coverage_90'].item():.0f} % of "
            f"{row['n_measured'].item()} left-out specimens{more}"
        )
    lines += ["", "## Limits", "", *(f"* {note}" for note in _limits(posterior, found.attrs["notes"]))]
    lines += ["", "## How to cite", "", *_sources(type(model).__doc__ or "")]
    return "\n".join(lines) + "\n"


def table_hash(table: xr.Dataset) -> str:
    """SHA-256 of the variables of a table, in order of their names."""
    digest = sha256()
    for name in sorted(map(str, table.variables)):
        values = table[name].values
        fixed = np.ascontiguousarray(values.astype("U") if values.dtype.kind in "OU" else values)
        digest.update(f"{name} {fixed.dtype} {fixed.shape}".encode())
        digest.update(fixed.tobytes())
    return digest.hexdigest()


def _limits(posterior: Posterior, notes: Sequence[str]) -> list[str]:
    """Notes, and the ranges that numbers among the inputs were learned over."""
    table = as_variables(posterior.table, names_of(posterior.model.design))
    ranges = []
    for name in names_of(posterior.model.design):
        if table[name].ndim == 1 and table[name].dtype.kind in "iuf":
            low, high = np.nanmin(table[name].values), np.nanmax(table[name].values)
            ranges.append(
                f"{name} from {low:.4g} to {high:.4g}{_unit(table[name])}; elsewhere it extrapolates"
            )
    return [*notes, *ranges] or ["none are known"]


def _sources(docstring: str) -> list[str]:
    """The part of a docstring that says where a model is from."""
    lines = docstring.partition("Source:")[2].strip().splitlines()
    return [" ".join(line.strip() for line in lines)] if lines else ["see the page of the model"]


def _unit(variable: xr.DataArray) -> str:
    unit = variable.attrs.get("units", "")
    return "" if unit in ("", "1") else f" {unit}"
