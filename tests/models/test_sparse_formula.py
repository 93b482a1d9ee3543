"""Formulas are found where they hold, and stay sane where nothing was seen."""

import numpy as np
import pytest
import xarray as xr
from sklearn.linear_model import LinearRegression

import tieline as tl
from tieline.errors import SchemaError
from tieline.models.sparse_formula import SparseFormula

NAMES = [f"x{i}" for i in range(6)]


def columns(n=150, seed=0):
    return np.random.default_rng(seed).uniform(1, 5, (n, len(NAMES)))


def terms(found):
    return {term.expression.text(NAMES) for term in found.terms_}


@pytest.mark.parametrize(
    ("law", "expected"),
    [
        (lambda x: 2 * x[:, 0] / x[:, 3], {"x0 / x3"}),
        (lambda x: 3 - 0.5 * np.sqrt(x[:, 1]), {"√x1"}),
        (lambda x: x[:, 2] * x[:, 4] + 4 * np.log(x[:, 0]), {"x2 · x4", "ln x0"}),
    ],
)
def test_a_law_is_found_among_combinations(law, expected):
    x = columns()
    noise = np.random.default_rng(1).normal(0, 0.01, len(x))
    found = SparseFormula(len(expected)).fit(x, law(x) + noise)
    assert terms(found) == expected
    np.testing.assert_allclose(found.predict(columns(seed=2)), law(columns(seed=2)), atol=0.05)


def test_coefficients_are_those_of_least_squares():
    x = columns()
    y = x[:, 0] * x[:, 1] + np.random.default_rng(1).normal(0, 0.5, len(x))
    found = SparseFormula(2).fit(x, y)
    line = LinearRegression().fit(np.column_stack([term(x) for term in found.terms_]), y)
    np.testing.assert_allclose(found.coefficients_, line.coef_, rtol=1e-6)
    np.testing.assert_allclose(found.predict(x), line.predict(np.column_stack([t(x) for t in found.terms_])))


def test_what_was_never_seen_gives_numbers_near_those_that_were():
    x = columns()
    y = 1 / x[:, 0]
    found = SparseFormula(1).fit(x, y)
    wild = columns(4, seed=3)
    wild[:, 0] = [0.0, -1.0, 1e9, 1e-300]
    assert np.isfinite(found.predict(wild)).all()
    assert np.abs(found.predict(wild) - y.mean()).max() < 2 * np.ptp(y)


def test_columns_of_both_signs_have_neither_logarithm_nor_inverse():
    x = columns() - 3
    found = SparseFormula(2).fit(x, x[:, 0] * x[:, 1])
    assert terms(found) >= {"x0 · x1"}


def table(n=120):
    x = columns(n)
    data = {name: ("specimen", x[:, i], {"role": "process", "units": "1"}) for i, name in enumerate(NAMES)}
    y = 5 + 2 * x[:, 0] / x[:, 3] + np.random.default_rng(1).normal(0, 0.02, n)
    return xr.Dataset(
        data | {"y": ("specimen", y, {"role": "property", "units": "GPa"})}, {"specimen": np.arange(n)}
    )


def test_a_learner_writes_its_formula_down(tmp_path):
    posterior = tl.Learner(NAMES, "y", way="formula", settings={"n_terms": 1}).fit(table(), seed=0)
    assert posterior.formula().startswith("y = ")
    assert "2.00" in posterior.formula() or "1.99" in posterior.formula()
    assert posterior.formula().endswith(" · x0 / x3")
    predicted = posterior.predict(table())
    inside = np.abs(predicted["y"] - table()["y"]) < 1.645 * predicted["y_sd"]
    assert 0.8 < float(inside.mean()) <= 1
    again = tl.load_posterior(posterior.save(tmp_path / "law.nc"))
    assert again.formula() == posterior.formula()


def test_formulas_stand_in_a_comparison_when_they_are_named():
    task = tl.task(table(), "y", NAMES)
    found = tl.compare(task, ["ridge", "formula"], n_folds=3)
    assert found.recommended["y"] == "formula"
    assert found.model().way == "formula"


def test_only_a_formula_is_written_as_one():
    posterior = tl.Learner(NAMES, "y", way="ridge").fit(table(40), seed=0)
    with pytest.raises(SchemaError, match="Only one fit by formula"):
        posterior.formula()
