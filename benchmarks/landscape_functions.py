"""Test functions of optimisation, each to be minimised over a cube."""

from collections.abc import Callable

import numpy as np

Places = np.ndarray  # (place, axis)

# Hartmann's tables: weight (peak), sharpness and place (peak, axis).
WEIGHT = np.array([1.0, 1.2, 3.0, 3.2])
SHARP_3 = np.array([[3.0, 10, 30], [0.1, 10, 35], [3.0, 10, 30], [0.1, 10, 35]])
PLACE_3 = 1e-4 * np.array([[3689, 1170, 2673], [4699, 4387, 7470], [1091, 8732, 5547], [381, 5743, 8828]])
SHARP_6 = np.array(
    [
        [10, 3, 17, 3.5, 1.7, 8],
        [0.05, 10, 17, 0.1, 8, 14],
        [3, 3.5, 1.7, 10, 17, 8],
        [17, 8, 0.05, 10, 0.1, 14],
    ]
)
PLACE_6 = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)


def bowl(x: Places) -> np.ndarray:
    """A quadratic with unequal curvature, its lowest place off the middle."""
    curvature = np.geomspace(1, 4, x.shape[1])
    return ((x - np.linspace(0.3, 0.7, x.shape[1])) ** 2) @ curvature


def branin(x: Places) -> np.ndarray:
    """Three equal minima in a valley."""
    a, b = x[:, 0], x[:, 1]
    return (
        (b - 5.1 * a**2 / (4 * np.pi**2) + 5 * a / np.pi - 6) ** 2
        + 10 * (1 - 1 / (8 * np.pi)) * np.cos(a)
        + 10
    )


def camel(x: Places) -> np.ndarray:
    """Six minima, two of them lowest."""
    a, b = x[:, 0], x[:, 1]
    return (4 - 2.1 * a**2 + a**4 / 3) * a**2 + a * b + (4 * b**2 - 4) * b**2


def hartmann(sharpness: np.ndarray, place: np.ndarray) -> Callable[[Places], np.ndarray]:
    """Four wells."""
    return lambda x: -np.exp(-((x[:, None] - place) ** 2 * sharpness).sum(2)) @ WEIGHT


def ackley(x: Places) -> np.ndarray:
    """A funnel with many ripples."""
    funnel = -20 * np.exp(-0.2 * np.sqrt((x**2).mean(1)))
    return funnel - np.exp(np.cos(2 * np.pi * x).mean(1)) + 20 + np.e


def levy(x: Places) -> np.ndarray:
    """Ripples along a valley."""
    w = 1 + (x - 1) / 4
    first, middle, last = w[:, 0], w[:, :-1], w[:, -1]
    ripple = ((middle - 1) ** 2 * (1 + 10 * np.sin(np.pi * middle + 1) ** 2)).sum(1)
    return np.sin(np.pi * first) ** 2 + ripple + (last - 1) ** 2 * (1 + np.sin(2 * np.pi * last) ** 2)


def michalewicz(x: Places) -> np.ndarray:
    """Steep ravines in a plain."""
    order = np.arange(1, x.shape[1] + 1)
    return -(np.sin(x) * np.sin(order * x**2 / np.pi) ** 20).sum(1)


def rosenbrock(x: Places) -> np.ndarray:
    """A bent, flat valley between walls that are decades higher."""
    return (100 * (x[:, 1:] - x[:, :-1] ** 2) ** 2 + (1 - x[:, :-1]) ** 2).sum(1)


def styblinski(x: Places) -> np.ndarray:
    """A minimum in every corner, one of them lowest."""
    return 0.5 * (x**4 - 16 * x**2 + 5 * x).sum(1)


# name: the function, and the corners of its domain
FUNCTIONS: dict[str, tuple[Callable[[Places], np.ndarray], np.ndarray, np.ndarray]] = {
    "bowl": (bowl, np.array(0.0), np.array(1.0)),
    "branin": (branin, np.array([-5.0, 0.0]), np.array([10.0, 15.0])),
    "camel": (camel, np.array([-2.0, -1.0]), np.array([2.0, 1.0])),
    "hartmann_3": (hartmann(SHARP_3, PLACE_3), np.array(0.0), np.array(1.0)),
    "hartmann_6": (hartmann(SHARP_6, PLACE_6), np.array(0.0), np.array(1.0)),
    "ackley": (ackley, np.array(-5.0), np.array(3.0)),
    "levy": (levy, np.array(-5.0), np.array(5.0)),
    "michalewicz": (michalewicz, np.array(0.0), np.array(np.pi)),
    "rosenbrock": (rosenbrock, np.array(-2.0), np.array(2.0)),
    "styblinski": (styblinski, np.array(-5.0), np.array(5.0)),
}
