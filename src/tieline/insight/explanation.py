"""Why a place is predicted to be so: its nearest specimens, and a paragraph made of the numbers."""

from collections.abc import Iterable, Sequence

import numpy as np
import xarray as xr

from tieline.errors import SchemaError
from tieline.evaluation.retraining import decisions_of
from tieline.models.design_columns import labels_of
from tieline.models.learner_posterior import LearnerPosterior
from tieline.models.posterior import Posterior, label_sets, names_of
from tieline.schema import as_variables
from tieline.schema.hashing import table_hash
from tieline.schema.wording import after_number

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
    targets = _targets(posterior)
    table = as_variables(posterior.table, targets)
    for name in targets:
        found[name] = (dims, table[name].values[at], table[name].attrs)
    return xr.Dataset(found, {"specimen": grid["specimen"].values, "rank": np.arange(1, at.shape[1] + 1)})


def explain(posterior: LearnerPosterior, place: xr.Dataset) -> str:
    """Say in a paragraph what is expected at one place, how sure that is, and what it rests on.

    Args:
        posterior: of `Learner`.
        place: one row on `specimen`.

    Raises:
        SchemaError: there is not just one row, or it lacks an input.
    """
    if place.sizes.get("specimen") != 1:
        raise SchemaError(
            "One place is explained at a time.",
            found=f"{place.sizes.get('specimen', 'no')} rows",
            hint="table.isel(specimen=[0])",
        )
    predicted, near = posterior.predict(place), nearest_specimens(posterior, place, NEAREST)
    found = posterior.diagnose()
    said: list[str] = []
    for name in posterior.model.properties:
        said += _of_property(name, predicted, near, found.sel(property=name))
    if posterior.model.phase:
        said += _of_labels(posterior.model.phase, predicted, near, found)
    far = "It is far from every specimen: an extrapolation, less sure than it says."
    said.append(far if predicted["far"].values[0] else "It lies among the specimens.")
    return " ".join(s[0].upper() + s[1:] for s in said)


def _of_property(name: str, predicted: xr.Dataset, near: xr.Dataset, found: xr.Dataset) -> list[str]:
    unit, mean = _unit(predicted[name]), predicted[name].values[0]
    low, _, high = predicted[f"{name}_quantile"].values[0]
    said = [
        f"{name.replace('_', ' ')} is expected to be {mean:.4g}{unit}, in nine of ten "
        f"cases between {low:.4g} and {high:.4g}{unit}."
    ]
    values = [f"{v:.4g}{unit}" if np.isfinite(v) else "" for v in near[name].values[0]]
    said += _of_neighbours(near, values)
    share, n, r2 = (found[key].item() for key in ("coverage_90", "n_measured", "r2"))
    return [
        *said,
        f"On {n} specimens that were left out, such intervals "
        f"held {100 * share:.0f} %, and {100 * max(r2, 0):.0f} % of the variance was explained.",
    ]


def _of_labels(name: str, predicted: xr.Dataset, near: xr.Dataset, found: xr.Dataset) -> list[str]:
    chance = predicted["phase_probability"].isel(specimen=0).to_series().sort_values(ascending=False)
    others = ", ".join(f"{label} {100 * share:.0f} %" for label, share in chance.iloc[1:3].items())
    return [
        f"{name.replace('_', ' ')} is expected to be {chance.index[0]}, with {100 * chance.iloc[0]:.0f} % "
        f"({others}).",
        *_of_neighbours(near, labels_of(near[name].isel(specimen=0))),
        f"Of {int(found['n_labelled'])} specimens that were left out, {100 * float(found['accuracy']):.0f} % "
        "were told rightly.",
    ]


def _of_neighbours(near: xr.Dataset, known: Iterable[str]) -> list[str]:
    """What is known of the nearest specimens, those left out of which nothing is."""
    pairs = zip(near["neighbour"].values[0], known, strict=True)
    said = [f"{name}: {value}" for name, value in pairs if value]
    return [f"Of the specimens most like it, {', '.join(said)}."] if said else []


def _targets(posterior: LearnerPosterior) -> list[str]:
    phase = posterior.model.phase
    return [*posterior.model.properties, *([phase] if phase else [])]


def model_card(posterior: Posterior, found: xr.Dataset | None = None) -> str:
    """What should go with a saved posterior: data, quality, limits and how to cite, as Markdown.

    Args:
        posterior: of any model.
        found: its diagnosis, if it was made already.
    """
    found = posterior.diagnose() if found is None else found
    model, table = posterior.model, posterior.table
    lines = [f"# {type(model).__name__}", "", f"`{model!r}`", "", "## Data", ""]
    lines += [f"* {table.sizes['specimen']} specimens; SHA-256 of what was read: `{table_hash(table)[:16]}`"]
    lines += [f"* learned: {', '.join([*label_sets(model), *model.properties])}"]
    lines += [f"* inputs: {', '.join(names_of(model.design))}"]
    lines += [f"* source: {table.attrs['source']}"] if "source" in table.attrs else []
    lines += ["", "## Quality", "", f"**{found.attrs['verdict']}**: {found.attrs['sentence']}", ""]
    lines += [f"* {_folds(posterior)}"]
    for name in model.properties if "coverage_90" in found else ():
        row = found.sel(property=name)
        more = f", R² {row['r2'].item():.2f}" if "r2" in row else ""
        lines.append(
            f"* {name}: 90 % intervals hold {100 * row['coverage_90'].item():.0f} % of "
            f"{row['n_measured'].item()} left-out specimens{more}"
        )
    decisions = [" ".join(s for s in (d["arrived"], d["decision"]) if s) for d in decisions_of(posterior)]
    lines += (
        ["", "## Decisions", "", *(f"{k}. {said}" for k, said in enumerate(decisions, 1))]
        if decisions
        else []
    )
    lines += ["", "## Limits", "", *(f"* {note}" for note in _limits(posterior, found.attrs["notes"]))]
    lines += ["", "## How to cite", "", *_sources(type(model).__doc__ or "")]
    return "\n".join(lines) + "\n"


def _folds(posterior: Posterior) -> str:
    """What was left out, to see how good predictions are."""
    if not isinstance(posterior, LearnerPosterior):
        return "specimens are left out one after another, or in groups: see the page of the model"
    model = posterior.model
    rows = f"groups of {model.groups}" if model.groups else "rows"
    if model.uncertainty == "bootstrap":
        return f"{rows} are left out of twenty draws with replacement, seed {posterior.seed}"
    return f"{rows} are left out in five folds, seed {posterior.seed}"


def _limits(posterior: Posterior, notes: Sequence[str]) -> list[str]:
    """Notes, and the ranges that numbers among the inputs were learned over."""
    table = as_variables(posterior.table, names_of(posterior.model.design))
    ranges = []
    for name in names_of(posterior.model.design):
        if table[name].ndim == 1 and table[name].dtype.kind in "iuf" and np.isfinite(table[name]).any():
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
    return after_number(variable.attrs.get("units", ""))
