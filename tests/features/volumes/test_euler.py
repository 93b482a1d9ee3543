import numpy as np
import pytest
from scipy.ndimage import label

import tieline as tl
from tieline.features import volumes
from tieline.worlds import membrane


def counted(is_pore):
    """The Euler number of a body that touches no face, in voxels."""
    return float(volumes.euler_number(is_pore, pore=1)) * np.prod(np.array(is_pore.shape) - 1)


def body(*parts):
    """A body of boxes, given by their ends."""
    is_pore = np.zeros((14, 12, 13), bool)
    for part in parts:
        is_pore[tuple(slice(*ends) for ends in part)] = True
    return is_pore


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([[(1, 4), (2, 6), (1, 9)]], 1),
        ([[(1, 4), (2, 6), (1, 9)], [(6, 8), (2, 6), (1, 9)]], 2),
        ([[(1, 4), (2, 6), (1, 5)], [(4, 8), (6, 9), (5, 9)]], 2),  # a corner alone connects nothing
    ],
)
def test_pieces_are_counted(parts, expected):
    assert counted(body(*parts)) == pytest.approx(expected)


def test_a_handle_counts_minus_one_and_an_enclosed_solid_plus_one():
    block = body([(2, 10), (2, 10), (2, 10)])
    tunnelled, hollow = block.copy(), block.copy()
    tunnelled[5:7, 4:6, :] = False
    hollow[4:6, 4:6, 4:6] = False
    assert [counted(tunnelled), counted(hollow)] == pytest.approx([0, 2])
    tunnelled[:, 7:9, 7:9] = False  # a second tunnel that misses the first
    assert counted(tunnelled) == pytest.approx(-1)


def test_cuts_are_pieces_less_what_they_enclose():
    is_pore = np.random.default_rng(3).random((9, 16, 15)) < 0.5
    is_pore[:, [0, -1]] = is_pore[:, :, [0, -1]] = False
    corners = np.ones((3, 3), int)
    expected = [label(cut)[1] - (label(~cut, corners)[1] - 1) for cut in is_pore[:-1]]
    found = float(volumes.euler_number(is_pore, "x", pore=1))
    assert found * 15 * 14 == pytest.approx(np.mean(expected))


def test_more_points_have_more_loops_in_a_volume():
    few, many = (membrane(n, size=48, radius=2.0, seed=1) for n in (20, 80))
    found = [float(volumes.euler_number(made)) for made in (few, many)]
    assert found[1] / found[0] == pytest.approx(4, rel=0.3)  # a loop a face of a cell
    assert volumes.euler_number(few).attrs["units"] == "1/µm^3"
    assert volumes.euler_number(few, "y").attrs["units"] == "1/µm^2"


def test_a_voxel_thin_volume_has_none_and_a_wrong_axis_is_refused():
    assert np.isnan(volumes.euler_number(np.ones((1, 9, 9), bool), pore=1))
    with pytest.raises(tl.SchemaError, match="no axis 'w'"):
        volumes.euler_number(np.ones((4, 4, 4), bool), "w", pore=1)
