"""Proposals chosen ahead of the next question, so that many robots are answered at once.

A batch is chosen one by one, each as if the earlier ones were under way. So handing out a long batch piece
by piece gives what single questions would have given, for the price of one.
"""

from collections.abc import Callable, Hashable, Set
from dataclasses import dataclass, field
from threading import Lock, Thread

from tieline.campaign.choosing import Choices
from tieline.errors import TielineError

Choose = Callable[[int, Choices | None], Choices]  # so many, beside those that were chosen before
FIRST = 32  # of a line that somebody waits for, or that nobody may need: most laboratories ask now and then


@dataclass
class Ahead:
    """The lines of proposals that wait for somebody to ask, one for each kind of wish.

    Attributes:
        n: how many to choose at a time where many ask; 0 chooses only what is asked for.
    """

    n: int = 0
    _lines: dict[Hashable, tuple[Hashable, Choices]] = field(default_factory=dict)
    _busy: set[Hashable] = field(default_factory=set)
    _lock: Lock = field(default_factory=Lock)
    _choosing: Lock = field(default_factory=Lock)

    def choices(self, kind: Hashable, source: Hashable, taken: Set[str], n: int, choose: Choose) -> Choices:
        """Take at least n choices that are not spoken for.

        A line that runs short, or that is of an earlier fit, is chosen anew in the background and answers
        meanwhile.

        Args:
            kind: of wish, and where to choose from.
            source: fit and costs; a line of another one is renewed.
            taken: places that are spoken for.
            n: how many are asked for.
            choose: does the work, beside all that is spoken for by then and the rest of a line.
        """
        if not self.n:
            return choose(n, None)
        first = min(FIRST, self.n)
        line, left = self._left(kind, taken)
        if left is None or len(left.rows) < n:
            with self._choosing:  # many may find the line short at once: one chooses, the others wait
                line, left = self._left(kind, taken)
                if left is None or len(left.rows) < n:
                    left = choose(max(n, first), None)
                    self._put(kind, source, left)
                    return left
        assert line is not None  # something is left of it
        known, whole = line
        if known != source:
            self._renew(kind, source, lambda: choose(first, None))
        elif 2 * len(left.rows) < min(len(whole.rows), self.n):
            self._renew(kind, source, lambda: self._longer(left, choose))
        return left

    def _longer(self, left: Choices, choose: Choose) -> Choices:
        """What is left of a line, and others after it, chosen as if those were under way."""
        try:
            return left.and_then(choose(self.n - len(left.rows), left))
        except TielineError:
            return left  # there is no more; who comes after the last of them meets the error itself

    def _left(
        self, kind: Hashable, taken: Set[str]
    ) -> tuple[tuple[Hashable, Choices] | None, Choices | None]:
        """A line with what it is of, and what in it is not spoken for."""
        with self._lock:
            line = self._lines.get(kind)
        return line, None if line is None else line[1].without(taken)

    def _put(self, kind: Hashable, source: Hashable, choices: Choices) -> None:
        with self._lock:
            self._lines[kind] = (source, choices)

    def _renew(self, kind: Hashable, source: Hashable, choose: Callable[[], Choices]) -> None:
        with self._lock:
            if kind in self._busy:
                return
            self._busy.add(kind)

        def work() -> None:
            try:
                with self._choosing:
                    self._put(kind, source, choose())
            except TielineError:
                self._drop(kind)  # who asks next meets the error itself
            finally:
                with self._lock:
                    self._busy.discard(kind)

        Thread(target=work, daemon=True, name="choosing ahead").start()

    def _drop(self, kind: Hashable) -> None:
        with self._lock:
            self._lines.pop(kind, None)
