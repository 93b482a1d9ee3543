"""A property as a sum of a few algebraic combinations of its inputs, short enough to be read.

Combinations are built in two steps from the columns: roots, squares, logarithms and inverses of each, and
then sums, differences, products and quotients of the most telling of these. A few of all are kept by sure
screening of what is not explained yet, and the best set of so many terms is found by trying all sets.

Source:
    Ouyang et al. (2018), doi:10.1103/PhysRevMaterials.2.083802 (SISSO). Departs from it: two steps only,
    columns of any unit, and terms that stay within what they were on the specimens.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin

from tieline.models.arrays import Array, Indices

N_ROOTS = 24  # expressions of one column that are combined with each other
N_SCREENED = 20  # expressions that each round of screening adds
LEAST_SPREAD = 1e-9  # of a term, relative to its size
SAME = 1 - 1e-6  # correlation of terms that say the same
DIGITS = 6  # of a correlation: what differs less goes as much with a property
BEYOND = 0.25  # of its range: a term is held to so much beyond what it was


@dataclass(frozen=True)
class Unary:
    """What may be done to one column."""

    text: str
    apply: Callable[[Array], Array]
    allows: Callable[[Array], bool]


@dataclass(frozen=True)
class Binary:
    """What may be done to two expressions."""

    text: str
    apply: Callable[[Array, Array], Array]
    allows: Callable[[Array, Array], bool]


def _keeps_sign(a: Array) -> bool:
    return bool((a > 0).all() or (a < 0).all())


UNARY = (
    Unary("{}", lambda a: a, lambda a: True),
    Unary("{}²", np.square, lambda a: True),
    Unary("√{}", np.sqrt, lambda a: bool((a >= 0).all())),
    Unary("ln {}", np.log, lambda a: bool((a > 0).all())),
    Unary("1/{}", np.reciprocal, _keeps_sign),
)
BINARY = (
    Binary("({} + {})", np.add, lambda a, b: True),
    Binary("({} - {})", np.subtract, lambda a, b: True),
    Binary("{} · {}", np.multiply, lambda a, b: True),
    Binary("{} / {}", np.divide, lambda a, b: _keeps_sign(b)),
    Binary("{1} / {0}", lambda a, b: b / a, lambda a, b: _keeps_sign(a)),
)


@dataclass(frozen=True)
class Expression:
    """An algebraic combination of columns.

    Attributes:
        step: what is done last.
        parts: column numbers, or two expressions.
    """

    step: Unary | Binary
    parts: "tuple[int] | tuple[Expression, Expression]"

    def __call__(self, x: Array) -> Array:
        """Its values (row) for columns (row, column)."""
        arguments = [x[:, part] if isinstance(part, int) else part(x) for part in self.parts]
        with np.errstate(all="ignore"):  # outside of what was seen: `Term` holds the values
            return self.step.apply(*arguments)

    @property
    def size(self) -> int:
        """How much has to be read: the columns, and what is done to them."""
        is_bare = self.step is UNARY[0]
        return (not is_bare) + sum(1 if isinstance(part, int) else part.size for part in self.parts)

    def text(self, names: "list[str] | tuple[str, ...]") -> str:
        """How it is written."""
        return self.step.text.format(
            *(names[part] if isinstance(part, int) else part.text(names) for part in self.parts)
        )


@dataclass(frozen=True)
class Term:
    """An expression, held near the range that it had on the specimens."""

    expression: Expression
    lowest: float
    highest: float

    @staticmethod
    def of(expression: Expression, values: Array) -> "Term":
        """Hold an expression near its values (row)."""
        room = BEYOND * float(np.ptp(values))
        return Term(expression, float(values.min()) - room, float(values.max()) + room)

    def __call__(self, x: Array) -> Array:
        """Its values (row) for columns (row, column)."""
        middle = (self.lowest + self.highest) / 2
        return np.clip(np.nan_to_num(self.expression(x), nan=middle), self.lowest, self.highest)


class SparseFormula(RegressorMixin, BaseEstimator):
    """A sum of a few algebraic combinations of columns, as a scikit-learn regressor.

    Args:
        n_terms: how many combinations.
    """

    def __init__(self, n_terms: int = 2) -> None:
        self.n_terms = n_terms

    def fit(self, x: Array, y: Array) -> "SparseFormula":
        """Find the terms.

        Args:
            x: columns as they were measured (row, column); signs and zeros decide what may be done to them.
            y: what is predicted (row).
        """
        found = _Pool.of([e for e in _of_one(x)], x)
        roots = [found.expressions[i] for i in sorted(found.most_telling(y, N_ROOTS))]
        pool = found.and_(_of_two(roots, x), x)
        chosen, kept, left = (), np.zeros(0, dtype=int), y - y.mean()
        for n in range(1, self.n_terms + 1):
            kept = np.union1d(kept, pool.most_telling(left, N_SCREENED))
            chosen = _best_set(pool.standard[:, kept], y - y.mean(), min(n, len(kept)))
            left = y - y.mean() - _explained(pool.standard[:, kept[list(chosen)]], y - y.mean())
        self.terms_ = tuple(Term.of(pool.expressions[kept[i]], pool.expressions[kept[i]](x)) for i in chosen)
        columns = np.column_stack([np.ones(len(x)), *(term(x) for term in self.terms_)])
        best, *_ = np.linalg.lstsq(columns, y, rcond=None)
        self.intercept_, self.coefficients_ = best[0], best[1:]
        return self

    def predict(self, x: Array) -> Array:
        """What the formula says (row) of columns (row, column)."""
        weighed = (c * term(x) for c, term in zip(self.coefficients_, self.terms_, strict=True))
        return sum(weighed, np.full(len(x), self.intercept_))


@dataclass(frozen=True)
class _Pool:
    """Expressions that differ from each other.

    Attributes:
        expressions: each of them.
        standard: their values (row, expression), of mean 0 and length 1.
    """

    expressions: tuple[Expression, ...]
    standard: Array

    @staticmethod
    def of(expressions: list[Expression], x: Array) -> "_Pool":
        """Work out the values, and leave out what does not vary or is not finite."""
        return _Pool((), np.zeros((len(x), 0))).and_(expressions, x)

    def and_(self, expressions: "Iterator[Expression] | list[Expression]", x: Array) -> "_Pool":
        """The same with further expressions that vary and are finite."""
        kept, columns = list(self.expressions), [*self.standard.T]
        for expression in expressions:
            values = expression(x)
            if not np.isfinite(values).all():
                continue
            centred = values - values.mean()
            length = np.linalg.norm(centred)
            if length > LEAST_SPREAD * max(float(np.abs(values).max()), 1e-300) * np.sqrt(len(x)):
                kept.append(expression)
                columns.append(centred / length)
        return _Pool(tuple(kept), np.column_stack(columns) if columns else self.standard)

    def most_telling(self, y: Array, n: int) -> Indices:
        """The n expressions that go most with y (row); of those that say the same, the shortest."""
        likeness = np.round(np.abs(y @ self.standard) / (np.linalg.norm(y) or 1.0), DIGITS)
        sizes = np.array([expression.size for expression in self.expressions])
        chosen: list[int] = []
        for i in np.lexsort([sizes, -likeness]):
            if len(chosen) == n:
                break
            if not chosen or np.abs(self.standard[:, chosen].T @ self.standard[:, i]).max() < SAME:
                chosen.append(int(i))
        return np.array(chosen, dtype=int)


def _of_one(x: Array) -> Iterator[Expression]:
    """Expressions of one column each."""
    for j in range(x.shape[1]):
        yield from (Expression(step, (j,)) for step in UNARY if step.allows(x[:, j]))


def _of_two(roots: list[Expression], x: Array) -> Iterator[Expression]:
    """Expressions of two others."""
    values = [root(x) for root in roots]
    for (a, of_a), (b, of_b) in combinations(zip(roots, values, strict=True), 2):
        yield from (Expression(step, (a, b)) for step in BINARY if step.allows(of_a, of_b))


def _best_set(standard: Array, y: Array, n: int) -> tuple[int, ...]:
    """The n columns (row, column) whose sum explains most of y (row), by trying every set."""
    gram, projection = standard.T @ standard, standard.T @ y
    sets = np.array(list(combinations(range(standard.shape[1]), n)))
    matrices = gram[sets[:, :, None], sets[:, None, :]] + 1e-9 * np.eye(n)
    right = projection[sets]
    explained = np.einsum("sn,sn->s", right, np.linalg.solve(matrices, right[..., None])[..., 0])
    return tuple(int(i) for i in sets[int(explained.argmax())])


def _explained(standard: Array, y: Array) -> Array:
    """What columns (row, column) explain of y (row)."""
    return standard @ np.linalg.lstsq(standard, y, rcond=None)[0]
