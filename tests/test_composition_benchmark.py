import os
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from benchmarks import composition as benchmark
from benchmarks.__main__ import main
from benchmarks.composition_peers import PEERS
from benchmarks.composition_transfer import few_labels, shuffled

from tieline.schema import chemical_systems

needs_data = pytest.mark.skipif(
    not Path(os.environ.get("TIELINE_DATA", "nowhere")).joinpath("composition").is_dir(),
    reason="set TIELINE_DATA to a folder that holds composition",
)


def materials(table):
    return {tuple(row) for row in table["composition"].values.round(9)}


@needs_data
@pytest.mark.parametrize("name", ["bulk_modulus", "thermal_expansion"])
def test_nothing_of_a_published_test_set_is_learned_from(name):
    split = benchmark.crabnet(name)
    assert split.asked.sizes["specimen"] == {"bulk_modulus": 736, "thermal_expansion": 732}[name]
    assert not materials(split.known) & materials(split.asked)
    assert split.asked[name].notnull().all()


@needs_data
def test_systems_that_are_held_out_are_not_learned_from():
    table = benchmark.complete_aflow()
    assert table.sizes["specimen"] == 4855
    grouped = benchmark.held_out(table, 0, grouped=True)
    systems = chemical_systems(table["composition"])
    assert not np.isin(systems[grouped], systems[~grouped]).any()
    assert 0.12 < grouped.mean() < 0.18
    alone = benchmark.held_out(table, 0, grouped=False)
    assert not materials(table.isel(specimen=alone)) & materials(table.isel(specimen=~alone))
    assert (benchmark.held_out(table, 1, grouped=True) != grouped).any()


@needs_data
def test_curves_of_held_out_systems_are_not_learned_from():
    split = benchmark._estm(0)
    assert len(split.properties) == 15
    asked_of = []

    def ask(long, seed):
        asked_of.append(long)
        rows = {name: ("specimen", np.arange(float(long.asked.sizes["specimen"]))) for name in long.scored}
        return xr.Dataset(rows)

    found = benchmark.along_curves(ask)(split, 0)
    assert set(found.data_vars) == set(split.scored)
    assert (
        found[f"seebeck_coefficient_{benchmark.TEMPERATURES[1]}"].values[0] == split.asked.sizes["specimen"]
    )
    known = chemical_systems(asked_of[0].known["composition"])
    assert not np.isin(chemical_systems(split.asked["composition"]), known).any()


@needs_data
def test_a_source_holds_nothing_of_the_systems_that_are_asked_about():
    aflow = benchmark.complete_aflow()
    source = aflow[["composition", *benchmark.SOURCE]]
    known, asked, others = few_labels(aflow, source, 0)
    assert known.sizes["specimen"] == 100
    assert "bulk_modulus" not in others
    assert "shear_modulus" not in others
    systems = [set(chemical_systems(table["composition"])) for table in (known, asked, others)]
    assert not systems[1] & (systems[0] | systems[2])
    mixed = shuffled(others, 0)
    np.testing.assert_array_equal(mixed["composition"], others["composition"])
    assert (mixed["energy"].values != others["energy"].values).mean() > 0.9
    np.testing.assert_array_equal(np.sort(mixed["energy"]), np.sort(others["energy"]))


@needs_data
def test_every_method_answers_what_is_scored():
    table = benchmark.complete_aflow().isel(specimen=slice(0, 4855, 40))
    is_test = benchmark.held_out(table, 0, grouped=False)
    split = benchmark._divided(table, is_test, ["composition"], list(benchmark.AFLOW), list(benchmark.AFLOW))
    for ask in (benchmark._ask_tieline, *PEERS.values()):
        scores = benchmark._scores(split, ask(split, 0))
        assert 0.05 < scores["mae"] < 1.2


def test_without_data_every_case_says_so(monkeypatch, capsys):
    monkeypatch.delenv("TIELINE_DATA", raising=False)
    main(["composition"])
    assert capsys.readouterr().out.count("skipped: no data") == len(benchmark.CASES)
