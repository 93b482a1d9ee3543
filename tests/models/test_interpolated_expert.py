from dataclasses import replace

import numpy as np
import pytest

from tieline.models import interpolated_expert
from tieline.models.experts import Expert, Layout, Pairs
from tieline.models.interpolated_expert import FEWEST_PAIRS, InterpolatedExpert, interpolated

RNG = np.random.default_rng(0)
N = 450
X = RNG.random((N, 2))
PHASE = (3 * X[:, 0]).astype(int)
Y = np.sin(4 * X[:, 1]) + np.array([0.0, 1.0, -1.0])[PHASE] + 0.05 * RNG.standard_normal(N)
ERROR = np.where(np.arange(N) % 4 == 0, 0.02, 0.0)
SURE, SOFT = np.eye(3)[PHASE], RNG.dirichlet(np.full(3, 0.2), N)
# Inside of the data, at the measured places themselves, and far outside.
ASKED = np.vstack([RNG.random((150, 2)), X[:50], 3 * RNG.random((50, 2)) - 1])


def expert(membership=SURE, kernel="rbf", noise=0.05, n=N):
    layout = Layout(2, membership.shape[1], kernel)
    theta = layout.prior()[0].copy()
    theta[2 + 4 + 2 * layout.n_phases] = np.log(noise)
    return Expert.at(layout, theta, Pairs.of(X[:n], Y[:n], ERROR[:n], membership[:n]))


@pytest.mark.parametrize("kernel", ["matern52", "rbf"])
@pytest.mark.parametrize("membership", [SURE, SOFT, np.ones((N, 1))], ids=["sure", "soft", "one phase"])
def test_answers_are_those_of_the_expert_within_two_thousandths(membership, kernel, monkeypatch):
    monkeypatch.setattr(interpolated_expert, "MOST_PIVOTS", 1.0)
    model = expert(membership, kernel)
    quick = interpolated(model)
    assert isinstance(quick, InterpolatedExpert)
    assert len(quick.pivots) < len(model.pairs.y)
    asked = RNG.random((len(ASKED), 3)) < 0.6
    mean, variance = model.predict_where(ASKED, asked)
    quick_mean, quick_variance = quick.predict_where(ASKED, asked)
    measured = np.sqrt(variance + model.noise)
    assert (np.abs(quick_mean - mean)[asked] < 2e-3 * measured[asked]).all()
    assert (np.abs(quick_variance - variance)[asked] < 1e-3 * measured[asked] ** 2).all()


def test_a_coarser_tolerance_is_worse_and_takes_fewer_pivots(monkeypatch):
    model, inside = expert(), ASKED[:200]
    everywhere = np.ones((len(inside), 3), dtype=bool)
    exact = model.predict_where(inside, everywhere)[0]

    def miss(quick):
        return np.abs(quick.predict_where(inside, everywhere)[0] - exact).max()

    fine = interpolated(model)
    monkeypatch.setattr(interpolated_expert, "TOLERANCE", 1.0)
    monkeypatch.setattr(interpolated_expert, "LOOSE", np.inf)
    coarse = interpolated(model)
    assert isinstance(fine, InterpolatedExpert)
    assert isinstance(coarse, InterpolatedExpert)
    assert len(coarse.pivots) < len(fine.pivots)
    assert miss(coarse) > 10 * miss(fine)


def test_far_outside_the_expert_answers_itself():
    model = expert()
    far, everywhere = X[:20] + 5.0, np.ones((20, 3), dtype=bool)
    found = interpolated(model).predict_where(far, everywhere)
    np.testing.assert_array_equal(found, model.predict_where(far, everywhere))


def test_where_it_would_not_pay_the_expert_answers_itself():
    few = expert(n=FEWEST_PAIRS - 1)
    rough = replace(expert(kernel="matern52"), theta=expert().theta - np.r_[3.0, 3.0, np.zeros(11)])
    assert interpolated(few) is few
    assert interpolated(rough) is rough


def test_values_without_noise_are_left_to_the_expert():
    exact = expert(noise=1e-6)
    assert interpolated(exact) is exact
