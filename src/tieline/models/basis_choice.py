"""How many components of a spectrum compositions tell of: chosen on chemical systems that are left out."""

import numpy as np

from tieline.models.composition_basis import Basis, complete
from tieline.models.composition_field import fit_field, leave_out
from tieline.models.composition_folds import leave_out as leave_out_groups
from tieline.models.composition_reading import CompositionReading

TRIED = (4, 8, 16, 32)
ENOUGH_ROWS = 600  # on which it is chosen


def choose_basis(reading: CompositionReading, seed: int) -> Basis:
    """The basis with the smallest mean absolute error on systems that are left out, a fifth at a time.

    Args:
        reading: what the table holds.
        seed: of the choice of rows, where there are many, and of what is left out together.
    """
    if not any(span.axis for span in reading.spans):
        return Basis.plain(reading.y.shape[1])
    y = complete(reading.y, reading.spans)
    rows = np.sort(np.random.default_rng(seed).permutation(len(y))[:ENOUGH_ROWS])
    group, first = reading.coordinates.group, reading.coordinates.first_lengths
    together = reading.system if len(np.unique(reading.system[rows])) > 1 else reading.material
    parts = leave_out_groups(together[rows], reading.system[rows], seed).parts
    widest = max(span.stop - span.start for span in reading.spans)
    errors = {}
    for n in (n for n in TRIED if n < max(min(widest, len(rows) / 2), TRIED[0] + 1)):
        basis = Basis.of(y[rows], reading.spans, n)
        field, own = fit_field(reading.x[rows], y[rows], reading.variance[rows], group, first, seed, basis)
        (said,) = leave_out(field, y[rows][own], [parts])
        errors[n] = np.nanmean(np.abs(said.mean - reading.y[rows][own]))
    return Basis.of(y, reading.spans, min(errors, key=errors.__getitem__))
