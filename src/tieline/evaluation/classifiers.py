"""The classifiers of the ToF-SIMS study, compared without leaks.

Source: Zhao, KIT (2024), Tables 4.7 and 4.8: scikit-learn's default settings, peaks scaled by minimum and
maximum of the training fold, accuracy and F-score over five folds, probabilities for unknowns.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import AdaBoostClassifier, ExtraTreesClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from tieline.errors import SchemaError
from tieline.evaluation.folds import Fold, grouped_folds, warn_of_leaks
from tieline.features.spectra import PeakScaling
from tieline.schema import require

ITERATIONS = 3000  # of iterative fits: enough for sixty spectra of some hundred peaks
STRENGTHS = (0.01, 0.1, 1.0, 10.0, 100.0)  # C of Table 4.8
MIXES = {"l1": 1.0, "l2": 0.0, "elastic_net": 0.5}  # share of the absolute penalty


def study_classifiers(seed: int = 0) -> dict[str, Any]:
    """The nine classifiers of Table 4.7, unfitted; those of support vectors get calibrated probabilities."""
    return {
        "logistic_regression": LogisticRegression(max_iter=ITERATIONS),
        "svc_rbf": CalibratedClassifierCV(SVC()).set_params(ensemble=False),
        "svc_linear": CalibratedClassifierCV(SVC(kernel="linear")).set_params(ensemble=False),
        "k_nearest": KNeighborsClassifier(),
        "decision_tree": DecisionTreeClassifier(random_state=seed),
        "random_forest": RandomForestClassifier(random_state=seed),
        "ada_boost": AdaBoostClassifier(DecisionTreeClassifier(max_depth=3), random_state=seed),
        "gaussian_bayes": GaussianNB(),
        "mlp": MLPClassifier(random_state=seed, max_iter=ITERATIONS),
    }


def further_classifiers(seed: int = 0) -> dict[str, Any]:
    """Two that the study did not try and that stand a change of conditions better, unfitted."""
    return {
        "extra_trees": ExtraTreesClassifier(300, random_state=seed),
        "discriminant": LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"),
    }


def regularisations(seed: int = 0) -> dict[str, Any]:
    """The sixteen logistic regressions of Table 4.8, unfitted: "none", and each penalty with each C."""
    grid: dict[str, Any] = {"none": LogisticRegression(C=np.inf, max_iter=ITERATIONS)}
    for name, mix in MIXES.items():
        for strength in STRENGTHS:
            model = LogisticRegression(C=strength, max_iter=ITERATIONS, random_state=seed)
            if mix:
                model = model.set_params(solver="saga", l1_ratio=mix, tol=1e-3)
            grid[f"{name}, C={strength:g}"] = model
    return grid


def compare_classifiers(
    table: xr.Dataset,
    classifiers: Mapping[str, Any],
    unknowns: xr.Dataset | None = None,
    *,
    spectrum: str = "area",
    reference: str = "reference",
    group: str | None = None,
    scaling: Sequence[str] = ("min_max",),
    folds: Sequence[Fold] | None = None,
    seed: int = 0,
    clock: Callable[[], float] = time.process_time,
) -> xr.Dataset:
    """Cross-validate classifiers, and ask them for probabilities of unknowns.

    Args:
        table: spectra (specimen, peak) of pure compounds; rows without a label are left aside.
        classifiers: by name, unfitted: `study_classifiers()`, or your own.
        unknowns: spectra over the same peaks.
        spectrum: name of the variable of spectra.
        reference: name of the variable of labels.
        group: name of the variable of what was measured together, and is tested together; without it each row
            is by itself.
        scaling: one or several steps of `PeakScaling`, in order, learned from the training fold.
        folds: your own split of the labelled rows; a warning says so if it leaks groups.
        seed: of the folds.
        clock: what time is read from.

    Returns:
        On `classifier`: accuracy, f_score (macro) and seconds (fits and predictions together); predicted
        (classifier, specimen); and class_probability (classifier, unknown, compound), if there are unknowns.

    Raises:
        SchemaError: a variable is missing, or unknowns have other peaks.
        NotIdentified: a compound has a single group.
    """
    require(table, [n for n in (spectrum, reference, group) if n], "compare_classifiers")
    label = table[reference].values.astype(str)
    rows = np.flatnonzero(label != "")
    axis = next(str(d) for d in table[spectrum].dims if d != "specimen")
    counts, label = table[spectrum].transpose("specimen", axis).values[rows].astype(float), label[rows]
    together = None if group is None else table[group].values[rows].astype(str)
    if folds is None:
        folds = grouped_folds(label, together, seed=seed, n_folds=_n_folds(label, together))
    elif together is not None:
        warn_of_leaks(folds, together)
    asked = None if unknowns is None else _same_peaks(unknowns, table, spectrum, axis)
    names, compounds = list(classifiers), np.unique(label)
    told = np.full((len(names), len(label)), "", dtype=label.dtype)
    seconds, chance = np.zeros(len(names)), []
    for i, classifier in enumerate(classifiers.values()):
        start = clock()
        for train, test in folds:
            told[i, test] = (
                _pipeline(classifier, scaling).fit(counts[train], label[train]).predict(counts[test])
            )
        if asked is not None:
            chance.append(_pipeline(classifier, scaling).fit(counts, label).predict_proba(asked))
        seconds[i] = clock() - start
    found = xr.Dataset(
        {
            "accuracy": ("classifier", (told == label).mean(1), {"units": "1"}),
            "f_score": (
                "classifier",
                [f1_score(label, row, average="macro") for row in told],
                {"units": "1"},
            ),
            "seconds": ("classifier", seconds, {"units": "s"}),
            "predicted": (("classifier", "specimen"), told),
        },
        coords={"classifier": names, "specimen": table["specimen"].values[rows], "compound": compounds},
    )
    if unknowns is None:
        return found
    dims = ("classifier", "unknown", "compound")
    found = found.assign_coords(unknown=unknowns["specimen"].values)
    return found.assign(class_probability=(dims, np.stack(chance), {"units": "1"}))


def _n_folds(label: np.ndarray, together: np.ndarray | None) -> int:
    """Five, or fewer where a compound has fewer rows or groups."""
    group = np.arange(len(label)) if together is None else together
    return max(2, min(5, *(len(np.unique(group[label == c])) for c in np.unique(label))))


def _pipeline(classifier: Any, scaling: Sequence[str]) -> Pipeline:
    return make_pipeline(*(PeakScaling(step) for step in scaling), clone(classifier))


def _same_peaks(unknowns: xr.Dataset, table: xr.Dataset, spectrum: str, axis: str) -> np.ndarray:
    require(unknowns, [spectrum], "compare_classifiers")
    theirs = unknowns[spectrum]
    if axis not in theirs.coords or not np.array_equal(theirs[axis].values, table[axis].values):
        raise SchemaError(
            "The unknowns have other peaks than the references.",
            found=f"{theirs.sizes.get(axis, 0)} peaks beside {table.sizes[axis]}",
            hint="integrate the same peaks in all spectra",
        )
    return theirs.transpose("specimen", axis).values.astype(float)
