"""From files of spectra to shares and a report, by one command."""

import json
import re

import numpy as np
import pytest
from typer.testing import CliRunner

import tieline as tl
from tieline.cli import app

pytestmark = pytest.mark.usefixtures("nobody_outside")


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture(scope="module")
def world():
    return tl.worlds.tofsims(2, n_peaks=90, n_mixtures=3, spots_per_mixture=3, strangers=0.4)


@pytest.fixture(scope="module")
def files(world, tmp_path_factory):
    """Peak tables of references, of unknowns, and of both in one."""
    folder = tmp_path_factory.mktemp("spectra")
    references, unknowns = (t["area"].to_pandas() for t in (world.references, world.unknowns))
    references.insert(0, "compound", world.references["reference"].values)
    unknowns.insert(0, "pellet", world.unknowns["pellet"].values)
    references.to_csv(folder / "references.csv")
    unknowns.to_csv(folder / "unknowns.csv")
    unknowns.insert(0, "compound", "")
    both = [references.assign(pellet="pure"), unknowns]
    both[0].reindex(columns=both[1].columns).to_csv(folder / "both.csv")
    with (folder / "both.csv").open("a") as file:
        unknowns.to_csv(file, header=False)
    return folder


def test_shares_are_those_of_the_model(files, world):
    result = run("unmix", files / "references.csv", files / "unknowns.csv", "--by", "pellet", "--json")
    found = json.loads(result.stdout)["spectra"]
    direct = tl.SpectralComposition().fit(world.references).predict(world.unknowns, by="pellet")
    shares = [[one["shares"][c]["share"] for c in direct["compound"].values] for one in found]
    np.testing.assert_allclose(shares, direct["share"], atol=1e-4)
    assert [one["is_none_of_references"] for one in found] == direct["is_none_of_references"].values.tolist()


def test_unknowns_may_stand_below_the_references(files):
    answers = [
        json.loads(run("unmix", *names, "--by", "pellet", "--json").stdout)["spectra"]
        for names in ((files / "references.csv", files / "unknowns.csv"), (files / "both.csv",))
    ]
    assert answers[0] == answers[1]


def test_the_report_is_one_file_that_names_the_ions(files):
    page = files / "sub" / "report.html"
    rows = (files / "unknowns.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (files / "some.csv").write_text("".join([rows[0], *rows[4:7]]), encoding="utf-8")
    result = run("unmix", files / "references.csv", files / "some.csv", "--by", "pellet", "--report", page)
    assert result.exit_code == 0
    assert "mixture 2" in result.stdout
    text = page.read_text(encoding="utf-8")
    assert "http" not in re.sub(r"base64,[^\"]*", "", text)
    assert text.count("<img") == 2 + 2
    assert re.search(r"<td>LiH</td><td>\w+</td>", text)  # an ion, not "not assigned"
    assert "something is none of the references" in text


def test_raw_spectra_go_through_together(world, tmp_path):
    references = world.references.isel(specimen=np.flatnonzero(np.isin(np.arange(60) % 12, (0, 1))))
    plain = int(np.flatnonzero(~world.truth["has_stranger"].values)[0])
    unknown = world.unknowns.isel(specimen=[3 * plain, 3 * plain + 1])
    for kind, table in (("pure", references), ("unknown", unknown)):
        raw = tl.worlds.raw_spectra(table, mass_shift=2e-4, step=0.01)
        for i, row in enumerate(raw.values):
            within = tmp_path / kind / (str(table["reference"].values[i]) if kind == "pure" else "")
            within.mkdir(parents=True, exist_ok=True)
            np.savetxt(within / f"{i}.txt", np.column_stack([raw["mz"], row]), fmt=("%.3f", "%d"))
    found = json.loads(run("unmix", tmp_path / "pure", tmp_path / "unknown", "--json").stdout)
    truth = world.truth["share"].isel(specimen=3 * plain)
    shares = [found["spectra"][0]["shares"][c]["share"] for c in truth["compound"].values]
    np.testing.assert_allclose(shares, truth, atol=0.1)
    assert any("Calibrated to" in note for note in found["notes"])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("references.csv",), "nothing to unmix"),
        (("unknowns.csv", "unknowns.csv"), "Nothing says which compound"),
        (("references.csv", "unknowns.csv", "--reference", "compuond"), "Did you mean 'compound'"),
    ],
)
def test_what_is_missing_is_told(files, words, told):
    result = run("unmix", *(files / w if w.endswith(".csv") else w for w in words))
    assert result.exit_code == 2
    assert told in result.stderr
