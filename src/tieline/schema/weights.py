"""Standard atomic weights of the 118 elements."""

from functools import cache
from importlib.resources import files


@cache
def atomic_weights() -> dict[str, float]:
    """Look up what a mole of each element weighs.

    Returns:
        Symbol to standard atomic weight, g/mol; the mass number of the longest-lived isotope where no
        standard weight exists.

    Source:
        IUPAC abridged standard atomic weights (2021); intervals are given by their conventional value.
    """
    lines = files("tieline").joinpath("data/atomic_weights.csv").read_text(encoding="utf-8").splitlines()
    pairs = (line.split(",") for line in lines[1:])
    return {symbol: float(weight) for symbol, weight in pairs}
