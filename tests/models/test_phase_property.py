import numpy as np
import pandas as pd
import pytest
import xarray as xr

import tieline as tl
from tieline.errors import NotIdentified, SchemaError, UnitError
from tieline.models.fusion_answer import FusionAnswer
from tieline.models.line_answer import LineAnswer

N = 14
X = np.linspace(0, 1, N)
RNG = np.random.default_rng(0)
PHASE = np.where(X > 0.5, "fcc", "bcc")
HARDNESS = np.where(X > 0.5, 3.0, 1.0) + 0.5 * X + 0.03 * RNG.standard_normal(N)
AXES = {1: ["x"], 2: ["x", "y"]}
ENGINES = pytest.mark.parametrize("dimensions", [1, 2], ids=["exact", "fast"])


def column(values, role="property", units="GPa"):
    return ("specimen", values, {"role": role} if role == "structure" else {"role": role, "units": units})


def table(dimensions=1, **changes):
    """Specimens along x (and scattered along y) that turn from bcc to fcc, with a hardness that jumps."""
    variables = {
        "x": column(X, "process", "1"),
        "phase": column(PHASE, "structure"),
        "hardness": column(HARDNESS),
    }
    if dimensions == 2:
        variables["y"] = column(np.random.default_rng(1).random(N), "process", "1")
    return xr.Dataset(variables | changes, {"specimen": [f"s{i}" for i in range(N)]})


def fit(data, dimensions=1, **settings):
    settings = {"phase": "phase", "properties": ["hardness"]} | settings
    return tl.PhaseProperty(design=AXES[dimensions], **settings).fit(data)


def all_finite(posterior, places):
    prediction, draws = posterior.predict(places), posterior.functions(places, 5)
    numbers = [v for v in prediction.data_vars.values() if v.dtype.kind == "f"]
    return all(np.isfinite(v).all() for v in numbers) and bool(np.isfinite(draws).all())


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"design": []}, "at least one design variable"),
        ({"design": "x"}, "a phase column, a property, or both"),
        ({"design": "x", "phase": "phase", "inference": "exactly"}, "inference must be one of"),
        ({"design": "x", "phase": "phase", "n_phases": 0}, "n_phases must be a whole number"),
        ({"design": "x", "phase": "phase", "n_phases": 2.5}, "n_phases must be a whole number"),
        ({"design": "x", "phase": "phase", "n_regions": -1}, "n_regions must be a whole number"),
        ({"design": "x", "properties": ["a", "a"]}, "every variable for one purpose"),
        ({"design": ["x", "a"], "properties": "a"}, "every variable for one purpose"),
        ({"design": ["x", "phase"], "phase": "phase"}, "every variable for one purpose"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, match):
    with pytest.raises(SchemaError, match=match):
        tl.PhaseProperty(**settings)


def test_one_name_may_stand_without_a_list():
    assert tl.PhaseProperty("x", properties="hardness").properties == ("hardness",)


def test_a_line_is_solved_exactly_and_a_plane_fast():
    assert isinstance(fit(table()).answer, LineAnswer)
    assert isinstance(fit(table(2), 2).answer, FusionAnswer)


def test_a_long_line_is_solved_fast_and_said_so():
    x = np.linspace(0, 1, 601)
    data = xr.Dataset(
        {"x": column(x, "process", "1"), "phase": column(np.where(x > 0.5, "fcc", "bcc"), "structure")}
    )
    posterior = fit(data, properties=[])
    assert isinstance(posterior.answer, FusionAnswer)
    assert posterior.notes == ("More than 600 specimens on a line: the fast engine was used.",)


def test_exact_inference_needs_a_line():
    with pytest.raises(SchemaError, match="needs a line") as caught:
        fit(table(2), 2, inference="exact")
    assert caught.value.found == "2 dimensions"


def test_a_number_of_regions_off_a_line_is_not_ignored_silently():
    assert any("n_regions was not used" in note for note in fit(table(2), 2, n_regions=2).notes)
    assert fit(table(), n_regions=2).notes == ()


def test_the_number_of_regions_can_be_fixed():
    count = fit(table(), n_regions=3).boundaries()["region_count_probability"].values
    np.testing.assert_allclose(count, [0, 0, 1], atol=1e-9)


def test_a_boundary_is_found_in_its_gap_and_in_the_units_of_the_design():
    data = table(x=column(300 + 700 * X, "process", "K"))
    found = fit(data).boundaries()
    low, high = (300 + 700 * X[p == PHASE] for p in ("bcc", "fcc"))
    assert low.max() <= float(found.location[0]) <= high.min()
    assert float(found.location_sd[0]) == pytest.approx((high.min() - low.max()) / np.sqrt(12), rel=0.1)
    assert found.location.attrs["units"] == "K"
    assert found.density.attrs["units"] == "1/(K)"
    assert np.trapezoid(found.density, found.position) == pytest.approx(1, abs=0.05)


def test_off_a_line_boundaries_are_no_points():
    with pytest.raises(SchemaError, match="Boundaries are points only on a line"):
        fit(table(2), 2).boundaries()


def test_the_boundary_of_a_binary_alloy_is_a_mole_fraction():
    fractions = np.column_stack([1 - X, X])
    attrs = {"role": "synthesis", "units": "1"}
    data = table(composition=(("specimen", "element"), fractions, attrs)).assign_coords(element=["Fe", "Ga"])
    posterior = tl.PhaseProperty("composition", "phase", "hardness").fit(data)
    assert float(posterior.boundaries().location[0]) == pytest.approx(0.5, abs=0.04)


@pytest.mark.parametrize("order", [["Fe", "Ga", "Pd"], ["Pd", "Fe", "Ga"]])
def test_elements_may_stand_in_any_order_when_asked(order):
    amounts = np.random.default_rng(2).dirichlet(np.ones(3), N)
    attrs = {"role": "synthesis", "units": "1"}
    data = table(composition=(("specimen", "element"), amounts, attrs))
    data = data.assign_coords(element=["Fe", "Ga", "Pd"])
    posterior = tl.PhaseProperty("composition", properties="hardness", n_phases=1).fit(data)
    asked = data[["composition"]].sel(element=order)
    xr.testing.assert_allclose(posterior.predict(asked), posterior.predict(data))


def test_a_place_in_another_unit_is_converted():
    data = table(x=column(300 + 700 * X, "process", "K"))
    posterior = fit(data)
    celsius = table(x=column(300 + 700 * X - 273.15, "process", "degC"))
    xr.testing.assert_allclose(posterior.predict(celsius), posterior.predict(data))
    with pytest.raises(UnitError):
        posterior.predict(table(x=column(X, "process", "h")))


def test_a_later_change_of_the_table_does_not_reach_the_posterior():
    data = table().copy(deep=True)
    posterior = fit(data)
    before = posterior.predict(data)
    data["hardness"].attrs["units"] = "K"
    data["hardness"][:] = 0.0
    xr.testing.assert_identical(posterior.predict(table()), before)


def test_an_empty_grid_has_an_empty_answer():
    for inference in ("exact", "fast"):
        model = tl.PhaseProperty(["x"], "phase", "hardness", inference=inference)
        assert model.fit(table()).predict(table().isel(specimen=slice(0))).sizes["specimen"] == 0


def test_numeric_labels_keep_all_their_digits():
    numbers = np.where(PHASE == "bcc", 1011097, 1011098)
    posterior = fit(table(phase=("specimen", numbers, {"role": "structure"})))
    assert posterior.phases == ("1011097", "1011098")


def test_a_line_without_a_jump_has_no_boundary():
    smooth = table(hardness=column(X**2, "property", "GPa"))
    found = tl.PhaseProperty(["x"], properties="hardness").fit(smooth).boundaries()
    assert found.region_count_probability.values.argmax() == 0
    assert found.sizes["boundary"] == 0


def test_more_regions_than_the_line_can_have_are_refused():
    with pytest.raises(NotIdentified, match="A line with 3 regions"):
        tl.PhaseProperty(["x"], "phase", "hardness", n_regions=3).fit(
            table(phase=("specimen", np.full(N, "bcc"), {"role": "structure"}))
        )


def test_more_phases_than_specimens_are_refused_without_labels():
    with pytest.raises(NotIdentified, match="40 phases cannot be told apart"):
        tl.PhaseProperty(["x", "y"], properties="hardness", n_phases=40).fit(table(2))


def test_two_spellings_of_one_unit_agree():
    posterior = fit(table(x=column(X, "process", "")))
    assert all_finite(posterior, table(x=column(X, "process", "1")))


@pytest.mark.parametrize(
    ("places", "what"),
    [
        (pd.DataFrame({"x": X}), "DataFrame"),
        (table().rename(specimen="row"), "row"),
        (table().drop_vars("x"), "phase, hardness"),
    ],
)
def test_places_that_are_none_are_refused(places, what):
    with pytest.raises(SchemaError) as caught:
        fit(table()).predict(places)
    assert what in caught.value.found


def test_a_sheet_is_refused_with_the_way_to_a_table():
    with pytest.raises(SchemaError, match=r"A table is an xarray\.Dataset") as caught:
        fit(pd.DataFrame({"x": X}))
    assert "tieline.table" in caught.value.hint


@ENGINES
@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"phase": column(["bcc"] * N, "structure")}, "phase: one phase only (bcc)"),
        ({"phase": column([""] * N, "structure")}, "phase: no specimen is labelled"),
        ({"hardness": column(np.full(N, 2.0))}, "hardness: always 2"),
        ({"hardness": column(np.zeros(N))}, "hardness: always 0"),
        ({"x": column(np.full(N, 0.3), "process")}, "x: always 0.3"),
        (
            {"x": column(np.full(N, 0.3), "process"), "y": column(np.full(N, 1.0), "process")},
            "x: always 0.3",
        ),
        ({"hardness": column(np.where(np.arange(N) == 3, 1.0, np.nan))}, ""),
        (
            {"phase": column(np.where(np.arange(N) == 3, "bcc", ""), "structure")},
            "phase: one phase only (bcc)",
        ),
    ],
    ids=["one phase", "no label", "constant", "zero", "one x", "one place", "one value", "one label"],
)
def test_poor_data_are_answered_with_a_note_and_never_with_nan(dimensions, changes, note):
    data = table(dimensions, **changes)
    posterior = fit(data, dimensions)
    assert all_finite(posterior, data)
    assert note == "" or note in posterior.predict(data).attrs["notes"]
    assert posterior.diagnose().attrs["verdict"] in {"green", "amber", "red"}


@ENGINES
def test_three_specimens_are_enough_to_answer_and_too_few_to_trust(dimensions):
    data = table(dimensions).isel(specimen=[0, 6, 13])
    posterior = fit(data, dimensions)
    assert all_finite(posterior, data)
    assert posterior.diagnose().attrs["verdict"] != "green"


@ENGINES
def test_two_specimens_are_not_enough(dimensions):
    with pytest.raises(NotIdentified, match="at least 3 specimens"):
        fit(table(dimensions).isel(specimen=[0, 1]), dimensions)


@ENGINES
def test_a_place_with_conflicting_labels_is_unsure(dimensions):
    twice = table(dimensions).isel(specimen=[*range(N), *[2] * 4])
    labels = [*PHASE, "bcc", "fcc", "fcc", "fcc"]
    data = twice.assign(phase=column(labels, "structure")).assign_coords(specimen=np.arange(N + 4))
    posterior = fit(data, dimensions)
    assert all_finite(posterior, data)
    fit(table(dimensions), dimensions)
    entropy = [
        float(p.predict(data).phase_entropy[2]) for p in (posterior, fit(table(dimensions), dimensions))
    ]
    assert entropy[0] > entropy[1]


@ENGINES
def test_repeats_at_one_place_tell_its_value_better_than_one_measurement(dimensions):
    twice = table(dimensions).isel(specimen=[*range(N), *[4] * 6])
    values = np.r_[HARDNESS, HARDNESS[4] + 0.03 * np.random.default_rng(3).standard_normal(6)]
    data = twice.assign(hardness=column(values))
    data["specimen"].attrs["repeats"] = "allowed"
    parts = fit(data, dimensions).predict(table(dimensions))["hardness_variance"].isel(specimen=4)
    assert float(parts.sel(part="within_region")) < 0.3 * float(parts.sel(part="noise"))


@ENGINES
def test_more_phases_than_labels_stay_possible(dimensions):
    data = table(dimensions)
    posterior = fit(data, dimensions, n_phases=4)
    assert posterior.phases == ("bcc", "fcc", "1", "2")
    assert all_finite(posterior, data)


def test_a_property_that_was_not_measured_everywhere_is_answered_everywhere():
    data = table(hardness=column(np.where(X < 0.3, np.nan, HARDNESS)))
    assert all_finite(fit(data), data)


def test_far_away_is_answered_with_a_note():
    notes = fit(table()).predict(table(x=column(X + 0.5, "process", "1"))).attrs["notes"]
    assert f"{(X > 0.75).sum()} of 14 places lie more than a quarter outside the measured range." in notes


def test_a_gross_error_on_a_line_is_noted():
    spoiled = HARDNESS.copy()
    spoiled[3] = 9.0
    assert fit(table(hardness=column(spoiled))).notes == (
        "hardness: 1 of its values set aside as gross error.",
    )


def test_known_standard_errors_are_believed():
    wild = HARDNESS + np.where(np.arange(N) == 5, 1.0, 0.0)
    errors = np.where(np.arange(N) == 5, 2.0, 0.0)
    told = fit(table(hardness=column(wild), hardness_sd=column(errors)), inference="fast").predict(table())
    assert abs(float(told["hardness"][5]) - HARDNESS[5]) < 0.2


def test_a_specimen_without_an_identity_is_numbered():
    prediction = fit(table().drop_vars("specimen")).predict(table().drop_vars("specimen"))
    assert prediction["specimen"].values.tolist() == list(range(N))


def test_a_simulated_phase_has_as_many_names_as_were_asked_for():
    model = tl.PhaseProperty(["x", "y"], "phase", "hardness", n_phases=2)
    design = table(2)[["x", "y"]]
    seen = {str(v) for seed in range(12) for v in model.simulate(design, seed=seed)["phase"].values}
    assert seen == {"1", "2"}
