import html
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

import tieline as tl
from tieline.models.volumes.reading import read_volumes
from tieline.models.volumes.texture import Texture, pair_numbers
from tieline.models.volumes.training import is_over, view
from tieline.models.volumes.waves import Waves

N = 40
MODEL = tl.VolumeAutoencoder(
    properties=["porosity_told", "log_n_points"], size=16, layout=4, texture=6, hidden=16, n_epochs=3
)


@pytest.fixture(scope="module")
def table():
    """Membranes of 32 voxels an edge, with their porosity and the logarithm of their points."""
    plan = tl.worlds.membrane_plan(N, n_points=(8, 60), radius=(1.5, 3.0), seed=3)
    made = [
        tl.worlds.membrane(
            plan["n_points"].values[i].item(),
            [plan[f"stretch_{axis}"].values[i].item() for axis in "xyz"],
            plan["radius"].values[i].item(),
            32,
            i,
        )
        for i in range(N)
    ]
    return xr.Dataset(
        {
            "volume": xr.concat(made, "specimen", combine_attrs="drop_conflicts"),
            "porosity_told": ("specimen", [1 - float(m.mean()) for m in made], {"role": "property"}),
            "log_n_points": ("specimen", np.log(plan["n_points"].values), {"units": "1"}),
        }
    ).assign_coords(specimen=[f"M{i}" for i in range(N)])


@pytest.fixture(scope="module")
def posterior(table):
    return MODEL.fit(table, seed=0)


def test_volumes_are_embedded_with_what_is_not_sure(posterior, table):
    latent = posterior.embed(table)
    assert latent.dims == ("specimen", "latent")
    assert latent["kind"].values.tolist() == ["texture"] * 6 + ["layout"] * 4
    assert latent["specimen"].values.tolist() == table["specimen"].values.tolist()
    assert (latent["sd"] > 0).all()
    one = posterior.embed(table["volume"][3])
    np.testing.assert_allclose(one.values[0], latent.values[3], atol=1e-4)


def test_a_notebook_shows_what_was_learned_and_whether_to_trust_it(posterior):
    shown = posterior._repr_html_()
    assert f"{N} volumes in blocks of {MODEL.size}³ voxels" in shown
    assert html.escape(posterior.diagnose().attrs["sentence"]) in shown


def test_a_shift_leaves_the_texture_and_moves_the_layout(posterior, table):
    volume = table["volume"][:3]
    moved = volume.roll(x=4, y=10, z=2, roll_coords=False)
    before, after = posterior.embed(volume), posterior.embed(moved)
    is_texture = before["kind"].values == "texture"
    np.testing.assert_allclose(before[:, is_texture], after[:, is_texture], atol=1e-3)
    assert float(np.abs(before - after)[:, ~is_texture].max()) > 0.1


def test_reconstructions_have_the_porosity_of_the_volumes(posterior, table):
    given_back = posterior.reconstruct(table)
    assert given_back.sizes == {"specimen": N, "x": 16, "y": 16, "z": 16}
    assert float(given_back.min()) >= 0
    assert float(given_back.max()) <= 1
    off = (1 - given_back.mean(("x", "y", "z"))) - table["porosity_told"]
    assert float(np.abs(off).mean()) < 0.03  # three epochs; the porosities spread by 0.1


def test_what_it_generates_is_decided_by_the_seed(posterior):
    one, same, other = (posterior.generate(3, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert float(np.abs(one - other).max()) > 0.01


def test_a_way_between_two_volumes_begins_and_ends_with_them(posterior, table):
    pair = table["volume"][:2]
    way = posterior.interpolate(pair, 4)
    assert way.dims == ("share", "x", "y", "z")
    np.testing.assert_allclose(way[[0, -1]], posterior.reconstruct(pair), atol=1e-5)
    np.testing.assert_allclose(
        posterior.decode(posterior.embed(pair)), posterior.reconstruct(pair), atol=1e-5
    )


def test_properties_are_predicted_with_intervals_and_by_the_nearest(posterior, table):
    answer = posterior.predict(table)
    assert (answer["porosity_told_low"] < answer["porosity_told_high"]).all()
    off = answer["porosity_told"] - table["porosity_told"]
    assert float((off**2).mean() / table["porosity_told"].var()) < 0.1
    np.testing.assert_allclose(answer["porosity_told_nearest"], table["porosity_told"])  # it is its own
    np.testing.assert_allclose(answer["porosity_counted"], table["porosity_told"], atol=1e-6)


def test_a_property_may_be_unknown_of_some(table):
    gaps = table.assign(log_n_points=table["log_n_points"].where(table["specimen"] != "M4"))
    answer = MODEL.fit(gaps).predict(gaps.isel(specimen=[4]))
    assert np.isfinite(answer["log_n_points"]).all()
    assert np.isfinite(answer["log_n_points_nearest"]).all()


def test_components_explain_less_and_less(posterior, table):
    found = posterior.components(3)
    assert found["score"].shape == (N, 3)
    assert (np.diff(found["explained"].values) <= 0).all()
    np.testing.assert_allclose(
        found["loading"] @ found["loading"].rename(component="other"), np.eye(3), atol=1e-9
    )
    mapped = posterior.components(3, table.isel(specimen=[5]))
    np.testing.assert_allclose(mapped["score"].values[0], found["score"].values[5], atol=1e-4)


def test_the_same_seed_gives_the_same_bytes(posterior, table):
    again = MODEL.fit(table, seed=0)
    for ours, theirs in zip(again.weights, posterior.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_training_that_was_stopped_goes_on(posterior, table, tmp_path):
    class Stopped(Exception):
        pass

    def stop(done, n, bound):
        if done == 2:
            raise Stopped

    file = tmp_path / "training.h5"
    with pytest.raises(Stopped):
        MODEL.fit(table, seed=0, checkpoint=file, progress=stop)
    done = []
    on = MODEL.fit(table, seed=0, checkpoint=file, progress=lambda *seen: done.append(seen))
    assert [seen[:2] for seen in done] == [(3, 3)]
    np.testing.assert_array_equal(on.history, posterior.history)
    for ours, theirs in zip(on.weights, posterior.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    with pytest.raises(tl.Conflict, match="other settings or volumes"):
        MODEL.fit(table, seed=1, checkpoint=file)
    file.write_bytes(b"torn")
    with pytest.raises(tl.SchemaError, match="cannot be read as a checkpoint"):
        MODEL.fit(table, seed=0, checkpoint=file)


def test_training_ends_when_nothing_is_gained():
    history = [np.array([0.0, bound]) for bound in (5.0, 3.0, 4.0, 3.5)]
    assert not is_over([], 2)
    assert not is_over(history[:3], 2)
    assert is_over(history, 2)
    assert not is_over([*history, np.array([0.0, 2.9])], 2)


def test_a_training_that_diverges_is_refused(table):
    with pytest.raises(tl.NotConverged, match="diverged"):
        replace(MODEL, rate=1e30).fit(table.isel(specimen=slice(20)))


def test_what_is_saved_answers_the_same(posterior, table, tmp_path):
    loaded = tl.load_posterior(posterior.save(tmp_path / "posterior.nc"))
    rows = table.isel(specimen=slice(4))
    xr.testing.assert_identical(loaded.predict(rows), posterior.predict(rows))
    np.testing.assert_array_equal(loaded.reconstruct(rows), posterior.reconstruct(rows))
    assert loaded.model == posterior.model


def test_it_shows_itself_in_one_line_and_says_how_far_to_trust_it(posterior):
    assert "\n" not in repr(posterior)
    found = posterior.diagnose()
    assert found.attrs["verdict"] in ("green", "amber", "red")
    assert found.attrs["sentence"].endswith(".")
    assert found.attrs["action"].endswith(".")
    assert (found["carried"] > -0.05).all()


def test_the_verdict_names_what_is_wrong(posterior):
    bare = replace(posterior, model=replace(MODEL, properties=()))
    falling = np.column_stack([np.linspace(3000, 2000, 10)] * 5)
    gap = np.column_stack([np.full(10, 2000.0), np.full(10, 2500.0), *np.zeros((3, 10))])
    for history, said in ((falling, "still gaining"), (gap, "given back worse")):
        found = replace(bare, history=history).diagnose()
        assert found.attrs["verdict"] == "amber"
        assert said in found.attrs["sentence"]
    idle = replace(
        bare,
        table=bare.table.assign(
            latent_mean=bare.table["latent_mean"] * 0, latent_sd=bare.table["latent_sd"] * 0 + 1
        ),
    )
    assert idle.diagnose().attrs["verdict"] == "red"


def test_a_record_is_read_like_a_table(table):
    node = xr.Dataset({"volume": table["volume"].rename(specimen="measurement").drop_vars("measurement")})
    node = node.assign_coords(specimen=("measurement", table["specimen"].values))
    specimens = table.drop_vars(["volume", "x", "y", "z"])
    record = xr.DataTree.from_dict({"/specimens": specimens, "/volumes": node})
    ours = read_volumes(record, "volume", None, 16, ("log_n_points",))
    theirs = read_volumes(table, "volume", None, 16, ("log_n_points",))
    np.testing.assert_array_equal(ours.solid, theirs.solid)
    np.testing.assert_array_equal(ours.known["log_n_points"], theirs.known["log_n_points"])


def test_blocks_keep_the_porosity(table):
    read = read_volumes(table, "volume", None, 16)
    assert read.block == 8
    np.testing.assert_allclose(read.porosity, table["porosity_told"])


def test_the_published_network_learns_too(table):
    published = tl.VolumeAutoencoder.as_published()
    assert (published.layout, published.texture, published.hidden) == (256, 0, 2048)
    small = replace(published, layout=4, hidden=8, n_epochs=2, batch_size=16, rate=1e-3, size=16)
    posterior = small.fit(table)
    assert posterior.history[-1, 0] < posterior.history[0, 0]
    assert posterior.embed(table)["kind"].values.tolist() == ["layout"] * 4


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (lambda t: t.drop_vars("volume"), "volume"),
        (lambda t: t.isel(x=slice(24)), "reads cubes"),
        (
            lambda t: t.assign(
                volume=t["volume"].copy(data=t["volume"].values + (np.arange(32) > 9) * t["volume"].values)
            ),
            "two values",
        ),
        (lambda t: t.rename(x="width"), "axes x, y and z"),
        (lambda t: t["volume"], "record, a table, or volumes"),
        (lambda t: t.isel(specimen=slice(5)), "20 volumes or more"),
        (lambda t: t.assign(log_n_points=t["log_n_points"].astype(str)), "columns of numbers"),
    ],
)
def test_refuses_what_it_cannot_read(table, broken, said):
    with pytest.raises(tl.TielineError, match=said):
        MODEL.fit(broken(table))


def test_refuses_an_edge_that_is_no_power_of_two(table):
    for size in (24, 8, 64):
        with pytest.raises(tl.SchemaError, match="power of two"):
            replace(MODEL, size=size).fit(table)


def test_refuses_settings_that_make_no_network():
    for wrong in ({"layout": 0}, {"texture": -1}, {"rate": 0.0}, {"held_out": 1.0}):
        with pytest.raises(tl.SchemaError, match="positive numbers"):
            replace(MODEL, **wrong)
    with pytest.raises(tl.SchemaError, match="Did you mean 'patches'"):
        replace(MODEL, architecture="patch")
    with pytest.raises(tl.SchemaError, match="does not know 'rotate'"):
        replace(MODEL, views=("rotate",))


def test_says_how_much_memory_it_needs(table):
    with pytest.raises(tl.TielineError, match="GB of memory"):
        replace(MODEL, hidden=10**9).fit(table)


def test_refuses_volumes_of_another_size(posterior):
    with pytest.raises(tl.SchemaError, match="power of two"):
        posterior.embed(tl.worlds.membrane(10, size=24))
    with pytest.raises(tl.SchemaError, match="10 latent variables"):
        posterior.decode(np.zeros((2, 3)))


def test_the_numbers_of_pairs_are_those_that_are_counted():
    shares = np.random.default_rng(0).random((2, 16, 16, 16)).astype(np.float32)
    numbers = pair_numbers(shares)
    step = numbers[:, 2:9]  # seven steps along the first direction, z
    for lag in range(1, 8):
        counted = (shares * np.roll(shares, -lag, 3)).mean((1, 2, 3)) - shares.mean((1, 2, 3)) ** 2
        np.testing.assert_allclose(step[:, lag - 1], counted, atol=1e-5)


def test_views_are_volumes_of_the_same_texture():
    shares = np.random.default_rng(0).random((3, 16, 16, 16)).astype(np.float32)
    shifted = view(shares, ("shift",), np.random.default_rng(1))
    assert not np.array_equal(shifted, shares)
    np.testing.assert_allclose(pair_numbers(shifted), pair_numbers(shares), atol=1e-5)
    turned = view(shares, ("turn", "mirror"), np.random.default_rng(2))
    np.testing.assert_allclose(np.sort(turned.ravel()), np.sort(shares.ravel()))


def test_texture_says_the_porosity():
    shares = np.random.default_rng(0).random((30, 16, 16, 16)).astype(np.float32)
    shares *= np.random.default_rng(1).random((30, 1, 1, 1)).astype(np.float32)
    texture = Texture.of(pair_numbers(shares), 6)
    told = texture.mean[0] + texture.coordinates(shares) @ texture.to_solid
    assert np.corrcoef(told, shares.mean((1, 2, 3)))[0, 1] > 0.99


def test_waves_are_orthogonal_and_have_the_amplitudes_that_are_said():
    rng = np.random.default_rng(0)
    shares = rng.random((400, 16, 16, 16)).astype(np.float32)
    waves = Waves.of(shares, 9)
    columns = waves.columns(16)
    np.testing.assert_allclose(columns.T @ columns / 16**3, np.eye(9), atol=1e-9)
    amplitude = shares.reshape(400, -1) @ columns / 16**3
    np.testing.assert_allclose(amplitude.std(0), waves.scale, rtol=0.15)
