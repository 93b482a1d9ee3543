import matplotlib
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from climbers import Climber

from tieline import figures
from tieline.errors import SchemaError, TielineError
from tieline.planning.backtest import backtest
from tieline.planning.goals import LearnPhaseMap, Maximize, Minimize
from tieline.schema import table

NAMES = ("climber", "random")


def known(n=40):
    sheet = pd.DataFrame({"temperature": np.linspace(500, 900, n), "strength": np.sin(np.arange(n) / 9)})
    roles = {"temperature": "process", "strength": "property"}
    return table(sheet, roles=roles, units={"temperature": "degC", "strength": "GPa"})


@pytest.fixture(scope="module")
def result():
    strategies = {"climber": Climber(), "random": "random"}
    return backtest(known(), Maximize("strength"), strategies, n_start=[2, 4, 8], n_repeats=20)


def words_of(figure):
    return {text.get_text() for text in figure.findobj(matplotlib.text.Text)}


def means(axes):
    """What each error-bar container shows, by its label."""
    return {c.get_label(): c.lines[0].get_ydata() for c in axes.containers}


def test_found_share_and_tries_stand_over_the_size_of_the_start(result):
    figure = figures.backtest(result)
    assert {*NAMES, "random, expected", "runs that found the best"} <= words_of(figure)
    left, right = figure.axes
    for name in NAMES:
        own = result.sel(strategy=name)
        np.testing.assert_allclose(means(left)[name], own["found_share"])
        np.testing.assert_allclose(means(right)[name], own["mean_extra_tries"])
    dashed = {line.get_label(): line.get_ydata() for line in right.lines}["random, expected"]
    np.testing.assert_allclose(dashed, result["random_extra_tries"])


def test_one_size_of_the_start_compares_strategies_side_by_side(result):
    figure = figures.backtest(result.isel(n_start=[1]))
    assert "strategy, from 4 specimens" in words_of(figure)
    assert means(figure.axes[0]).keys() == set(NAMES)


def test_a_strategy_that_never_finds_is_drawn_too():
    strategies = {"climber": Climber(), "random": "random"}
    none = backtest(known(), Maximize("strength"), strategies, n_start=[1, 2], n_repeats=1, n_tries=1)
    assert figures.backtest(none)
    assert figures.regret(none)


def test_regret_is_the_mean_over_repeats_with_a_band(result):
    figure = figures.regret(result, 4)
    (axes,) = figure.axes
    drawn = {line.get_label(): line.get_ydata() for line in axes.lines}
    for name in NAMES:
        expected = result["regret"].sel(strategy=name, n_start=4).mean("repeat").dropna("tries")
        np.testing.assert_allclose(drawn[name], expected)
    assert len(axes.collections) == 2
    assert "strength still lacking (GPa)" in words_of(figure)


def test_what_is_no_backtest_is_refused(result):
    with pytest.raises(TielineError, match="not the answer of a back-test"):
        figures.backtest(known())
    with pytest.raises(TielineError, match="no runs from 5 places"):
        figures.regret(result, 5)


def made(batches=(1, 1, 2, 2, 2)):
    n = len(batches)
    sheet = pd.DataFrame({"heat": range(n), "strength": [2.0, 5.0, 3.0, np.nan, 4.0][:n]})
    campaign = table(sheet, roles={"heat": "process", "strength": "property"}, units={"strength": "GPa"})
    return campaign.assign_coords(iteration=("specimen", list(batches)))


def steps(figure):
    (line,) = [line for line in figure.axes[0].lines if line.get_label() == "best so far"]
    return line.get_ydata()


def test_history_follows_the_best_and_names_the_batches():
    figure = figures.history(made(), Maximize("strength"), best_before=2.5)
    np.testing.assert_array_equal(steps(figure), [2.5, 2.5, 5, 5, 5, 5, 5])
    assert {"iteration 1", "2", "strength (GPa)", "best of all"} <= words_of(figure)
    (star,) = [line for line in figure.axes[0].lines if line.get_label() == "best of all"]
    assert (star.get_xdata()[0], star.get_ydata()[0]) == (2, 5)


def test_history_of_a_minimum_without_batches():
    figure = figures.history(made().drop_vars("iteration"), Minimize("strength"))
    np.testing.assert_array_equal(steps(figure), [np.nan, 2, 2, 2, 2, 2, 2])
    assert "iteration 1" not in words_of(figure)


def test_history_shows_what_was_predicted():
    campaign = made()
    expected = xr.Dataset(
        {"strength": ("specimen", [np.nan, np.nan, 3.5, 3, 4]), "strength_sd": ("specimen", np.full(5, 0.5))}
    )
    figure = figures.history(campaign, Maximize("strength"), predicted=expected)
    (bars,) = figure.axes[0].containers
    np.testing.assert_array_equal(bars.lines[0].get_ydata(), expected["strength"])


@pytest.mark.parametrize(
    ("settings", "error", "told"),
    [
        ({"goal": LearnPhaseMap()}, TielineError, "of one property"),
        ({"goal": Maximize("strengh")}, SchemaError, "Did you mean 'strength'"),
        ({"predicted": xr.Dataset({"strength": ("specimen", np.zeros(5))})}, SchemaError, "no 'strength_sd'"),
        (
            {"predicted": xr.Dataset({n: ("specimen", np.zeros(3)) for n in ("strength", "strength_sd")})},
            SchemaError,
            "3 rows for 5",
        ),
    ],
)
def test_a_history_that_cannot_be_drawn_is_refused(settings, error, told):
    with pytest.raises(error) as refusal:
        figures.history(made(), **({"goal": Maximize("strength")} | settings))
    assert told in str(refusal.value)
