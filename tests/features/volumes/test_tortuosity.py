import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import spsolve

import tieline as tl
from tieline.features.volumes import percolation, tortuosity
from tieline.features.volumes.tortuosity import BYTES_A_VOXEL
from tieline.worlds import membrane

DATA = Path(os.environ.get("TIELINE_DATA", "nowhere")) / "volumes"
has_data = pytest.mark.skipif(not DATA.is_dir(), reason="$TIELINE_DATA has no volumes/")


def direct(is_pore, axis):
    """The factor by a sparse direct solution in double precision; written apart from the package."""
    is_pore = np.moveaxis(is_pore, axis, 0)
    number = np.full(is_pore.shape, -1)
    number[is_pore] = np.arange(is_pore.sum())
    diagonal, rhs = np.full(is_pore.sum(), 1e-12), np.zeros(is_pore.sum())
    rows, columns, values = [], [], []
    for direction in range(3):
        here, there = (
            np.moveaxis(number, direction, 0)[part].ravel() for part in (slice(-1), slice(1, None))
        )
        both = (here >= 0) & (there >= 0)
        pairs = (here[both], there[both])
        for a, b in (pairs, pairs[::-1]):
            rows.append(a), columns.append(b), values.append(np.full(len(a), -1.0))
            np.add.at(diagonal, a, 1.0)
    inlet, outlet = number[0][number[0] >= 0], number[-1][number[-1] >= 0]
    rhs[inlet] = 2
    np.add.at(diagonal, inlet, 2.0)
    np.add.at(diagonal, outlet, 2.0)
    every = np.arange(len(diagonal))
    entries = (
        np.concatenate([*values, diagonal]),
        (np.concatenate([*rows, every]), np.concatenate([*columns, every])),
    )
    concentration = spsolve(coo_matrix(entries).tocsc(), rhs)
    flux = 2 * concentration[outlet].sum()
    return is_pore.mean() / (flux * is_pore.shape[0] / is_pore[0].size)


def serpentine():
    """One channel that runs to and fro ten times."""
    is_pore = np.zeros((21, 21, 3), bool)
    is_pore[::2] = True
    for turn, i in enumerate(range(1, 21, 2)):
        is_pore[i, 0 if turn % 2 else -1] = True
    return is_pore


def noise(shape, porosity, seed=0):
    return np.random.default_rng(seed).random(shape) < porosity


@pytest.mark.parametrize("shape", [(16, 16, 16), (1, 1, 1), (5, 40, 9), (33, 2, 1)])
def test_open_space_has_a_factor_of_one(shape):
    found = tortuosity(np.ones(shape, bool), pore=1)
    np.testing.assert_allclose(found, 1.0, rtol=1e-6)
    np.testing.assert_allclose(found["effective_diffusivity"], 1.0, rtol=1e-6)


def test_straight_channels_have_a_factor_of_one_whatever_their_section():
    section = noise((20, 20), 0.4)
    found = tortuosity(np.repeat(section[None], 30, 0), pore=1)
    assert float(found.sel(axis="x")) == pytest.approx(1, rel=1e-6)


def test_layers_let_nothing_across_and_lead_straight_along():
    layers = np.zeros((12, 12, 12), np.uint8)
    layers[:, ::3] = 1
    found = tortuosity(layers, pore=0)
    np.testing.assert_allclose(found, [1, np.inf, 1], rtol=1e-6)
    assert float(found["effective_diffusivity"].sel(axis="y")) == 0


def test_a_wide_channel_and_a_narrow_one_in_a_row():
    """Flow in a slab of two layers, all pore and then isolated columns, is a sum of resistances."""
    is_pore = np.ones((8, 4, 4), bool)
    is_pore[4:] = False
    is_pore[4:, 1, 1] = True
    assert float(tortuosity(is_pore, "x", pore=1)) == pytest.approx(direct(is_pore, 0), rel=2e-5)


@pytest.mark.parametrize(
    "is_pore",
    [
        noise((15, 16, 17), 0.5),
        noise((24, 24, 24), 0.36, 1),
        noise((7, 30, 11), 0.8),
        serpentine(),
        membrane(20, size=24, seed=3, radius=2.5).values == 0,
    ],
)
def test_a_direct_solution_gives_the_same(is_pore):
    found = tortuosity(is_pore, pore=1)
    expected = [
        direct(is_pore, axis) if percolation(is_pore, axis, pore=1) > 0 else np.inf for axis in range(3)
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_a_tighter_tolerance_is_kept():
    is_pore = noise((20, 20, 20), 0.45)
    found = tortuosity(is_pore, "x", pore=1, tolerance=1e-6)
    assert float(found) == pytest.approx(direct(is_pore, 0), rel=3e-6)
    assert found["flux_mismatch"] <= 1e-5


def test_dead_ends_and_closed_pores_carry_nothing():
    channel = np.zeros((10, 9, 9), bool)
    channel[:, 4, 4] = True
    with_dead_ends = channel.copy()
    with_dead_ends[3, 5:8, 4] = True  # a side arm
    with_dead_ends[6:9, 1, 1] = True  # closed
    with_dead_ends[:5, 7, 1] = True  # open on one side only
    plain, other = (tortuosity(v, "x", pore=1) for v in (channel, with_dead_ends))
    assert float(other["effective_diffusivity"]) == pytest.approx(
        float(plain["effective_diffusivity"]), rel=1e-4
    )
    assert float(other) == pytest.approx(with_dead_ends.mean() / channel.mean(), rel=1e-4)
    broken = with_dead_ends.copy()
    broken[5, 4, 4] = False
    assert np.isinf(float(tortuosity(broken, "x", pore=1)))


def test_a_closed_volume_is_infinitely_tortuous():
    assert np.isinf(tortuosity(np.zeros((8, 8, 8), bool), pore=1)).all()


def test_turning_a_volume_turns_the_answer():
    made = membrane(30, (0.5, 0.8, 1), size=40, seed=1)
    turned = made.transpose("z", "x", "y")
    there, here = tortuosity(turned), tortuosity(made)
    assert list(there["axis"].values) == ["z", "x", "y"]
    np.testing.assert_allclose(there.sel(axis=["x", "y", "z"]), here, rtol=1e-5)
    assert here[0] < here[1] < here[2]  # diffusion is easier along stretched cells


def test_one_axis_is_one_number():
    made = membrane(20, size=24, porosity=0.8)
    one, three = tortuosity(made, "y"), tortuosity(made)
    assert one.ndim == 0
    assert float(one) == float(three.sel(axis="y"))
    assert float(tortuosity(made, 1)) == float(one)
    assert float(one) == pytest.approx(three.attrs["porosity"] / float(one["effective_diffusivity"]))


@pytest.mark.parametrize(
    ("volume", "settings", "said"),
    [
        (np.zeros((4, 4)), {"pore": 0}, "three axes"),
        (np.zeros((0, 4, 4)), {"pore": 0}, "at least one voxel"),
        (np.zeros((4, 4, 4)), {}, "which value of this volume is pore"),
        (np.arange(64).reshape(4, 4, 4), {"pore": 0}, "two values"),
        (np.full((4, 4, 4), np.nan), {"pore": 0}, "no holes"),
        (np.zeros((4, 4, 4)), {"pore": 0, "axis": "w"}, "no axis 'w'"),
        (np.zeros((4, 4, 4)), {"pore": 0, "axis": 3}, "no axis 3"),
        (np.zeros((4, 4, 4)), {"pore": 0, "tolerance": 0.0}, "tolerance"),
        (np.broadcast_to(np.uint8(0), (9000,) * 3), {"pore": 0}, r"needs 26,973\.0 GB of memory"),
    ],
)
def test_refuses_what_is_no_volume(volume, settings, said):
    with pytest.raises(tl.TielineError, match=said):
        tortuosity(volume, **settings)


def test_says_when_it_did_not_finish():
    with pytest.raises(tl.NotConverged, match="along axis 0"):
        tortuosity(noise((20, 20, 20), 0.4), "x", pore=1, max_iterations=1)


def test_a_volume_that_says_what_is_pore_is_believed():
    made = membrane(20, size=24, porosity=0.8)
    flipped = xr.DataArray(
        1 - made.values, dims=made.dims, attrs=made.attrs | {"flag_meanings": "solid pore"}
    )
    np.testing.assert_array_equal(tortuosity(made), tortuosity(flipped))


def test_memory_is_what_is_said_before():
    made = membrane(40, size=96)
    tortuosity(made, "x")
    tracemalloc.start()
    tortuosity(made, "z")
    peak = tracemalloc.get_traced_memory()[1] / made.size
    tracemalloc.stop()
    assert 30 < peak <= BYTES_A_VOXEL + 2 <= 40


@has_data
def test_berea_sandstone_is_as_tortuous_as_was_measured():
    """Another solver, at a flux tolerance of 1e-3, found 5.117 in a corner of 128 voxels."""
    stored = np.load(DATA / "berea_xct_200_packed.npz")
    rock = np.unpackbits(stored["bits"])[: np.prod(stored["shape"])].reshape(stored["shape"])
    found = tortuosity(rock[:128, :128, :128], "x", pore=1)
    assert float(found) == pytest.approx(5.117, rel=5e-4)
