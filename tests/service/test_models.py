"""Models that were learned elsewhere, kept with a campaign and asked by their names."""

import numpy as np
import pytest
import xarray as xr
from robots import SETTINGS
from server import visiting
from typer.testing import CliRunner

import tieline as tl
from tieline.campaign.campaign import Campaign
from tieline.campaign.kept_models import keep_model, kept_model, leave_out_model, names_of_models
from tieline.cli.commands import app
from tieline.service.app import create_app


def furnace(n=24):
    rng = np.random.default_rng(0)
    t, steel = rng.uniform(600, 900, n), np.arange(n) % 2 == 0
    hardness = 6 - ((t - 760) / 100) ** 2 + steel + 0.05 * rng.standard_normal(n)
    return xr.Dataset(
        {
            "anneal": ("specimen", t, {"role": "process", "units": "degC"}),
            "base": ("specimen", np.where(steel, "steel", "glass"), {"role": "process"}),
            "modulus": ("specimen", 10 * hardness, {"role": "property", "units": "GPa"}),
        },
        {"specimen": np.arange(n)},
    )


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A file of what extra trees learned, and the posterior."""
    posterior = tl.Learner(["anneal", "base"], properties="modulus", way="extra_trees").fit(furnace())
    return posterior.save(tmp_path_factory.mktemp("saved") / "trees.nc"), posterior


@pytest.fixture
def lab(tmp_path):
    with Campaign.create(tmp_path / "robots", SETTINGS) as campaign:
        yield campaign


def test_a_model_is_asked_over_http_by_its_name(lab, saved):
    file, posterior = saved
    keep_model(lab, file, by="Kim")
    wanted = posterior.predict(furnace()[["anneal", "base"]].isel(specimen=[0, 1]))
    places = [
        {"anneal": {"value": t + 273.15, "unit": "K"}, "base": base}
        for t, base in zip(*(furnace()[name].values[:2] for name in ("anneal", "base")), strict=True)
    ]
    with visiting(create_app(lab.path)) as visitor:
        (listed,) = visitor.get("/v1/models").json()["models"]
        said = visitor.post("/v1/predict", json={"model": "trees", "places": places}).json()
        everywhere = visitor.post("/v1/predict", json={"model": "trees"}).json()
        missing = visitor.post("/v1/predict", json={"model": "tree"})
        stranger = visitor.post(
            "/v1/predict", json={"model": "trees", "places": [{"anneal": 700, "bass": "steel"}]}
        )
    assert (listed["model"], listed["kind"], listed["predicts"]) == ("trees", "Learner", ["modulus"])
    assert listed["units"] == {"anneal": "degC", "modulus": "GPa"}
    assert "modulus" in listed["card"]
    assert [row["modulus"] for row in said["rows"]] == pytest.approx(wanted["modulus"].values)
    assert said["units"]["modulus"] == "GPa"
    assert len(everywhere["rows"]) > 10
    assert missing.status_code == 404
    assert "Did you mean 'trees'?" in missing.json()["what"]
    assert stranger.status_code == 422
    assert "bass" in stranger.json()["what"]


def test_what_is_kept_is_verified_and_can_be_let_go(lab, saved):
    file, _ = saved
    keep_model(lab, file, name="first")
    keep_model(lab, file, name="second")
    assert names_of_models(lab) == ["first", "second"]
    assert lab.verify() == []
    leave_out_model(lab, "first")
    assert names_of_models(lab) == ["second"]
    with pytest.raises(tl.NotFound, match="no model 'first'"):
        kept_model(lab, "first")
    keep_model(lab, file, name="third")
    kept = lab.path / "artifacts" / f"{kept_model(lab, 'second').digest}.nc"
    kept.write_bytes(kept.read_bytes()[:-1])
    assert any("was changed" in sentence for sentence in lab.verify())
    kept.unlink()
    with visiting(create_app(lab.path)) as visitor:
        answer = visitor.get("/v1/models").json()
    assert answer["models"] == []
    assert [note.split(":")[0] for note in answer["notes"]] == ["second", "third"]
    leave_out_model(lab, "second")
    assert names_of_models(lab) == ["third"]


def test_what_cannot_be_asked_is_not_kept(lab, saved, tmp_path):
    plain = tmp_path / "plain.nc"
    furnace().drop_vars("base").to_netcdf(plain, engine="h5netcdf")
    with pytest.raises(tl.SchemaError, match="posterior"):
        keep_model(lab, plain)
    with pytest.raises(tl.SchemaError, match="plain name"):
        keep_model(lab, saved[0], name="../trees")
    assert names_of_models(lab) == []


def test_spectra_are_not_told_in_a_line(lab, tmp_path):
    rng = np.random.default_rng(0)
    seen = furnace().assign(curve=(("specimen", "energy"), rng.standard_normal((24, 4)), {"role": "process"}))
    file = tl.Learner(["curve"], properties="modulus", way="ridge").fit(seen).save(tmp_path / "curves.nc")
    kept = keep_model(lab, file)
    with pytest.raises(tl.SchemaError, match="predicts from spectra"):
        kept.places([{"curve": 3.0}])
    np.testing.assert_array_equal(kept.predict(seen[["curve"]])["modulus"].shape, (24,))


def test_the_command_keeps_lists_predicts_and_lets_go(lab, saved, tmp_path):
    file, posterior = saved
    folder, out = str(lab.path), tmp_path / "predicted.nc"
    places = tmp_path / "places.csv"
    places.write_text("anneal (degC),base\n700,steel\n")

    def run(*words):
        found = CliRunner().invoke(app, [str(word) for word in words])
        assert found.exit_code == 0, found.output
        return found.output

    assert "predicts modulus from anneal, base" in run("model", folder, file, "--name", "forest")
    assert "forest" in run("model", folder)
    run("predict", folder, places, "--model", "forest", "--out", out)
    with xr.open_dataset(out, engine="h5netcdf") as found:
        wanted = posterior.predict(furnace().isel(specimen=[0]).assign(anneal=("specimen", [700.0])))
        assert found["modulus"].item() == pytest.approx(wanted["modulus"].item())
    run("model", folder, "--remove", "forest")
    assert "No model is kept" in run("model", folder)
