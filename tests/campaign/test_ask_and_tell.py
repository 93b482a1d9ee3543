"""The loop of robots: ask, claim, tell; on SQLite and on PostgreSQL."""

import time
from dataclasses import replace

import numpy as np
import pytest
from robots import SETTINGS, SPACE, run, run_all

from tieline.campaign import proposals
from tieline.campaign.campaign import Campaign
from tieline.campaign.outside import notes_outside
from tieline.campaign.settings import Settings, write_settings
from tieline.errors import Conflict, NotFound, SchemaError, TielineError, UnitError
from tieline.models.gaussian_process import GaussianProcess
from tieline.planning.spaces.inputs import Levels, Numeric
from tieline.planning.spaces.mixture import Composition
from tieline.planning.spaces.space import Space


@pytest.fixture
def campaign(url, tmp_path):
    with Campaign.create(tmp_path / "robots", replace(SETTINGS, store=url)) as made:
        yield made


@pytest.fixture
def local(tmp_path):
    with Campaign.create(tmp_path / "robots", SETTINGS) as made:
        yield made


def states(campaign):
    listed = campaign.proposals()
    return dict(zip(listed["proposal"].values.tolist(), listed["state"].values.tolist(), strict=True))


def test_a_campaign_without_any_file_finds_the_best_place(campaign):
    run_all(campaign, 6)
    for _ in range(4):
        campaign.fit()
        run_all(campaign, 2)
    best = campaign.record()["specimens"].to_dataset()
    best = best.isel(specimen=int(best["hardness"].argmax("specimen")))
    assert abs(float(best["temperature"]) - 760) <= 15
    assert str(best["substrate"].values) == "steel"
    assert campaign.verify() == []
    with Campaign.open(campaign.path) as again:
        assert again.record().identical(campaign.record())
        assert again.predict().identical(campaign.predict())


def test_nothing_is_proposed_twice_before_and_after_a_fit(local):
    first = local.ask(5)
    for name in first["proposal"].values.tolist()[:4]:
        run(local, name)
    local.fit()
    later = [local.ask(2) for _ in range(3)]
    batches = [
        list(zip(b["temperature"].values, b["substrate"].values, strict=True)) for b in (first, *later)
    ]
    assert len(set(batches[0])) == 5
    awaited = [batches[0][4], *(place for batch in batches[1:] for place in batch)]
    assert len(set(awaited)) == len(awaited)  # what was done and learned from may be asked for again
    run(local, later[0]["proposal"].values[0])  # measured, not fitted yet, and not asked for again
    (again,) = local.ask(1)["temperature"].values
    assert again != later[0]["temperature"].values[0]


def test_the_first_proposals_of_a_small_grid_lie_far_apart(tmp_path):
    grid = Space(
        [Numeric("temperature", 600, 900, step=100, units="degC"), Numeric("x", 0, 4, step=1, units="1")]
    )
    with Campaign.create(tmp_path / "c", replace(SETTINGS, space=grid.to_dict())) as campaign:
        one, *others = (campaign.ask(1) for _ in range(20))
    places = np.array([[float(p["temperature"][0]) / 300, float(p["x"][0]) / 4] for p in (one, *others)])
    apart = np.linalg.norm(places[:, None] - places[None], axis=-1)
    assert apart[0, 1] > 0.9  # across the grid, not beside the first
    assert len({tuple(p) for p in places}) == 20
    with pytest.raises(TielineError, match="different places"), Campaign.open(tmp_path / "c") as campaign:
        campaign.ask(1)


def test_proposals_chosen_ahead_are_those_of_single_questions(tmp_path):
    with Campaign.create(tmp_path / "one", SETTINGS) as one:
        run_all(one, 6)
        one.fit()
        single = [float(one.ask(1)["temperature"].values[0]) for _ in range(4)]
    with Campaign.create(tmp_path / "two", SETTINGS) as made:
        run_all(made, 6)
        made.fit()
    with Campaign.open(tmp_path / "two", ahead=4) as two:
        ahead = [float(two.ask(1)["temperature"].values[0]) for _ in range(4)]
    np.testing.assert_allclose(sorted(ahead)[0], sorted(single)[0], atol=30)
    assert len(set(ahead)) == 4


def test_a_line_chosen_ahead_stays_inside_a_space_that_was_narrowed(tmp_path):
    with Campaign.create(tmp_path / "c", SETTINGS) as made:
        run_all(made, 6)
        made.fit()
    with Campaign.open(tmp_path / "c", ahead=8) as campaign:
        campaign.ask(1)
        narrow = Space([Numeric("temperature", 620, 640, step=5, units="degC"), *SPACE.inputs[1:]])
        text = write_settings(replace(SETTINGS, space=narrow.to_dict()))
        (campaign.path / "campaign.toml").write_text(text, encoding="utf-8")
        assert narrow.contains(campaign.ask(2)).all()


def test_a_line_chosen_ahead_comes_from_the_pool_that_is_there_now(tmp_path):
    settings = replace(SETTINGS, space=None, pool="pool.csv", design=["temperature", "substrate"])
    with Campaign.create(tmp_path / "c", SETTINGS) as made:
        run_all(made, 6)
    (tmp_path / "c" / "campaign.toml").write_text(write_settings(settings), encoding="utf-8")
    head, sheet = "temperature [degC],substrate\n", tmp_path / "c" / "pool.csv"
    sheet.write_text(head + "".join(f"{t},steel\n" for t in range(610, 700, 10)), encoding="utf-8")
    with Campaign.open(tmp_path / "c", ahead=4) as campaign:
        campaign.fit()
        campaign.ask(1)
        sheet.write_text(head + "".join(f"{t},steel\n" for t in range(710, 800, 10)), encoding="utf-8")
        assert (campaign.ask(2)["temperature"].values > 700).all()


def test_a_setting_in_a_unit_of_which_the_campaign_has_none_is_refused(tmp_path):
    settings = replace(SETTINGS, space=None, design=["temperature", "speed"])
    with Campaign.create(tmp_path / "c", settings) as campaign:
        made = {"temperature": 700, "speed": {"value": 2.0, "unit": "mm/s"}}
        with pytest.raises(UnitError, match="in which unit 'speed' is"):
            campaign.tell({"hardness": 5.0}, specimen="A", made=made)
        campaign.tell({"hardness": 5.0}, specimen="A", made=made | {"speed": 2.0})
        assert campaign.record()["specimens"]["speed"].values.tolist() == [2.0]


def test_a_value_that_equals_a_limit_in_a_file_is_a_measurement(tmp_path):
    sheet = tmp_path / "first.csv"
    sheet.write_text("specimen,temperature [degC],substrate,hardness [GPa]\nA,650,steel,4\nB,670,steel,<5\n")
    with Campaign.create(tmp_path / "c", SETTINGS) as campaign:
        campaign.import_file(sheet)
        campaign.tell({"hardness": 4.0}, specimen="A")  # the same number again is one measurement
        campaign.tell({"hardness": 5.0}, specimen="B")
        specimens = campaign.record()["specimens"]
        rows = specimens["specimen"].values.tolist()
        assert rows.count("A") == 1
        assert rows.count("B") == 2
        flags = specimens["hardness_flag"].values[np.array(rows) == "B"].astype(str)
        assert sorted(flags) == ["", "below"]


def test_an_answer_is_given_again_to_the_same_request(campaign):
    one = campaign.ask(2, key="k")
    assert campaign.ask(2, key="k").identical(one)
    with pytest.raises(Conflict, match="another request"):
        campaign.ask(3, key="k")
    name = campaign.claim(by="a", key="c")
    assert campaign.claim(by="a", key="c") == name
    told = run(campaign, name, key="t")
    assert run(campaign, name, key="t") == told
    assert campaign.record()["specimens"].sizes["specimen"] == 1


def test_a_request_is_the_same_when_more_is_known_by_then(tmp_path):
    sheet = tmp_path / "more.csv"
    sheet.write_text("specimen,temperature [degC],hardness [GPa],density [g/cm^3]\nA,650,4,7\nB,670,4.5,7\n")
    settings = Settings(
        "c", model="GaussianProcess", space=Space([Numeric("temperature", 600, 900)]).to_dict()
    )
    with Campaign.create(tmp_path / "c", settings) as campaign:
        one, two = campaign.ask(2)["proposal"].values.tolist()
        requests = (
            lambda: campaign.tell({"hardness": np.float64(5)}, made={"temperature": 700}, key="t"),
            lambda: campaign.tell({"hardness": [5, 6]}, proposal=one, key="p"),
            lambda: campaign.fail(two, why="cracked", key="f"),
        )
        before = [request() for request in requests]
        campaign.import_file(sheet)
        assert [request() for request in requests] == before
        with pytest.raises(Conflict, match="another request"):
            campaign.tell({"hardness": 5}, made={"temperature": 701}, key="t")


def test_requests_in_logs_of_earlier_versions_are_known_again(local):
    rows = [{"property": "hardness", "value": 5.0, "label": None, "sd": None, "flag": "ok", "unit": None}]
    place = {"temperature": 700.0, "substrate": "glass"}
    about = {"proposal": "", "specimen": "a", "made": place, "state": "", "why": ""}
    content = {**about, "asked": {}, "attrs": {}, "results": rows}
    before = local.store.write("told", content, key="t", request={**about, "results": rows})
    assert local.tell({"hardness": 5}, specimen="a", made=place, key="t") == before
    with pytest.raises(Conflict, match="another request"):
        local.tell({"hardness": 6}, specimen="a", made=place, key="t")


def test_a_claim_belongs_to_who_made_it(local):
    first, second = local.ask(2)["proposal"].values.tolist()
    assert local.claim(by="one") == first
    assert local.claim(by="two") == second
    with pytest.raises(NotFound, match="No proposal is open"):
        local.claim(by="three")
    with pytest.raises(Conflict, match="claimed by one"):
        local.claim(first, by="two")
    with pytest.raises(Conflict, match=r"'two' did not claim"):
        local.renew(first, by="two")
    with pytest.raises(Conflict, match="did not claim"):
        local.release(first, by="two")
    local.renew(first, by="one")
    local.release(second, by="two")
    assert states(local) == {first: "running", second: "proposed"}
    assert local.claim(by="three") == second


def test_a_lapsed_lease_is_overdue_and_nothing_else(local, monkeypatch):
    (name,) = local.ask(1)["proposal"].values.tolist()
    local.claim(by="slow furnace", lease=60)
    assert not local.proposals()["is_overdue"].any()
    monkeypatch.setattr(proposals, "now", lambda: "2999-01-01T00:00:00.000000Z")
    listed = local.proposals()
    assert listed["is_overdue"].values.tolist() == [True]
    assert states(local) == {name: "claimed"}
    monkeypatch.undo()
    run(local, name)
    assert states(local) == {name: "done"}


def test_instruments_claim_what_was_asked_for_them(local):
    (for_one,) = local.ask(1, instrument="furnace-1")["proposal"].values.tolist()
    (for_two,) = local.ask(1, instrument="furnace-2")["proposal"].values.tolist()
    assert local.claim(by="b", instrument="furnace-2") == for_two
    assert local.claim(by="a", instrument="furnace-1") == for_one
    with pytest.raises(NotFound, match="for 'furnace-2'"):
        local.claim(by="b", instrument="furnace-2")


def test_who_names_no_instrument_takes_nothing_from_one(local):
    (for_one,) = local.ask(1, instrument="furnace-1")["proposal"].values.tolist()
    with pytest.raises(NotFound, match=r"what is open was asked for furnace-1[\s\S]*instrument="):
        local.claim(by="a")
    (for_any,) = local.ask(1)["proposal"].values.tolist()
    assert local.claim(by="a") == for_any
    assert local.claim(for_one, by="a") == for_one


def test_an_instrument_named_after_a_property_measures_that_alone(tmp_path):
    settings = replace(SETTINGS, properties=["hardness", "density"])
    with Campaign.create(tmp_path / "c", settings) as campaign:
        for i, name in enumerate(campaign.ask(6)["proposal"].values.tolist()):
            run(campaign, name, is_partial=True)
            campaign.tell({"density": 2.0 + i}, proposal=name)
        campaign.fit()
        one = campaign.ask(1, instrument="hardness")
        other = campaign.ask(1, instrument="hardness")
    assert one["instrument"].values.tolist() == ["hardness"]
    assert one["temperature"].values[0] != other["temperature"].values[0]


def test_what_was_made_counts_and_what_was_asked_is_kept(local):
    (name,) = local.ask(1)["proposal"].values.tolist()
    asked = float(local.proposals()["temperature"].values[0])
    local.tell(
        {"hardness": 5.0}, proposal=name, made={"temperature": {"value": asked + 273.15 + 2, "unit": "K"}}
    )
    made = local.record()["specimens"]
    np.testing.assert_allclose(made["temperature"].values, [asked + 2])
    assert made["temperature"].attrs["units"] == "degC"
    assert float(local.proposals()["temperature"].values[0]) == asked


def test_repeats_errors_limits_and_failures_reach_the_model(local):
    names = local.ask(6)["proposal"].values.tolist()
    local.tell({"hardness": [5.0, 5.2, {"value": 5.1, "sd": 0.3}]}, proposal=names[0])
    local.tell({"hardness": {"value": 4.0, "flag": "below"}}, proposal=names[1])
    local.fail(names[2], why="cracked", by="ada")
    for name in names[3:]:
        run(local, name)
    posterior = local.fit()
    assert isinstance(posterior.model, GaussianProcess)
    specimens = posterior.table["specimen"].values.tolist()
    assert specimens.count(names[0]) == 3
    assert (posterior.reading.bound == -1).sum() == 1
    assert posterior.reading.is_failed.sum() == 1
    assert np.nanmax(posterior.table["hardness_sd"].values) == 0.3
    listed = local.proposals("failed")
    assert listed["proposal"].values.tolist() == [names[2]]
    assert listed["why"].values.tolist() == ["cracked"]


def test_limits_are_left_out_where_the_model_would_take_them_for_values(tmp_path):
    settings = replace(SETTINGS, model=None, design=["temperature"])
    with Campaign.create(tmp_path / "c", settings) as campaign:
        names = campaign.ask(8)["proposal"].values.tolist()
        campaign.tell({"hardness": {"value": 1.0, "flag": "above"}}, proposal=names[0])
        for name in names[1:]:
            run(campaign, name)
        posterior = campaign.fit()
        assert np.isnan(posterior.table["hardness"].values).sum() == 1
        assert "hardness: 1 limit left out" in " ".join(posterior.diagnose().attrs["notes"])


def test_results_come_in_parts(local):
    (name,) = local.ask(1)["proposal"].values.tolist()
    local.claim(name, by="a")
    local.tell({"hardness": 5.0}, proposal=name, is_partial=True)
    assert states(local) == {name: "running"}
    local.tell({"hardness": 5.5}, proposal=name)
    assert states(local) == {name: "done"}
    assert local.record()["specimens"]["hardness"].values.tolist() == [5.0, 5.5]


def test_an_experiment_of_ones_own_is_told_without_a_proposal(local):
    told = local.tell({"hardness": 5.0}, made={"temperature": 700, "substrate": "glass"})
    local.tell({"hardness": 5.1}, specimen=told.told["specimen"])
    local.tell({"hardness": 6.0}, specimen="mine", made={"temperature": 750, "substrate": "steel"})
    specimens = local.record()["specimens"]
    name = told.told["specimen"]
    assert specimens["specimen"].values.tolist() == [name, "mine", name]
    assert specimens["substrate"].values.tolist() == ["glass", "steel", "glass"]


@pytest.mark.parametrize(
    ("results", "about", "error", "message"),
    [
        ({"hardnes": 5.0}, {}, SchemaError, "Did you mean 'hardness'"),
        ({"hardness": float("nan")}, {}, SchemaError, "not a finite number"),
        ({"hardness": True}, {}, SchemaError, "not a finite number"),
        ({"hardness": {"value": 5.0, "flag": "good"}}, {}, SchemaError, "has the flag 'good'"),
        ({"hardness": {"value": 5.0, "sd": -1}}, {}, SchemaError, "negative"),
        ({"hardness": {"flag": "below"}}, {}, SchemaError, "has no value"),
        ({"hardness": []}, {}, SchemaError, "has no value"),
        ({"hardness": "soft"}, {}, SchemaError, "'hardness' is a number, and this is a text"),
        ({"hardness": 10**400}, {}, SchemaError, "not a finite number"),
        ({"hardness": {"value": 5.0, "unit": 7}}, {}, UnitError, "is no text"),
        ({"hardness": 5.0}, {"made": {"temperature": "hot"}}, SchemaError, "'temperature' is a number"),
        ({"hardness": 5.0}, {"made": {"temperature": {"Fe": 1.0}}}, SchemaError, "is a composition"),
        (
            {"hardness": 5.0},
            {"made": {"temperature": {"value": 750, "units": "K"}}},
            SchemaError,
            r"'temperature' has no 'units'.(.|\n)*Did you mean 'unit'",
        ),
        (
            {"hardness": 5.0},
            {"made": {"temperature": {"value": 750, "unit": "K", "sd": 3}}},
            SchemaError,
            "'temperature' has no 'sd'",
        ),
        ({"hardness": 5.0}, {"made": {"temperature": -400}}, SchemaError, "below absolute zero"),
        (
            {"hardness": 5.0},
            {"made": {"temperature": {"value": -1, "unit": "K"}}},
            SchemaError,
            "below absolute zero",
        ),
        ({"hardness": 5.0}, {"made": {"substrate": 7}}, SchemaError, "'substrate' is a text"),
        ({"hardness": {"valu": 5.0}}, {}, SchemaError, "Did you mean 'value'"),
        ({"hardness": {"value": 5.0, "unit": "Mpaa"}}, {}, UnitError, "Mpaa"),
        ({"hardness": {"value": 5.0, "unit": "degC"}}, {}, UnitError, "not measured in degC"),
        ({}, {}, SchemaError, "Nothing was told"),
        ({"hardness": 5.0}, {"made": {"temperatur": 700}}, SchemaError, "Did you mean 'temperature'"),
        ({"hardness": 5.0}, {"proposal": ""}, SchemaError, "not complete: temperature, substrate"),
        ({"hardness": 5.0}, {"proposal": "P1"}, NotFound, "no proposal 'P1'"),
    ],
)
def test_what_cannot_be_is_refused_at_the_door(local, results, about, error, message):
    (name,) = local.ask(1)["proposal"].values.tolist()
    local.tell(
        {"hardness": {"value": 5.0, "unit": "GPa"}},
        specimen="x",
        made={"temperature": 700, "substrate": "glass"},
    )
    before = local.events()
    with pytest.raises(error, match=message):
        local.tell(results, **{"proposal": name, **about})
    assert local.events() == before


def test_what_was_told_first_says_what_a_name_stands_for(tmp_path):
    settings = Settings("c", design=["temperature"])
    with Campaign.create(tmp_path / "c", settings) as campaign:
        campaign.tell({"hardness": 5.0, "grade": "A"}, specimen="a", made={"temperature": 700})
        campaign.tell({"grade": {"flag": "failed"}}, specimen="a")
        before = campaign.events()
        with pytest.raises(SchemaError, match="'grade' is a text, and this is a number"):
            campaign.tell({"grade": 3}, specimen="a")
        with pytest.raises(SchemaError, match="'temperature' is a number"):
            campaign.tell({"hardness": 5.0}, specimen="b", made={"temperature": "hot"})
        assert campaign.events() == before
        assert campaign.record()["specimens"]["temperature"].dtype == float


@pytest.mark.parametrize(
    ("made", "unit", "outside"),
    [
        ({"mix": {"Pd": 0.25, "Fe": 0.45, "Ga": 0.3}, "dwell": 2, "heat": 700}, "degC", []),
        (
            {"mix": {"Fe": 0.65, "Ga": 0.2, "Pd": 0.15}, "dwell": 5, "heat": 950},
            "degC",
            ["mix", "dwell", "heat"],
        ),
        ({"mix": {"Fe": 0.5, "Ga": 0.5}, "heat": 890}, "K", ["mix"]),
        ({"mix": {"Fe": 0.3, "Ga": 0.3, "Pd": 0.3, "Cu": 0.1}, "heat": 700}, "GPa", ["mix", "heat"]),
        ({"mix": 3.0, "heat": "hot"}, "degC", ["mix", "heat"]),
    ],
)
def test_what_lies_outside_a_space_is_named(local, made, unit, outside):
    mix = Composition("mix", ["Fe", "Ga", "Pd"], low=0.1, high=0.6, step=0.1)
    space = Space([mix, Levels("dwell", [1, 4]), Numeric("heat", 600, 900, units="degC")])
    event = local.store.write(
        "told",
        {"specimen": "a", "proposal": "", "state": "", "why": "", "asked": {}, "results": []}
        | {"made": made, "attrs": {"heat": {"units": unit}}},
    )
    notes = notes_outside(Settings("c", space=space.to_dict()), event)
    assert [note.split(":")[0] for note in notes] == outside


def test_values_in_several_units_are_one_column(local):
    place = {"temperature": 700, "substrate": "glass"}
    local.tell({"hardness": {"value": 5000.0, "sd": 100, "unit": "MPa"}}, specimen="a", made=place)
    local.tell({"hardness": {"value": 6.0, "sd": 0.2, "unit": "GPa"}}, specimen="b", made=place)
    specimens = local.record()["specimens"]
    np.testing.assert_allclose(specimens["hardness"], [5000, 6000])
    np.testing.assert_allclose(specimens["hardness_sd"], [100, 200])
    assert specimens["hardness"].attrs["units"] == "MPa"


def test_what_is_given_up_may_be_proposed_again(local):
    one = local.ask(1)
    local.abandon(*one["proposal"].values.tolist(), why="no powder left")
    assert local.ask(1)["temperature"].values == one["temperature"].values
    with pytest.raises(Conflict, match="cannot become abandoned"):
        local.abandon(*one["proposal"].values.tolist())


def test_more_than_there_is_cannot_be_asked_for(local):
    run_all(local, 4)
    local.fit()
    with pytest.raises(TielineError, match="Cannot propose 500"):
        local.ask(500, pool=SPACE.grid())


def test_before_a_fit_every_place_is_proposed_once_and_then_no_more(tmp_path):
    space = Space([Numeric("temperature", 600, 650, step=10)])
    settings = replace(SETTINGS, space=space.to_dict())
    with Campaign.create(tmp_path / "c", settings) as campaign:
        first, second = campaign.ask(4), campaign.ask(2)
        places = [*first["temperature"].values, *second["temperature"].values]
        assert sorted(places) == [600, 610, 620, 630, 640, 650]
        with pytest.raises(TielineError, match="Cannot propose 1 different places"):
            campaign.ask(1)


def test_undo_takes_a_result_back_and_the_log_keeps_it(local):
    (name,) = local.ask(1)["proposal"].values.tolist()
    slip = run(local, name)
    local.undo(slip.number, why="wrong furnace", by="ada")
    assert states(local) == {name: "proposed"}
    assert not local.has_record
    with pytest.raises(Conflict, match="was undone before"):
        local.undo(slip.number)
    with pytest.raises(NotFound, match="no event 99"):
        local.undo(99)
    run(local, name)
    assert [event.kind for event in local.events()] == ["created", "proposed", "told", "undone", "told"]
    assert local.verify() == []


def test_what_was_known_on_a_day_can_be_asked(local):
    run_all(local, 5)
    local.fit()
    number, time_ = local.store.last(), local.events()[-1].at
    before = local.record()
    time.sleep(0.01)
    run_all(local, 2)
    local.fit()
    for moment in (number, time_):
        with Campaign.open(local.path, as_of=moment) as past:
            assert past.record().identical(before)
            assert past.posterior().table.sizes["specimen"] == 5
            with pytest.raises(TielineError, match="past"):
                past.ask(1)
    assert local.posterior().table.sizes["specimen"] == 7


def test_a_changed_file_is_found(local):
    run_all(local, 4)
    local.fit()
    pattern = local.path.parent / "pattern.xy"
    pattern.write_text("1 2\n", encoding="utf-8")
    local.attach(pattern, specimen=local.proposals()["proposal"].values[0])
    assert local.verify() == []
    for folder in ("posteriors", "artifacts"):
        (file,) = (local.path / folder).iterdir()
        whole = file.read_bytes()
        file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        assert local.verify() == [f"{folder}/{file.name} was changed."]
        file.unlink()
        assert local.verify() == [f"{folder}/{file.name} is gone."]
        file.write_bytes(whole)
    assert local.verify() == []
