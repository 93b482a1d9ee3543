"""Whatever is sent to whichever route, the service answers in three clauses and the campaign stays whole.

Routes, forms and examples are read off the service itself, so that a new route is tried as well.
"""

import json
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from robots import SETTINGS
from server import visiting

from tieline.campaign.campaign import Campaign
from tieline.service.app import create_app

SCHEMA = create_app("unused").openapi()
ROUTES = [
    pytest.param(method.upper(), path, route, id=f"{method.upper()} {path}")
    for path, deeds in SCHEMA["paths"].items()
    for method, route in deeds.items()
    if not path.endswith("/stream")
]
WORDS = st.sampled_from(
    ["", "hardness", "temperature", "steel", "value", "unit", "sd", "flag", "below", "failed", "GPa", "degC"]
)
NAMES = st.sampled_from(
    ["P2026-11-24-1", "../x", "nan", "1e999", "-1", "0", "1", "told-2", "fit-1", "maximize:hardness", "ü✓"]
)
NUMBERS = st.one_of(
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0, -1, 1, 2**31, 2**53, 2**63, 2**64, 10**299, 700, 5.0, 1e-320, -1e308]),
)
TEXTS = WORDS | NAMES | st.text(max_size=8)
LEAVES = st.none() | st.booleans() | NUMBERS | TEXTS
ANYTHING = st.recursive(
    LEAVES,
    lambda part: st.lists(part, max_size=3) | st.dictionaries(TEXTS, part, max_size=3),
    max_leaves=8,
)
RESULTS = st.dictionaries(st.just("hardness") | TEXTS, ANYTHING, max_size=2)
MADE = st.fixed_dictionaries(
    {"temperature": st.just(700) | ANYTHING, "substrate": st.just("steel") | ANYTHING}
) | st.dictionaries(TEXTS, ANYTHING, max_size=3)


def bodies(route):
    """Bodies of a route: in its form with anything in it, some fields of it, or anything at all."""
    content = route.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return st.none()
    form = content["schema"]
    for one in form.get("anyOf", [form]):
        if "$ref" in one:
            form = SCHEMA["components"]["schemas"][one["$ref"].rpartition("/")[2]]
    fields = {name: ANYTHING for name in form.get("properties", {})}
    fields |= {name: kind for name, kind in (("results", RESULTS), ("made", MADE)) if name in fields}
    if "places" in fields:
        fields["places"] = st.lists(MADE, max_size=2) | ANYTHING
    likely = st.fixed_dictionaries({}, optional=fields)
    single = st.sampled_from(sorted(fields) or ["x"]).flatmap(
        lambda name: st.fixed_dictionaries({name: fields.get(name, ANYTHING)})
    )
    return likely | single | ANYTHING


def requests(path, route):
    """A whole request: path, query, body, and whether its JSON is cut short."""
    names = {p["name"]: p["in"] for p in route.get("parameters", [])}
    parts = st.fixed_dictionaries({name: TEXTS for name, place in names.items() if place == "path"})
    query = {name: TEXTS for name, place in names.items() if place == "query"}
    filled = parts.map(lambda said: path.format(**{name: quote(v, safe="") for name, v in said.items()}))
    return st.tuples(filled, st.fixed_dictionaries({}, optional=query), bodies(route), st.integers(0, 30))


@pytest.mark.parametrize(("method", "path", "route"), ROUTES)
def test_anything_is_answered_and_nothing_is_spoiled(method, path, route, tmp_path):
    Campaign.create(tmp_path / "robots", SETTINGS).close()

    @settings(
        max_examples=30, deadline=None, database=None, derandomize=True, suppress_health_check=HealthCheck
    )
    @given(requests(path, route))
    def attempt(request):
        address, query, body, cut = request
        text = json.dumps(body).encode()
        headers = {} if method == "GET" else {"content-type": "application/json"}
        content = None if method == "GET" else text[: len(text) - 2] if cut == 0 else text
        answer = visitor.request(method, address, params=query, content=content, headers=headers)
        assert answer.status_code < 500, (answer.text, request)
        if answer.status_code >= 400:
            assert set(answer.json()) == {"error", "what", "found", "hint"}
            assert answer.json()["what"]

    with visiting(create_app(tmp_path / "robots")) as visitor:
        attempt()
        assert visitor.get("/v1/campaign").status_code == 200
        assert visitor.get("/v1/specimens").status_code == 200
    with Campaign.open(tmp_path / "robots") as campaign:
        assert campaign.verify() == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "the request does not have the form"),
        (b"{", "line 1, column 2"),
        (b'{"n": NaN}', "no number of JSON"),
        (b'{"n": 1e999}', "no computer can hold"),
        (b'{"n": ' + b"9" * 5000 + b"}", "no computer can hold"),
        (b'{"n": 1, "n": 2}', "said twice"),
        (b"[" * 100_000, "without end"),
        (b"[" * 50 + b"]" * 50, "levels"),
        (b'{"by": "\\u0000"}', "no database keeps"),
        (b'{"by": "\\ud800"}', "no database keeps"),
        (b'{"by": "\xff"}', "not UTF-8"),
        (b"null", "the request does not have the form"),
        (b'"ask"', "the request does not have the form"),
    ],
    ids=range(13),
)
def test_absurd_json_is_told_what_is_wrong_with_it(visitor, text, words):
    answer = visitor.post("/v1/ask", content=text, headers={"content-type": "application/json"})
    assert 400 <= answer.status_code < 500
    assert words in " ".join(answer.json().values()).lower().replace("utf-8", "UTF-8").replace("json", "JSON")


def test_json_under_another_name_is_not_taken(visitor):
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        answer = visitor.post("/v1/ask", content=b'{"n": 1}', headers={"content-type": kind})
        assert answer.status_code == 415
        assert "Content-Type: application/json" in answer.json()["hint"]
    assert visitor.get("/v1/proposals").json()["proposals"] == []


def test_every_route_is_told_with_its_forms_and_examples():
    assert len(ROUTES) > 20
    schemas = SCHEMA["components"]["schemas"]
    for name, form in schemas.items():
        if name.startswith("Body_") or "Validation" in name:
            continue
        assert form["description"], name
    for route in (route for deeds in SCHEMA["paths"].values() for route in deeds.values()):
        assert len(route["description"]) > 10
        assert {"401", "403", "404", "409", "413", "422"} <= set(route["responses"])
        for answer in ("400", "401", "409"):
            reference = route["responses"][answer]["content"]["application/json"]["schema"]["$ref"]
            assert reference.endswith("/Failure")
    names = [route["operationId"] for deeds in SCHEMA["paths"].values() for route in deeds.values()]
    assert len(set(names)) == len(names)
    assert {"ask", "claim", "tell", "start_fit"} <= set(names)
    for name in ("Ask", "Claim", "Tell", "Predict", "Proposal", "Recorded", "Failure"):
        fields = schemas[name]["properties"].values()
        assert any("examples" in field for field in fields), name
