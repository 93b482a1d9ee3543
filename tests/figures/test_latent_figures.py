import numpy as np
import pytest
import xarray as xr

import tieline as tl


@pytest.fixture
def components():
    """Scores that say the porosity first, and then the stretch."""
    rng = np.random.default_rng(0)
    n = 60
    stretch = np.ones((n, 3))
    stretch[np.arange(n), rng.integers(3, size=n)] = rng.uniform(0.5, 1, n)
    porosity = rng.uniform(0.7, 0.9, n)
    directed = np.log(stretch) @ np.array([[1, 0], [-0.5, 0.9], [-0.5, -0.9]])
    return xr.Dataset(
        {
            "score": (("specimen", "component"), np.column_stack([porosity, directed])),
            "explained": ("component", [0.5, 0.2, 0.1]),
            "porosity": ("specimen", porosity),
            **{f"stretch_{axis}": ("specimen", stretch[:, i]) for i, axis in enumerate("xyz")},
        }
    )


def texts(figure):
    return [axes.get_xlabel() for axes in figure.axes] + [axes.get_ylabel() for axes in figure.axes]


def test_the_latent_space_chooses_the_components_that_tell_most(components):
    figure = tl.figures.latent_space(components)
    left, right = figure.axes[:2]
    assert left.get_xlabel().startswith("component 2")
    assert left.get_ylabel().startswith("component 3")
    assert right.get_xlabel().startswith("component 1")
    assert {t.get_text() for t in figure.legends[0].get_texts()} == {"none", "x", "y", "z"}
    drawn = sum(len(c.get_offsets()) for c in left.collections)
    assert drawn == components.sizes["specimen"]


def test_the_latent_space_needs_porosity_and_stretch(components):
    with pytest.raises(tl.SchemaError, match="stretch_y"):
        tl.figures.latent_space(components.drop_vars("stretch_y"))
    with pytest.raises(tl.SchemaError, match="3 components"):
        tl.figures.latent_space(components.isel(component=slice(2)))


def test_searches_with_one_title_share_a_panel():
    rng = np.random.default_rng(0)
    histories = [
        xr.Dataset({"least_distance": ("generation", np.minimum.accumulate(rng.random(20)))})
        for _ in range(5)
    ]
    figure = tl.figures.convergence(histories, ["A", "A", "A", "B", "B"])
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["A", "B"]
    assert [len(axes.lines) for axes in figure.axes] == [3, 2]
    middle = np.median([h["least_distance"].values[-1] for h in histories[:3]])
    (blue,) = [line for line in figure.axes[0].lines if line.get_linewidth() > 1]
    assert blue.get_ydata()[-1] == middle
    with pytest.raises(tl.SchemaError, match="a title for each"):
        tl.figures.convergence(histories, ["A"])


def test_errors_are_boxes_by_method():
    errors = xr.Dataset(
        {
            name: (("method", "repeat"), 10.0 ** -np.random.default_rng(0).uniform(2, 4, (3, 8)))
            for name in ("mean_squared_error", "mean_squared_error_training")
        },
        {"method": ["network, from scratch", "transferred", "descriptions"]},
    )
    axes = tl.figures.transfer(errors).axes[0]
    assert axes.get_yscale() == "log"
    assert [t.get_text() for t in axes.get_xticklabels()] == [
        "network, from\nscratch",
        "transferred",
        "descriptions",
    ]
    assert [t.get_text() for t in axes.get_legend().get_texts()] == ["learned from", "predicted"]
    assert tl.figures.transfer(errors[["mean_squared_error"]]).axes[0].get_legend() is None


def test_training_marks_the_epoch_that_was_kept():
    course = xr.Dataset(
        {"training": ("epoch", [5.0, 3.0, 2.0]), "validation": ("epoch", [5.0, 3.5, 4.0])},
        {"epoch": [1, 2, 3]},
    )
    axes = tl.figures.training(course).axes[0]
    assert [line.get_label() for line in axes.lines] == ["learned volumes", "held-out volumes", "kept"]
    assert axes.lines[2].get_xdata() == [2]
