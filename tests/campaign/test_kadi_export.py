"""Records for Kadi4Mat, and how they are sent; asked for as kadi-apy asks."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from kadi_server import TOKEN, kadi_server
from robots import SETTINGS, run_all

import tieline as tl
from tieline.campaign.export.kadi import identifier
from tieline.campaign.export.kadi_upload import Server, upload
from tieline.errors import TielineError

# What kadi-apy 0.51 asked of the same server: records made, found and changed, files sent, replaced, linked.
RECORDED = Path(__file__).parent / "kadi_apy_requests.json"


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kadi")
    citation = {"licence": "CC-BY-4.0", "keywords": ["Films"], "creators": [{"name": "Lovelace, Ada"}]}
    with tl.Campaign.create(folder / "robots", replace(SETTINGS, citation=citation)) as campaign:
        run_all(campaign, 2)
        names = campaign.proposals()["proposal"].values.tolist()
        campaign.tell(
            {"hardness": [5.0, 5.2]}, specimen="S 1", made={"temperature": 700, "substrate": "glass"}
        )
        campaign.attach(Path(__file__), specimen=names[0])
        return campaign.export(folder / "kadi", form="kadi")


@pytest.fixture
def kadi():
    with kadi_server() as server:
        yield server


def records(exported):
    return json.loads((exported / "kadi-records.json").read_text(encoding="utf-8"))


def shape(request):
    """A request without what differs from one to the next: numbers, names and lengths."""
    method, path, body, headers = request
    path = re.sub(r"/files/[^/]+", "/files/NAME", re.sub(r"identifier/[^/]+", "identifier/NAME", path))
    return method, re.sub(r"/\d+", "/N", path), tuple(body) if isinstance(body, list) else "", tuple(headers)


def test_metadata_have_types_units_and_nest(exported):
    campaign, first, *_, repeated = records(exported)
    assert campaign["record"]["type"] == "campaign"
    assert campaign["record"]["license"] == "CC-BY-4.0"
    assert campaign["record"]["tags"] == ["films"]
    extras = {extra["key"]: extra for extra in first["record"]["extras"]}
    (hardness,) = extras["property"]["value"]
    assert (hardness["key"], hardness["type"], hardness["unit"]) == ("hardness", "float", "GPa")
    process = {extra["key"]: extra for extra in extras["process"]["value"]}
    assert process["temperature"]["unit"] == "°C"
    assert process["substrate"]["type"] == "str"
    assert "unit" not in process["substrate"]
    (again,) = next(e for e in repeated["record"]["extras"] if e["key"] == "property")["value"]
    assert again["type"] == "list"
    assert [part["value"] for part in again["value"]] == [5.0, 5.2]
    assert all("key" not in part for part in again["value"])


def test_every_file_belongs_to_one_record(exported):
    there = {p.relative_to(exported).as_posix() for p in exported.rglob("*") if p.is_file()}
    named = [path for entry in records(exported) for path in entry["files"]]
    assert sorted(named) == sorted(there - {"kadi-records.json"})
    assert len(records(exported)[1]["files"]) == 1  # the attached one


def test_what_is_sent_arrives(exported, kadi):
    numbers = upload(exported, Server(kadi.url, TOKEN))
    entries = records(exported)
    assert len(numbers) == len(entries) == 4
    for number, entry in zip(numbers, entries, strict=True):
        assert entry["record"].items() <= kadi.records[number].items()
        sent = {name: content for name, (content, _) in kadi.files.get(number, {}).items()}
        assert sent == {p.replace("/", "_"): (exported / p).read_bytes() for p in entry["files"]}
    assert [link["record_to"]["id"] for n in numbers[1:] for link in kadi.links[n]] == [numbers[0]] * 3


def test_it_is_asked_as_kadi_apy_asks(exported, kadi):
    upload(exported, Server(kadi.url, TOKEN))
    file = exported / "specimens.csv"
    text = file.read_bytes()
    try:
        file.write_bytes(text + b"\n")
        upload(exported, Server(kadi.url, TOKEN))  # replaces it
    finally:
        file.write_bytes(text)
    known = {shape(request) for request in json.loads(RECORDED.read_text())}
    with_licence = {(m, p, tuple(sorted({*b, "license"})), h) for m, p, b, h in known if "extras" in b}
    assert {shape(request) for request in kadi.asked} <= known | with_licence


def test_sent_again_nothing_changes(exported, kadi):
    first = upload(exported, Server(kadi.url, TOKEN))
    n_asked = len(kadi.asked)
    lines = []
    assert upload(exported, Server(kadi.url, TOKEN), progress=lines.append) == first
    assert lines == []
    assert {request[0] for request in kadi.asked[n_asked:]} == {"GET"}


@pytest.mark.parametrize("n", [1, 4, 9, 15])
def test_broken_off_it_goes_on_where_it_stopped(exported, kadi, n):
    kadi.fails_after = n
    with pytest.raises(TielineError, match="does not answer"):
        upload(exported, Server(kadi.url, TOKEN))
    kadi.fails_after = None
    numbers = upload(exported, Server(kadi.url, TOKEN))
    assert len(set(numbers)) == len(kadi.records) == 4
    sent = [request for request in kadi.asked if request[1].endswith("/uploads")]
    n_files = sum(len(entry["files"]) for entry in records(exported))
    assert n_files <= len(sent) <= n_files + 1


def test_a_wrong_token_and_a_folder_that_is_no_export_are_told(exported, kadi, tmp_path):
    with pytest.raises(TielineError, match="does not accept the token"):
        upload(exported, Server(kadi.url, "wrong"))
    with pytest.raises(TielineError, match="wants a token"):
        upload(exported, Server(kadi.url, ""))
    with pytest.raises(TielineError, match="no export for Kadi4Mat"):
        upload(tmp_path, Server(kadi.url, TOKEN))
    assert kadi.records == {}


def test_two_names_stay_two_identifiers():
    names = ["S 1", "S-1", "s1", "S_1", "ä", "x" * 60, "x" * 61]
    found = [identifier(name, campaign) for name in names for campaign in ("one", "another")]
    assert len(set(found)) == 2 * len(names)
    assert all(re.fullmatch(r"[a-z0-9_-]{1,50}", one) for one in found)
