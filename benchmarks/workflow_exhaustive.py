"""Every model, every setting, every fold: what a comparison would cost that leaves nothing out."""

import numpy as np

from tieline.evaluation.candidates import candidates_for, tieline_model
from tieline.evaluation.schemes import group_folds
from tieline.evaluation.task import Task
from tieline.models.learner_fit import fit_number
from tieline.schema import as_variables

N_INNER = 5


def exhaustive(question: Task, seed: int, n_folds: int = 5) -> dict[str, float]:
    """Mean absolute error of each model, tuned over its whole grid within each of the folds.

    Args:
        question: a task of one number.
        seed: of folds and fits.
        n_folds: outer ones, the same as those of `compare`.
    """
    (target,) = question.targets
    x = question.columns()
    y = question.table[target].values.astype(float)
    table = as_variables(question.table, question.inputs)[[*question.inputs, target]].reset_coords(drop=True)
    folds = question.folds(target, "grouped", n_folds, seed)
    found = {}
    for candidate in candidates_for(question, None):
        errors = []
        for train, test in folds:
            if candidate.is_tieline:
                model = tieline_model(str(candidate.way), question, target)
                posterior = model.fit(table.isel(specimen=train), seed=seed)
                guess = posterior.predict(table.isel(specimen=test))[target].values
            else:
                group = np.unique(question.group[train], return_inverse=True)[1]
                inner = [(train[a], train[b]) for a, b in group_folds(group, None, N_INNER, seed)]
                losses = []
                for settings in candidate.tried:
                    said = [
                        np.abs(
                            y[b] - fit_number(candidate.way, settings, x[a], y[a], seed).predict(x[b])[0]
                        ).sum()
                        for a, b in inner
                    ]
                    losses.append(sum(said))
                best = candidate.tried[int(np.argmin(losses))]
                guess = fit_number(candidate.way, best, x[train], y[train], seed).predict(x[test])[0]
            errors.append(np.abs(y[test] - guess))
        found[candidate.name] = float(np.concatenate(errors).mean())
    return found
