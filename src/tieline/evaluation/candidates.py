"""What is compared: the usual ways, tieline's own models where they fit the task, and models of one's own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tieline.errors import SchemaError
from tieline.evaluation.task import Task
from tieline.models.arrays import Indices
from tieline.models.composition_properties import CompositionProperties
from tieline.models.design_columns import known_elements
from tieline.models.gaussian_process import GaussianProcess
from tieline.models.learner import Learner
from tieline.models.learner_ways import WAYS, Settings, Way, tried_by, way_named, ways_for
from tieline.models.phase_property import PhaseProperty
from tieline.schema import is_label

MOST_SETTINGS = 8  # inputs of a tieline GaussianProcess: each has its own lengthscale
MOST_ROWS = 500  # of it: its cost grows with their cube
FEWEST_MATERIALS = 30  # of CompositionProperties
MOST_ON_MAP = 3  # inputs of PhaseProperty, one less than the elements of a composition
MOST_MAPPED = 200  # rows of it, where it must find phases by a number alone
TIELINE = {
    "PhaseProperty": PhaseProperty,
    "GaussianProcess": GaussianProcess,
    "CompositionProperties": CompositionProperties,
}
SIMPLICITY = {"GaussianProcess": 3, "PhaseProperty": 4, "CompositionProperties": 5}
TAKES = {
    "PhaseProperty": f"up to {MOST_ON_MAP} numbers, or a composition of up to {MOST_ON_MAP + 1} elements, "
    f"all known, and {MOST_MAPPED} rows, with labels of phases {MOST_ROWS}",
    "GaussianProcess": f"up to {MOST_SETTINGS} inputs, all known, and {MOST_ROWS} rows, and predicts numbers",
    "CompositionProperties": f"one composition and numbers, and {FEWEST_MATERIALS} rows or more, "
    "and predicts numbers",
}
OWN = 10  # simplicity of what a user brings: whatever it is, one of the usual ways is simpler


@dataclass(frozen=True)
class Candidate:
    """One model that is compared.

    Attributes:
        name: what it is called.
        way: a `Way`, an unfitted scikit-learn estimator, or the name of a tieline model.
        simplicity: the smaller wins a tie.
        tried: settings among which it is tuned, the usual ones first.
    """

    name: str
    way: Any
    simplicity: int
    tried: tuple[Settings, ...] = ((),)

    @property
    def is_tieline(self) -> bool:
        """Whether it reads the table, and not its columns."""
        return isinstance(self.way, str)


def candidates_for(task: Task, models: Sequence[str] | Mapping[str, Any] | None) -> list[Candidate]:
    """Choose what is compared; the mean is always among them.

    Args:
        task: what is asked.
        models: names of ways, or {name: unfitted scikit-learn estimator, or a name}; by default the usual
            ways, with the tieline models that fit.

    Raises:
        SchemaError: a name is none of the set, or what is given is no estimator.
    """
    labels = task.is_classification
    known = {name: _of_way(WAYS[name], labels) for name in ways_for(labels=labels)}
    known |= {c.name: c for c in _tieline_models(task)}
    if models is None:
        return [c for name, c in known.items() if name in TIELINE or WAYS[name].is_usual]
    named = dict(models) if isinstance(models, Mapping) else {name: name for name in models}
    chosen = {"mean": known["mean"]}
    for name, model in named.items():
        if isinstance(model, str):
            if model not in known:
                _refuse(task, model, labels)
            chosen[name] = Candidate(name, known[model].way, known[model].simplicity, known[model].tried)
        elif hasattr(model, "fit") and hasattr(model, "get_params") and not isinstance(model, type):
            _check_kind(name, model, labels)
            chosen[name] = Candidate(name, model, OWN)
        else:
            raise SchemaError(
                f"'{name}' is no model that can be compared.",
                found=f"the class {model.__name__}" if isinstance(model, type) else type(model).__name__,
                hint="a name of the default set, or an unfitted scikit-learn estimator",
            )
    return list(chosen.values())


def _of_way(way: Way, labels: bool) -> Candidate:
    return Candidate(way.name, way, way.simplicity, tried_by(way, labels=labels))


def _check_kind(name: str, model: Any, labels: bool) -> None:
    """See that an estimator tells labels where labels are asked, and numbers where numbers are."""
    from sklearn.base import is_classifier, is_regressor

    if is_regressor(model) if labels else is_classifier(model):
        raise SchemaError(
            f"'{name}' does not tell {'labels' if labels else 'numbers'}.",
            found=type(model).__name__,
            hint="a classifier" if labels else "a regressor",
        )


def _refuse(task: Task, name: str, labels: bool) -> None:
    if name in TIELINE:
        raise SchemaError(
            f"{name} does not fit this task.",
            found=f"inputs {', '.join(task.inputs)}, {task.table.sizes['specimen']} rows",
            hint=f"{name} takes {TAKES[name]}",
        )
    way_named(name, labels=labels)


def _tieline_models(task: Task) -> list[Candidate]:
    """The models of this house that answer such a question."""
    rows = np.unique(np.concatenate([task.rows(target) for target in task.targets]))
    table, n = task.table, len(rows)
    is_known = n <= MOST_ROWS and _is_known(task, rows)
    kinds = {name: table[name] for name in task.inputs}
    compositions = [v for v in kinds.values() if "element" in v.dims]
    others = [v for v in kinds.values() if "element" not in v.dims]
    n_elements = sum(int((v > 0).any("specimen").sum()) for v in compositions)
    is_flat = all(v.ndim == 1 for v in others) and len(compositions) <= 1
    numbers = all(v.ndim == 1 and v.dtype.kind in "iufb" for v in others)
    names = []
    n_axes = max(n_elements - 1, 0) + len(others)
    most = MOST_ROWS if task.is_classification or _label_sets(task) else MOST_MAPPED
    if numbers and bool(compositions) != bool(others) and n_axes <= MOST_ON_MAP and n <= most and is_known:
        names.append("PhaseProperty")
    if not task.is_classification:
        if is_flat and len(others) + n_elements <= MOST_SETTINGS and n <= MOST_ROWS and is_known:
            names.append("GaussianProcess")
        if len(compositions) == 1 and numbers and n >= FEWEST_MATERIALS and known_elements(compositions[0]):
            names.append("CompositionProperties")
    return [Candidate(name, name, SIMPLICITY[name]) for name in names]


def _label_sets(task: Task) -> tuple[str, ...]:
    """Labels of phases that the table holds beside what the task is about."""
    parts = (*task.inputs, *task.targets, task.groups, task.order)
    return tuple(
        str(name)
        for name, variable in task.table.data_vars.items()
        if name not in parts and variable.attrs.get("role") == "structure" and is_label(variable)
    )


def _is_known(task: Task, rows: Indices) -> bool:
    """Whether all rows that are tested know every input: only then can a tieline model predict them."""
    return bool(np.isfinite(task.columns()[rows]).all())


def tieline_model(
    name: str, task: Task, target: str
) -> PhaseProperty | GaussianProcess | CompositionProperties:
    """The tieline model of a candidate, for one target; a map reads labels of phases that are there, too."""
    inputs = list(task.inputs)
    if name != "PhaseProperty":
        return TIELINE[name](inputs, target)
    if task.is_classification:
        return PhaseProperty(inputs, phase=target)
    return PhaseProperty(inputs, phase=_label_sets(task) or None, properties=target)


def simplicity_of(model: Any) -> int:
    """How simple a model of this house is: 0 for the mean, larger for what has more to it."""
    if isinstance(model, Learner) and model.uncertainty in ("conformal", "bayes"):
        return WAYS[model.way].simplicity
    return SIMPLICITY.get(type(model).__name__, OWN)
