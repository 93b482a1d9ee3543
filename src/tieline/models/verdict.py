"""A verdict on a posterior, made of what is to be worried about."""

from collections.abc import Iterable

import xarray as xr

Worry = tuple[
    str, str, str
]  # verdict (red, amber or, of none, green), a sentence without its full stop, an action
GRAVITY = {"red": 0, "amber": 1}


def judge(
    found: xr.Dataset, worries: Iterable[Worry], fine: Worry, notes: Iterable[str], *, addition: str = ""
) -> xr.Dataset:
    """Put figures into one sentence: the gravest worry, or that there is none.

    Args:
        found: the figures behind.
        worries: in any order; of equal ones the first counts.
        fine: what holds if there are none.
        notes: what should be known besides.
        addition: to the sentence, whatever it says.

    Returns:
        The figures, with attrs `verdict`, `sentence`, `action`, `worries` (all of them) and `notes`.
    """
    ordered = sorted(worries, key=lambda worry: GRAVITY[worry[0]])
    verdict, sentence, action = ordered[0] if ordered else fine
    return found.assign_attrs(
        verdict=verdict,
        sentence=f"{sentence}{addition}.",
        action=action,
        worries=[worry[1] for worry in ordered],
        notes=list(notes),
    )
