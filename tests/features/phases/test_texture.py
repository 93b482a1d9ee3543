import numpy as np
import pytest

from tieline.features.phases.ambiguity import exchange_limits, exchanged
from tieline.features.phases.axis import Axis
from tieline.features.phases.profile import Profile, Sticks, lines_apart
from tieline.features.phases.texture import amount_errors, share_intervals

ANGLES = np.linspace(20, 60, 800)
REFERENCES = [
    Sticks(np.array([24.0, 31.0, 36.0, 44.0, 52.0]), np.array([60.0, 100, 30, 80, 50])),
    Sticks(np.array([27.0, 33.5, 40.0, 44.4, 57.0]), np.array([90.0, 70, 60, 40, 20])),
]
AMOUNT = np.array([30.0, 20.0])
SCATTER = 0.2


@pytest.fixture(scope="module")
def apart():
    """Lines (reference, line, channel) of both references."""
    profile = Profile(AMOUNT, np.zeros((2, 800)), 0.0, np.zeros(2), 0.3, 0.1)
    drawn = np.zeros((2, 5, 800))
    for k, sticks in enumerate(REFERENCES):
        place, height = lines_apart(ANGLES, sticks, profile, 0.0)
        for row, channels, heights in zip(drawn[k], place, height, strict=True):
            np.add.at(row, channels, heights)
    return drawn


@pytest.fixture(scope="module")
def repeated(apart):
    """Amounts fitted to patterns whose lines scatter, and the errors told of each."""
    rng, patterns = np.random.default_rng(0), apart.sum(1)
    clean = AMOUNT @ patterns
    weight = 1 / np.sqrt(clean + 5 + (0.2 * clean) ** 2)
    fitted, told = [], []
    for _ in range(200):
        factor = 1 + SCATTER * rng.standard_normal((2, 5))
        net = rng.poisson(np.einsum("k,kl,klc->c", AMOUNT, np.maximum(factor, 0), apart) + 5) - 5.0
        amount = np.linalg.lstsq((patterns * weight).T, net * weight)[0]
        profile = Profile(amount, patterns, 0.0, np.zeros(2), 0.3, 0.1)
        fitted.append(amount)
        told.append(amount_errors(ANGLES, net, clean + 5, weight, REFERENCES, profile))
    return np.array(fitted), told


def test_errors_of_amounts_are_those_of_patterns_drawn_again(repeated):
    fitted, told = repeated
    sd = np.sqrt(np.mean([np.diag(errors.covariance) for errors in told], axis=0))
    np.testing.assert_allclose(sd, fitted.std(0), rtol=0.15)


def test_the_scatter_of_lines_is_found(repeated):
    assert np.sqrt(np.mean([errors.scatter**2 for errors in repeated[1]])) == pytest.approx(SCATTER, rel=0.1)


def test_intervals_of_shares_hold_the_truth(repeated):
    fitted, told = repeated
    rng, truth = np.random.default_rng(1), AMOUNT[0] / AMOUNT.sum()
    some = zip(fitted[:80], told[:80], strict=True)
    ends = [share_intervals(a, e, rng, 0.0, 0.9) for a, e in some]
    held = [low[0] <= truth <= high[0] for low, high in ends]
    assert 0.75 <= np.mean(held) <= 0.97  # few lines: the scatter that each pattern tells is itself unsure


def test_phases_with_lines_and_specimens_of_their_own_hand_nothing_over():
    pattern = np.array([[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]])
    assert exchange_limits(pattern, np.eye(2)).max() <= 0.05


def test_a_phase_that_is_never_alone_may_have_part_of_the_other():
    pattern = np.array([[0.4, 0.4, 0.1, 0.1], [0, 0, 0.5, 0.5]])
    amount = np.array([[0.8, 0.2], [0.6, 0.4], [0.0, 1.0]])
    limits = exchange_limits(pattern, amount)
    assert limits[0, 1] >= 0.2
    drawn = exchanged(np.tile(amount[:, None], (1, 300, 1)), limits, np.random.default_rng(0))
    assert (drawn >= 0).all()
    assert drawn[0, :, 0].std() > 0.1


def test_a_small_step_of_the_logarithm_covers_so_much_of_the_angles():
    angles = np.linspace(20, 80, 7)
    axis = Axis("two_theta", angles)
    step = np.array([Axis("two_theta", angles + d).logarithm for d in (-0.001, 0.001)])
    ratio = axis.extent(axis.logarithm) * np.ptp(step, axis=0)
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-5)
