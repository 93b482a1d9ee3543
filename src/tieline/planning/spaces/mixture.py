"""A composition as something one sets: bounds, a step that can be weighed in, so many ingredients at most."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from math import comb

import numpy as np
import xarray as xr

from tieline.errors import SchemaError, did_you_mean
from tieline.planning.spaces.inputs import check_name, check_number, require_variable, settle_role
from tieline.planning.spaces.simplex import (
    count_parts,
    list_parts,
    list_sparse_parts,
    spread_amounts,
    spread_parts,
)
from tieline.schema import in_units_of
from tieline.schema.wording import name_some

MOST_SUPPORTS = 50_000  # sets of ingredients that are listed; of more, each is put together as it is needed
CLOSED = 1e-9  # how far sums of bounds may miss one by rounding

Amounts = float | Mapping[str, float]


@dataclass(frozen=True)
class Composition:
    """Fractions of ingredients that sum to one.

    Ingredients are elements, or anything else that is mixed: oxides, polymers, solvents. An amount given as
    one number is that of every ingredient; a mapping names some, and the others keep the default.

    Args:
        name: of the variable on (specimen, element).
        elements: the ingredients, at least two.
        low: the least fraction of an ingredient; one with a low above zero is always there.
        high: the largest fraction.
        step: what can be dispensed: fractions are multiples of it, and bounds are taken to the next multiple
            inside. 1/step must be whole. None is any fraction.
        at_least: how many ingredients must be there.
        at_most: how many may be there; by default all.
        smallest: the least fraction of an ingredient that is there at all: it is absent, or this much.
        role: "synthesis" unless said otherwise.

    Raises:
        SchemaError: the bounds contradict each other. The message says which.

    Example:
        >>> alloy = Composition("composition", ["Fe", "Co", "Ni", "Cr", "Mn"], at_most=3, step=0.05)
        >>> alloy.n_places
        1905
    """

    name: str
    elements: Sequence[str]
    low: Amounts = 0.0
    high: Amounts = 1.0
    step: float | None = None
    at_least: int = 1
    at_most: int | None = None
    smallest: Amounts = 0.0
    role: str = "synthesis"

    def __post_init__(self) -> None:
        check_name(self.name)
        elements = () if isinstance(self.elements, str) else tuple(str(e) for e in self.elements)
        if len(elements) < 2 or len(set(elements)) < len(elements):
            raise SchemaError(
                f"'{self.name}' needs at least two ingredients, each named once.",
                found=repr(self.elements),
                hint='["Fe", "Ga", "Pd"]',
            )
        object.__setattr__(self, "elements", elements)
        object.__setattr__(self, "role", settle_role(self.name, self.role))
        for setting in ("low", "high", "smallest"):
            given = getattr(self, setting)
            for amount in given.values() if isinstance(given, Mapping) else [given]:
                check_number(self.name, setting, amount)
            object.__setattr__(self, setting, dict(given) if isinstance(given, Mapping) else float(given))
        for setting in ("step", "at_least", "at_most"):
            check_number(self.name, setting, getattr(self, setting))
        n_steps = round(1 / self.step) if self.step and self.step > 0 else 1
        if self.step is not None and (self.step <= 0 or abs(n_steps * self.step - 1) > CLOSED):
            raise SchemaError(
                f"The step of '{self.name}' must divide 1.",
                found=f"step={self.step:g}",
                hint="0.01, 0.02, 0.05 or 0.1",
            )
        _check_bounds(self)

    @property
    def n_columns(self) -> int:
        """One an ingredient."""
        return len(self.elements)

    @property
    def n_free(self) -> int:
        """Coordinates of a unit cube: all amounts but one, and which ingredients are there."""
        listed = 1 if self.supports is not None else self.n_columns + 1
        return self.n_columns - 1 + (listed if self.is_sparse else 0)

    @property
    def is_whole(self) -> bool:
        """Whether there is a step; codes are then numbers of steps, and fractions otherwise."""
        return self.step is not None

    @property
    def total(self) -> int:
        """What the codes sum to."""
        return 1 if self.step is None else round(1 / self.step)

    @cached_property
    def n_places(self) -> int | None:
        """How many compositions there are; None if there is no step."""
        if self.step is None:
            return None
        low, least, high = self.limits
        n_present = range(self.at_least, self.most_present + 1)
        if not self.is_sparse:
            n_present = range(self.n_columns, self.n_columns + 1)
        return count_parts(low, least, high, self.total, n_present, zero=self.is_sparse)

    @property
    def most_present(self) -> int:
        """How many ingredients may be there."""
        return self.n_columns if self.at_most is None else self.at_most

    @cached_property
    def is_sparse(self) -> bool:
        """Whether an ingredient that is absent differs from one of which there is very little."""
        return (
            self.most_present < self.n_columns or self.at_least > 1 or bool(self.amounts(self.smallest).any())
        )

    @cached_property
    def limits(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Give, as codes, the lows, the least amounts of ingredients that are there, and the highs."""
        low, high = self.amounts(self.low), self.amounts(self.high, default=1.0)
        least = np.maximum(low, self.amounts(self.smallest))
        if self.step is None:
            return low, least, high
        parts = [np.ceil(low / self.step - 1e-9), np.ceil(least / self.step - 1e-9), high / self.step + 1e-9]
        least = np.maximum(parts[1], 1.0) if self.is_sparse else parts[0]
        return parts[0], least, np.floor(parts[2])

    @cached_property
    def supports(self) -> np.ndarray | None:
        """List the sets of ingredients that can sum to one, small sets first; None where there are too many.

        Returns:
            (set, ingredient): which ingredients are there.
        """
        if not self.is_sparse:
            return np.ones((1, self.n_columns), dtype=bool)
        always, possible = self._members
        optional = np.flatnonzero(possible & ~always)
        sizes = (self._sizes - always.sum()).tolist()
        if sum(comb(optional.size, size) for size in sizes) > MOST_SUPPORTS:
            return None
        sets = [
            [*np.flatnonzero(always), *chosen] for size in sizes for chosen in combinations(optional, size)
        ]
        there = np.zeros((len(sets), self.n_columns), dtype=bool)
        for row, members in enumerate(sets):
            there[row, members] = True
        return there[self._can_close(there)]

    @property
    def _members(self) -> tuple[np.ndarray, np.ndarray]:
        """Tell which ingredients are always there, and which can be."""
        low, least, high = self.limits
        return low > 0, (high > 0) & (high >= least)

    @property
    def _sizes(self) -> np.ndarray:
        """List how many ingredients there can be, judged by the least and the largest amounts alone."""
        (always, possible), (_, least, high) = self._members, self.limits
        n_always, optional = int(always.sum()), possible & ~always
        lowest = least[always].sum() + np.cumsum([0.0, *np.sort(least[optional])])
        highest = high[always].sum() + np.cumsum([0.0, *np.sort(high[optional])[::-1]])
        sizes = n_always + np.arange(lowest.size)
        fits = (lowest <= self.total + CLOSED) & (highest >= self.total - CLOSED)
        return sizes[fits & (sizes >= max(self.at_least, 1)) & (sizes <= self.most_present)]

    def amounts(self, given: Amounts, default: float = 0.0) -> np.ndarray:
        """Write out a setting for every ingredient."""
        if isinstance(given, Mapping):
            return np.array([float(given.get(e, default)) for e in self.elements])
        return np.full(self.n_columns, float(given))

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Give the least and the largest code of each ingredient, given the bounds of the others."""
        low, _, high = self.limits
        highest = np.minimum(high, self.total - (low.sum() - low))
        return low if self.is_sparse else np.maximum(low, self.total - (high.sum() - high)), highest

    def bounds_at(self, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give the bounds of each code of each place while the same ingredients are there."""
        low, least, high = self.limits
        if not self.is_sparse:
            return np.broadcast_to(low, codes.shape), np.broadcast_to(high, codes.shape)
        there = codes > 0
        return np.where(there, least, 0.0), np.where(there, high, 0.0)

    def spread(self, cube: np.ndarray) -> np.ndarray:
        """Map (point, n_free) in [0, 1) to codes, evenly: every possible set of ingredients is as likely.

        Rows of NaN are sets that cannot sum to one, where there were too many sets to list.
        """
        low, least, high = self.limits
        n_amounts = self.n_columns - 1
        there, which_set = _different(self._choose_supports(cube[:, n_amounts:]))
        lows, highs = np.where(there, least if self.is_sparse else low, 0.0), np.where(there, high, 0.0)
        # Sets with the same bounds, in whatever order, are filled together; absent ingredients come last.
        order = np.lexsort((lows, -highs), axis=1)
        sorted_bounds = np.hstack([np.take_along_axis(b, order, axis=1) for b in (lows, highs)])
        patterns, pattern_of = np.unique(sorted_bounds, axis=0, return_inverse=True)
        pattern_of = np.where(self._can_close(there), pattern_of.reshape(-1), len(patterns))[which_set]
        rows = np.split(np.argsort(pattern_of, kind="stable"), np.cumsum(np.bincount(pattern_of))[:-1])
        fill = spread_amounts if self.step is None else spread_parts
        codes = np.full((len(cube), self.n_columns), np.nan)
        for pattern, mine in zip(patterns, rows, strict=False):  # the last rows cannot sum to one
            low, high = np.split(pattern, 2)
            n_there = max(int((high > 0).sum()), 1)
            filled = np.zeros((mine.size, self.n_columns))
            shares = cube[mine, : n_there - 1]
            filled[:, :n_there] = fill(shares, low[:n_there], high[:n_there], self.total)
            codes[mine[:, None], order[which_set[mine]]] = filled
        return codes

    def listing(self) -> np.ndarray:
        """List the codes of all compositions on the step."""
        low, least, high = self.limits
        if not self.is_sparse:
            return list_parts(low, high, self.total)
        n_present = range(self.at_least, self.most_present + 1)
        return list_sparse_parts(low, least, high, self.total, n_present)

    def holds(self, codes: np.ndarray, tolerance: float) -> np.ndarray:
        """Tell which codes are compositions within all the bounds."""
        low, least, high = self.limits
        least = least if self.is_sparse else low
        slack = max(tolerance, CLOSED)
        there = codes > slack
        inside = (codes >= np.where(there, least, low) - slack) & (codes <= high + slack) & (codes >= -slack)
        holds = inside.all(1) & (np.abs(codes.sum(1) - self.total) <= slack * self.n_columns)
        if self.is_sparse:
            holds &= (there.sum(1) >= self.at_least) & (there.sum(1) <= self.most_present)
        return holds & (np.abs(codes - np.round(codes)) <= slack).all(1) if self.is_whole else holds

    def exchanged(self, codes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Exchange one ingredient for another, add one, or leave one out; the result need not be allowed."""
        _, least, high = self.limits
        new, rows = codes.copy(), np.arange(len(codes))
        there = codes > 0
        keys = rng.random(codes.shape)
        giver, other = np.argsort(np.where(there, -keys, 1.0), axis=1)[:, :2].T
        taker = np.argmax(np.where(~there & (high > 0), keys, -1.0), axis=1)
        amount = codes[rows, giver]
        kind = rng.integers(3, size=len(codes))
        kind = np.where(there.all(1), 2, kind)
        share = least[taker] + rng.random(len(codes)) * (amount - least[taker])
        share = np.round(share) if self.is_whole else share
        given = np.select([kind == 0, kind == 1], [amount, share], 0.0)
        given = np.where(kind < 2, np.clip(given, least[taker], high[taker]), 0.0)
        given = np.minimum(given, amount)
        new[rows, taker] += given
        new[rows, giver] = np.where(kind == 1, amount - given, 0.0)
        # What the taker cannot hold goes to one that is there already.
        new[rows, other] += np.where(kind == 1, 0.0, amount - given)
        return new

    def encode(self, places: xr.Dataset) -> np.ndarray:
        """Read codes off places: elements may come in any order."""
        given = require_variable(self.name, places)
        found = [str(e) for e in places["element"].values] if "element" in given.dims else []
        if set(found) != set(self.elements):
            raise SchemaError(
                f"'{self.name}' has other ingredients in these places than in the space.",
                found=f"{name_some(found) or 'none'}; the space has {name_some(self.elements, 12)}",
                hint="name every ingredient, with 0 where it is absent",
            )
        known = xr.DataArray(np.zeros(0), dims="specimen", attrs={"units": "1"})
        fractions = in_units_of(known, given.transpose("specimen", "element"))
        return fractions.values[:, [found.index(e) for e in self.elements]].astype(float) * self.total

    def decode(self, codes: np.ndarray) -> xr.Variable:
        """Turn codes into fractions on (specimen, element) that sum to one within rounding."""
        fractions = np.abs(codes) / codes.sum(1, keepdims=True)  # no negative zeros
        return xr.Variable(("specimen", "element"), fractions, {"role": self.role, "units": "1"})

    def _choose_supports(self, cube: np.ndarray) -> np.ndarray:
        """Choose which ingredients are there: one of the list, or those whose coordinates are smallest."""
        if not self.is_sparse:
            return np.ones((len(cube), self.n_columns), dtype=bool)
        if self.supports is not None:
            return self.supports[np.floor(cube[:, 0] * len(self.supports)).astype(int)]
        (always, possible), sizes = self._members, self._sizes
        n_optional = int(possible.sum() - always.sum())
        n_sets = np.array([comb(n_optional, int(size - always.sum())) for size in sizes], dtype=float)
        size = sizes[np.searchsorted(np.cumsum(n_sets) / n_sets.sum(), cube[:, 0], side="right")]
        keys = np.where(always, -1.0, np.where(possible, cube[:, 1:], 2.0))
        return np.argsort(np.argsort(keys, axis=1), axis=1) < size[:, None]

    def _can_close(self, there: np.ndarray) -> np.ndarray:
        """Tell which sets of ingredients can sum to one within their bounds."""
        low, least, high = self.limits
        lows = np.where(there, least if self.is_sparse else low, 0.0)
        fits = (lows.sum(1) <= self.total + CLOSED) & (
            np.where(there, high, 0.0).sum(1) >= self.total - CLOSED
        )
        return fits & (np.where(there, lows, low) >= low).all(1)

    def __str__(self) -> str:
        parts = [name_some(self.elements, limit=12)]
        if self.step is not None:
            parts.append(f"steps of {self.step:g}")
        for word, given, default in (("from", self.low, 0.0), ("to", self.high, 1.0)):
            parts += _bound_texts(given, word, default)
        parts += [f"{text} where present" for text in _bound_texts(self.smallest, "from", 0.0)]
        if self.at_least > 1 or self.at_most is not None:
            least, most = self.at_least, self.most_present
            count = f"exactly {most}" if least == most else f"at most {most}"
            parts.append(count if least in (1, most) else f"{least} to {most}")
            parts[-1] += " of them"
        return "; ".join(parts)


def _different(there: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """List different sets of ingredients, and which of them each row is."""
    packed, which = np.unique(np.packbits(there, axis=1), axis=0, return_inverse=True)
    return np.unpackbits(packed, axis=1, count=there.shape[1]).astype(bool), which.reshape(-1)


def _bound_texts(given: Amounts, word: str, default: float) -> list[str]:
    if isinstance(given, Mapping):
        return [f"{element} {word} {amount:g}" for element, amount in given.items()]
    return [] if given == default else [f"each {word} {given:g}"]


def _check_bounds(of: Composition) -> None:
    """See that single bounds make sense, then that they can be met together."""
    for setting in ("low", "high", "smallest"):
        given = getattr(of, setting)
        for element in given if isinstance(given, Mapping) else ():
            if element not in of.elements:
                raise SchemaError(
                    f"'{of.name}' has a bound {setting} for '{element}', which is none of its ingredients.",
                    found=f"{name_some(of.elements, 12)}. {did_you_mean(element, of.elements)}".strip(),
                )
        amounts = of.amounts(given)
        if not ((amounts >= 0) & (amounts <= 1)).all():
            raise SchemaError(
                f"The bounds {setting} of '{of.name}' must lie between 0 and 1.",
                found=_name_amounts(of, amounts),
                hint="divide at.% by 100",
            )
    if not 1 <= of.at_least <= of.most_present <= of.n_columns:
        raise SchemaError(
            f"'{of.name}' cannot have at least {of.at_least} and at most {of.most_present} ingredients.",
            found=f"{of.n_columns} ingredients",
            hint=f"whole numbers from 1 to {of.n_columns}, at_least not above at_most",
        )
    low, least, high = of.limits
    unit = of.step or 1.0
    for floor in (low, np.where(low > 0, least, low)):
        if (floor > high).any():
            _refuse(of, "Some ingredients have no fraction between their bounds", floor > high)
    if low.sum() > of.total + CLOSED:
        _refuse(of, f"The lower bounds of '{of.name}' sum to {low.sum() * unit:.6g}, above one", low > 0)
    if high.sum() < of.total - CLOSED:
        _refuse(
            of, f"The upper bounds of '{of.name}' sum to {high.sum() * unit:.6g}, below one", high < of.total
        )
    always = int((low > 0).sum())
    if always > of.most_present:
        _refuse(
            of, f"At most {of.most_present} ingredients are allowed, but {always} have a lower bound", low > 0
        )
    largest = np.sort(np.where(low > 0, 2.0 * of.total, high))[::-1][: of.most_present]
    reached = np.where(largest > of.total, 0, largest).sum() + high[low > 0].sum()
    if reached < of.total - CLOSED:
        what = f"No {of.most_present} ingredients of '{of.name}' reach one: their upper bounds sum to at most"
        _refuse(of, f"{what} {reached * unit:.6g}", high < of.total)
    if not len(of._sizes) or (of.supports is not None and not len(of.supports)):
        _refuse(
            of, f"No allowed set of ingredients of '{of.name}' can sum to one", np.ones(of.n_columns, bool)
        )


def _refuse(of: Composition, what: str, which: np.ndarray) -> None:
    """Say what contradicts, with the bounds of the ingredients that do."""
    low, least, high = (limit * (of.step or 1.0) for limit in of.limits)
    texts = [
        f"{of.elements[i]} from {max(low[i], least[i] if of.is_sparse else 0):g} to {high[i]:g}"
        for i in np.flatnonzero(which).tolist()
    ]
    on_step = f", on the step of {of.step:g}" if of.step else ""
    raise SchemaError(
        f"{what}.",
        found=name_some(texts, 12) + on_step,
        hint="widen low or high, or allow more ingredients" + (", or take a finer step" if of.step else ""),
    )


def _name_amounts(of: Composition, amounts: np.ndarray) -> str:
    return name_some(f"{e}={a:g}" for e, a in zip(of.elements, amounts, strict=True) if not 0 <= a <= 1)
