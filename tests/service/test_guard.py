"""The guard, tried at every route that there is: what is not allowed is refused, and none is forgotten."""

import re

import pytest
from robots import SETTINGS
from server import visiting
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from tieline.campaign.campaign import Campaign
from tieline.campaign.tokens import ROLES, add_token, revoke_token
from tieline.service.access import Access
from tieline.service.app import create_app
from tieline.service.guard import ENTER, HEADERS, PROPOSE, READ, Need, need_of, needs

OURS = {"content-type": "application/json"}
MAX_UPLOAD = 2_000_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("guard") / "robots"
    Campaign.create(folder, SETTINGS).close()
    return folder


@pytest.fixture(scope="module")
def secrets(folder):
    with Campaign.open(folder) as campaign:
        return {role: add_token(campaign.store, f"{role}er", role) for role in ROLES}


@pytest.fixture(scope="module")
def door(folder):
    """A service of this machine, without tokens."""
    with visiting(create_app(folder, max_upload=MAX_UPLOAD)) as client:
        yield client


@pytest.fixture(scope="module")
def far(folder, secrets):
    """A service that other machines can reach."""
    with visiting(create_app(folder, Access.at("0.0.0.0"), max_upload=MAX_UPLOAD)) as client:
        yield client


def table():
    """Every route: its method, an address of it, and what it needs."""
    for route in create_app("unused").router.routes:
        for method in sorted(route.methods):
            yield method, re.sub(r"\{\w+\}", "1", route.path), need_of(route)


ROUTES = [pytest.param(*row, id=f"{row[0]} {row[1]}") for row in table()]
every_route = pytest.mark.parametrize(("method", "path", "need"), ROUTES)


def error_of(response):
    """What a refusal says; it is always the same three clauses."""
    said = response.json()
    assert set(said) == {"error", "what", "found", "hint"}
    assert said["what"]
    return said["error"]


def test_there_are_routes_to_try():
    assert len(ROUTES) > 20


@every_route
def test_every_route_says_what_it_needs(method, path, need):
    assert isinstance(need, Need)
    assert need.role in (*ROLES, ENTER)
    assert (need.role == READ) <= (method == "GET" or path in ("/v1/predict", "/v1/files/preview"))


@every_route
def test_no_token_and_no_ones_token_are_refused(far, method, path, need):
    for headers in (
        {},
        {"Authorization": "Bearer guess"},
        {"Authorization": "Basic YTpi"},
        {"Authorization": "Bearer"},
        {"Cookie": "tieline=guess"},
        {"Cookie": f"tieline-{far.base_url.port}=guess"},
    ):
        response = far.request(method, path, headers=headers)
        assert response.status_code == 401
        assert need.role == ENTER or error_of(response) == "NotAllowed"


@every_route
def test_a_role_does_what_it_may_and_no_more(far, secrets, method, path, need):
    for role in ROLES:
        if path.endswith("/stream"):
            continue  # it does not end
        headers = {"Authorization": f"Bearer {secrets[role]}"}
        status = far.request(method, path, headers=headers, content=b"no JSON").status_code
        may = need.role == ENTER or ROLES.index(role) >= ROLES.index(need.role)
        assert (status != 403) == may
        assert status < 500


FOREIGN = (
    {"Host": "evil.example"},
    {"Host": "evil.example:8731"},
    {"Host": "localhost.evil.example"},
    {"Host": "127.0.0.1@evil.example"},
    {"Host": "127.0.0.1:80:80"},
    {"Host": "192.168.1.2"},
    {"Host": ""},
    {"Origin": "http://evil.example"},
    {"Origin": "http://localhost:1"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"},
)


@every_route
def test_other_hosts_and_other_sites_are_refused(door, method, path, need):
    for headers in FOREIGN:
        response = door.request(method, path, headers=headers)
        assert response.status_code in (403, 421), headers
        assert error_of(response) == "NotAllowed"


@every_route
def test_too_much_is_refused_whether_it_says_so_or_not(door, method, path, need):
    if method == "GET":
        return
    form = {"content-type": "multipart/form-data; boundary=b"}
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    parts = [head, *[b"x" * 10_000] * 300]
    for content in (b"".join(parts), iter(parts)):
        response = door.request(method, path, content=content, headers=form if need.takes_files else OURS)
        assert response.status_code == 413
        assert error_of(response) == "SchemaError"


ASTRAY = (
    *("..%2f..%2fetc%2fpasswd", "..%5c..%5cwindows", "%00", "a%00.csv"),
    *("%2e%2e/%2e%2e/campaign.db", "%0d%0aX-Evil:1", "%ff%fe"),
)


@every_route
def test_addresses_that_lead_astray_are_refused(door, method, path, need):
    for name in ASTRAY:
        assert 400 <= door.request(method, f"{path.rstrip('/')}/{name}").status_code < 500
        assert method != "GET" or door.get(f"{path}?as_of={name}%00").status_code == 400


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("place", ["", "/v1/artifacts", "/v1/proposals"])
def test_names_that_lead_astray_are_refused(door, method, place):
    for name in ASTRAY:
        assert 400 <= door.request(method, f"{place}/{name}").status_code < 500


@every_route
def test_other_methods_are_refused(door, method, path, need):
    for other in ("PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "PROPFIND"):
        assert door.request(other, path).status_code == 405


def test_every_answer_tells_browsers_to_be_careful(door, far):
    answers = [door.get("/v1/health"), door.get("/nowhere"), far.get("/v1/health")]
    answers.append(door.post("/v1/ask", content=b"{", headers=OURS))
    assert [answer.status_code for answer in answers] == [200, 404, 401, 400]
    for answer in answers:
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS


def test_the_address_alone_leads_to_the_overview(door):
    assert "robots" in door.get("/", headers={"accept": "text/html"}).text


def test_a_link_from_elsewhere_may_be_followed(door):
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert door.get("/v1/health", headers=headers).status_code == 200
    assert door.post("/v1/ask", json={}, headers=headers).status_code == 403


def test_our_own_pages_may_send(door):
    place = f"127.0.0.1:{door.base_url.port}"
    headers = {"Origin": f"http://{place}", "Sec-Fetch-Site": "same-origin"}
    assert door.post("/v1/predict", json={}, headers=headers).status_code == 409


def test_a_token_that_was_taken_back_is_nobodys_at_once(folder, far):
    with Campaign.open(folder) as campaign:
        secret = add_token(campaign.store, "guest", "read")
        headers = {"Authorization": f"Bearer {secret}"}
        assert far.get("/v1/health", headers=headers).status_code == 200
        revoke_token(campaign.store, "guest")
        assert far.get("/v1/health", headers=headers).status_code == 401
    secret_bytes = secret.encode()
    assert all(secret_bytes not in file.read_bytes() for file in folder.rglob("*") if file.is_file())


def test_a_wrong_token_is_told_where_none_is_needed(door):
    assert door.get("/v1/health", headers={"Authorization": "Bearer old"}).status_code == 401


def test_a_browser_shows_its_token_once(far, secrets):
    page = far.get("/", headers={"Accept": "text/html"})
    assert (page.status_code, page.headers["content-type"]) == (401, "text/html; charset=utf-8")
    assert 'action="/enter"' in page.text
    assert far.post("/enter", data={"token": "guess"}).status_code == 401
    entered = far.post("/enter", data={"token": secrets["propose"]})
    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    cookie = entered.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    far.cookies.clear()
    name, _, value = cookie.partition(";")[0].partition("=")
    assert far.get("/v1/health", headers={"Cookie": f"{name}={value}"}).status_code == 200


def test_what_was_added_without_saying_what_it_needs_is_nobodys(folder, tmp_path):
    app = create_app(folder)
    (tmp_path / "page.txt").write_text("secret", encoding="utf-8")

    async def quiet(request):
        return PlainTextResponse("secret")

    async def socket(websocket):
        await websocket.accept()

    files = StaticFiles(directory=tmp_path)
    app.router.routes += [
        Route("/quiet", quiet),
        WebSocketRoute("/socket", socket),
        Mount("/files", files),
        Mount("/open", needs(READ)(StaticFiles(directory=tmp_path))),
    ]
    with visiting(app) as client:
        assert client.get("/quiet").status_code == 403
        assert client.get("/files/page.txt").status_code == 403
        assert client.get("/open/page.txt").text == "secret"
        assert client.get("/open/..%2frobots%2fcampaign.db").status_code == 404


def test_a_websocket_is_guarded_like_everything_else(folder):
    import asyncio

    app = create_app(folder)

    async def talk(headers, path, need):
        sent = []

        async def hello(websocket):
            await websocket.accept()
            await websocket.close()

        endpoint = needs(need)(hello) if need else hello
        app.router.routes.append(WebSocketRoute(path, endpoint))
        scope = {"type": "websocket", "path": path, "raw_path": b"", "query_string": b"", "root_path": ""}
        scope |= {"scheme": "ws", "headers": headers, "app": app, "subprotocols": [], "client": None}

        async def receive():
            return {"type": "websocket.connect"}

        async def send(message):
            sent.append(message["type"])

        await app(scope, receive, send)
        return sent

    ours, evil = (b"host", b"localhost"), (b"origin", b"http://evil.example")
    assert asyncio.run(talk([ours], "/w1", PROPOSE)) == ["websocket.accept", "websocket.close"]
    assert asyncio.run(talk([ours], "/w2", None)) == ["websocket.close"]
    assert asyncio.run(talk([ours, evil], "/w3", PROPOSE)) == ["websocket.close"]
    assert asyncio.run(talk([(b"host", b"evil.example")], "/w4", PROPOSE)) == ["websocket.close"]


@pytest.mark.parametrize(
    ("access", "host", "is_known"),
    [
        (Access.at("127.0.0.1"), "localhost:8731", True),
        (Access.at("localhost"), "LOCALHOST", True),
        (Access.at("::1"), "[::1]:8731", True),
        (Access.at("127.0.0.1"), "10.0.0.1", False),
        (Access.at("127.0.0.1", names=["lab.example"]), "lab.example", True),
        (Access.at("0.0.0.0"), "10.0.0.1:8731", True),
        (Access.at("0.0.0.0"), "[fe80::1]", True),
        (Access.at("0.0.0.0"), "evil.example", False),
        (Access.at("0.0.0.0"), "10.0.0.1.evil.example", False),
        (Access.at("0.0.0.0"), "localhost\n", False),
    ],
)
def test_names_that_a_service_goes_by(access, host, is_known):
    assert access.knows(host) is is_known


def test_only_this_machine_needs_no_token():
    assert not Access.at("127.0.0.1").needs_token
    assert not Access.at("::1").needs_token
    assert Access.at("127.0.0.1", needs_token=True).needs_token
    assert Access.at("127.0.0.1", names=["lab.example"]).needs_token  # a proxy lets others in
    assert Access.at("0.0.0.0").needs_token
    assert Access.at("10.0.0.1").needs_token
    assert Access.at("::").needs_token
