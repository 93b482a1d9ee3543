import pytest

from tieline.errors import TielineError
from tieline.planning.goals import LearnPhaseMap, Maximize, Minimize, Target, parse_goal, terms, write_goal

GOALS = [
    Maximize("ionic conductivity"),
    Minimize("cost"),
    Target("density", 95.5),
    LearnPhaseMap(),
    0.7 * Maximize("a") + 0.3 * LearnPhaseMap(),
    Maximize("a") * 2 + Target("b", -1e-3) + Minimize("c"),
]


@pytest.mark.parametrize("goal", GOALS, ids=str)
def test_goal_survives_being_written_down(goal):
    assert parse_goal(write_goal(goal)) == goal


def test_weights_multiply_through_sums():
    assert terms(2 * (0.5 * Maximize("a") + Minimize("b"))) == ((1.0, Maximize("a")), (2.0, Minimize("b")))


@pytest.mark.parametrize("weight", [0.0, -1.0, float("nan"), float("inf")])
def test_weight_must_be_a_positive_number(weight):
    with pytest.raises(TielineError, match="positive"):
        weight * Maximize("a")


def test_misspelt_goal_is_answered_with_the_nearest_one():
    with pytest.raises(TielineError, match="Did you mean 'maximize'"):
        parse_goal("maximze:strength")


@pytest.mark.parametrize(
    "text", ["", "maximize:", "target:a", "target:a=high", "x*maximize:a", "learn-phase-map:a"]
)
def test_unreadable_goal_is_refused_with_the_grammar(text):
    with pytest.raises(TielineError) as caught:
        parse_goal(text)
    assert "learn-phase-map" in caught.value.hint


def test_british_spelling_and_underscores_are_understood():
    assert parse_goal("Maximise:a + learn_phase_map") == 1 * Maximize("a") + LearnPhaseMap()
