"""What `<name>_flag` says of a value: that it is only a limit, or could not be measured."""

import numpy as np

FLAGS = ("ok", "below", "above", "failed")  # empty is ok
LIMITS = ("below", "above")
NO_RESULTS = (*LIMITS, "failed")  # what a model that reads no flags would take for a result


def is_no_result(flags: np.ndarray) -> np.ndarray:
    """Where a value is only a limit, or there is none (specimen)."""
    return np.isin(flags.astype(str), NO_RESULTS)
