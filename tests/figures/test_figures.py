from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest
import xarray as xr
from toy_posterior import toy_posterior

from tieline import figures
from tieline.errors import SchemaError, TielineError
from tieline.figures.rectangle import N_PIXELS, Rectangle
from tieline.figures.style import given_labels, phase_colours
from tieline.figures.triangle import Triangle
from tieline.figures.views import refine, views
from tieline.planning.goals import Maximize
from tieline.planning.pool import default_pool
from tieline.planning.propose import propose


def batch_of(posterior, n=3):
    return propose(posterior, default_pool(posterior), Maximize("hardness"), n)


def words_of(figure):
    return {text.get_text() for text in figure.findobj(matplotlib.text.Text)}


def test_line_shows_units_phases_and_numbered_proposals():
    posterior = toy_posterior(1)
    figure = figures.line(posterior, batch_of(posterior))
    assert {"temperature (°C)", "hardness (GPa)", "A", "B", "C", "1", "2", "3"} <= words_of(figure)
    _, density_axes, phase_axes = figure.axes
    assert phase_axes.get_ylim() == (0, 1)
    heights = density_axes.lines[0].get_ydata()
    assert np.trapezoid(heights, density_axes.lines[0].get_xdata()) == pytest.approx(2, abs=0.02)


def test_every_measured_specimen_stands_on_the_line():
    posterior = toy_posterior(1)
    points = figures.line(posterior).axes[0].collections[-1].get_offsets()
    measured = posterior.table["hardness"].values
    assert np.isfinite(points).all(1).sum() == np.isfinite(measured).sum()


@pytest.mark.parametrize("settings", [{"n_inputs": 2}, {"composition": True}])
def test_phase_map_paints_the_most_likely_phase_and_pales_the_doubtful(settings):
    posterior = toy_posterior(**settings, doubt=0.08)
    view = views(posterior)[0]
    probability = refine(posterior.predict(view.pixels())["phase_probability"].values)
    picture = figures.phase_map(posterior).axes[0].images[0].get_array()
    colours = np.array(list(phase_colours(["A", "B", "C"]).values()))
    strength = np.where(probability.max(-1) >= 0.8, 0.6, 0.2)[..., None]
    np.testing.assert_allclose(picture, 1 - strength * (1 - colours[probability.argmax(-1)]), atol=1e-6)


def test_long_designs_are_drawn_as_cuts_of_each_pair():
    posterior = toy_posterior(3)
    figure = figures.phase_map(posterior, batch_of(posterior))
    assert len(figure.axes) == 3
    assert any(word.startswith("at pressure = ") and word.endswith("mbar") for word in words_of(figure))


def test_property_map_has_its_uncertainty_beside_it():
    posterior = toy_posterior(2)
    figure = figures.property_map(posterior, "hardness")
    left, right = (axes for axes in figure.axes if axes.images)
    grid = posterior.predict(views(posterior)[0].pixels())
    np.testing.assert_allclose(left.images[0].get_array(), refine(grid["hardness"].values))
    np.testing.assert_allclose(right.images[0].get_array(), refine(grid["hardness_sd"].values))
    assert {"hardness (GPa)", "sd of hardness (GPa)"} <= words_of(figure)


def test_property_map_hatches_guesses():
    figure = figures.property_map(toy_posterior(2, doubt=0.08), "hardness")
    hatched = [c for axes in figure.axes for c in axes.collections if getattr(c, "hatches", [None])[0]]
    assert len(hatched) == 2
    assert "less than 80 % sure" in words_of(figure)


def test_property_maps_of_cuts_fit_on_a_screen():
    posterior = toy_posterior(4, 30)
    figure = figures.property_map(posterior, "hardness", batch_of(posterior))
    assert sum(bool(axes.images) for axes in figure.axes) == 12
    width, height = figure.get_size_inches()
    assert height <= width


def test_calibration_states_the_coverage_it_draws():
    posterior = toy_posterior(2, 60, properties=("hardness", "strength"))
    figure = figures.calibration(posterior)
    found = posterior.diagnose()
    for row, name in enumerate(("hardness", "strength")):
        z = (posterior.table[name] - found["loo_mean"].sel(property=name)) / found["loo_sd"].sel(
            property=name
        )
        kept = np.mean(np.abs(z.values[np.isfinite(z)]) <= 1.645)
        title = figure.axes[2 * row].get_title(loc="left")
        assert title == f"90 % intervals hold {100 * kept:.0f} % of {np.isfinite(z).sum().item()}"
    assert "labels found again" in figure.axes[-1].get_title(loc="left")
    assert {"hardness", "strength", "phases"} <= words_of(figure)


def small_values(n_inputs):
    """A posterior whose property has values of a few 10⁻⁴."""
    posterior = toy_posterior(n_inputs, 30)

    def predict(places):
        found = posterior.predict(places)
        return found.assign({name: found[name] * 1e-4 for name in ("hardness", "hardness_sd")})

    table = posterior.table.assign(hardness=(posterior.table["hardness"] * 1e-4).assign_attrs(units="S/cm"))
    found = posterior.diagnose()
    found = found.assign({name: found[name] * 1e-4 for name in ("loo_mean", "loo_sd")})
    parts = {"predict": predict, "table": table, "diagnose": lambda: found, "model": posterior.model}
    parts["results"] = table
    boundaries = {"has_boundaries": posterior.has_boundaries, "boundaries": posterior.boundaries}
    return SimpleNamespace(**parts, **boundaries)


@pytest.mark.parametrize(
    ("draw", "n_inputs"),
    [
        (figures.line, 1),
        (figures.calibration, 2),
        (lambda posterior: figures.property_map(posterior, "hardness"), 2),
    ],
)
def test_powers_of_ten_stand_beside_the_unit(draw, n_inputs):
    figure = draw(small_values(n_inputs))
    figure.draw_without_rendering()
    assert any("hardness (10⁻⁴ S/cm)" in word for word in words_of(figure))
    assert not any(
        axis.get_offset_text().get_text() for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)
    )


def test_proposals_have_a_row_each_and_the_best_so_far():
    posterior = toy_posterior(3)
    batch = batch_of(posterior, 4)
    figure = figures.proposals(posterior, batch)
    assert len(figure.axes) == 4
    np.testing.assert_allclose(figure.axes[-1].lines[0].get_xdata(), batch["hardness"])
    best = float(posterior.table["hardness"].max())
    assert figure.axes[-1].lines[1].get_xdata()[0] == pytest.approx(best)


def test_figures_that_do_not_suit_the_design_say_which_does():
    with pytest.raises(TielineError, match=r"tl\.figures\.line"):
        figures.phase_map(toy_posterior(1))
    with pytest.raises(TielineError, match=r"tl\.figures\.phase_map"):
        figures.line(toy_posterior(2))


def test_a_misspelt_property_is_named_with_the_nearest():
    with pytest.raises(SchemaError, match="Did you mean 'hardness'"):
        figures.property_map(toy_posterior(2), "hardnes")


@pytest.mark.parametrize(
    ("name", "found"), [("x.pgn", "Did you mean 'png'"), ("x.foo", r"'\.foo'"), ("x", "no ending")]
)
def test_a_figure_is_not_written_in_an_unknown_format(tmp_path, name, found):
    with pytest.raises(TielineError, match=found):
        figures.save(figures.line(toy_posterior(1)), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_figures_leave_matplotlib_settings_alone(tmp_path):
    before = dict(matplotlib.rcParams)
    figures.save(figures.line(toy_posterior(1)), tmp_path / "line.png")
    assert dict(matplotlib.rcParams) == before
    assert (tmp_path / "line.png").read_bytes().startswith(b"\x89PNG")


def test_pixels_of_a_triangle_are_compositions_and_land_where_they_came_from():
    posterior = toy_posterior(composition=True)
    (view,) = views(posterior)
    assert isinstance(view, Triangle)
    pixels = view.pixels()
    np.testing.assert_allclose(pixels["composition"].sum("element"), 1)
    assert float(pixels["composition"].min()) >= 0
    x, y = view.locate(posterior.table)
    fractions = posterior.table["composition"].values
    np.testing.assert_allclose(y / view.extent[3], fractions[:, 2])
    np.testing.assert_allclose(x, fractions[:, 1] + fractions[:, 2] / 2)


def test_a_spread_in_one_corner_is_looked_at_closer():
    posterior = toy_posterior(composition=True)
    corner = 0.5 * posterior.table["composition"] + xr.DataArray([0.5, 0, 0], dims="element")
    cornered = type(posterior)(posterior.model, posterior.table.assign(composition=corner))
    (view,) = views(cornered)
    assert view.floor == (0.5, 0.0, 0.0)
    assert float(view.pixels()["composition"].sel(element="Fe").min()) == pytest.approx(0.5)
    x, y = view.locate(view.pixels().isel(specimen=[0, N_PIXELS - 1]))
    np.testing.assert_allclose([*x, *y], [0, 1, 0, 0], atol=1e-12)
    np.testing.assert_array_equal(view.ticks(0), [60, 70, 80, 90])


def test_proposals_outside_the_explored_region_are_in_view():
    posterior = toy_posterior(2)
    far = posterior.table.isel(specimen=[0]).assign(temperature=("specimen", [900.0]))
    assert views(posterior)[0].extent[1] < 720
    assert views(posterior, far)[0].extent[1] > 900


def test_proposals_in_another_unit_land_at_the_same_place():
    posterior = toy_posterior(2)
    batch = batch_of(posterior)
    kelvin = batch.assign(temperature=(batch["temperature"] + 273.15).assign_attrs(units="K"))
    for draw in (figures.phase_map, figures.proposals):
        one, two = (draw(posterior, b) for b in (batch, kelvin))
        assert words_of(one) == words_of(two)
        assert one.axes[0].get_xlim() == pytest.approx(two.axes[0].get_xlim())


def test_proposals_that_coincide_in_a_cut_are_each_seen():
    posterior = toy_posterior(3)
    twins = posterior.table.isel(specimen=[3, 3]).assign(pressure=("specimen", [0.2, 0.9]))
    axes = figures.phase_map(posterior, twins).axes[0]
    numbers = {text.get_text(): text for text in axes.texts if text.get_text()}
    assert set(numbers) == {"1", "2"}
    assert numbers["1"].xy == pytest.approx(numbers["2"].xy)
    assert tuple(numbers["1"].xyann) != tuple(numbers["2"].xyann)


def test_cut_knows_how_far_specimens_are_from_it():
    posterior = toy_posterior(3)
    view = views(posterior)[0]
    assert isinstance(view, Rectangle)
    pressure = posterior.table["pressure"].values
    expected = np.abs(pressure - np.median(pressure)) / np.ptp(pressure)
    np.testing.assert_allclose(view.distance(posterior.table), expected)


def test_colours_stay_different_beyond_eight_phases():
    colours = phase_colours([str(i) for i in range(16)])
    assert len(set(colours.values())) == 16


def test_labels_are_read_from_text_numbers_and_probabilities():
    posterior = toy_posterior(1, 4)
    table = posterior.table

    def labels(column):
        changed = type(posterior)(posterior.model, table.assign(phase=column))
        return list(given_labels(changed))

    assert labels(("specimen", ["A", "", "B", "C"])) == ["A", "", "B", "C"]
    assert labels(("specimen", [0.0, np.nan, 2.0, 1.0])) == ["0", "", "2", "1"]
    shares = [[0.9, 0.1], [np.nan, np.nan], [0.2, 0.8], [1.0, 0.0]]
    soft = table.assign_coords(phase=["A", "B"]) if "phase" not in table else table.drop_vars("phase")
    soft = soft.assign_coords(phase_label=["A", "B"]).assign(phase=(("specimen", "phase_label"), shares))
    assert list(given_labels(type(posterior)(posterior.model, soft))) == ["A", "", "B", "A"]
