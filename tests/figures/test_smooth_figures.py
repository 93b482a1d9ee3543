"""Figures, lists and reports of posteriors that know no phases."""

import re

import matplotlib
import numpy as np
import pytest
from scattered import scattered
from smooth_worlds import smooth_posterior

import tieline as tl
from tieline import figures
from tieline.figures.report import Chapter, write_report
from tieline.figures.views import has_views, is_line, views
from tieline.planning.listing import list_proposals, tabulate_proposals
from tieline.planning.pool import default_pool

DESIGNS = {
    "a line": ["temperature"],
    "a line and categories": ["temperature", "substrate"],
    "a plane and categories": ["temperature", "time", "substrate"],
    "a composition with settings": ["alloy", "temperature", "substrate"],
    "categories": ["substrate"],
}


@pytest.fixture(scope="module", params=DESIGNS.values(), ids=DESIGNS)
def posterior(request):
    return smooth_posterior(request.param, ["hardness", "cost"])


@pytest.fixture(scope="module")
def batch(posterior):
    return tl.propose(posterior, default_pool(posterior), tl.Maximize("hardness"), 2)


def words_of(figure):
    return {text.get_text() for text in figure.findobj(matplotlib.text.Text)}


def test_a_report_shows_all_that_can_be_drawn(posterior, batch, tmp_path):
    chapter = Chapter("Smooth", "About.", posterior, posterior.diagnose(), batch)
    written = {file.stem for file in write_report([chapter], tmp_path)}
    wanted = {"report", "proposals", "calibration"}
    if is_line(posterior):
        wanted |= {"line"}
    elif has_views(posterior):
        wanted |= {"map-hardness", "map-cost"}
    assert written == wanted
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    words = re.sub(r"base64,[^\"]*", "", page)
    assert "phase" not in words
    assert "less than 80 %" not in words


def test_a_list_of_proposals_has_settings_predictions_and_reasons(posterior, batch):
    listing = list_proposals(posterior, batch)
    assert {"hardness", "why"} <= set(listing.columns)
    assert "most likely phase" not in listing.columns
    names = [f"P{i}" for i in range(batch.sizes["specimen"])]
    table = tabulate_proposals(posterior, batch, names)
    assert {"hardness (GPa)", "cost (EUR/kg)", "tieline: value", "tieline: reason"} <= set(table.columns)
    assert not any("phase" in column for column in table.columns)
    for name in posterior.model.design_names:
        if name == "substrate":
            assert table[name].tolist() == batch[name].values.tolist()


def test_places_of_views_can_be_predicted_and_specimens_lie_in_them(posterior):
    if not has_views(posterior):
        with pytest.raises(tl.TielineError, match="two dimensions or more"):
            views(posterior)
        return
    for view in views(posterior):
        assert posterior.predict(view.pixels()).sizes["specimen"] == 3600
        assert (view.distance(posterior.table) >= 0).all()


def test_a_map_of_phases_is_refused_where_there_are_none():
    with pytest.raises(tl.SchemaError, match="knows no phases"):
        figures.phase_map(smooth_posterior(["temperature", "time"]))


def test_categories_are_said_to_rest_and_others_are_faint():
    posterior = smooth_posterior(["temperature", "substrate"])
    figure = figures.line(posterior)
    commonest = posterior.table["substrate"].to_series().mode()[0]
    assert f"at substrate = {commonest}" in words_of(figure)
    strength = figure.axes[0].collections[-1].get_alpha()
    assert ((strength == 1) == (posterior.table["substrate"] == commonest)).all()


def test_cuts_name_compositions_and_categories():
    posterior = smooth_posterior(["alloy", "temperature", "time", "substrate"])
    triangle, rectangle = views(posterior)
    assert re.fullmatch(r"temperature = [\d.]+ °C, time = [\d.]+ min, substrate = \w+", triangle.resting())
    assert re.fullmatch(r"alloy = Fe\d+ Ga\d+ Pd\d+, substrate = \w+", rectangle.resting())


def test_proposals_of_several_goals_have_a_panel_each():
    posterior = smooth_posterior(["temperature", "substrate"], ["hardness", "cost"])
    pool = default_pool(posterior)
    goal = tl.Pareto(tl.Maximize("hardness"), tl.Minimize("cost"))
    batch = tl.propose(posterior, pool, goal, 3)
    assert {"hardness (GPa)", "cost (EUR/kg)"} <= words_of(figures.proposals(posterior, batch))
    assert {"hardness", "cost"} <= set(list_proposals(posterior, batch).columns)
    batch = tl.propose(posterior, pool, tl.LearnLevelSet("hardness", 6.0), 3)
    assert "level" in words_of(figures.proposals(posterior, batch))
    assert "hardness" in list_proposals(posterior, batch).columns


@pytest.mark.parametrize("axes", [["x"], ["x", "y"]])
def test_limits_and_failures_are_not_drawn_as_values(axes):
    places = scattered(4, 16)
    value = np.sin(4 * places["x"].values)
    flag = np.where(np.arange(16) == 3, "failed", np.where(np.arange(16) == 8, "below", ""))
    table = places.assign(value=("specimen", value)).assign_coords(value_flag=("specimen", flag))
    posterior = tl.GaussianProcess(axes, "value").fit(table)
    figure = tl.figures.line(posterior) if axes == ["x"] else tl.figures.property_map(posterior, "value")
    legends = [*figure.legends, *(a.get_legend() for a in figure.axes if a.get_legend())]
    words = {text.get_text() for legend in legends for text in legend.get_texts()}
    assert {"failed", "below this limit"} <= words
    assert "above this limit" not in words
    offsets = [np.ma.filled(c.get_offsets().astype(float), np.nan) for c in figure.axes[0].collections]
    drawn = [int(np.isfinite(offset).all(1).sum()) for offset in offsets]
    assert {n for n in drawn if n > 1} == {14}
