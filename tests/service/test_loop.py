"""A robot's loop over plain HTTP: what any language can do with a service."""

import threading
import time

import pytest
from robots import hardness

from tieline.campaign.campaign import Campaign

pytestmark = pytest.mark.usefixtures("nobody_outside")


def post(visitor, path, key="", **body):
    headers = {"Idempotency-Key": key} if key else {}
    response = visitor.post(f"/v1{path}", json=body, headers=headers)
    assert response.status_code < 300, response.text
    return response.json()


def get(visitor, path, **query):
    response = visitor.get(f"/v1{path}", params=query)
    assert response.status_code == 200, response.text
    return response.json()


def run(visitor, proposal, **about):
    """Do an experiment and tell its result."""
    value = {"value": hardness(**proposal["settings"]), "unit": "GPa"}
    return post(visitor, "/tell", results={"hardness": value}, proposal=proposal["proposal"], **about)


def learn(visitor):
    fit = post(visitor, "/fits", by="ada")
    while fit["state"] == "running":
        time.sleep(0.1)
        fit = get(visitor, f"/fits/{fit['fit']}")
    assert fit["state"] == "done", fit
    return fit


def refusal(response, status, *words):
    assert response.status_code == status, response.text
    said = response.json()
    for word in words:
        assert word in " ".join(said.values())
    return said


def test_a_robot_asks_claims_tells_and_learns(visitor, folder):
    asked = post(visitor, "/ask", n=5, by="planner")["proposals"]
    assert [p["state"] for p in asked] == ["proposed"] * 5
    assert asked[0]["units"] == {"temperature": "degC"}
    claimed = post(visitor, "/claim", by="furnace-2", lease=3600)
    assert claimed["proposal"] == asked[0]["proposal"]
    assert claimed["claimed_by"] == "furnace-2"
    post(visitor, f"/proposals/{claimed['proposal']}/renew", by="furnace-2", lease=60)
    assert get(visitor, f"/proposals/{claimed['proposal']}")["state"] == "running"
    told = run(visitor, claimed, made={"temperature": {"value": 973.15, "unit": "K"}}, by="furnace-2")
    assert told["specimen"] == claimed["proposal"]
    for proposal in asked[1:]:
        run(visitor, proposal)
    specimens = get(visitor, "/specimens")
    assert specimens["total"] == 5
    assert specimens["rows"][0]["temperature"] == pytest.approx(700)
    assert specimens["units"]["hardness"] == "GPa"
    refusal(visitor.post("/v1/predict", json={}), 409, "Nothing was learned yet", "POST /v1/fits")

    fit = learn(visitor)
    assert fit["outcome"]["verdict"] in ("green", "amber", "red")
    (here,) = post(visitor, "/predict", places=[{"temperature": 700, "substrate": "steel"}])["rows"]
    assert here["hardness"] == pytest.approx(hardness(700, "steel"), abs=3 * here["hardness_sd"])
    assert len(post(visitor, "/predict")["rows"]) > 10
    (one,) = post(visitor, "/ask", instrument="furnace-3")["proposals"]
    assert {"hardness", "hardness_sd"} <= set(one["predicted"])
    assert one["reason"]
    overview = get(visitor, "/campaign")
    assert overview["proposals"] == {"done": 5, "proposed": 1}
    assert overview["learned"]["fit"] == fit["fit"]
    assert overview["words"]["results"] == ["hardness"]
    with Campaign.open(folder) as campaign:
        assert campaign.verify() == []
        assert campaign.posterior().table.sizes["specimen"] == 5


def test_a_request_that_is_sent_again_counts_once(visitor):
    one = post(visitor, "/ask", key="a", n=2)
    assert post(visitor, "/ask", key="a", n=2) == one
    name = one["proposals"][0]["proposal"]
    claimed = post(visitor, "/claim", key="c", by="a")
    assert post(visitor, "/claim", key="c", by="a") == claimed
    told = post(visitor, "/tell", key="t", results={"hardness": 5.0}, proposal=name)
    assert post(visitor, "/tell", key="t", results={"hardness": 5.0}, proposal=name) == told
    assert len(get(visitor, "/measurements")["measurements"]) == 1
    other = {"results": {"hardness": 6.0}, "proposal": name}
    refusal(visitor.post("/v1/tell", json=other, headers={"Idempotency-Key": "t"}), 409, "another request")


def test_what_cannot_be_is_refused_in_three_clauses(visitor):
    first, asked = post(visitor, "/ask", n=2)["proposals"]
    run(visitor, first)
    name = asked["proposal"]
    told = {"results": {"hardnes": 1.0}, "proposal": name}
    refusal(visitor.post("/v1/tell", json=told), 422, "SchemaError", "hardnes", "Did you mean 'hardness'")
    told = {"results": {"hardness": {"value": 1.0, "unit": "degC"}}, "proposal": name}
    refusal(visitor.post("/v1/tell", json=told), 422, "UnitError")
    refusal(visitor.post("/v1/tell", json={"proposal": name}), 422, "Nothing was told")
    refusal(
        visitor.post("/v1/tell", json={"results": {}, "proposl": name}),
        422,
        "there is no 'proposl'. Did you mean 'proposal'?",
    )
    refusal(visitor.post("/v1/ask", json={"n": 0}), 422, "n: input should be greater")
    refusal(visitor.post("/v1/ask", json={"goal": "maximise"}), 422)
    refusal(visitor.post("/v1/claim", json={"proposal": "P1", "by": "a"}), 404, "NotFound", "P1")
    refusal(visitor.post("/v1/claim", json={"proposal": name}), 422, "needs a name")
    post(visitor, "/claim", by="a")
    refusal(visitor.post("/v1/claim", json={"by": "b"}), 404, "No proposal is open")
    refusal(visitor.post("/v1/claim", json={"proposal": name, "by": "b"}), 409, "claimed by a")
    refusal(visitor.post(f"/v1/proposals/{name}/release", json={"by": "b"}), 409, "did not claim")
    refusal(visitor.get("/v1/proposals", params={"state": "don"}), 422, "Did you mean 'done'")
    refusal(visitor.get("/v1/proposals", params={"mine": True}), 422, "who you are", "by=")
    refusal(visitor.get("/v1/campaign", params={"as_of": "yesterday"}), 422, "no point in time")
    refusal(visitor.get("/v1/fits/fit-99"), 404)


def test_what_was_made_outside_the_space_is_taken_and_said_so(visitor):
    def notes(**made):
        return post(visitor, "/tell", results={"hardness": 5.0}, made=made)["notes"]

    assert notes(temperature=703, substrate="glass") == []  # between two steps
    hot = {"value": 1223.15, "unit": "K"}
    assert notes(temperature=hot, substrate="glass") == [
        "temperature: 950 degC lies outside the space of campaign.toml."
    ]
    assert notes(temperature=700, substrate="wood") == [
        "substrate: wood lies outside the space of campaign.toml."
    ]
    told = {"results": {"hardness": 5.0}, "made": {"temperature": -400, "substrate": "glass"}}
    refusal(visitor.post("/v1/tell", json=told), 422, "below absolute zero", "-400 degC")


def test_nothing_is_learned_of_nothing(visitor):
    refusal(visitor.post("/v1/fits"), 422, "no data yet")


def test_proposals_fail_are_given_back_and_given_up(visitor):
    one, two, three = (p["proposal"] for p in post(visitor, "/ask", n=3)["proposals"])
    post(visitor, "/claim", proposal=one, by="a")
    post(visitor, f"/proposals/{one}/release", by="a", why="out of gas")
    post(visitor, f"/proposals/{two}/fail", by="a", why="cracked")
    post(visitor, f"/proposals/{three}/abandon", why="no powder")
    listed = get(visitor, "/proposals")["proposals"]
    assert [(p["state"], p["why"]) for p in listed] == [
        ("proposed", "out of gas"),
        ("failed", "cracked"),
        ("abandoned", "no powder"),
    ]
    assert [p["proposal"] for p in get(visitor, "/proposals", state=["failed"])["proposals"]] == [two]
    assert get(visitor, "/measurements", specimen=two)["measurements"][0]["flag"] == "failed"


def test_an_event_is_undone_and_the_past_can_be_looked_at(visitor):
    (asked,) = post(visitor, "/ask")["proposals"]
    slip = run(visitor, asked)
    undone = post(visitor, f"/events/{slip['event']}/undo", why="wrong furnace", by="ada")
    assert undone["kind"] == "undone"
    assert get(visitor, "/specimens") == {"rows": [], "units": {}, "notes": [], "total": 0}
    assert get(visitor, "/specimens", as_of=slip["event"])["total"] == 1
    assert get(visitor, "/campaign", as_of=str(slip["event"]))["proposals"] == {"done": 1}
    assert get(visitor, "/campaign")["proposals"] == {"proposed": 1}
    kinds = [event["kind"] for event in get(visitor, "/events")["events"]]
    assert kinds == ["created", "proposed", "told", "undone"]
    refusal(visitor.post("/v1/events/999/undo", json={}), 404)


def test_a_fit_is_cancelled_and_that_can_be_said_twice(visitor):
    for proposal in post(visitor, "/ask", n=4)["proposals"]:
        run(visitor, proposal)
    fit = post(visitor, "/fits")
    refusal(visitor.post("/v1/fits", json={}), 409, "A fit is running")
    for _ in range(2):
        assert post(visitor, f"/fits/{fit['fit']}/cancel")["state"] == "cancelled"


def lines_of(visitor, n, after=0, headers=None):
    """The first n events of the stream: their ids and kinds."""
    found, kinds = [], []
    with visitor.stream("GET", f"/v1/events/stream?after={after}", headers=headers or {}) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        for line in response.iter_lines():
            if line.startswith("id: "):
                found.append(int(line[4:]))
            if line.startswith("event: "):
                kinds.append(line[7:])
            if len(kinds) == n:
                return list(zip(found, kinds, strict=True))
    raise AssertionError("the stream ended")


def test_the_log_is_followed_while_it_grows_and_from_where_one_was(visitor):
    post(visitor, "/ask")
    assert lines_of(visitor, 2) == [(1, "created"), (2, "proposed")]
    later = threading.Timer(0.7, lambda: post(visitor, "/ask"))
    later.start()
    assert lines_of(visitor, 1, headers={"Last-Event-ID": "2"}) == [(3, "proposed")]
    later.join()
    assert lines_of(visitor, 1, after=2) == [(3, "proposed")]


def test_files_are_looked_at_imported_and_kept(visitor, folder):
    sheet = (
        b"specimen;temperature (degC);substrate;hardness (GPa);remark\nA;700;steel;3,5;x\nB;720;glass;4,5;y\n"
    )
    sent = {"file": ("spread (1).csv", sheet, "text/csv")}
    columns = visitor.post("/v1/files/preview", files=sent).json()["columns"]
    assert {c["name"]: c["unit"] for c in columns}["temperature"] == "degC"
    data = {"columns": '{"remark": null}', "by": "ada"}
    imported = visitor.post("/v1/files", files=sent, data=data).json()
    assert imported["n_specimens"] == 2
    assert "remark" not in get(visitor, "/specimens")["rows"][0]
    assert get(visitor, "/campaign")["imports"] == ["spread (1).csv"]

    pattern = {"file": ("A.xy", b"10 1\n20 2\n")}
    kept = visitor.post("/v1/artifacts", files=pattern, data={"specimen": "A"}).json()
    assert kept["kind"] == "attached"
    files = sorted((folder / "artifacts").iterdir())
    for about, meant in (({"specimen": "AA"}, "A"), ({"specimen": "A", "proposal": "P-none"}, "nothing")):
        other = {"file": ("A.xy", b"10 1\n20 3\n")}
        refusal(visitor.post("/v1/artifacts", files=other, data=about), 404, "There is no", meant)
    assert sorted((folder / "artifacts").iterdir()) == files
    (listed,) = get(visitor, "/artifacts", specimen="A")["artifacts"]
    fetched = visitor.get(f"/v1/artifacts/{listed['sha256']}")
    assert fetched.content == b"10 1\n20 2\n"
    assert fetched.headers["content-disposition"] == 'attachment; filename="A.xy"'
    assert visitor.get(f"/v1/artifacts/{'0' * 64}").status_code == 404
    with Campaign.open(folder) as campaign:
        assert campaign.verify() == []


@pytest.mark.parametrize(
    "name",
    [
        "../x.csv",
        "..\\x.csv",
        "/etc/passwd",
        "a/b.csv",
        ".hidden.csv",
        "con.csv",
        "x",
        "x\u202e.csv",
        "a" * 200,
    ],
)
def test_a_path_is_no_name_of_a_file(visitor, folder, name):
    before = sorted(folder.rglob("*"))
    for path in ("/v1/files", "/v1/files/preview", "/v1/artifacts"):
        response = visitor.post(path, files={"file": (name, b"a,b\n1,2\n")})
        assert response.status_code == 422
        assert not [f for f in sorted(folder.rglob("*")) if f not in before and "x.csv" in f.name]


def test_health_says_that_the_record_can_be_read(visitor):
    assert get(visitor, "/health")["status"] == "ok"
