"""What is wrong with data is found, and nothing is found in data that are right."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import tieline as tl
from tieline.evaluation.checks.leaks import dependence
from tieline.evaluation.checks.unit_slips import _kelvin, slipped

INPUTS = ["temperature", "time", "pressure", "density", "grain_size"]
UNITS = {"temperature": "K", "time": "min", "pressure": "MPa", "density": "g/cm^3", "hardness": "GPa"}


def sheet(seed, n=120):
    """Five inputs of usual shapes, and a hardness that follows from them but for its noise."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "temperature": rng.uniform(300, 900, n),
            "time": rng.lognormal(3, 0.6, n),
            "pressure": rng.normal(20, 4, n),
            "density": rng.normal(5, 0.3, n),
            "grain_size": rng.lognormal(0, 0.8, n),
        }
    )
    hardness = 0.01 * frame["temperature"] + 2 * np.log(frame["time"]) + 1.5 * frame["density"]
    frame["hardness"] = 30 + hardness + np.sin(frame["pressure"] / 3) + 0.6 * rng.standard_normal(n)
    return frame, rng


def look(frame, more=(), groups=None):
    units = {name: unit for name, unit in UNITS.items() if name in frame}
    return tl.inspect(tl.table(frame, units=units, repeats=True), "hardness", [*INPUTS, *more], groups)


def kinds(report):
    return {finding.kind for finding in report.findings}


def labelled(frame):
    """The same specimens with three phases instead of a hardness."""
    thirds = np.quantile(frame["hardness"], [1 / 3, 2 / 3])
    phase = np.array(["bcc", "fcc", "hcp"])[np.digitize(frame["hardness"], thirds)]
    return frame.drop(columns="hardness").assign(phase=phase)


def plant_copy(frame, rng):
    spread = frame["hardness"].std()
    return frame.assign(extra=2 * frame["hardness"] + 0.15 * spread * rng.standard_normal(len(frame)))


def plant_monotone(frame, rng):
    return frame.assign(extra=np.exp(frame["hardness"]) * np.exp(0.2 * rng.standard_normal(len(frame))))


def plant_curve(frame, rng):
    root = np.sqrt(frame["hardness"] - frame["hardness"].min())
    return frame.assign(extra=root * rng.choice([-1, 1], len(frame)))


def plant_product(frame, rng):
    area = np.exp(0.3 * rng.standard_normal(len(frame)))
    return frame.assign(area=area, extra=frame["hardness"] / area)


def plant_batches(frame, _):
    names = pd.qcut(frame["hardness"], len(frame) // 4, labels=False)
    return frame.assign(extra=[f"batch {k}" for k in names])


def plant_by_class(frame, rng):
    lab = rng.choice(["a", "b", "c"], len(frame))
    slope = pd.Series(lab).map({"a": 1.0, "b": -2.0, "c": 5.0})
    return frame.assign(lab=lab, extra=slope * frame["hardness"] + 0.05 * rng.standard_normal(len(frame)))


LEAKS = [plant_copy, plant_monotone, plant_curve, plant_product, plant_batches, plant_by_class]


@pytest.mark.parametrize("plant", LEAKS, ids=lambda p: p.__name__)
@pytest.mark.parametrize("seed", [0, 1])
def test_an_input_that_holds_the_target_is_found(plant, seed):
    frame, rng = sheet(seed)
    frame = plant(frame, rng)
    report = look(frame, ["extra", *({"lab", "area"} & set(frame))])
    assert report.verdict == "red"
    assert any("extra" in finding.columns for finding in report.of_kind("leak"))


def plant_repeats(frame, rng):
    again = frame.iloc[:40].assign(hardness=frame["hardness"][:40] + 0.3 * rng.standard_normal(40))
    return pd.concat([frame, again], ignore_index=True)


def plant_identities(frame, rng):
    both = pd.concat([frame, frame], ignore_index=True)
    both["temperature"] += rng.standard_normal(len(both))
    both["hardness"] += 0.3 * rng.standard_normal(len(both))
    return both.assign(specimen=np.tile(np.arange(len(frame)), 2))


def plant_spots(frame, rng):
    three = pd.concat([frame] * 3, ignore_index=True)
    for name in INPUTS:
        three[name] *= 1 + 0.003 * rng.standard_normal(len(three))
    return three.assign(hardness=three["hardness"] + 0.05 * rng.standard_normal(len(three)))


def plant_duplicates(frame, _):
    return pd.concat([frame, frame.iloc[:6]], ignore_index=True)


def plant_hidden(frame, _):
    low = frame["hardness"] < frame["hardness"].quantile(0.2)
    return frame.assign(density=frame["density"].where(~low))


def plant_outlier(frame, _):
    return frame.assign(hardness=frame["hardness"].where(frame.index != 7, 3 * frame["hardness"][7]))


def plant_prefix(frame, rng):
    return frame.assign(density=frame["density"] * np.where(rng.random(len(frame)) < 0.3, 1000, 1))


def plant_kelvin(frame, rng):
    celsius = rng.choice([300.0, 400.0, 500.0, 600.0, 650.0], len(frame))
    return frame.assign(temperature=celsius + 273.15 * (rng.random(len(frame)) < 0.3))


def plant_misfit(frame, _):
    best = frame["hardness"].idxmax()
    return frame.assign(hardness=frame["hardness"].where(frame.index != best, frame["hardness"].min()))


def plant_noise(frame, rng):
    return frame.assign(hardness=rng.permutation(frame["hardness"]))


def plant_few(frame, _):
    return frame.iloc[:30]


DEFECTS = {
    "repeats": plant_repeats,
    "repeats of a name": plant_identities,
    "one_spot": plant_spots,
    "duplicates": plant_duplicates,
    "missing_not_at_random": plant_hidden,
    "outliers": plant_outlier,
    "units_differ": plant_prefix,
    "units_differ in temperature": plant_kelvin,
    "misfit": plant_misfit,
    "not_learnable": plant_noise,
    "few_specimens": plant_few,
}


@pytest.mark.parametrize("kind", DEFECTS)
def test_a_defect_is_found(kind):
    frame, rng = sheet(3)
    assert kind.split()[0] in kinds(look(DEFECTS[kind](frame, rng)))


@pytest.mark.parametrize(
    ("kind", "extra"),
    [
        ("constant", lambda f, _: np.full(len(f), 5.0)),
        ("correlated_inputs", lambda f, r: 1.8 * f["temperature"] + 32 + r.standard_normal(len(f))),
        ("identifier", lambda f, _: np.arange(len(f))),
    ],
)
def test_a_useless_input_is_found(kind, extra):
    frame, rng = sheet(4)
    report = look(frame.assign(extra=extra(frame, rng)), ["extra"])
    assert kinds(report) == {kind}
    assert "extra" in report.findings[0].columns


@pytest.mark.parametrize("seed", range(8))
def test_nothing_is_found_in_data_that_are_right(seed):
    assert look(sheet(seed, n=(60, 120, 250)[seed % 3])[0]).findings == ()


@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_found_in_labels_that_are_right(seed):
    found = tl.inspect(tl.table(labelled(sheet(seed)[0])), "phase", INPUTS)
    assert found.findings == ()
    assert found.verdict == "green"


CLASS_LEAKS = {
    "code": lambda phase, rng: (
        phase.map({"bcc": 1, "fcc": 2, "hcp": 3}) + 0.05 * rng.standard_normal(len(phase))
    ),
    "zero-filled": lambda phase, rng: np.where(phase == "fcc", 0, 1 + rng.random(len(phase))),
    "name": lambda phase, _: phase.map({"bcc": "a", "fcc": "b", "hcp": "c"}),
}


@pytest.mark.parametrize("leak", CLASS_LEAKS)
def test_an_input_that_holds_the_label_is_found(leak):
    frame, rng = sheet(5)
    frame = labelled(frame)
    frame["extra"] = CLASS_LEAKS[leak](frame["phase"], rng)
    report = tl.inspect(tl.table(frame), "phase", [*INPUTS, "extra"])
    assert [f.columns for f in report.of_kind("leak")] == [("extra",)]


def test_a_label_that_is_rare_is_found():
    frame = labelled(sheet(6)[0])
    rare = pd.concat([frame[frame["phase"] != "hcp"], frame[frame["phase"] == "hcp"].iloc[:4]])
    assert "imbalance" in kinds(tl.inspect(tl.table(rare.reset_index(drop=True)), "phase", INPUTS))


def spectra(seed, n_spots, noise):
    rng = np.random.default_rng(seed)
    shares, pure = rng.dirichlet(np.ones(3), 30), rng.gamma(1, 1, (3, 60))
    area = np.repeat(shares @ pure, n_spots, 0) * (1 + noise * rng.standard_normal((30 * n_spots, 60)))
    target = np.repeat(10 * shares[:, 0] + 0.3 * rng.standard_normal(30), n_spots)
    return xr.Dataset(
        {
            "area": (("specimen", "peak"), area, {"role": "property", "units": "counts"}),
            "share": ("specimen", target, {"role": "property", "units": "1"}),
            "pellet": ("specimen", np.repeat(np.arange(30), n_spots), {"role": "process", "units": "1"}),
        },
        {"specimen": np.arange(30 * n_spots)},
    )


def test_spectra_of_one_spot_are_found_and_grouping_settles_it():
    several = spectra(0, 3, 0.02)
    assert kinds(tl.inspect(several, "share", "area")) == {"one_spot"}
    assert kinds(tl.inspect(several, "share", "area", groups="pellet")) == set()
    assert kinds(tl.inspect(spectra(0, 1, 0.05), "share", "area")) == {"few_specimens"}


def test_one_material_on_several_rows_asks_for_groups():
    rng = np.random.default_rng(0)
    metals = [f"Fe{a}Ni{100 - a}" for a in range(5, 95, 3)]
    frame = pd.DataFrame({"formula": np.repeat(metals, 3), "temperature": np.tile([300.0, 400.0, 500.0], 30)})
    share = np.repeat(np.arange(5, 95, 3), 3)
    frame["strength"] = 200 + share - 0.1 * frame["temperature"] + 5 * rng.standard_normal(90)
    table = tl.table(frame, formula="formula")
    found = tl.task(table, "strength", ["composition", "temperature"])
    assert [f.severity for f in found.findings if f.kind == "repeats"] == ["red"]
    grouped = tl.task(table, "strength", ["composition", "temperature"], groups="formula")
    assert "repeats" not in {f.kind for f in grouped.findings}
    for train, test in grouped.folds("strength"):
        assert not set(frame["formula"][train]) & set(frame["formula"][test])


def test_compositions_are_counted_and_not_their_parts():
    frame = pd.DataFrame({"formula": ["FeNi", "Fe3Ni", "FeNi", "Fe9Ni"], "strength": [1.0, 2.0, 1.5, 2.0]})
    columns = tl.inspect(tl.table(frame, formula="formula")).columns
    assert columns["n_different"].sel(column=["composition", "strength"]).values.tolist() == [3, 3]


def test_without_a_target_the_table_itself_is_looked_over():
    frame, rng = sheet(7)
    report = tl.inspect(tl.table(plant_prefix(frame, rng)))
    assert kinds(report) >= {"units_differ"}
    assert set(report.columns["column"].values) == set(frame)


def test_a_record_is_looked_over_with_its_notes():
    report = tl.inspect(tl.datasets.load("latp"), "ionic_conductivity")
    assert "few_specimens" in kinds(report)
    assert report.table["dwell_time"].attrs["units"] == "min"


def test_a_report_says_the_same_in_print_and_in_a_notebook():
    frame, rng = sheet(8)
    report = look(plant_copy(frame, rng), ["extra"])
    sentence = report.findings[0].sentence
    assert sentence in repr(report)
    assert "extra is nearly hardness itself" in report._repr_html_()
    assert report._repr_html_().count("<svg") == 7
    tags = report._repr_html_()
    assert tags.count("<tr>") == tags.count("</tr>") == 8


def test_nothing_of_the_table_is_changed():
    frame, _ = sheet(9)
    table = tl.table(plant_duplicates(frame, None), repeats=True)
    before = table.copy(deep=True)
    assert "are copies of others" in repr(tl.task(table, "hardness", INPUTS))
    assert table.identical(before)


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"target": "strength"}, tl.SchemaError, "reads 'strength'"),
        ({"inputs": ["hardness"]}, tl.SchemaError, "cannot be an input"),
        ({"inputs": []}, tl.SchemaError, "At least one input"),
        ({"groups": "lab"}, tl.SchemaError, "no variable 'lab'"),
        ({"groups": "chemical_system"}, tl.SchemaError, "told by a composition"),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused(change, error, match):
    question = {"target": "hardness", "inputs": INPUTS, "groups": None} | change
    with pytest.raises(error, match=match):
        tl.task(tl.table(sheet(0)[0]), **question)


def test_a_target_that_never_changes_cannot_be_learned():
    frame, _ = sheet(0)
    with pytest.raises(tl.NotIdentified, match="cannot be learned"):
        tl.task(tl.table(frame.assign(hardness=5.0)), "hardness", INPUTS)


def test_dependence_is_one_of_a_function_and_nothing_of_chance():
    rng = np.random.default_rng(0)
    x = rng.standard_normal(500)
    assert dependence(x, np.cos(3 * x)) > 0.9
    assert abs(dependence(x, rng.standard_normal(500))) < 0.15
    assert dependence(np.arange(50.0), np.arange(50.0) ** 3) == pytest.approx(1)


def test_a_slip_of_units_gives_factor_and_rows():
    x = np.random.default_rng(0).lognormal(0, 0.4, 60)
    is_wrong = np.arange(60) % 6 == 0
    factor, rows = slipped(np.where(is_wrong, 1000 * x, x))
    assert factor == 1000
    assert (rows == is_wrong).all()
    assert slipped(x) is None


def test_kelvins_are_looked_for_in_little_memory():
    rng = np.random.default_rng(0)
    celsius = rng.uniform(20, 900, 20_000).round(2)
    n_kelvin = 9_000
    mixed = celsius.copy()
    mixed[:n_kelvin] = (celsius[-n_kelvin:] + 273.15).round(2)
    found = _kelvin(mixed)
    assert found is not None
    assert found[:n_kelvin].all()
    assert _kelvin(np.linspace(20, 250, 20_000)) is None


def test_a_table_that_is_sorted_can_be_learned():
    x = np.linspace(0, 12, 2500)
    y = np.cos(x) + 0.1 * np.random.default_rng(0).standard_normal(len(x))
    frame = pd.DataFrame({"x": x, "wave": y})
    assert "not_learnable" not in kinds(tl.inspect(tl.table(frame), "wave", ["x"]))


def test_findings_of_inputs_come_once_for_several_targets():
    frame, _ = sheet(0)
    both = tl.table(frame.assign(stiffness=2 * frame["density"], constant=1.0), units=UNITS)
    task = tl.task(both, ["hardness", "stiffness"], ["temperature", "time", "constant"])
    assert len(task.findings) == len(set(task.findings))
    assert sum(finding.kind == "constant" for finding in task.findings) == 1
