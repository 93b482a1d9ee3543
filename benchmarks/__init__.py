"""How good and how fast tieline is, beside what one would use instead.

`python -m benchmarks --list` names the benchmarks; docs/benchmarks.md explains them.
"""

import os

# Before numpy is loaded: CPU seconds are only comparable when every method uses one thread.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"
