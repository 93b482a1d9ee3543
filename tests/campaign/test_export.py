"""What is exported: a crate, and tables, that others can read without tieline."""

import hashlib
import json
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import xarray as xr
from robots import SETTINGS, run_all
from rocrate.rocrate import ROCrate

import tieline as tl
from tieline.campaign.citation import Citation, is_orcid
from tieline.campaign.learning import table_of
from tieline.campaign.studies.kept import note_study
from tieline.errors import SchemaError, TielineError

SHEET = Path(__file__).parents[2] / "examples" / "spread.csv"
CITATION = {
    "title": "A spread of Fe, Ga and Pd",
    "licence": "CC-BY-4.0",
    "publisher": "Analytical Engines",
    "published": "2026-11-28",
    "keywords": ["magnets", "thin films"],
    "creators": [
        {
            "name": "Lovelace, Ada",
            "orcid": "0000-0002-1825-0097",
            "affiliation": "Analytical Engines",
            "by": "ada",
        },
        {"name": "Babbage, Charles"},
    ],
}
KINDS = ("imported", "fit_started", "proposed", "told", "attached", "studied")


@pytest.fixture(scope="module")
def campaign(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    settings = tl.Settings("spread", model="GaussianProcess", goal="maximize:hardness", citation=CITATION)
    with tl.Campaign.create(folder / "spread", settings) as made:
        made.import_file(SHEET, by="ada")
        made.fit(by="ada")
        first, *_ = made.propose(n=3)["proposal"].values.tolist()
        made.tell({"hardness": {"value": 6900, "sd": 100, "unit": "MPa"}}, proposal=first, by="furnace-2")
        made.tell({"hardness": 7.2, "phase": "fcc"}, specimen=first, by="ada")
        made.tell({"hardness": {"flag": "failed"}}, specimen="S03")
        made.attach(Path(__file__), name="a pattern.xy", specimen=first)
        note_study(made, "spectra", "left_out", "b.csv", settings={}, by="ada")
        note_study(
            made, "spectra", "kept", "a pattern.xy", settings={"ions": "negative", "column": ""}, by="ada"
        )
        slip = made.tell({"hardness": 99.0}, specimen=first)
        made.undo(slip.number, why="read off the wrong scale")
        yield made


@pytest.fixture(scope="module")
def crate(campaign):
    return campaign.export(campaign.path.parent / "crate")


def entities(crate):
    graph = json.loads((crate / "ro-crate-metadata.json").read_text(encoding="utf-8"))["@graph"]
    return {entity["@id"]: entity for entity in graph}


def contents(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def table(campaign):
    return table_of(campaign.record(), campaign.settings)


def test_an_independent_library_reads_the_crate(crate):
    read = ROCrate(crate)
    assert read.name == CITATION["title"]
    assert read.license["@id"] == "https://spdx.org/licenses/CC-BY-4.0"
    assert [person["name"] for person in read.root_dataset["author"]] == ["Lovelace, Ada", "Babbage, Charles"]
    assert str(read.root_dataset["datePublished"])[:10] == "2026-11-28"
    described = {entity.id for entity in read.data_entities}
    there = {p.relative_to(crate).as_posix() for p in crate.rglob("*") if p.is_file()}
    assert {name.replace("%20", " ") for name in described} == there - {"ro-crate-metadata.json"}


def test_every_deed_that_counts_is_an_action_with_what_it_read_and_made(campaign, crate):
    found = entities(crate)
    actions = {i: e for i, e in found.items() if e["@type"] == "CreateAction"}
    events = [e for e in campaign.events() if e.kind in KINDS][:-1]  # the last one was undone
    assert list(actions) == [f"#event-{event.number}" for event in events]
    for action in actions.values():
        assert action["instrument"]["@id"].startswith("pkg:pypi/tieline")
        for key in ("object", "result"):
            said = action.get(key, [])
            for reference in [said] if isinstance(said, dict) else said:
                assert reference["@id"] in found
    fit = next(e for e in actions.values() if e["name"].startswith("Fit"))
    assert fit["agent"] == {"@id": "https://orcid.org/0000-0002-1825-0097"}
    assert any(found[p["@id"]]["name"] == "numpy" for p in fit["softwareRequirements"])
    settings = {found[p["@id"]]["name"]: found[p["@id"]].get("value") for p in fit["object"]}
    assert settings["seed"] == 0
    assert settings["model"] == "GaussianProcess"
    descriptions = [action["description"] for action in actions.values()]
    assert "Leaving out of b.csv in the study of spectra." in descriptions
    assert "Reading of a pattern.xy in the study of spectra with ions negative." in descriptions
    told = next(e for e in actions.values() if "furnace-2" in e["description"])
    assert "agent" not in told  # a robot is nobody whom one could cite


def test_the_input_of_a_fit_is_what_the_log_says(campaign, crate):
    from tieline.campaign.learning import checksum_of

    (fit,) = campaign.fits()
    read = tl.open_netcdf(crate / "tables" / f"{fit.name}.nc")
    assert checksum_of(read) == fit.outcome["table_sha256"]


def test_hashes_of_all_files_are_right(crate):
    lines = (crate / "SHA256SUMS").read_text().splitlines()
    sums = dict(reversed(line.split("  ", 1)) for line in lines)
    there = {p.relative_to(crate).as_posix() for p in crate.rglob("*") if p.is_file()}
    assert set(sums) == there - {"SHA256SUMS", "ro-crate-metadata.json"}
    found = entities(crate)
    for path, digest in sums.items():
        assert hashlib.sha256((crate / path).read_bytes()).hexdigest() == digest
        assert found[path.replace(" ", "%20")]["sha256"] == digest


def test_the_whole_log_is_there_and_its_chain_holds(campaign, crate):
    from tieline.campaign.store.event import Event

    lines = (crate / "events.jsonl").read_text(encoding="utf-8").splitlines()
    events = [Event(**json.loads(line)) for line in lines]
    assert events == campaign.events()
    assert all(event.is_intact() for event in events)


def test_xarray_and_pandas_alone_open_it(crate):
    with xr.open_datatree(crate / "record.nc", decode_timedelta=False) as tree:
        assert tree["specimens"]["hardness"].attrs["units"] == "GPa"
    with xr.open_dataset(crate / "table.nc", decode_timedelta=False) as opened:
        assert opened["composition"].dims == ("specimen", "element")
    sheets = {p.name: pd.read_csv(p) for p in crate.glob("*.csv")}
    dictionary = sheets.pop("dictionary.csv")
    for name, sheet in sheets.items():
        assert list(sheet.columns) == dictionary.loc[dictionary["file"] == name, "column"].tolist()
    assert "hardness (GPa)" in sheets["specimens.csv"]
    measured = sheets["measurements.csv"]
    told = measured[(measured["source"] == "told") & (measured["property"] == "hardness")]
    assert told["value"].tolist()[0] == 6900
    assert told["unit"].tolist()[0] == "MPa"
    assert (told["flag"] == "failed").sum() == 1
    assert sheets["proposals.csv"]["state"].tolist() == ["done", "proposed", "proposed"]


@pytest.mark.parametrize("file", ["record.nc", "specimens.csv"])
def test_a_campaign_made_again_from_the_crate_has_the_same_table(campaign, crate, tmp_path, file):
    with tl.Campaign.create(tmp_path / "again", campaign.settings) as again:
        again.import_file(crate / file)
        one, two = table(campaign), table(again)
    assert "hardness_flag" in one.variables
    assert set(one.variables) == set(two.variables)
    for name in one.data_vars:
        xr.testing.assert_allclose(one[name], two[name], rtol=0 if file == "record.nc" else 1e-14)
        for key in ("units", "role"):
            assert one[name].attrs.get(key) == two[name].attrs.get(key)
    for name in one.coords:
        assert one[name].values.astype(str).tolist() == two[name].values.astype(str).tolist()


def test_the_same_campaign_gives_the_same_bytes(campaign, crate, tmp_path):
    again = campaign.export(tmp_path / "again")
    assert contents(again) == contents(crate)
    one, two = (campaign.export(tmp_path / f"{name}.zip") for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    with zipfile.ZipFile(one) as archive:
        packed = {Path(name): archive.read(name) for name in archive.namelist()}
    assert packed == contents(crate)


def test_what_happened_later_is_not_in_an_export_of_the_past(campaign, tmp_path):
    with tl.Campaign.open(campaign.path, as_of=2) as past:
        early = past.export(tmp_path / "early")
    assert len((early / "events.jsonl").read_text().splitlines()) == 2
    assert pd.read_csv(early / "proposals.csv").empty
    assert not list(early.glob("posteriors/*"))


def test_while_others_write_the_export_is_of_one_moment(tmp_path):
    from threading import Event, Thread

    settings = replace(SETTINGS, citation=CITATION)
    over = Event()

    def work(folder):
        with tl.Campaign.open(folder) as robot:
            while not over.is_set():
                run_all(robot, 1)

    with tl.Campaign.create(tmp_path / "busy", settings) as busy:
        run_all(busy, 2)
        writer = Thread(target=work, args=(busy.path,))
        writer.start()
        try:
            for i in range(3):
                crate = busy.export(tmp_path / f"crate-{i}")
                log = (crate / "events.jsonl").read_text(encoding="utf-8").splitlines()
                told = [line for line in log if json.loads(line)["kind"] == "told"]
                assert len(pd.read_csv(crate / "measurements.csv")) == len(told)
                assert tl.open_netcdf(crate / "table.nc").sizes["specimen"] == len(told)
        finally:
            over.set()
            writer.join()
        assert busy.verify() == []


def test_a_kill_leaves_a_whole_crate_or_none(campaign, tmp_path):
    code = (
        "import sys, tieline as tl\n"
        "with tl.Campaign.open(sys.argv[1]) as campaign:\n"
        "    while True:\n"
        "        campaign.export(sys.argv[2], replace=True)\n"
        "        print('done', flush=True)\n"
    )
    file = tmp_path / "crate.zip"
    words = [sys.executable, "-c", code, str(campaign.path), str(file)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as robot:
        for _ in range(2):
            assert robot.stdout.readline() == "done\n"
        time.sleep(0.05)  # into the next one
        robot.kill()
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        assert "ro-crate-metadata.json" in archive.namelist()
    assert campaign.verify() == []


def test_nothing_is_overwritten_but_an_earlier_export_if_one_says_so(campaign, tmp_path):
    taken, thesis = tmp_path / "taken", tmp_path / "taken" / "thesis.txt"
    taken.mkdir()
    thesis.write_text("years of work")
    with pytest.raises(TielineError, match="there already"):
        campaign.export(taken)
    with pytest.raises(TielineError, match="no earlier export"):
        campaign.export(taken, replace=True)
    with pytest.raises(TielineError, match="no earlier export"):
        campaign.export(thesis, replace=True)
    assert thesis.read_text() == "years of work"
    for name in ("crate", "crate.zip"):
        campaign.export(tmp_path / name, form="csv")
        campaign.export(tmp_path / name, replace=True)
    assert (tmp_path / "crate" / "ro-crate-metadata.json").is_file()
    assert {p.name for p in tmp_path.iterdir()} == {"taken", "crate", "crate.zip"}


def test_the_campaign_is_never_replaced(campaign, monkeypatch):
    monkeypatch.chdir(campaign.path)
    for path in (campaign.path, campaign.path.parent, Path(), Path("..")):
        with pytest.raises(TielineError, match="The campaign itself is in"):
            campaign.export(path, form="csv", replace=True)
    assert campaign.verify() == []


def test_a_crate_asks_who_made_the_data_and_tables_do_not(tmp_path):
    with tl.Campaign.create(tmp_path / "robots", SETTINGS) as made:
        run_all(made, 2)
        with pytest.raises(TielineError, match="Who made these data") as error:
            made.export(tmp_path / "crate")
        assert not (tmp_path / "crate").exists()
        assert {p.name for p in made.export(tmp_path / "tables", form="csv").iterdir()} >= {
            "specimens.csv",
            "measurements.csv",
            "dictionary.csv",
        }
        lines = error.value.hint.split("\n", 1)[1]
        file = made.path / "campaign.toml"
        head, space, tail = file.read_text().partition("[[space")
        file.write_text(head + "\n".join(s.strip() for s in lines.splitlines()) + "\n" + space + tail)
        made.export(tmp_path / "crate")


def test_settings_keep_the_citation(tmp_path):
    settings = replace(SETTINGS, citation=CITATION)
    with tl.Campaign.create(tmp_path / "robots", settings) as made:
        assert made.settings == settings


def test_a_citation_that_is_none_is_refused():
    for said, words in (
        ({"license": "MIT"}, "no 'license'"),
        ({"licence": "free for all"}, "licence"),
        ({"published": "yesterday"}, "published"),
        ({"keywords": "films"}, "keywords"),
        ({"creators": [{"orcid": "0000-0002-1825-0097"}]}, "name"),
        ({"creators": [{"name": "A", "orcid": "0000-0002-1825-0098"}]}, "orcid"),
    ):
        with pytest.raises(SchemaError, match=words):
            Citation.from_dict(said)


def test_the_last_character_of_an_orcid_checks_the_others():
    assert is_orcid("0000-0002-1825-0097")
    assert is_orcid("0000-0002-1694-233X")  # both are examples of ORCID itself
    assert not is_orcid("0000-0002-1825-0079")


def test_a_password_does_not_leave_the_house(campaign, tmp_path):
    file = campaign.path / "campaign.toml"
    text = file.read_text()
    with tl.Campaign.open(campaign.path) as opened:
        from tieline.campaign.export.exporting import export
        from tieline.campaign.export.view import viewed

        settings = opened.settings
        file.write_text('store = "postgresql://lab:secret@server/lab#spread"\n' + text)
        try:
            with viewed(opened.path, opened.store, settings) as view:
                export(view, tmp_path / "crate", "crate", replace=False)
        finally:
            file.write_text(text)
    assert "secret" not in (tmp_path / "crate" / "campaign.toml").read_text()
    assert "lab:***@server" in (tmp_path / "crate" / "campaign.toml").read_text()
