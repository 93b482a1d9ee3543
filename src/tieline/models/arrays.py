"""The kinds of array that engines pass to each other."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]  # real numbers
Indices = NDArray[np.intp]  # rows, points, phases
Mask = NDArray[np.bool_]
