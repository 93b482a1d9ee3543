"""Proposals chosen ahead of the next question, so that many robots are answered at once.

A batch is chosen one by one, each as if the earlier ones were under way. So handing out a long batch piece
by piece gives what single questions would have given, for the price of one.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Lock, Thread

from tieline.campaign.choosing import Choices, Used
from tieline.errors import TielineError

Choose = Callable[[Used, int], Choices]


@dataclass
class Ahead:
    """The lines of proposals that wait for somebody to ask, one for each kind of wish.

    Attributes:
        n: how many to choose at a time; 0 chooses only what is asked for.
    """

    n: int = 0
    _lines: dict[Hashable, tuple[Hashable, Choices]] = field(default_factory=dict)
    _busy: set[Hashable] = field(default_factory=set)
    _lock: Lock = field(default_factory=Lock)
    _choosing: Lock = field(default_factory=Lock)

    def choices(
        self, kind: Hashable, source: Hashable, used: Used, measures: str, n: int, choose: Choose
    ) -> Choices:
        """Take at least n choices that are not spoken for.

        A line that runs short, or that is of an earlier fit, is chosen anew in the background and answers
        meanwhile.

        Args:
            kind: of wish.
            source: fit and pool; a line of another one is renewed.
            used: places that are spoken for.
            measures: what the proposals are for.
            n: how many are asked for.
            choose: does the work.
        """
        if not self.n:
            return choose(used, n)
        known, left = self._left(kind, used, measures)
        if left is None or len(left.rows) < n:
            with self._choosing:  # many may find the line short at once: one chooses, the others wait
                known, left = self._left(kind, used, measures)
                if left is None or len(left.rows) < n:
                    left = choose(used, max(n, self.n))
                    self._put(kind, source, left)
                    return left
        if known != source or len(left.rows) < self.n // 2:
            self._renew(kind, source, used, choose)
        return left

    def _left(self, kind: Hashable, used: Used, measures: str) -> tuple[Hashable, Choices | None]:
        """What a line is of, and what in it is not spoken for."""
        with self._lock:
            known, line = self._lines.get(kind, (None, None))
        return known, None if line is None else line.without(used.taken(measures))

    def _put(self, kind: Hashable, source: Hashable, choices: Choices) -> None:
        with self._lock:
            self._lines[kind] = (source, choices)

    def _renew(self, kind: Hashable, source: Hashable, used: Used, choose: Choose) -> None:
        with self._lock:
            if kind in self._busy:
                return
            self._busy.add(kind)

        def work() -> None:
            try:
                with self._choosing:
                    self._put(kind, source, choose(used, self.n))
            except TielineError:
                self._drop(kind)  # who asks next meets the error itself
            finally:
                with self._lock:
                    self._busy.discard(kind)

        Thread(target=work, daemon=True, name="choosing ahead").start()

    def _drop(self, kind: Hashable) -> None:
        with self._lock:
            self._lines.pop(kind, None)
