"""The benchmark of fingerprints: its scores, its peers, and that ours reaches what it promises."""

import numpy as np
import pytest
from benchmarks.fingerprint import _ours, matched_accuracy, score_answer
from benchmarks.fingerprint_data import digit_split
from benchmarks.fingerprint_peers import neighbours


def test_names_of_clusters_do_not_matter():
    digit = np.array([0, 0, 1, 1, 2, 2])
    assert matched_accuracy(digit, np.array([5, 5, 3, 3, 0, 0])) == 1
    assert matched_accuracy(digit, np.array([5, 5, 3, 3, 3, 0])) == pytest.approx(5 / 6)


def test_neighbours_reach_their_known_scores():
    split = digit_split("digits", 0)
    scores = score_answer(split, neighbours(split, 0))
    assert scores["accuracy"] == pytest.approx(0.975, abs=0.015)
    assert scores["image_to_line"] < 0.17


def test_splits_share_no_specimen():
    split, tuning = digit_split("digits", 0), digit_split("digits", 0, is_tuning=True)
    parts = [split.known, split.asked, tuning.asked]
    assert len(np.unique(np.concatenate(parts))) == sum(map(len, parts)) == 1797


def test_ours_beats_what_was_published_elsewhere_on_real_images():
    """Of JMVAE .897, .789, .141 and .501 were measured."""
    split = digit_split("digits", 0)
    scores = _ours("digits", "digits", split, 0)
    assert scores["accuracy"] > 0.95
    assert scores["ari"] > 0.9
    assert scores["joint_ari"] > 0.97
    assert scores["line_to_image"] < 0.46
    assert 0.92 < scores["coverage_line"] < 0.98
