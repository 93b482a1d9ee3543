from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

import tieline as tl
from tieline.models.spectral_composition import METHODS
from tieline.schema import check

SPOTS = 4


@pytest.fixture(scope="module")
def world():
    return tl.worlds.tofsims(7, n_mixtures=6, n_peaks=120, spots_per_mixture=SPOTS)


@pytest.fixture(scope="module", params=METHODS)
def model(request):
    return tl.SpectralComposition(method=request.param, group="pellet")


@pytest.fixture(scope="module")
def posterior(model, world):
    return model.fit(world.references, seed=0)


@pytest.fixture(scope="module")
def prediction(posterior, world):
    return posterior.predict(world.unknowns)


@pytest.fixture(scope="module")
def plain(world):
    return tl.SpectralComposition().fit(world.references)


def test_it_says_what_it_reads(model):
    assert set(model.reads) <= set(type(model).__dataclass_fields__)


def test_each_thing_that_it_reads_is_missed_by_name(model, world):
    for name in ("area", "reference", "pellet"):
        with pytest.raises(tl.SchemaError, match=f"reads '{name}', which this table lacks"):
            model.fit(world.references.drop_vars(name))


def test_the_same_seed_gives_the_same_bytes(model, world, posterior, prediction):
    again = model.fit(world.references, seed=0)
    xr.testing.assert_identical(again.predict(world.unknowns), prediction)
    xr.testing.assert_identical(again.diagnose(), posterior.diagnose())


def test_its_input_is_left_alone(model, world):
    before, asked = world.references.copy(deep=True), world.unknowns.copy(deep=True)
    model.fit(world.references).predict(world.unknowns)
    xr.testing.assert_identical(world.references, before)
    xr.testing.assert_identical(world.unknowns, asked)


def test_a_row_without_a_label_or_without_counts_changes_nothing(model, world, prediction):
    extra = world.references.isel(specimen=[0, 1]).assign_coords(specimen=["unlabelled", "unmeasured"])
    extra["reference"] = ("specimen", np.array(["", "Li2O"]), extra["reference"].attrs)
    extra["area"] = extra["area"].copy(data=np.where([[False], [True]], np.nan, extra["area"].values))
    longer = xr.concat([world.references, extra], "specimen")
    xr.testing.assert_identical(model.fit(longer).predict(world.unknowns), prediction)


def test_every_method_answers_in_one_form(prediction, world):
    dims = ("specimen", "compound")
    for name in ("share", "share_low", "share_high", "class_probability"):
        assert prediction[name].dims == dims
        assert prediction[name].attrs["units"] == "1"
    assert prediction["specimen"].equals(world.unknowns["specimen"])
    np.testing.assert_allclose(prediction["share"].sum("compound"), 1)
    np.testing.assert_allclose(prediction["class_probability"].sum("compound"), 1)
    assert (prediction["share_low"] <= prediction["share"] + 1e-9).all()
    assert (prediction["share"] <= prediction["share_high"] + 1e-9).all()
    assert float(prediction["share_low"].min()) >= 0
    assert float(prediction["share_high"].max()) <= 1
    assert not prediction["is_none_of_references"].any()


def test_compounds_of_a_mixture_are_found(prediction, world):
    if prediction.attrs["method"] == "nmf":
        pytest.skip("the study, too, found blind factors of little use for compositions")
    order = np.argsort(-prediction["share"].values, axis=1)[:, :2]
    wanted = np.argsort(-world.truth["share"].values, axis=1)[:, :2]
    right = [set(a) == set(b) for a, b in zip(order.tolist(), wanted.tolist(), strict=True)]
    # The probabilities of a classifier may leave out the lesser compound, as in the study.
    assert np.mean(right) >= (0.7 if prediction.attrs["method"] == "probabilities" else 0.95)


def test_what_is_saved_predicts_the_same(posterior, prediction, world, tmp_path):
    loaded = tl.load_posterior(posterior.save(tmp_path / "posterior.nc"))
    xr.testing.assert_identical(loaded.predict(world.unknowns), prediction)
    xr.testing.assert_identical(loaded.diagnose(), posterior.diagnose())
    assert loaded.model == posterior.model


def test_a_spectrum_is_answered_alike_whatever_else_is_asked(plain, world):
    alone, among = plain.predict(world.unknowns.isel(specimen=[5])), plain.predict(world.unknowns)
    for name in ("share", "share_low", "share_high", "misfit"):
        np.testing.assert_allclose(alone[name], among[name].isel(specimen=[5]), rtol=1e-9)


def test_spots_of_one_specimen_are_averaged(plain, world):
    pooled = plain.predict(world.unknowns, by="pellet")
    assert pooled["specimen"].values.tolist() == [f"mixture {i + 1}" for i in range(6)]
    truth = world.truth["share"].values[::SPOTS]
    single = plain.predict(world.unknowns)
    assert (
        abs(pooled["share"].values - truth).mean()
        < abs(single["share"].values - world.truth["share"].values).mean()
    )
    width = (pooled["share_high"] - pooled["share_low"]).mean()
    assert width < (single["share_high"] - single["share_low"]).mean()


def test_the_diagnosis_is_a_verdict_a_sentence_and_an_action(posterior, world):
    found = posterior.diagnose()
    assert found.attrs["verdict"] == "green"
    assert found.attrs["sentence"].endswith(".")
    assert found.attrs["action"].endswith(".")
    assert float(found["loo_own_share"].min()) > 0.8
    np.testing.assert_array_equal(found["specimen"], world.references["specimen"])
    assert found["loo_misfit"].mean() == pytest.approx(1, abs=0.2)


def test_mistaken_labels_turn_the_diagnosis_red(world):
    label = world.references["reference"].values.copy()
    label[:5], label[12:17] = "LiH", "Li3N"
    table = world.references.assign(reference=("specimen", label, {"role": "structure"}))
    found = tl.SpectralComposition().fit(table).diagnose()
    assert found.attrs["verdict"] in ("amber", "red")


def test_few_spectra_are_told(world):
    few = world.references.isel(specimen=np.r_[0:12, 12:24, 24:26])
    found = tl.SpectralComposition().fit(few).diagnose()
    assert found.attrs["verdict"] == "amber"
    assert "Li3N has only 2 reference spectra" in found.attrs["worries"]


def test_a_compound_that_is_no_reference_is_noticed():
    world = tl.worlds.tofsims(1, strangers=0.5, n_mixtures=40)
    found = tl.SpectralComposition().fit(world.references).predict(world.unknowns)
    told, true = found["is_none_of_references"].values, world.truth["has_stranger"].values
    assert (told == true).mean() >= 0.95
    assert not told[~true].any()
    assert any("none of the references" in note for note in found.attrs["notes"])


def test_a_film_is_noticed_and_hardly_moves_the_shares():
    world = tl.worlds.tofsims(2, contamination=1.0)
    found = tl.SpectralComposition().fit(world.references).predict(world.unknowns)
    assert found["is_none_of_references"].all()
    assert (found["unexplained"] > 0.1).all()
    assert (found["n_truncated"] > 0).all()
    assert abs(found["share"] - world.truth["share"]).mean() < 0.015


def test_a_further_spectrum_is_learned_from_several_spots():
    world = tl.worlds.tofsims(3, contamination=1.0, spots_per_mixture=6, n_mixtures=3)
    model = tl.SpectralComposition(method="semi_blind", group="pellet")
    found = model.fit(world.references).predict(world.unknowns)
    assert abs(found["share"] - world.truth["share"]).mean() < 0.015
    assert (found["unexplained"] > 0.2).all()
    assert any("a further spectrum, strongest at" in note for note in found.attrs["notes"])


def test_known_mixtures_tell_sensitivity_factors():
    world = tl.worlds.tofsims(5, n_mixtures=40)
    factor = np.array([1.0, 0.4, 2.0, 1.0, 3.0])
    bent = world.unknowns.copy(deep=True)
    level, share = world.ions["level"].values, world.truth["share"].values
    rng = np.random.default_rng(0)
    bent["area"] = bent["area"].copy(data=rng.poisson((share * factor) @ level).astype(float))
    known = world.truth["share"].isel(specimen=slice(0, 20))
    table = xr.concat(
        [
            world.references,
            bent.isel(specimen=slice(0, 20)).assign(reference=("specimen", [""] * 20), known=known),
        ],
        "specimen",
        data_vars="all",
    )
    rest, truth = bent.isel(specimen=slice(20, None)), share[20:]
    naive = tl.SpectralComposition().fit(world.references).predict(rest)
    learned = tl.SpectralComposition(known_share="known").fit(table)
    told = learned.predict(rest)
    given = tl.SpectralComposition(sensitivity=dict(zip(told["compound"].values, factor, strict=True)))
    assert abs(naive["share"].values - truth).mean() > 0.05
    assert abs(told["share"].values - truth).mean() < 0.012
    assert abs(given.fit(world.references).predict(rest)["share"].values - truth).mean() < 0.012
    ratio = learned.sensitivity.factor / factor
    np.testing.assert_allclose(ratio / ratio[0], 1, atol=0.2)


def test_a_matrix_effect_that_is_known_widens_the_intervals_enough():
    world = tl.worlds.tofsims(9, matrix_effect=0.5, n_mixtures=60)
    truth = world.truth["share"]
    is_there = truth > 0
    held = {}
    for matrix_effect in (0.0, 0.5):
        found = (
            tl.SpectralComposition(matrix_effect=matrix_effect).fit(world.references).predict(world.unknowns)
        )
        inside = (found["share_low"] <= truth) & (truth <= found["share_high"])
        held[matrix_effect] = float(inside.where(is_there).mean())
    assert held[0.0] < 0.4
    assert 0.84 <= held[0.5] <= 0.97


def test_pseudo_mixtures_are_judged_on_spots_that_were_held_out():
    posterior = tl.SpectralComposition(method="pseudo_mixtures").fit(tl.worlds.tofsims(0).references)
    assert posterior.regression.r2 >= 0.98
    assert posterior.regression.r2_leaking >= 0.99


def test_it_draws_worlds_that_it_can_learn():
    rng = np.random.default_rng(0)
    pure, mixed = np.repeat(np.eye(3), 8, axis=0), rng.dirichlet(np.ones(3), 10)
    design = xr.Dataset(
        {"share": (("specimen", "compound"), np.vstack([pure, mixed]))},
        {"specimen": np.arange(34), "compound": ["A", "B", "C"], "mz": np.arange(80.0)},
    )
    model = tl.SpectralComposition()
    drawn = model.simulate(design, seed=3)
    xr.testing.assert_identical(model.simulate(design, seed=3), drawn)
    assert not model.simulate(design, seed=4).identical(drawn)
    check(drawn[["area", "reference"]])
    assert (drawn["reference"].values[24:] == "").all()
    found = model.fit(drawn).predict(drawn.isel(specimen=slice(24, None)))
    assert abs(found["share"].values - mixed).mean() < 0.05


def refused(world, values, match, error=tl.SchemaError):
    with pytest.raises(error, match=match):
        tl.SpectralComposition().fit(world.references.assign(area=values))


def test_spectra_that_cannot_be_are_refused_by_name(world, plain):
    area = world.references["area"]
    negative, infinite = area.copy(deep=True), area.copy(deep=True)
    negative[3, 4], infinite[2, 2] = -5, np.inf
    refused(world, negative, r"negative counts.*\n.*-5 at mz .*Li2CO3, spot 4")
    refused(world, infinite, "infinite values")
    refused(world, area.isel(mz=0), "on an axis with coordinates")
    twice = world.references.assign_coords(mz=np.repeat(area["mz"].values[::2], 2))
    with pytest.raises(tl.SchemaError, match="more than once"):
        tl.SpectralComposition().fit(twice)
    with pytest.raises(tl.SchemaError, match="negative counts"):
        plain.predict(world.unknowns.assign(area=-world.unknowns["area"] - 1))


def test_too_little_to_learn_from_is_told(world):
    with pytest.raises(tl.NotIdentified, match="at least two compounds"):
        tl.SpectralComposition().fit(world.references.isel(specimen=slice(0, 12)))
    with pytest.raises(tl.NotIdentified, match="cannot be told from one spectrum"):
        tl.SpectralComposition().fit(world.references.isel(specimen=slice(0, None, 12)))
    with pytest.raises(tl.NotIdentified, match="too few channels"):
        tl.SpectralComposition().fit(world.references.isel(mz=slice(0, 3)))


def test_one_compound_with_one_spectrum_takes_its_scatter_from_the_others(world):
    posterior = tl.SpectralComposition().fit(world.references.isel(specimen=np.r_[0:37]))
    assert any("LiH (1)" in note for note in posterior.notes)
    assert np.isfinite(posterior.predict(world.unknowns)["share"]).all()


def test_one_spectrum_is_enough_to_be_answered_but_not_to_be_factorised(world, plain):
    one = world.unknowns.isel(specimen=[0])
    assert plain.predict(one)["share"].shape == (1, 5)
    blind = tl.SpectralComposition(method="nmf", group="pellet").fit(world.references)
    with pytest.raises(tl.NotIdentified, match="at least 3 spots"):
        blind.predict(one)


def test_an_empty_spectrum_is_not_answered_and_spoils_no_other(world, plain):
    area = world.unknowns["area"].copy(deep=True)
    area[0], area[1] = 0, np.nan
    found = plain.predict(world.unknowns.assign(area=area))
    assert found["share"][:2].isnull().all()
    assert found["share"][2:].notnull().all()
    assert "2 spectra hold no counts and are not answered." in found.attrs["notes"]


def test_dark_references_are_noted_and_text_is_refused(world):
    area = world.references["area"].where(world.references["reference"] != "LiH", 0)
    dark = tl.SpectralComposition().fit(world.references.assign(area=area))
    assert "References without any count were left aside: of LiH." in dark.notes
    assert "LiH" not in dark.compounds
    with pytest.raises(tl.SchemaError, match="text or objects"):
        tl.SpectralComposition().fit(world.references.assign(area=world.references["area"].astype(str)))


def test_a_hole_in_a_spectrum_is_noted(world, plain):
    area = world.unknowns["area"].copy(deep=True)
    area[2, 5:9] = np.nan
    found = plain.predict(world.unknowns.assign(area=area))
    assert "Spectra that lack some of the channels that others have: 1." in found.attrs["notes"]
    assert found["share"].notnull().all()


def test_missing_peaks_are_noted_and_a_shifted_axis_is_refused(world, plain):
    fewer = plain.predict(world.unknowns.isel(mz=slice(0, 90)))
    assert "30 of 120 channels of the references are missing." in fewer.attrs["notes"]
    shifted = world.unknowns.assign_coords(mz=world.unknowns["mz"].values * 1.001 + 0.05)
    with pytest.raises(tl.SchemaError, match="calibrating the axis"):
        plain.predict(shifted)
    with pytest.raises(tl.SchemaError, match="over 'mz', these over 'mass'"):
        plain.predict(world.unknowns.rename(mz="mass"))


def test_counts_in_channels_that_no_reference_has_are_noted(world, plain):
    more = world.unknowns["area"].isel(mz=[0]).assign_coords(mz=[500.0]) + 1e6
    longer = xr.Dataset({"area": xr.concat([world.unknowns["area"], more], "mz")})
    assert any("lie in channels that the references lack" in n for n in plain.predict(longer).attrs["notes"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"method": "mcr"},
        {"level": 1.0},
        {"matrix_effect": -1},
        {"sensitivity": {"LiH": 0}},
        {"sensitivity": {"LiH": 2}, "known_share": "known"},
        {"reference": "area"},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(tl.SchemaError):
        tl.SpectralComposition(**wrong)


def test_a_factor_of_a_compound_without_references_is_refused(world):
    with pytest.raises(tl.SchemaError, match="Did you mean 'LiOH'"):
        tl.SpectralComposition(sensitivity={"LiOHH": 2.0}).fit(world.references)


def test_mixtures_that_do_not_join_their_compounds_are_refused(world):
    known = np.zeros((62, 5))
    known[60, :2], known[61, 2:4] = 0.5, 0.5
    mixed = world.unknowns.isel(specimen=[0, SPOTS]).assign(reference=("specimen", ["", ""]))
    table = xr.concat([world.references, mixed], "specimen").assign(known=(("specimen", "compound"), known))
    with pytest.raises(tl.NotIdentified, match="A with B, B with C"):
        tl.SpectralComposition(known_share="known").fit(
            table.assign_coords(compound=world.truth["compound"].values)
        )


def test_settings_may_be_replaced(plain):
    assert replace(plain.model, level=0.5).level == 0.5


def test_a_notebook_shows_what_it_tells_apart_and_whether_to_trust_it(plain):
    shown = plain._repr_html_()
    assert all(compound in shown for compound in plain.compounds)
    assert plain.diagnose().attrs["sentence"] in shown
