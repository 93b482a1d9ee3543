"""Ticks that can be read: few of them, and powers of ten beside the unit."""

import math

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.cm import ScalarMappable
from matplotlib.colorbar import Colorbar
from matplotlib.ticker import FuncFormatter, MaxNLocator

from tieline.planning.wording import label

PLAIN = (1e-2, 1e5)  # an axis whose largest number lies between does without a power of ten
WHOLE = 2  # numbers up to twenty make rounder ticks than numbers up to two
N_TICKS = 6  # intervals between ticks, at most


def power_of(*numbers: float) -> int:
    """Choose the power of ten to take out of numbers; 0 where they are read easily as they are."""
    largest = max(abs(n) for n in numbers)
    return 0 if largest == 0 or PLAIN[0] <= largest < PLAIN[1] else math.floor(math.log10(largest / WHOLE))


def name_axis(
    axis: Axis, variable: xr.DataArray, name: str, *, power: int | None = None, n_ticks: int = N_TICKS
) -> None:
    """Label an axis on which everything is drawn, and set its ticks.

    Args:
        axis: of values in the variable's unit.
        variable: has the unit.
        name: what is shown.
        power: of ten, taken out of the tick labels; by default what suits the limits of the axis.
        n_ticks: intervals between ticks, at most.
    """
    power = power_of(*axis.get_view_interval()) if power is None else power
    axis.set_major_locator(few(n_ticks))
    if power:
        axis.set_major_formatter(without(power))
    axis.set_label_text(label(variable, name, power))


def colour_bar(image: ScalarMappable, panels: list[Axes], words: str, power: int) -> Colorbar:
    """Add a colour bar to panels, from whose tick labels a power of ten is taken."""
    return panels[0].figure.colorbar(
        image,
        ax=panels,
        shrink=0.8,
        label=words,
        ticks=few(N_TICKS),
        format=without(power) if power else None,
    )


def few(n_ticks: int) -> MaxNLocator:
    """Choose round ticks, at most so many intervals between them."""
    return MaxNLocator(n_ticks, steps=[1, 2, 2.5, 5, 10])


def without(power: int) -> FuncFormatter:
    """Write ticks as multiples of a power of ten."""
    return FuncFormatter(lambda value, _: f"{value / 10.0**power:.10g}".replace("-", "\N{MINUS SIGN}"))
