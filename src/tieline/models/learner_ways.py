"""The ways of a `Learner`: what each is called, how simple it is, and the few settings worth trying."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tieline.errors import SchemaError
from tieline.schema.wording import name_known

N_TREES = 100
N_TREES_TRIED = 30  # while settings are tried: which are better shows as well
Settings = tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Way:
    """One way to learn.

    Attributes:
        name: one word.
        simplicity: 0 for the mean, larger for what has more to it; the smaller wins a tie.
        regression: makes an unfitted scikit-learn regressor from settings and a seed; None where the process
            of `isotropic_process` is meant, or where labels only can be told.
        classification: the same for labels; None where numbers only can be predicted.
        tried: settings, the usual ones first.
        tried_on_labels: the same for labels.
        is_usual: whether it is tried where nobody names ways.
        needs_raw: whether it reads columns as they were measured, and not standardised.
        while_tried: settings that make it cheaper while other settings are compared.
    """

    name: str
    simplicity: int
    regression: Callable[..., Any] | None
    classification: Callable[..., Any] | None
    tried: tuple[Settings, ...] = ((),)
    tried_on_labels: tuple[Settings, ...] = ((),)
    is_usual: bool = True
    needs_raw: bool = False
    while_tried: Settings = ()


N_BINS = 63  # of each column in boosting: a third of the time of 255, and no worse for some hundred rows
FOREST: Mapping[str, Any] = {"n_estimators": N_TREES}


def _mean(settings: Mapping[str, Any], seed: int) -> Any:
    from sklearn.dummy import DummyRegressor

    return DummyRegressor(**settings)


def _shares(settings: Mapping[str, Any], seed: int) -> Any:
    from sklearn.dummy import DummyClassifier

    return DummyClassifier(strategy="prior", **settings)


def _ridge(settings: Mapping[str, Any], seed: int) -> Any:
    from sklearn.linear_model import Ridge

    return Ridge(**settings)


def _logistic(settings: Mapping[str, Any], seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=1000, **settings)


def _lasso(settings: Mapping[str, Any], seed: int) -> Any:
    from sklearn.linear_model import Lasso

    return Lasso(max_iter=5000, tol=1e-3, **settings)


def _sparse_logistic(settings: Mapping[str, Any], seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(
        l1_ratio=1.0, solver="saga", tol=1e-2, max_iter=500, random_state=seed, **settings
    )


def _formula(settings: Mapping[str, Any], seed: int) -> Any:
    from tieline.models.sparse_formula import SparseFormula

    return SparseFormula(**settings)


def _stable_line(settings: Mapping[str, Any], seed: int) -> Any:
    from tieline.models.stable_line import StableLine

    return StableLine(random_state=seed, **settings)


def _neighbours(settings: Mapping[str, Any], seed: int) -> Any:
    from sklearn.neighbors import KNeighborsRegressor

    return KNeighborsRegressor(weights="distance", **settings)


def _neighbours_of_labels(settings: Mapping[str, Any], seed: int) -> Any:
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier(**settings)


def _support_vectors(settings: Mapping[str, Any], seed: int) -> Any:
    from sklearn.svm import SVR

    return SVR(cache_size=500, **settings)


def _support_vectors_of_labels(settings: Mapping[str, Any], seed: int) -> Any:
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.svm import SVC

    return CalibratedClassifierCV(SVC(cache_size=500, **settings), cv=3).set_params(ensemble=False)


def _random_forest(settings: Mapping[str, Any], seed: int) -> Any:
    from sklearn.ensemble import RandomForestRegressor

    return RandomForestRegressor(**{**FOREST, **settings}, random_state=seed)


def _forest_of_labels(settings: Mapping[str, Any], seed: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(**{**FOREST, **settings}, random_state=seed)


def _extra_trees(settings: Mapping[str, Any], seed: int) -> Any:
    from sklearn.ensemble import ExtraTreesRegressor

    return ExtraTreesRegressor(**{**FOREST, **settings}, random_state=seed)


def _extra_trees_of_labels(settings: Mapping[str, Any], seed: int) -> Any:
    from sklearn.ensemble import ExtraTreesClassifier

    return ExtraTreesClassifier(**{**FOREST, **settings}, random_state=seed)


def _boosting(settings: Mapping[str, Any], seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingRegressor

    return HistGradientBoostingRegressor(
        max_iter=150, max_leaf_nodes=12, max_bins=N_BINS, random_state=seed, **settings
    ).set_params(early_stopping=False)


def _boosting_of_labels(settings: Mapping[str, Any], seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        max_iter=60, max_leaf_nodes=8, max_bins=N_BINS, random_state=seed, **settings
    ).set_params(early_stopping=False)


def _network(settings: Mapping[str, Any], seed: int) -> Any:
    from sklearn.neural_network import MLPRegressor

    return MLPRegressor(hidden_layer_sizes=(64,), solver="lbfgs", max_iter=200, random_state=seed, **settings)


def _network_of_labels(settings: Mapping[str, Any], seed: int) -> Any:
    from sklearn.neural_network import MLPClassifier

    return MLPClassifier(
        hidden_layer_sizes=(64,), solver="lbfgs", max_iter=200, random_state=seed, **settings
    )


def _grid(name: str, *values: Any) -> tuple[Settings, ...]:
    return tuple(((name, value),) for value in values)


def _pairs(first: str, second: str, *values: tuple[Any, Any]) -> tuple[Settings, ...]:
    return tuple(((first, a), (second, b)) for a, b in values)


_FEW_TREES: Settings = (("n_estimators", N_TREES_TRIED),)
_FOREST = _pairs("max_features", "min_samples_leaf", (0.33, 1), (1.0, 1), (0.33, 3), (0.1, 1))
_FOREST_OF_LABELS = _pairs("max_features", "min_samples_leaf", ("sqrt", 1), (0.33, 1), ("sqrt", 4))
_SUPPORT = _pairs("C", "gamma", (3.0, "scale"), (30.0, "scale"), (0.3, "scale"), (30.0, 1e-3), (300.0, 1e-3))
_BOOSTING = _pairs("learning_rate", "min_samples_leaf", (0.1, 10), (0.05, 10), (0.1, 30), (0.05, 4))

WAYS = {
    way.name: way
    for way in (
        Way("mean", 0, _mean, _shares),
        Way(
            "ridge",
            1,
            _ridge,
            _logistic,
            _grid("alpha", 30.0, 1.0, 300.0, 3000.0),
            _grid("C", 0.1, 1.0, 0.01),
        ),
        Way(
            "lasso", 1, _lasso, _sparse_logistic, _grid("alpha", 0.01, 0.03, 0.1, 0.003), _grid("C", 0.3, 0.1)
        ),
        Way(
            "neighbours",
            2,
            _neighbours,
            _neighbours_of_labels,
            _grid("n_neighbors", 5, 3, 10, 20),
            _grid("n_neighbors", 5, 10, 20),
        ),
        Way(
            "stable_line",
            1,
            _stable_line,
            None,
            _grid("threshold", 0.75, 0.6, 0.9),
            is_usual=False,
        ),
        Way(
            "formula",
            2,
            _formula,
            None,
            _grid("n_terms", 2, 1, 3),
            is_usual=False,
            needs_raw=True,
        ),
        Way("gaussian_process", 3, None, None),
        Way("support_vectors", 3, _support_vectors, _support_vectors_of_labels, _SUPPORT, _SUPPORT[:3]),
        Way(
            "extra_trees",
            4,
            _extra_trees,
            _extra_trees_of_labels,
            _FOREST,
            _FOREST_OF_LABELS,
            while_tried=_FEW_TREES,
        ),
        Way(
            "random_forest",
            4,
            _random_forest,
            _forest_of_labels,
            _FOREST,
            _FOREST_OF_LABELS,
            while_tried=_FEW_TREES,
        ),
        Way("gradient_boosting", 5, _boosting, _boosting_of_labels, _BOOSTING, _BOOSTING[:3]),
        Way(
            "network",
            6,
            _network,
            _network_of_labels,
            _grid("alpha", 1.0, 0.1, 10.0),
            _grid("alpha", 1.0, 10.0),
        ),
    )
}
PROCESS = "gaussian_process"


def ways_for(*, labels: bool) -> list[str]:
    """Names of the ways that predict numbers, or tell labels."""
    return [name for name, way in WAYS.items() if not labels or way.classification is not None]


def way_named(name: str, *, labels: bool) -> Way:
    """Look up a way.

    Raises:
        SchemaError: there is none of that name that predicts such targets.
    """
    known = ways_for(labels=labels)
    if name not in known:
        raise SchemaError(
            f"There is no way '{name}' to {'tell labels' if labels else 'predict numbers'}.",
            found=name_known(known, name),
        )
    return WAYS[name]


def tried_by(way: Way, *, labels: bool) -> tuple[Settings, ...]:
    """The settings that are worth trying, the usual ones first."""
    return way.tried_on_labels if labels else way.tried
