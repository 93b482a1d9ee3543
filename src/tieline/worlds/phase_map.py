"""Simulated phase maps with properties: the documented generator that claims are measured on.

The generator is *not* the model that is judged on it. It has no Gaussian-process prior, its
boundaries are hard and come in four forms, its properties in four forms, and its laboratory makes
mistakes. What is not asked for is drawn from the seed; one seed always gives one world.

**Space.** One to three axes `x`, `y`, `z` in [0, 1] (each equally likely), or with
`composition=True` the mole fractions of three elements, uniform on their triangle.

**Regions.** Two to five phases (up to twelve on request), called `A`, `B`, ... in random order.
Each phase has a score, a function of the place, and the greatest score wins. The scores have one of
four forms, equally likely (`random_functions.py`): `fields` (random fields; a phase may come back
elsewhere), `free_energies` (parabolas; planes and conics), `discs` (ellipsoids in a matrix),
`waves` (layers with wavy interfaces). On a line all of them give intervals. Constants are then
added to the scores so that every phase takes about 0.07 of the space and a Dirichlet(4) draw
divides the rest. Maps where a phase has less than 0.05 are drawn again.

**Properties.** Inside region k a property is

    level_k + amplitude_k * (sqrt(1 - w^2) * own_k(x) + w * shared(x))

    own_k, shared   a Fourier series, polynomial, bump or exponential, equally likely and drawn for
                    each region apart; own_k has mean 0 and sd 1 inside its region, shared has them
                    over the whole space
    w               0 in half of the worlds, else uniform in [0.3, 0.9]: a trend all regions share
    amplitude_k     log-normal(0, 0.3)
    level_k         normal draws, scaled so that two levels differ by `jump` on average
    jump            log-uniform in [0.5, 4], in units of the within-region sd

and the whole is then brought to an arbitrary unit: times 10^U(-1, 2), with an offset of up to five
times that. Further properties are drawn in the same way, independently, on the same regions.

**Laboratory.** 20 to 120 specimens, uniform or evenly spread, placed so that every phase has one.
A share of 0.4-0.9 of them has a phase label and 0.4-0.9 a property value. The two subsets are
`independent`, `nested` (one inside the other) or `apart` (no specimen has both). In a third of the
worlds one modality, `structure` or `property`, covers only the 0.55-0.8 of the specimens on one
side of a random plane. Then every phase that is left without a label gets one, and values are added
until there are six. Values have normal noise with an sd of 0.02-0.10 of the property's
sd over the space. In half of the worlds labels are wrong at a rate drawn up to 0.05 (another phase,
at random), and in half of the worlds values are gross outliers at a rate drawn up to 0.03 (off by
3 to 8 of the property's sd, either way). The first label of every phase is never wrong.

**Held-out places.** `grid` has 512 points of an even sequence (R_d) with a random start.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from tieline.errors import TielineError
from tieline.worlds.laboratory import measure
from tieline.worlds.random_functions import BOUNDARIES, PROPERTIES, Function
from tieline.worlds.world import AXES, PropertyFunction, Space, World

SMALLEST_SHARE = 0.05  # of the space: smaller regions could not be found with 20 specimens
SMALLEST_AIM = 0.07  # of the space: aimed at a little above what is demanded
MOST_PHASES = 12  # more could not all have the smallest aim
SPECIMENS_PER_PHASE = 4  # at least, or placing one specimen in every phase takes too many tries
N_PROBES = 1024  # points that stand for the whole space when shares, means and sds are computed
N_TRIES = 200  # redraws before we say that a request cannot be met; a few are usual


def phase_map(
    seed: int,
    *,
    n_dimensions: int | None = None,
    n_phases: int | None = None,
    n_specimens: int | None = None,
    n_properties: int = 1,
    composition: bool = False,
    boundary: str | None = None,
    jump: float | None = None,
    noise: float | None = None,
    label_noise: float | None = None,
    outliers: float | None = None,
    n_grid: int = 512,
) -> World:
    """Draw a simulated phase map with properties, and a laboratory's view of it.

    Args:
        seed: of the world; the same seed and settings give the same world.
        n_dimensions: design axes, 1 to 3.
        n_phases: 2 to 12; twelve `fields` on a line are found with about every other seed.
        n_specimens: at least four a phase.
        n_properties: one is called `property`, several `property_1`, `property_2`, ...
        composition: make the design a composition of three elements.
        boundary: `fields`, `free_energies`, `discs` or `waves`.
        jump: mean difference between two regions' levels, in within-region sds.
        noise: sd of the measurement noise, as a fraction of the property's sd.
        label_noise: probability that a label is wrong.
        outliers: probability that a property value is grossly wrong.
        n_grid: held-out places.

    Returns:
        The world. What was not given is drawn from the seed, see the module's text.

    Raises:
        TielineError: the settings are out of range or contradict each other.
    """
    streams = np.random.default_rng(seed).spawn(5)
    given = {
        "n_dimensions": 2 if composition else n_dimensions,
        "n_phases": n_phases,
        "n_specimens": n_specimens,
        "boundary": boundary,
        "jump": jump,
        "noise": noise,
        "label_noise": label_noise,
        "outliers": outliers,
    }
    drawn = _draw_settings(streams[0]) | {name: value for name, value in given.items() if value is not None}
    settings = {"seed": seed, "n_properties": n_properties, "composition": composition} | drawn
    _check(settings)

    space = Space(settings["n_dimensions"], composition)
    probes = space.even_points(streams[1], N_PROBES)
    scores = _draw_regions(streams[1], settings, probes)
    names = ["property"] if n_properties == 1 else [f"property_{j + 1}" for j in range(n_properties)]
    region = scores(probes).argmax(1)
    functions = {name: _draw_property(streams[2], settings, probes, region) for name in names}
    settings["noise_sd"] = {
        name: settings["noise"] * float(function(probes, region).std())
        for name, function in functions.items()
    }
    grid = space.dataset(space.even_points(streams[3], n_grid))
    unseen = World(xr.Dataset(), grid, settings, space, scores, functions)
    return replace(unseen, table=measure(streams[4], unseen))


def _draw_settings(rng: np.random.Generator) -> dict[str, Any]:
    """Draw every setting, in a fixed order, so that giving one leaves the others as they were."""
    return {
        "n_dimensions": int(rng.integers(1, 4)),
        "n_phases": int(rng.integers(2, 6)),
        "n_specimens": int(rng.integers(20, 121)),
        "boundary": str(rng.choice(list(BOUNDARIES))),
        "jump": float(np.exp(rng.uniform(np.log(0.5), np.log(4.0)))),
        "shared": float((rng.random() < 0.5) * rng.uniform(0.3, 0.9)),
        "noise": float(rng.uniform(0.02, 0.10)),
        "label_noise": float((rng.random() < 0.5) * rng.uniform(0, 0.05)),
        "outliers": float((rng.random() < 0.5) * rng.uniform(0, 0.03)),
        "placement": str(rng.choice(["uniform", "even"])),
        "labelled": float(rng.uniform(0.4, 0.9)),
        "measured": float(rng.uniform(0.4, 0.9)),
        "subsets": str(rng.choice(["independent", "nested", "apart"])),
        "one_sided": str(rng.choice(["", "", "", "", "structure", "property"])),
        "one_sided_share": float(rng.uniform(0.55, 0.8)),
    }


def _check(settings: Mapping[str, Any]) -> None:
    """Refuse settings that no world can have."""
    fewest = SPECIMENS_PER_PHASE * settings["n_phases"]
    demands = [
        ("n_dimensions", 1 <= settings["n_dimensions"] <= len(AXES), "1 to 3"),
        ("n_phases", 2 <= settings["n_phases"] <= MOST_PHASES, f"2 to {MOST_PHASES}"),
        ("n_properties", settings["n_properties"] >= 1, "1 or more"),
        ("n_specimens", settings["n_specimens"] >= fewest, f"{fewest} or more with these phases"),
        ("boundary", settings["boundary"] in BOUNDARIES, f"one of {', '.join(BOUNDARIES)}"),
    ]
    for name, is_met, wanted in demands:
        if not is_met:
            raise TielineError(
                f"No phase map can be drawn with this {name}.",
                found=f"{name}={settings[name]!r}.",
                hint=f"{name} should be {wanted}.",
            )


def _draw_regions(rng: np.random.Generator, settings: Mapping[str, Any], probes: np.ndarray) -> Function:
    """Draw the scores of all phases, until none of them is too small to be found."""
    n_phases = settings["n_phases"]
    for _ in range(N_TRIES):
        raw = BOUNDARIES[settings["boundary"]](rng, settings["n_dimensions"], n_phases)
        order = rng.permutation(n_phases)
        share = SMALLEST_AIM + (1 - SMALLEST_AIM * n_phases) * rng.dirichlet(np.full(n_phases, 4.0))
        constant = _balance(raw(probes), share)
        if (
            np.bincount((raw(probes) + constant).argmax(1), minlength=n_phases).min()
            >= SMALLEST_SHARE * N_PROBES
        ):
            return lambda points: (raw(points) + constant)[:, order]
    raise TielineError(
        f"No map with {n_phases} regions of a fair size was found.",
        hint="Ask for fewer phases, or another seed.",
    )


def _balance(scores: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Find constants that bring each phase's share of the space near the wanted one."""
    best = np.sort(scores, axis=1)
    lead = (best[:, -1] - best[:, -2]).mean()  # the scale on which constants move boundaries
    constant = np.zeros_like(share)
    for step in range(60):
        found = np.bincount((scores + constant).argmax(1), minlength=len(share)) / len(scores)
        constant += lead / (1 + step / 10) * np.log((share + 0.01) / (found + 0.01))
    return constant


def _draw_property(
    rng: np.random.Generator, settings: Mapping[str, Any], probes: np.ndarray, region: np.ndarray
) -> PropertyFunction:
    """Draw one property: a function of points and of the phase numbers found there."""
    n_dimensions, n_phases, shared = settings["n_dimensions"], settings["n_phases"], settings["shared"]
    trend = _standardised(_any_function(rng, n_dimensions), probes)
    own = [_standardised(_any_function(rng, n_dimensions), probes[region == k]) for k in range(n_phases)]
    amplitude = rng.lognormal(0, 0.3, n_phases)
    level = rng.standard_normal(n_phases)
    gaps = np.abs(level[:, None] - level)[np.triu_indices(n_phases, 1)]
    level *= settings["jump"] / gaps.mean()
    scale = 10 ** rng.uniform(-1, 2)
    offset = scale * rng.uniform(-5, 5)

    def value(points: np.ndarray, phase: np.ndarray) -> np.ndarray:
        smooth = shared * trend(points)
        for k in range(n_phases):
            smooth[phase == k] += np.sqrt(1 - shared**2) * own[k](points[phase == k])
        return offset + scale * (level[phase] + amplitude[phase] * smooth)

    return value


def _any_function(rng: np.random.Generator, n_dimensions: int) -> Function:
    """Draw one of the forms that a property can have."""
    return PROPERTIES[str(rng.choice(list(PROPERTIES)))](rng, n_dimensions)


def _standardised(function: Function, points: np.ndarray) -> Function:
    """Give a function mean 0 and sd 1 over the points."""
    values = function(points)
    mean, sd = values.mean(), values.std()
    return lambda places: (function(places) - mean) / sd
