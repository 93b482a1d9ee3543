import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

from tieline.figures.scales import name_axis, power_of


@pytest.mark.parametrize(
    ("numbers", "power"),
    [((0.0,), 0), ((0.0, 0.4), 0), ((-2e4, 5.0), 0), ((0.0, 1.1e-3), -4), ((-7e-4, 1e-5), -4), ((3e7,), 7)],
)
def test_a_power_of_ten_is_taken_out_where_plain_numbers_are_hard_to_read(numbers, power):
    assert power_of(*numbers) == power


def test_ticks_and_label_together_say_the_value():
    figure = Figure()
    axes = figure.subplots()
    axes.plot(np.linspace(0, 2.5e-3, 5))
    name_axis(axes.yaxis, xr.DataArray(0.0, attrs={"units": "S/cm"}), "ionic_conductivity")
    figure.draw_without_rendering()
    assert axes.get_ylabel() == "ionic conductivity (10⁻³ S/cm)"
    assert axes.yaxis.get_offset_text().get_text() == ""
    ticks = {
        label.get_text(): tick for label, tick in zip(axes.get_yticklabels(), axes.get_yticks(), strict=True)
    }
    assert ticks["1.5"] == pytest.approx(1.5e-3)
    assert len(ticks) <= 8
