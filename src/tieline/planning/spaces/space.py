"""The space of what could be made: inputs, bounds, steps and constraints, without a list of it all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr
from scipy.stats import qmc

from tieline.errors import SchemaError, TielineError
from tieline.planning.spaces.coding import Coding, Input, different
from tieline.planning.spaces.constraints import LinearConstraint, Rule, apply_rule, rule_name
from tieline.planning.spaces.inputs import Categorical, Levels, Numeric
from tieline.planning.spaces.mixture import Composition
from tieline.planning.spaces.nearest import nearest, nearest_of_each
from tieline.planning.spaces.text import read_space, write_space
from tieline.planning.spaces.walk import Directions, Walkers, directions_of, jumped
from tieline.schema.wording import name_some

LARGEST_LISTING = 500_000  # places that are listed at once
MOST_DRAWS = 2**21  # points of the cube that are tried for places that meet all constraints
LEAST_YIELD = 0.02  # if fewer of the points do, places are reached by steps within the constraints
PATIENCE = 2**17  # points that are tried before a rule is taken to forbid nearly everything
N_STARTS = 24  # allowed places that such steps set out from
N_CHAINS = 4096  # that step at once
N_ROUNDS = 12  # of steps before a place counts as independent of its start
JUMPS = 0.1  # of neighbours differ in a category or an ingredient
TO_THE_END = 0.25  # of a neighbour's steps go as far as they may: optima are often on a bound
SNAPPED = 1e-6  # a code this close to a whole number is one


@dataclass(frozen=True)
class Space:
    """All places that could be made: a product of inputs, under constraints.

    Args:
        inputs: `Numeric`, `Levels`, `Categorical`, and one `Composition` at most; each has its own name.
        constraints: `LinearConstraint`s on numeric inputs and ingredients, and rules: functions that take
            places and answer True or False for each.

    Raises:
        SchemaError: a name appears twice, a constraint names what is not there, or nothing meets the linear
            constraints. The message says which contradict.

    Example:
        >>> space = Space([Numeric("temperature", 300, 900, step=50, units="degC"), Levels("dwell", [1, 4])])
        >>> space.n_places, space.grid().sizes["specimen"]
        (26, 26)
    """

    inputs: Sequence[Input]
    constraints: Sequence[LinearConstraint | Rule] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "inputs", tuple(self.inputs))
        object.__setattr__(self, "constraints", tuple(self.constraints))
        _check_parts(self.inputs, self.constraints)
        unsure = any(isinstance(i, Composition) and i.supports is None for i in self.inputs)
        if (self._coding.linear or unsure) and nearest(self._coding, _middle(self._coding)) is None:
            _refuse_empty(self._coding)

    @property
    def names(self) -> list[str]:
        """List the variables of a place."""
        return [i.name for i in self.inputs]

    @cached_property
    def n_places(self) -> int | None:
        """How many places there are, constraints aside; None if there are infinitely many."""
        counts = [i.n_places for i in self.inputs]
        total = 1
        for count in counts:
            if count is None:
                return None
            total *= count
        return total

    def candidates(self, n: int, *, seed: int = 0) -> xr.Dataset:
        """Choose places that cover the space evenly.

        Places come from a scrambled Sobol sequence. A composition fills its bounded simplex as evenly as the
        sequence fills a cube; with `at_most`, every possible set of ingredients is as likely. Where the
        constraints leave little of this, places are reached by random steps within them, and are as even as
        random numbers are.

        Args:
            n: how many places.
            seed: of the sequence; the same seed gives the same places.

        Returns:
            (specimen): n different places, all allowed; the whole grid, in order, where it has no more.

        Raises:
            TielineError: no place was found that meets the constraints.
        """
        if n < 1:
            raise TielineError("Ask for at least one place.", found=f"n={n}")
        few = self.n_places is not None and self.n_places <= max(n, min(16 * n, LARGEST_LISTING))
        whole = self._listed() if few else None
        if whole is not None and len(whole) <= n:
            codes = whole
        else:
            codes = self._scattered(n, seed)
            if len(codes) < n and self.n_places is not None and self.n_places <= LARGEST_LISTING:
                rest = np.random.default_rng([seed, 1]).permutation(
                    self._listed() if whole is None else whole
                )
                codes = np.vstack([codes, rest[different(rest, [codes])]])
            elif len(codes) < n:
                codes = self._reached(n, seed, codes)
        if len(codes) == 0:
            self._refuse_nothing()
        return self._coding.decode(codes[:n])

    def grid(self) -> xr.Dataset:
        """List all places of a finite space that meet the constraints; the last input changes fastest.

        Raises:
            TielineError: the space has no end, or too many places to list.
        """
        if self.n_places is None or self.n_places > LARGEST_LISTING:
            endless = [i.name for i in self.inputs if i.n_places is None]
            raise TielineError(
                "This space cannot be listed whole.",
                found=f"any value of {name_some(endless)}" if endless else f"{self.n_places:,} places",
                hint="space.candidates(n) covers it evenly; a step makes it finite, a larger one smaller",
            )
        codes = self._listed()
        if len(codes) == 0:
            self._refuse_nothing()
        return self._coding.decode(codes)

    def near(self, places: xr.Dataset, width: float, n: int, *, seed: int = 0) -> xr.Dataset:
        """Choose neighbours of given places: with smaller and smaller widths, a search zooms in.

        A neighbour differs in one input or ingredient, or in several. One in ten takes another category or
        level, or, where `at_most` or `smallest` are given, another ingredient; this has no small form.

        Args:
            places (specimen): around which to look; the nearest places of the space stand in for those that
                are not allowed.
            width: how far each numeric input may change, as a share of its range, in (0, 1]. One step or one
                level is always within reach.
            n: how many neighbours, in all.
            seed: of the steps.

        Returns:
            (specimen): at most n different places, all allowed, none of them given; fewer where there are
            no more nearby.
        """
        if not 0 < width <= 1:
            raise TielineError("The width is a share of the range.", found=f"width={width}", hint="0.1")
        starts = self._coding.encode(self.snap(places))
        if len(starts) == 0:
            raise SchemaError("There is no place to look around.", found="0 rows")
        rng = np.random.default_rng(seed)
        found = starts[:0]
        for _ in range(4):  # places that come twice are made up for
            around = starts[np.arange(2 * n) % len(starts)]
            low, high = self._windows(around, width)
            stuck = (low == high).all(1)
            jump = (rng.random(len(around)) < JUMPS) | stuck
            around[jump] = jumped(self._coding, around[jump], rng)
            walkers = Walkers(
                self._coding, self._directions, *self._windows(around, width), to_end=TO_THE_END
            )
            n_steps = np.ceil((2.0 * around.shape[1]) ** rng.random(len(around))).astype(int)
            n_steps = np.where(jump & (rng.random(len(around)) < 0.5), 0, n_steps)
            moved = self._only_allowed(walkers.wander(around, n_steps, rng))
            found = np.vstack([found, moved[different(moved, [starts, found])]])
            if len(found) >= n:
                break
        return self._coding.decode(found[:n])

    def contains(self, places: xr.Dataset, *, tolerance: float = 1e-6) -> np.ndarray:
        """Tell which places belong to the space.

        Args:
            places (specimen): with a variable for each input, in any unit; others are ignored.
            tolerance: how far a value may be off, as a share of the range or, where there is one, of the
                step.

        Returns:
            (specimen): bool; False where a value is missing.
        """
        codes = self._coding.encode(places)
        known = np.isfinite(codes).all(1)
        holds = np.zeros(len(codes), dtype=bool)
        holds[known] = self._coding.holds(codes[known], tolerance)
        rules = self._rules
        if rules and holds.any():
            asked = self._coding.decode(np.where(self._coding.is_whole, np.round(codes), codes)[holds])
            holds[holds] = np.logical_and.reduce([apply_rule(rule, asked) for rule in rules])
        return holds

    def snap(self, places: xr.Dataset) -> xr.Dataset:
        """Move places to the nearest of the space: onto steps, into bounds, within the constraints.

        Distance is the sum of the shares of the ranges by which inputs change; categories are kept. Where a
        rule forbids the place so found, the nearest of 1000 candidates is taken.

        Args:
            places (specimen): with a variable for each input, in any unit.

        Returns:
            (specimen): the inputs only, in the order given.

        Raises:
            SchemaError: a value is missing, or a category is none of those listed.
        """
        codes = self._coding.encode(places)
        missing = np.flatnonzero(~np.isfinite(codes).all(1))
        if missing.size:
            raise SchemaError(
                "Only complete places of known categories can be moved to the nearest.",
                found=f"{missing.size} of {len(codes)} rows are not, the first is row {missing[0]}",
            )
        codes = np.where(
            self._coding.is_whole & (np.abs(codes - np.round(codes)) < SNAPPED), np.round(codes), codes
        )
        off = ~self._coding.holds(codes)
        codes[off] = nearest_of_each(self._coding, codes[off])
        lost = np.flatnonzero(~self._allowed(codes))
        if lost.size:
            known = self._coding.encode(self.candidates(1000))
            span = np.where(np.ptp(known, axis=0) > 0, np.ptp(known, axis=0), 1.0)
            wanted = np.nan_to_num(self._coding.encode(places)[lost])
            away = np.abs((wanted[:, None] - known) / span).sum(2)
            codes[lost] = known[away.argmin(1)]
        return self._coding.decode(codes)

    def to_dict(self) -> dict[str, Any]:
        """Write the space as plain text, numbers, lists and mappings, as campaign.toml holds it.

        Raises:
            TielineError: a rule is a function, which is not text.
        """
        return write_space(self.inputs, self.constraints)

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> "Space":
        """Read a space that `to_dict` wrote, or a person.

        Args:
            settings: `{"inputs": [...], "constraints": [...]}`. An input with `elements` is a composition,
                with `levels` or `categories` one of these, and with `low` and `high` a number.

        Raises:
            SchemaError: a setting is unknown, missing or of the wrong form.
        """
        return cls(*read_space(settings))

    def __repr__(self) -> str:
        size = "endlessly many places" if self.n_places is None else f"{self.n_places:,} places"
        size += ", constraints aside" if self.constraints and self.n_places else ""
        lines = [f"Space of {len(self.inputs)} inputs: {size}"]
        width = max(len(name) for name in self.names)
        lines += [f"  {i.name:<{width}}  {i}" for i in self.inputs]
        texts = [str(c) if isinstance(c, LinearConstraint) else rule_name(c) for c in self.constraints]
        return "\n".join(lines + [f"  {'where':<{width}}  {text}" for text in texts])

    @cached_property
    def _coding(self) -> Coding:
        linear = tuple(c for c in self.constraints if isinstance(c, LinearConstraint))
        return Coding(tuple(self.inputs), linear)

    @property
    def _rules(self) -> list[Rule]:
        return [c for c in self.constraints if not isinstance(c, LinearConstraint)]

    def _allowed(self, codes: np.ndarray) -> np.ndarray:
        """Tell which codes meet everything."""
        allowed = self._coding.holds(codes, 1e-7)
        rules = self._rules
        if rules and allowed.any():
            places = self._coding.decode(codes[allowed])
            allowed[allowed] = np.logical_and.reduce([apply_rule(rule, places) for rule in rules])
        return allowed

    def _only_allowed(self, codes: np.ndarray) -> np.ndarray:
        return codes[self._allowed(codes)]

    def _listed(self) -> np.ndarray:
        return self._only_allowed(self._coding.listing())

    def _scattered(self, n: int, seed: int) -> np.ndarray:
        """Draw from the whole product until n different places meet the constraints, or hardly any does."""
        sequence = qmc.Sobol(self._coding.n_free, rng=np.random.default_rng(seed))
        found, n_drawn, n_allowed = np.zeros((0, self._coding.is_whole.size)), 0, 0
        enough = PATIENCE if self._rules else 1024
        while len(found) < n and n_drawn < MOST_DRAWS:
            # The sequence is balanced in powers of two.
            n_now = max(n_drawn, 2 ** int(np.ceil(np.log2(max(n, 64)))))
            allowed = self._only_allowed(self._coding.spread(sequence.random(n_now)))
            n_drawn, n_allowed = n_drawn + n_now, n_allowed + len(allowed)
            new = allowed[different(allowed, [found])]
            found = np.vstack([found, new])
            is_scarce = n_allowed < LEAST_YIELD * n_drawn and (n_allowed >= 64 or n_drawn >= enough)
            if is_scarce or (n_allowed and len(new) < 0.05 * len(allowed)):
                break
        return found[:n]

    def _reached(self, n: int, seed: int, known: np.ndarray) -> np.ndarray:
        """Step within the linear constraints, from a few allowed places, until n different ones are found."""
        rng = np.random.default_rng([seed, 2])
        cube = qmc.Sobol(self._coding.n_free, rng=rng).random_base2(5)[:N_STARTS]
        targets = np.nan_to_num(self._coding.spread(cube))
        near_targets = [start for target in targets if (start := nearest(self._coding, target)) is not None]
        starts = np.vstack([known, *near_targets])
        codes, found = starts[np.arange(min(max(n, 64), N_CHAINS)) % len(starts)], known
        inside = self._allowed(codes)
        n_columns, n_rounds = codes.shape[1], N_ROUNDS * (3 if self._rules else 1)
        for round_ in range(8 * n_rounds + 2 * n // len(codes)):
            tried, jump = codes.copy(), rng.random(len(codes)) < 0.5
            tried[jump] = jumped(self._coding, codes[jump], rng)
            walkers = Walkers(self._coding, self._directions, *self._coding.bounds_at(tried))
            # Rules are asked once a round: after many steps a narrow one is met by chance only.
            share = rng.random(len(codes)) if self._rules else np.ones(len(codes))
            tried = walkers.wander(tried, np.ceil((2.0 * n_columns) ** share).astype(int), rng)
            allowed = self._allowed(tried)
            # A place that breaks a rule may go anywhere; one that meets all rules stays within them.
            codes, inside = np.where((allowed | ~inside)[:, None], tried, codes), allowed | inside
            if round_ < n_rounds:
                continue
            arrived = codes[inside]
            new = arrived[different(arrived, [found])]
            found = np.vstack([found, new])
            if len(found) >= n or (len(new) == 0 and round_ > 2 * n_rounds):
                break
        return found[:n]

    @cached_property
    def _directions(self) -> Directions:
        return directions_of(self._coding)

    def _windows(self, codes: np.ndarray, width: float) -> tuple[np.ndarray, np.ndarray]:
        """Bounds of each code around where it is now; positions in a list of categories stay."""
        low, high = self._coding.bounds
        reach = width * (high - low)
        reach = np.where(self._coding.is_whole, np.maximum(np.floor(reach + 1e-9), 1.0), reach)
        for of, columns in zip(self.inputs, self._coding.slices, strict=True):
            if isinstance(of, Categorical):
                reach[columns] = 0.0
        least, most = self._coding.bounds_at(codes)
        return np.clip(codes - reach, least, most), np.clip(codes + reach, least, most)

    def _refuse_nothing(self) -> None:
        rules = ", ".join(rule_name(rule) for rule in self._rules)
        raise TielineError(
            "No place was found that meets all constraints.",
            found=f"none among those that meet the linear constraints passes {rules}" if rules else "none",
            hint="relax a constraint, or try it on space.candidates(1000) of the space without it",
        )


def _check_parts(inputs: Sequence[Any], constraints: Sequence[Any]) -> None:
    """See that the parts of a space are what they should be, each with its own name."""
    names, columns = [], []  # variables; what constraints can name
    for part in inputs:
        if not isinstance(part, Numeric | Levels | Categorical | Composition):
            raise SchemaError(
                "A space is made of inputs.",
                found=f"{part!r:.80}",
                hint="tl.Numeric, tl.Levels, tl.Categorical, tl.Composition; a table is a pool itself",
            )
        names.append(part.name)
        columns += part.elements if isinstance(part, Composition) else [part.name]
    twice = sorted({name for of in (names, columns) for name in of if of.count(name) > 1})
    if twice or not names:
        raise SchemaError(
            "Inputs and ingredients need different names." if twice else "A space needs at least one input.",
            found=name_some(twice) or "none",
            hint="rename one of them" if twice else 'tl.Numeric("temperature", 300, 900)',
        )
    if sum(isinstance(part, Composition) for part in inputs) > 1:
        raise SchemaError(
            "A table carries one composition.",
            found=", ".join(part.name for part in inputs if isinstance(part, Composition)),
            hint="fractions of the second as tl.Numeric inputs, with a tl.LinearConstraint on their sum",
        )
    for constraint in constraints:
        if not (isinstance(constraint, LinearConstraint) or callable(constraint)):
            raise SchemaError(
                "A constraint is linear, or a rule.",
                found=f"{constraint!r:.80}",
                hint='tl.LinearConstraint({"temperature": 1.0}, at_most=900), or a function of places',
            )


def _middle(coding: Coding) -> np.ndarray:
    low, high = coding.bounds
    return np.where(coding.is_choice, np.floor((low + high) / 2), (low + high) / 2)


def _refuse_empty(coding: Coding) -> None:
    """Say which constraints contradict: those without any one of which the others can be met."""
    needed = list(coding.linear)
    for constraint in coding.linear:
        others = tuple(c for c in needed if c is not constraint)
        if nearest(Coding(coding.inputs, others), _middle(coding)) is None:
            needed.remove(constraint)
    if not needed:
        raise SchemaError(
            "No set of ingredients can sum to one within its bounds.",
            found=", ".join(str(i) for i in coding.inputs if isinstance(i, Composition)),
            hint="widen low or high, or allow more ingredients",
        )
    used = {name for constraint in needed for name in constraint.coefficients}
    touched = [
        f"{i.name}: {i}"
        for i in coding.inputs
        if i.name in used or (isinstance(i, Composition) and used & set(i.elements))
    ]
    together = (
        "these constraints cannot be met together" if len(needed) > 1 else "this constraint cannot be met"
    )
    raise SchemaError(
        f"The space is empty: {together}, given the inputs.",
        found="; ".join([*map(str, needed), *touched]),
        hint="relax one of them, or widen the inputs",
    )
