"""What rules out places of a space: linear constraints, and rules written as functions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from tieline.errors import SchemaError

Rule = Callable[[xr.Dataset], xr.DataArray | np.ndarray]  # places -> bool (specimen)


@dataclass(frozen=True)
class LinearConstraint:
    """A weighted sum of inputs that must stay between two values.

    Args:
        coefficients: {numeric input or ingredient of the composition: its weight}, each in the input's unit.
        at_least: the least value of the sum; None is no limit.
        at_most: the largest value. The same as `at_least` makes an equation, such as charge neutrality.

    Example:
        >>> print(LinearConstraint({"Li": 1, "Al": 3, "O": -2}, at_least=0, at_most=0))
        Li + 3 Al - 2 O = 0
    """

    coefficients: Mapping[str, float]
    at_least: float | None = None
    at_most: float | None = None

    def __post_init__(self) -> None:
        coefficients = {str(name): float(weight) for name, weight in self.coefficients.items()}
        object.__setattr__(self, "coefficients", coefficients)
        weights = np.array(list(coefficients.values()))
        if not weights.size or not np.isfinite(weights).all() or not weights.any():
            raise SchemaError(
                "A linear constraint needs weights that are finite and not all zero.",
                found=repr(coefficients),
                hint='tl.LinearConstraint({"Fe": 1.0, "Ga": -2.0}, at_most=0)',
            )
        if self.at_least is None and self.at_most is None:
            raise SchemaError(
                f"The constraint on {self._sum()} has no limit.", hint="give at_least, at_most or both"
            )
        low, high = self.limits
        if np.isnan([low, high]).any() or low > high or low == np.inf or high == -np.inf:
            raise SchemaError(
                f"Nothing meets the constraint on {self._sum()}.",
                found=f"at_least={self.at_least}, at_most={self.at_most}",
                hint="at_least must not be above at_most",
            )

    @property
    def limits(self) -> tuple[float, float]:
        """Give the least and the largest value of the sum; infinite where there is no limit."""
        low = -np.inf if self.at_least is None else float(self.at_least)
        return low, np.inf if self.at_most is None else float(self.at_most)

    def _sum(self) -> str:
        text = ""
        for name, weight in self.coefficients.items():
            sign = ("- " if weight < 0 else "+ ") if text else ("-" if weight < 0 else "")
            size = "" if abs(weight) == 1 else f"{abs(weight):g} "
            text += f"{' ' if text else ''}{sign}{size}{name}"
        return text

    def __str__(self) -> str:
        low, high = self.limits
        if low == high:
            return f"{self._sum()} = {low:g}"
        left = f"{low:g} <= " if np.isfinite(low) else ""
        return f"{left}{self._sum()}" + (f" <= {high:g}" if np.isfinite(high) else "")


def rule_name(rule: Rule) -> str:
    """Name a rule in messages."""
    return str(getattr(rule, "__name__", type(rule).__name__))


def apply_rule(rule: Rule, places: xr.Dataset) -> np.ndarray:
    """Ask a rule which places it allows.

    Returns:
        (specimen): bool.

    Raises:
        SchemaError: the answer is not one yes or no a place.
    """
    answer = np.asarray(rule(places))
    if answer.dtype != bool or answer.shape != (places.sizes["specimen"],):
        raise SchemaError(
            f"The rule '{rule_name(rule)}' must answer True or False for every place.",
            found=f"{answer.dtype} of shape {answer.shape} for {places.sizes['specimen']} places",
            hint='lambda places: places["temperature"] < 900',
        )
    return answer
