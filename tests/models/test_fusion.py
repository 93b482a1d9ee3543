import numpy as np
import pytest

from tieline.models.fusion import HOPELESS, MOST_GATES, MOST_PASSES, SETTLED, draft, finish, fuse, rehearse
from tieline.models.gate_mixture import average_gates
from tieline.models.observations import Observations

RNG = np.random.default_rng(0)
X = RNG.random((36, 2))
PHASE = (X[:, 0] + 0.3 * X[:, 1] > 0.65).astype(int)
LABEL = np.eye(2)[PHASE]
Y = np.where(PHASE == 1, 1.0, -1.0) + 0.3 * X[:, 1] + 0.05 * RNG.standard_normal(36)
GRID = np.random.default_rng(1).random((150, 2))
TRUE = (GRID[:, 0] + 0.3 * GRID[:, 1] > 0.65).astype(int)


def seen(label=LABEL, y=Y, x=X):
    y = y.reshape(len(x), -1)
    return Observations(x, label, y, np.zeros(y.shape))


def few_labels(n=6):
    return np.where(np.arange(36)[:, None] < n, LABEL, np.nan)


@pytest.fixture(scope="module")
def few():
    return fuse(seen(few_labels()))


def test_memberships_are_probabilities(few):
    np.testing.assert_allclose(few.membership.sum(1), 1)
    assert (few.membership >= 0).all()


def test_passes_end_when_memberships_have_settled(few):
    assert few.change < SETTLED or few.n_passes == MOST_PASSES


def test_a_property_that_jumps_finds_the_phase_of_unlabelled_specimens(few):
    assert (few.membership.argmax(1) == PHASE).mean() > 0.97


def test_properties_improve_a_map_of_few_labels(few):
    alone = few.plain_gates.probabilities(GRID)
    both = few.probabilities(GRID)
    right = np.arange(len(GRID)), TRUE
    assert np.log(both[right]).mean() > np.log(alone[right]).mean()


def test_the_likeliest_phase_has_message_zero(few):
    np.testing.assert_allclose(few.message.max(1), 0, atol=1e-12)


def test_labels_alone_give_the_map_of_the_labels():
    found = fuse(seen(y=np.zeros((36, 0))))
    plain = average_gates(seen(y=np.zeros((36, 0))), np.zeros((36, 2)), n_nodes=MOST_GATES)
    np.testing.assert_allclose(found.probabilities(GRID), plain.probabilities(GRID), atol=0.01)
    assert found.n_passes == 0
    assert found.experts == ()


def test_a_property_never_measured_counts_like_none():
    one = fuse(seen(y=np.zeros((36, 0)))).probabilities(GRID)
    other = fuse(seen(y=np.full((36, 1), np.nan))).probabilities(GRID)
    np.testing.assert_array_equal(one, other)


def test_one_phase_is_everywhere_and_the_property_still_learned():
    found = fuse(seen(np.ones((36, 1)), np.sin(3 * X[:, 0])))
    np.testing.assert_array_equal(found.membership, 1)
    mean, _ = found.experts[0].best.predict(GRID, 0)
    np.testing.assert_allclose(mean, np.sin(3 * GRID[:, 0]), atol=0.1)


def test_noise_does_not_spoil_the_map_of_the_labels():
    noise = np.random.default_rng(2).standard_normal(36)
    both = fuse(seen(y=noise)).probabilities(GRID)
    alone = fuse(seen(y=np.zeros((36, 0)))).probabilities(GRID)
    right = np.arange(len(GRID)), TRUE
    assert np.log(both[right]).mean() > np.log(alone[right]).mean() - 0.05


def test_trust_is_whole_where_few_labels_can_tell():
    assert fuse(seen(few_labels(4))).trust == 1.0


def test_a_draft_scores_the_right_number_of_phases_highest():
    one, two = (seen(np.full((36, k), np.nan)) for k in (1, 2))
    start = 0.9 * np.eye(2)[(Y > 0).astype(int)] + 0.05
    assert draft(two, start).log_score(two) > draft(one).log_score(one) + 10


def test_a_rehearsal_scores_as_the_draft_it_stands_for():
    blank = seen(np.full((36, 2), np.nan))
    start = 0.9 * np.eye(2)[(Y > 0).astype(int)] + 0.05
    found = draft(blank, start)
    rehearsed = rehearse(blank, start, found.settings, 0.0)
    assert rehearsed is not None
    assert rehearsed.log_score == pytest.approx(found.log_score(blank), abs=3)
    np.testing.assert_allclose(rehearsed.membership, found.beliefs.membership, atol=0.2)


def test_a_rehearsal_far_from_what_is_wanted_ends():
    blank = seen(np.full((36, 2), np.nan))
    start = 0.9 * np.eye(2)[(Y > 0).astype(int)] + 0.05
    found = draft(blank, start)
    assert rehearse(blank, start, found.settings, found.log_score(blank) + 2 * HOPELESS) is None


def test_a_rehearsal_ends_once_its_last_phase_is_empty():
    label = np.hstack([few_labels(3), np.zeros((36, 1))])
    label[np.isnan(label).any(1)] = np.nan
    wider = seen(label)
    start = np.tile([0.49, 0.49, 0.02], (36, 1))
    assert rehearse(wider, start, draft(seen(few_labels(3))).settings, -np.inf) is None


def test_fusing_is_drafting_and_finishing(few):
    again = finish(seen(few_labels()), draft(seen(few_labels())))
    np.testing.assert_array_equal(again.membership, few.membership)
