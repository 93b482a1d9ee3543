"""Simulated campaigns of many modalities: printed lattices, sputtered films, scratch tests.

The campaigns of the literature that they follow are not public. These have their structure, and a known
truth.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from tieline.errors import SchemaError

PIXELS = 32  # of an image's edge
STRAIN = np.linspace(0, 0.1, 40)
TWO_THETA = np.linspace(38.0, 42.0, 64)  # degrees, around one reflection
FORCE = np.linspace(0, 500, 50)  # mN
LATTICES = {"gyroid": (60.0, 0.032, 4.0), "octet": (110.0, 0.021, 12.0)}  # MPa, strain, MPa
CRITICAL_FORCES = (150.0, 250.0, 350.0)  # mN, where films of three kinds fail


@dataclass(frozen=True, eq=False)
class MultimodalWorld:
    """What a laboratory measured, and what was true.

    Attributes:
        table: modalities on `specimen`, NaN where one was not measured.
        truth: populations and quantities without noise, on `specimen`.
    """

    table: xr.Dataset
    truth: xr.Dataset


def lattice(
    seed: int = 0, *, n_specimens: int = 200, noise: float = 0.15, measured: float = 1.0
) -> MultimodalWorld:
    """Printed lattices of two topologies: an image of each, and its stress under compression.

    Struts differ in thickness, phase and tilt from print to print, images are grainy. Stress rises
    elastically up to a yield strain and hardens from there; stiffness, yield and hardening are those of the
    topology.

    Args:
        seed: of everything.
        n_specimens: how many.
        noise: standard deviation of stress, MPa.
        measured: share of specimens that have an image, and likewise a curve; each has at least one of them.

    Returns:
        image (specimen, y, x) and stress (specimen, strain); truth: topology and noiseless stress.
    """
    rng = np.random.default_rng(seed)
    kind = rng.integers(2, size=n_specimens)
    names = np.array(list(LATTICES))
    image = np.stack([_lattice_image(str(names[k]), rng) for k in kind])
    stiffness, knot, hardening = np.array([LATTICES[str(n)] for n in names[kind]]).T[:, :, None]
    stress = stiffness * np.minimum(STRAIN, knot) + hardening * np.maximum(STRAIN - knot, 0)
    table = xr.Dataset(
        {
            "image": (("specimen", "y", "x"), image, _attrs("1", "structure")),
            "stress": (
                ("specimen", "strain"),
                stress + noise * rng.standard_normal(stress.shape),
                _attrs("MPa", "property"),
            ),
        },
        coords=_coords(n_specimens, strain=("strain", STRAIN, {"units": "1"})),
    )
    truth = xr.Dataset(
        {"topology": ("specimen", names[kind]), "stress": (("specimen", "strain"), stress, {"units": "MPa"})},
        coords=table.coords,
    )
    return MultimodalWorld(_with_gaps(table, [("image",), ("stress",)], measured, rng), truth)


def pvd(
    seed: int = 0, *, n_specimens: int = 400, noise: float = 0.1, measured: float = 1.0
) -> MultimodalWorld:
    """Sputtered films: micrographs, a reflection of X-rays, process settings and residual stress.

    Power and pressure set grain size and stress. Stress is compressive at low pressure, tensile at higher
    pressure, and fades towards porous films, as Thornton and Hoffman found. The reflection shifts with
    stress and widens with small grains; the micrograph's texture is as coarse as the grains are. Settings
    are those of the controller: what the chamber did differs a little.

    Args:
        seed: of everything.
        n_specimens: how many.
        noise: standard deviation of the measured stress, GPa.
        measured: share of specimens that have each modality; each has at least one.

    Returns:
        sem (specimen, y, x), xrd (specimen, two_theta), power and pressure, stress; truth: stress,
        grain_size.
    """
    rng = np.random.default_rng(seed)
    power, pressure = rng.uniform(100, 400, n_specimens), rng.uniform(0.2, 2.0, n_specimens)
    chamber = pressure * np.exp(0.04 * rng.standard_normal(n_specimens))
    stress = _thornton_hoffman(power, chamber)
    grain = (
        20 * (power / 200) ** 0.6 / (0.6 + 0.5 * chamber) * np.exp(0.05 * rng.standard_normal(n_specimens))
    )
    sem = np.stack([_texture(size / 8, rng) for size in grain])
    table = xr.Dataset(
        {
            "sem": (("specimen", "y", "x"), sem, _attrs("1", "structure")),
            "xrd": (
                ("specimen", "two_theta"),
                _reflection(stress, grain, rng),
                _attrs("1", "structure"),
            ),
            "power": ("specimen", power, _attrs("W", "process")),
            "pressure": ("specimen", pressure, _attrs("Pa", "process")),
            "stress": (
                "specimen",
                stress + noise * rng.standard_normal(n_specimens),
                _attrs("GPa", "property"),
            ),
        },
        coords=_coords(n_specimens, two_theta=("two_theta", TWO_THETA, {"units": "degree"})),
    )
    truth = xr.Dataset(
        {
            "stress": ("specimen", stress, {"units": "GPa"}),
            "grain_size": ("specimen", grain, {"units": "nm"}),
        },
        coords={"specimen": table["specimen"]},
    )
    groups = [("sem",), ("xrd",), ("power", "pressure"), ("stress",)]
    return MultimodalWorld(_with_gaps(table, groups, measured, rng), truth)


def scratch(seed: int = 0, *, n_specimens: int = 200, measured: float = 1.0) -> MultimodalWorld:
    """Scratch tests with rising force: depth, friction and acoustic emission of films of three kinds.

    Beyond its critical load a film cracks: depth and friction rise faster from there, and bursts of sound
    come more often. Each kind of film has a critical load of its own.

    Args:
        seed: of everything.
        n_specimens: how many.
        measured: share of specimens that have each modality; each has at least one.

    Returns:
        depth and friction (specimen, force), and emission (specimen, force), bursts a step; truth: kind,
        critical_load.
    """
    rng = np.random.default_rng(seed)
    kind = rng.integers(len(CRITICAL_FORCES), size=n_specimens)
    critical = np.array(CRITICAL_FORCES)[kind]
    beyond = np.maximum(FORCE - critical[:, None], 0)
    depth = 1.2 * FORCE + 1.6 * beyond + 12 * rng.standard_normal(beyond.shape)
    friction = 0.15 * FORCE + 0.25 * beyond + 3 * rng.standard_normal(beyond.shape)
    loudness = np.exp(0.2 * rng.standard_normal((n_specimens, 1)))
    rate = loudness * (0.3 + 2.5 * (critical[:, None] < FORCE))
    dims = ("specimen", "force")
    table = xr.Dataset(
        {
            "depth": (dims, depth, _attrs("nm", "property")),
            "friction": (dims, friction, _attrs("mN", "property")),
            "emission": (dims, rng.poisson(rate).astype(float), _attrs("1", "property")),
        },
        coords=_coords(n_specimens, force=("force", FORCE, {"units": "mN"})),
    )
    truth = xr.Dataset(
        {
            "kind": ("specimen", np.array(["early", "middle", "late"])[kind]),
            "critical_load": ("specimen", critical, {"units": "mN"}),
        },
        coords={"specimen": table["specimen"]},
    )
    groups = [("depth",), ("friction",), ("emission",)]
    return MultimodalWorld(_with_gaps(table, groups, measured, rng), truth)


def _lattice_image(topology: str, rng: np.random.Generator) -> np.ndarray:
    """A grainy section through a lattice, about 0 in voids and 1 in struts."""
    y, x = np.mgrid[:PIXELS, :PIXELS] / PIXELS
    tilt = 0.06 * rng.standard_normal()
    x, y = x + tilt * y, y - tilt * x
    a, b = (2 * np.pi * (3 * c + rng.random()) for c in (x, y))
    if topology == "gyroid":
        level = np.abs(np.sin(a) * np.cos(b) + np.sin(b) * np.cos(rng.random() * 2 * np.pi) + 0.3 * np.cos(a))
    else:
        level = np.minimum(np.abs(np.sin((a + b) / 2)), np.abs(np.sin((a - b) / 2)))
    thickness = rng.uniform(0.25, 0.45)
    solid = 1 / (1 + np.exp((level - thickness) / 0.06))
    return solid + 0.15 * rng.standard_normal(solid.shape)


def _thornton_hoffman(power: np.ndarray, pressure: np.ndarray) -> np.ndarray:
    """Residual stress of sputtered films, GPa: compressive below a pressure that rises with power."""
    along = pressure / (0.5 + power / 800)
    return 1.6 * np.tanh(2.2 * (along - 0.8)) * np.exp(-0.5 * np.maximum(along - 1.2, 0) ** 2) - 0.2


def _texture(length: float, rng: np.random.Generator) -> np.ndarray:
    """A Gaussian random field of a correlation length, pixels, with a standard deviation of one."""
    k = np.fft.fftfreq(PIXELS)
    smooth = np.exp(-2 * (np.pi * length) ** 2 * (k[:, None] ** 2 + k**2))
    field = np.fft.ifft2(np.fft.fft2(rng.standard_normal((PIXELS, PIXELS))) * smooth).real
    return field / field.std() + 0.1 * rng.standard_normal(field.shape)


def _reflection(stress: np.ndarray, grain: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Intensity along two theta, relative to the greatest without noise."""
    centre = 40.0 - 0.25 * stress[:, None] + 0.02 * rng.standard_normal((len(stress), 1))
    width = 0.15 + 4.0 / grain[:, None]
    return np.exp(-0.5 * ((TWO_THETA - centre) / width) ** 2) + 0.05 * rng.standard_normal(
        (len(stress), len(TWO_THETA))
    )


def _with_gaps(
    table: xr.Dataset, groups: Sequence[tuple[str, ...]], measured: float, rng: np.random.Generator
) -> xr.Dataset:
    """Leave modalities out at random, but one of each specimen."""
    if not 0 < measured <= 1:
        raise SchemaError("A share of specimens is above 0 and at most 1.", found=f"measured={measured:g}")
    n = table.sizes["specimen"]
    seen = rng.random((n, len(groups))) < measured
    seen[np.arange(n), rng.integers(len(groups), size=n)] = True
    for is_seen, names in zip(seen.T, groups, strict=True):
        for name in names:
            table[name] = table[name].where(xr.DataArray(is_seen, dims="specimen"))
    return table


def _attrs(units: str, role: str) -> dict[str, str]:
    return {"units": units, "role": role}


def _coords(n_specimens: int, **axis: object) -> dict[str, object]:
    return {"specimen": [f"S{i + 1}" for i in range(n_specimens)], **axis}
