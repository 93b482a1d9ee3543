"""What may be wrong with data: each check reads the arrays of a task and yields findings."""

from collections.abc import Iterator

from tieline.evaluation.checks.amounts import check_amounts
from tieline.evaluation.checks.inputs import check_inputs
from tieline.evaluation.checks.leaks import check_leaks
from tieline.evaluation.checks.missing import check_missing
from tieline.evaluation.checks.outliers import check_outliers
from tieline.evaluation.checks.repeats import check_repeats
from tieline.evaluation.checks.unit_slips import check_units
from tieline.evaluation.finding import Finding
from tieline.evaluation.task_arrays import TaskArrays

CHECKS = (
    check_leaks,
    check_repeats,
    check_amounts,
    check_units,
    check_outliers,
    check_missing,
    check_inputs,
)


def look_over(arrays: TaskArrays) -> Iterator[Finding]:
    """Run every check that needs no model."""
    for check in CHECKS:
        yield from check(arrays)


__all__ = ["CHECKS", "look_over"]
