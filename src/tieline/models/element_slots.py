"""Compositions as the few elements that each contains: what a network of attention over elements reads."""

from dataclasses import dataclass

import numpy as np
import xarray as xr

from tieline.features.elements import element_properties
from tieline.models.arrays import Array, Indices, Mask


@dataclass(frozen=True, eq=False)
class Slots:
    """The elements of each composition, the commonest first; empty slots fill shorter ones up.

    Attributes:
        element: number of the element in `element_properties` (specimen, slot); 0 where a slot is empty.
        share: its mole fraction (specimen, slot); 0 where a slot is empty.
    """

    element: Indices
    share: Array

    @classmethod
    def of(cls, composition: xr.DataArray) -> "Slots":
        """Gather the elements of each composition (specimen, element); what is not known is empty."""
        fractions = np.nan_to_num(composition.transpose("specimen", "element").values)
        known = element_properties()["element"].values.tolist()
        is_used = (fractions > 0).any(0)
        number = np.array([known.index(s) for s in composition["element"].values[is_used]], dtype=np.intp)
        fractions = fractions[:, is_used]
        n_slots = max(int((fractions > 0).sum(1).max(initial=0)), 1)
        if not number.size:
            empty = (len(fractions), n_slots)
            return cls(np.zeros(empty, dtype=np.intp), np.zeros(empty))
        at = np.argsort(-fractions, axis=1, kind="stable")[:, :n_slots]
        share = np.take_along_axis(fractions, at, 1)
        return cls(np.where(share > 0, number[at], 0), share)

    def __len__(self) -> int:
        return len(self.share)

    def at(self, rows: Indices | Mask | slice) -> "Slots":
        """Some of the compositions."""
        return Slots(self.element[rows], self.share[rows])


def element_features() -> Array:
    """What each element is like (element, feature), of order one."""
    table = element_properties()
    values = np.stack([table[name].values for name in table.data_vars], 1)
    return ((values - values.mean(0)) / values.std(0)).astype(np.float32)
