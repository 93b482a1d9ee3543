import numpy as np

from tieline.models.observations import Observations, label_evidence

SEEN = Observations(
    x=np.array([[0.0], [0.5], [1.0]]),
    label=np.array([[1.0, 0.0], [np.nan, np.nan], [0.3, 0.7]]),
    y=np.array([[1.0], [np.nan], [2.0]]),
    error=np.zeros((3, 1)),
)


def test_rows_without_any_probability_are_unlabelled():
    assert SEEN.labelled.tolist() == [True, False, True]


def test_an_unlabelled_row_says_nothing_of_its_phase():
    assert (label_evidence(SEEN.label, 0.1)[1] == 0).all()


def test_a_label_is_right_or_any_of_the_phases():
    np.testing.assert_allclose(np.exp(label_evidence(SEEN.label, 0.1)[0]), [0.95, 0.05])


def test_what_the_labels_may_say_sums_to_one_in_every_phase():
    every_label = label_evidence(np.eye(4), 0.2)
    np.testing.assert_allclose(np.exp(every_label).sum(0), 1)


def test_a_label_of_equal_probabilities_favours_no_phase():
    assert np.ptp(label_evidence(np.full((1, 3), 1 / 3), 0.05)) < 1e-12


def test_chosen_rows_keep_all_of_their_parts():
    some = SEEN.rows(SEEN.labelled)
    assert some.x.tolist() == [[0.0], [1.0]]
    assert some.label.tolist() == [[1.0, 0.0], [0.3, 0.7]]
    assert some.y.tolist() == [[1.0], [2.0]]
    assert some.error.shape == (2, 1)
