import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

import tieline as tl
from tieline.features.volumes import crop, resample, segment, tortuosity
from tieline.schema.volumes import volume_of
from tieline.worlds import membrane


@pytest.fixture
def scan():
    """A membrane as a scanner sees it: solid bright, blurred, with noise."""
    made = membrane(12, size=40, porosity=0.85, seed=5, voxel_size=0.15)
    blurred = gaussian_filter(made.values.astype(np.float32), 0.7, mode="wrap")
    grey = 100 + 50 * blurred + 15 * np.random.default_rng(0).standard_normal(made.shape)
    return made, volume_of(grey, 0.15, "µm", is_segmented=False)


@pytest.mark.parametrize("pores_are", ["dark", "bright"])
@pytest.mark.parametrize("porosity", [0.1, 0.85])
def test_a_measured_porosity_is_met(scan, porosity, pores_are):
    found = segment(scan[1], porosity=porosity, pores_are=pores_are, smooth=1.0)
    assert 1 - float(found.mean()) == pytest.approx(porosity, abs=1e-4)
    assert found.attrs["porosity"] == pytest.approx(porosity, abs=1e-4)


def test_smoothing_finds_the_membrane_in_the_noise(scan):
    truth, grey = scan
    rough, smooth = (segment(grey, porosity=0.85, smooth=s) for s in (0.0, 0.7))
    assert (smooth.values == truth.values).mean() > 0.96
    assert (rough.values == truth.values).mean() < 0.94
    assert float(smooth["x"][3]) == pytest.approx(3.5 * 0.15)
    assert tortuosity(smooth, "x") == pytest.approx(float(tortuosity(truth, "x")), rel=0.02)


def test_a_threshold_may_be_given(scan):
    found = segment(scan[1], threshold=125.0)
    np.testing.assert_array_equal(found.values, scan[1].values >= 125)


@pytest.mark.parametrize(
    "settings",
    [{}, {"porosity": 0.5, "threshold": 1.0}, {"porosity": 1.5}, {"porosity": 0.5, "pores_are": "blue"}],
)
def test_refuses_what_does_not_say_how(scan, settings):
    with pytest.raises(tl.SchemaError):
        segment(scan[1], **settings)


def test_refuses_holes_and_bare_arrays(scan):
    grey = scan[1].copy()
    with pytest.raises(tl.SchemaError, match="voxel size"):
        segment(grey.values, porosity=0.5)
    grey[0, 0, 0] = np.nan
    with pytest.raises(tl.SchemaError, match="no holes"):
        segment(grey, porosity=0.5)


def test_a_crop_keeps_its_places(scan):
    cut = crop(scan[0], (10, 20, 30), (5, 6, 7))
    assert cut.shape == (10, 20, 30)
    assert float(cut["y"][0]) == pytest.approx(6.5 * 0.15)
    assert cut.attrs["flag_meanings"] == "pore solid"


@pytest.mark.parametrize(
    ("size", "start"), [(41, (0, 0, 0)), (10, (35, 0, 0)), (10, (-1, 0, 0)), (0, (0, 0, 0))]
)
def test_a_crop_lies_in_the_volume(scan, size, start):
    with pytest.raises(tl.SchemaError, match="does not lie"):
        crop(scan[0], size, start)


def test_resampling_keeps_edge_and_porosity(scan):
    made = membrane(30, size=64, radius=4.0, voxel_size=0.15)
    half = resample(made, 32, order=3)
    assert half.shape == (32,) * 3
    assert half.attrs["voxel_size"] == pytest.approx(0.3)
    assert float(half.mean()) == pytest.approx(float(made.mean()), abs=0.02)
    assert set(np.unique(half)) == {0, 1}
    grey = resample(scan[1], 20)
    assert grey.dtype.kind == "f"


def test_resampling_keeps_voxels_cubic(scan):
    with pytest.raises(tl.SchemaError, match="cubic"):
        resample(scan[0], (20, 20, 40))
