import numpy as np
import pytest

import tieline as tl


def test_a_volume_is_drawn_in_slices_and_views():
    made = tl.worlds.membrane(20, size=(20, 24, 30), porosity=0.8, voxel_size=0.5)
    figure = tl.figures.volume(made)
    panels = figure.axes
    assert len(panels) == 6
    first = panels[0].images[0].get_array()
    np.testing.assert_array_equal(first > 0, made.values[10].T == 1)
    assert panels[0].get_xlabel() == "y (µm)"
    assert panels[0].images[0].get_extent() == [0, 12, 0, 15]
    seen = panels[3].images[0].get_array()
    np.testing.assert_array_equal(seen > 0, made.values.any(0).T)


def test_what_lies_deeper_is_paler():
    solid = np.zeros((10, 4, 4), np.uint8)
    solid[0, 0, 0] = solid[9, 3, 3] = 1
    seen = tl.figures.volume(solid, pore=0).axes[3].images[0].get_array()
    assert seen[0, 0] > seen[3, 3] > seen[0, 3] == 0


def test_a_bare_array_has_to_say_what_is_pore():
    with pytest.raises(tl.SchemaError, match="which value"):
        tl.figures.volume(np.zeros((4, 4, 4)))
