"""A map of specimens, a tree of groups, and how far to trust them."""

import sys

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.cluster.hierarchy import cut_tree
from sklearn.cluster import AgglomerativeClustering
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import StandardScaler

import tieline as tl

INPUTS = ["a", "b", "c", "d"]


def groups(seed=0, n=30, apart=6.0):
    """Three groups in four numbers, in turns, and the number of the group of each."""
    rng = np.random.default_rng(seed)
    group = np.arange(3 * n) % 3
    x = (rng.standard_normal((3 * n, 4)) + apart * np.eye(4)[group]) * [1, 2, 3, 4]
    columns = {name: ("specimen", x[:, j], {"role": "process"}) for j, name in enumerate(INPUTS)}
    return xr.Dataset(columns, {"specimen": [f"S{i}" for i in range(3 * n)]}), group


def test_components_are_those_of_scikit_learn():
    table, _ = groups()
    found = tl.explore(table)
    x = StandardScaler().fit_transform(np.stack([table[n] for n in INPUTS], 1))
    theirs = PCA().fit(x)
    np.testing.assert_allclose(found["explained"], theirs.explained_variance_ratio_)
    np.testing.assert_allclose(np.abs(found["loading"]), np.abs(theirs.components_))
    np.testing.assert_allclose(np.abs(found["embedding"]), np.abs(theirs.transform(x)), atol=1e-9)
    strongest = np.abs(found["loading"]).argmax("column")
    assert (found["loading"].isel(column=strongest) > 0).all()


def test_groups_are_found_and_are_those_of_scikit_learn():
    table, group = groups()
    found = tl.explore(table)
    assert found.attrs["n_clusters"] == 3
    assert adjusted_rand_score(found["cluster"], group) == 1
    x = StandardScaler().fit_transform(np.stack([table[n] for n in INPUTS], 1))
    five = tl.explore(table, n_clusters=5)
    assert adjusted_rand_score(five["cluster"], AgglomerativeClustering(5).fit_predict(x)) == 1
    assert (np.diff(np.bincount(five["cluster"])[1:]) <= 0).all()


def test_the_tree_tells_the_groups_again():
    found = tl.explore(groups()[0])
    n, height = found.sizes["specimen"], found["height"].values
    size = dict.fromkeys(range(n), 1)
    for step, (left, right) in enumerate(found["merge"].values, start=n):
        size[step] = size[left] + size[right]
    steps = np.column_stack([found["merge"].values, height, [size[n + k] for k in range(n - 1)]])
    assert adjusted_rand_score(cut_tree(steps, 3).ravel(), found["cluster"]) == 1
    assert (np.diff(height) >= 0).all()


@pytest.mark.parametrize("way", ["components", "tsne"])
def test_the_same_seed_gives_the_same_map_with_groups_on_it(way):
    table, group = groups()
    found = tl.explore(table, way=way, seed=3)
    xr.testing.assert_identical(found, tl.explore(table, way=way, seed=3))
    place = found["embedding"].values[:, :2]
    centre = np.stack([place[group == k].mean(0) for k in range(3)])
    nearest = np.linalg.norm(place[:, None] - centre, axis=2).argmin(1)
    assert (nearest == group).all()
    assert found["kept"].mean() > 0.3


@pytest.mark.slow
def test_umap_keeps_groups_together():
    table, group = groups()
    found = tl.explore(table, way="umap", seed=1)
    place = found["embedding"].values
    assert place.shape == (90, 2)
    centre = np.stack([place[group == k].mean(0) for k in range(3)])
    assert (np.linalg.norm(place[:, None] - centre, axis=2).argmin(1) == group).all()
    np.testing.assert_array_equal(place, tl.explore(table, way="umap", seed=1)["embedding"])


def test_without_umap_the_line_that_installs_it_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(tl.MissingExtra, match=r'pip install "tieline\[umap\]"'):
        tl.explore(groups()[0], way="umap")


def test_noise_is_said_to_have_no_groups():
    table, _ = groups(apart=0.0)
    (said,) = [n for n in tl.explore(table).attrs["notes"] if "hardly fall into groups" in n]
    assert "silhouette" in said


def test_a_composition_weighs_as_much_as_one_number():
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.ones(4), 50)
    alloys = xr.Dataset(
        {
            "composition": (("specimen", "element"), shares, {"role": "synthesis", "units": "1"}),
            "temperature": ("specimen", rng.random(50), {"role": "process", "units": "K"}),
        },
        {"specimen": np.arange(50), "element": ["Fe", "Ni", "Cr", "Al"]},
    )
    found = tl.explore(alloys)
    of_temperature = found["column"].values == "temperature"
    variance = (found["explained"] * found["loading"] ** 2).sum("axis")[of_temperature].item()
    assert variance == pytest.approx(0.5, abs=0.01)


def test_holes_are_filled_and_told_and_the_table_stays_as_it_was():
    table, _ = groups()
    table["a"][[3, 7]] = np.nan
    before = table.copy(deep=True)
    found = tl.explore(table)
    assert found.attrs["notes"][0].startswith("2 specimens lack an input")
    assert np.isfinite(found["embedding"]).all()
    xr.testing.assert_identical(table, before)


@pytest.mark.parametrize(
    ("change", "asked", "error", "match"),
    [
        ({}, {"way": "tsn"}, tl.SchemaError, "Did you mean 'tsne'"),
        ({}, {"inputs": ["aa"]}, tl.SchemaError, "'aa'"),
        ({}, {"inputs": []}, tl.SchemaError, "At least one input"),
        ({}, {"n_clusters": 90}, tl.SchemaError, "n_clusters=90 of 90 specimens"),
        ({}, {"inputs": ["a"]}, tl.NotIdentified, "two columns that vary"),
        ({"specimen": slice(0, 7)}, {}, tl.NotIdentified, "at least 8 specimens"),
        ({"specimen": np.zeros(10_001, int)}, {}, tl.TielineError, "at most 10,000 specimens"),
    ],
)
def test_what_cannot_be_explored_is_refused(change, asked, error, match):
    with pytest.raises(error, match=match):
        tl.explore(groups()[0].isel(change), **asked)


@pytest.mark.parametrize("way", ["components", "tsne"])
def test_the_figure_shows_map_and_tree(way):
    table, _ = groups()
    found = tl.explore(table, way=way)
    figure = tl.figures.exploration(found)
    assert len(figure.axes) == (3 if way == "components" else 2)
    assert len(figure.axes[-1].collections[0].get_segments()) == 89
    assert len(tl.figures.exploration(found, table["b"]).axes) == len(figure.axes) + 1


def test_the_tree_of_many_that_are_alike_is_drawn():
    alike = groups()[0].isel(specimen=np.r_[0:90, np.zeros(500, int)])
    alike = alike.assign_coords(specimen=np.arange(alike.sizes["specimen"]))
    figure = tl.figures.exploration(tl.explore(alike))
    assert len(figure.axes[-1].collections[0].get_segments()) == 399


def test_a_colour_of_other_specimens_is_refused():
    table, _ = groups()
    found = tl.explore(table)
    with pytest.raises(tl.SchemaError, match="of other specimens"):
        tl.figures.exploration(found, table["a"].isel(specimen=slice(0, 9)))
    with pytest.raises(tl.SchemaError, match="one number or label"):
        tl.figures.exploration(found, found["embedding"])


def test_labels_colour_the_map_and_who_has_none_is_open():
    labels = np.array(["fcc", "bcc", ""] * 4)
    sheet = pd.DataFrame({"a": np.arange(12.0), "b": np.arange(12.0) ** 2, "phase": labels})
    table = tl.table(sheet, roles={"phase": "structure"})
    axes = tl.figures.exploration(tl.explore(table, ["a", "b"]), table["phase"]).axes[0]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["bcc (4)", "fcc (4)"]
    assert [len(line.get_xdata()) for line in axes.lines] == [4, 4, 4]
