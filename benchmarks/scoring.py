"""Score an answer against the truth."""

from collections.abc import Iterator

import xarray as xr

from benchmarks.methods import answers
from benchmarks.tasks import Row, Task
from tieline.evaluation import scores


def task_rows(benchmark: str, case: str, task: Task, methods: str) -> Iterator[Row]:
    """Let every method answer a task, and score each on the whole grid."""
    for answer in answers(task, methods):
        numbers = phase_scores(task.truth, answer.prediction)
        numbers |= property_scores(task, answer.prediction)
        for metric, value in numbers.items():
            yield Row(benchmark, case, answer.method, metric, value, answer.seconds)


def phase_scores(truth: xr.Dataset, prediction: xr.Dataset) -> dict[str, float]:
    """Score phase probabilities, where a method has them."""
    if "phase_probability" not in prediction:
        return {}
    probability = prediction["phase_probability"].transpose("specimen", "phase").values
    labels, true = prediction["phase"].values.astype(str), truth["phase"].values
    return {
        "accuracy": scores.accuracy(true, labels[probability.argmax(1)]),
        "nll": scores.log_loss(true, probability, labels),
        "brier": scores.brier(true, probability, labels),
    }


def property_scores(task: Task, prediction: xr.Dataset) -> dict[str, float]:
    """Score the first property, where a method has it."""
    name = task.properties[0]
    if name not in prediction:
        return {}
    true, mean, sd = (part.values for part in (task.truth[name], prediction[name], prediction[f"{name}_sd"]))
    r2 = {"r2": scores.r2(true, mean)}
    if task.is_scored is not None:
        r2 = {"r2": scores.r2(true[task.is_scored], mean[task.is_scored]), "r2_all": r2["r2"]}
    return r2 | {
        "rmse": scores.rmse(true, mean),
        "crps": scores.crps_gaussian(true, mean, sd),
        "coverage_95": scores.coverage(true, mean, sd, 0.95),
    }
