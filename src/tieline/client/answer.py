"""Several things that a campaign answers, with what should be known of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")


@dataclass(frozen=True)
class Answer(Sequence[T], Generic[T]):
    """What was asked for, one after another as in a list.

    Attributes:
        items: what was asked for.
        notes: what should be known of it, such as settings that were not used.
        units: of each name in it that has one; empty where the items say it themselves.
    """

    items: Sequence[T]
    notes: Sequence[str] = ()
    units: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.items)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: Any) -> Any:
        return self.items[index]
