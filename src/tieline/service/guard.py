"""One guard in front of every route, page, static file and WebSocket: what is not allowed is refused.

A route says with `needs` what its visitor must be; one that does not is refused to everybody, so that none
can be forgotten.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse, Response
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tieline.campaign.tokens import ROLES, find_token
from tieline.errors import Conflict, NotAllowed, NotFound, SchemaError, TielineError
from tieline.service.access import Access, same_place
from tieline.service.entrance import cookie_name, entrance
from tieline.service.failures import failure, status_of
from tieline.service.intake import (
    MAX_JSON,
    MAX_UPLOAD,
    NotPlain,
    TooLarge,
    check_json,
    counting,
    given_again,
    let_pass,
    take_whole,
)
from tieline.service.pages.failing import wants_page

T = TypeVar("T")
READ, PROPOSE, ADMIN = ROLES
FORM = "application/x-www-form-urlencoded"
BEGIN = "/begin"  # the page where a campaign begins
ENTER = "enter"  # no role: who comes here brings the token in what is sent

# A page runs no script and sends nothing anywhere but from and to this service.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class Need:
    """What a route needs.

    Attributes:
        role: of its visitor.
        takes_files: whether as much may be sent as files have.
        takes_form: whether a form of a page is sent, and not JSON.
        is_before: whether it answers before there is a campaign.
    """

    role: str
    takes_files: bool = False
    takes_form: bool = False
    is_before: bool = False


def needs(
    role: str, *, takes_files: bool = False, takes_form: bool = False, is_before: bool = False
) -> Callable[[T], T]:
    """Say of an endpoint, or of a mounted app, what its visitor must be: READ, PROPOSE or ADMIN."""

    def say(endpoint: T) -> T:
        endpoint.needs = Need(role, takes_files, takes_form, is_before)  # type: ignore[attr-defined]
        return endpoint

    return say


def need_of(route: Any) -> Need | None:
    """What a route said that it needs; None if it said nothing."""
    return getattr(getattr(route, "endpoint", None) or getattr(route, "app", None), "needs", None)


@dataclass(frozen=True)
class Visitor:
    """Who makes a request.

    Attributes:
        name: of the token; "" on the machine itself, where none is needed.
        role: read, propose or admin.
    """

    name: str = ""
    role: str = ADMIN

    def may(self, role: str) -> bool:
        """Whether the visitor may do what a role may."""
        return role == ENTER or ROLES.index(self.role) >= ROLES.index(role)

    def signs(self, said: str) -> str:
        """Who does something, for the log: what they call themselves, behind the name of their token."""
        return "/".join(dict.fromkeys(part for part in (self.name, said.strip()) if part))


class Refused(Exception):
    """Somebody is turned away."""

    def __init__(self, status: int, error: TielineError) -> None:
        self.status, self.error = status, error
        super().__init__(error.what)


@dataclass(frozen=True)
class Guard:
    """The guard of an app.

    Attributes:
        app: what is guarded.
        access: by which names it may be called, and whether tokens are needed.
        max_upload: bytes of a request that carries files.
    """

    app: ASGIApp
    access: Access
    max_upload: int = MAX_UPLOAD

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, or answer it."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        visit = _Visit(scope, send)
        try:
            need = await self._admit(scope)
            receive = await self._take(scope, receive, need, visit)
        except Refused as refused:
            await visit.refuse(refused)
            return
        await self.app(scope, receive, visit.send)

    async def _admit(self, scope: Scope) -> Need:
        """See who comes, and that they may."""
        headers = Headers(scope=scope)
        _check_address(scope, headers, self.access)
        has_campaign = not _awaits_campaign(scope)
        visitor = await self._visitor(scope, headers) if has_campaign else Visitor()
        if visitor is None:
            need, visitor = _entrance_need(scope), Visitor(role=READ)
        else:
            need = _need(scope)
        if not visitor.may(need.role):
            raise Refused(
                403,
                NotAllowed(
                    f"The token '{visitor.name}' may not do this.",
                    found=f"its role is {visitor.role}",
                    hint=f"a token of the role {need.role}",
                ),
            )
        if not has_campaign and not need.is_before:
            hint = f"open {BEGIN} in a browser"
            raise Refused(409, Conflict("There is no campaign here yet.", hint=hint))
        scope.setdefault("state", {})["visitor"] = visitor
        return need

    async def _visitor(self, scope: Scope, headers: Headers) -> Visitor | None:
        """Who comes; None if nobody that is known."""
        secret = _secret(scope, headers, with_cookie=self.access.needs_token)
        if secret is None:
            return None if self.access.needs_token else Visitor()
        store = scope["app"].state.campaign.store
        try:
            token = await run_in_threadpool(find_token, store, secret)
        except TielineError as error:
            raise Refused(status_of(error), error) from error
        return None if token is None else Visitor(token.name, token.role)

    async def _take(self, scope: Scope, receive: Receive, need: Need, visit: "_Visit") -> Receive:
        """Take what the request carries, if it is not too much."""
        if scope["type"] == "websocket":
            return receive
        headers = Headers(scope=scope)
        limit = self.max_upload if need.takes_files else MAX_JSON
        too_large = Refused(
            413,
            SchemaError(
                "The request is too large.", found=f"more than {limit:,} bytes", hint="send it in parts"
            ),
        )
        length = headers.get("content-length", "0")
        if not length.isdecimal() or len(length) > 18 or int(length) > limit:
            await let_pass(receive)
            raise too_large
        if need.takes_files:

            async def refuse() -> None:
                await let_pass(receive)
                await visit.refuse(too_large)

            return counting(receive, limit, refuse)
        try:
            body = await take_whole(receive, limit)
            _check_form(need, headers.get("content-type", ""), body)
        except TooLarge:
            await let_pass(receive)
            raise too_large from None
        return given_again(body, receive)


def _check_form(need: Need, kind: str, body: bytes) -> None:
    """See that what is sent is plain JSON, and says so; at the entrance and of pages it is a form."""
    if not body or need.role == ENTER:
        return
    said = kind.partition(";")[0].strip().lower()
    if need.takes_form and said == FORM:
        return
    if said != "application/json":
        raise Refused(
            415,
            SchemaError(
                "The request does not say that it is JSON.",
                found=kind or "no Content-Type",
                hint="the header 'Content-Type: application/json'",
            ),
        )
    try:
        check_json(body)
    except NotPlain as error:
        hint = "plain JSON in UTF-8, each name once, finite numbers"
        found = SchemaError("The request is not plain JSON.", found=str(error), hint=hint)
        raise Refused(400, found) from error


@dataclass
class _Visit:
    """One request and its answer, which is given once."""

    scope: Scope
    to: Send
    is_refused: bool = False
    is_begun: bool = False

    async def send(self, message: Message) -> None:
        """Send on what the app answers, with our headers; nothing after a refusal."""
        if self.is_refused:
            return
        if message["type"] == "http.response.start":
            self.is_begun = True
            _add_headers(message, HEADERS)
        await self.to(message)

    async def refuse(self, refused: Refused) -> None:
        """Turn the request away, unless it is being answered already."""
        if self.is_begun or self.is_refused:
            return
        if self.scope["type"] == "websocket":
            await self.to({"type": "websocket.close", "code": 1008})
        else:
            await _answer(self.scope, refused)(self.scope, _nothing, self.send)
        self.is_refused = True


def _awaits_campaign(scope: Scope) -> bool:
    """Whether the app has a place for a campaign, and none in it yet."""
    return getattr(scope["app"].state, "campaign", scope) is None


def _answer(scope: Scope, refused: Refused) -> Response:
    if refused.status == 401 and "text/html" in Headers(scope=scope).get("accept", ""):
        return entrance(refused.error)
    if _awaits_campaign(scope) and wants_page(scope):
        return RedirectResponse(BEGIN, 303)
    answer = failure(refused.status, refused.error, scope)
    if refused.status == 401:
        answer.headers["WWW-Authenticate"] = 'Bearer realm="tieline"'
    return answer


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


def _add_headers(message: Message, headers: Mapping[str, str]) -> None:
    said = MutableHeaders(scope=message)
    for name, value in headers.items():
        said.setdefault(name, value)


def _check_address(scope: Scope, headers: Headers, access: Access) -> None:
    """See that the request is meant for us, and not sent by a page of somebody else's."""
    hosts = headers.getlist("host")
    if len(hosts) != 1 or not access.knows(hosts[0]):
        raise Refused(
            421,
            NotAllowed(
                "This service does not go by that name.",
                found=", ".join(hosts) or "no name",
                hint="http://localhost:PORT, or start it with --allow-host NAME",
            ),
        )
    origins = headers.getlist("origin")
    is_foreign = any(not same_place(origin, hosts[0]) for origin in origins) or len(origins) > 1
    is_followed = scope.get("method") == "GET" and headers.get("sec-fetch-mode") == "navigate"
    if headers.get("sec-fetch-site") in ("cross-site", "same-site") and not is_followed:
        is_foreign = True
    if is_foreign:
        raise Refused(
            403,
            NotAllowed(
                "A page from elsewhere may not use this service.",
                found=", ".join(origins) or "a request across sites",
                hint="open the service's own pages, or use tieline.connect",
            ),
        )
    said = unquote(scope["path"]) + unquote(scope.get("query_string", b"").decode("latin-1"))
    if any(ord(letter) < 32 for letter in said) or "\\" in unquote(scope["path"]):
        raise Refused(400, SchemaError("The address holds a character that no address has."))


def _secret(scope: Scope, headers: Headers, *, with_cookie: bool) -> str | None:
    """The token that a request brings, in its header or as a cookie."""
    said = headers.getlist("authorization")
    if said:
        scheme, _, secret = said[0].partition(" ")
        if len(said) > 1 or scheme.lower() != "bearer":
            return ""  # nobody's
        return secret.strip()
    cookies = HTTPConnection(scope).cookies
    return cookies.get(cookie_name(headers["host"])) if with_cookie else None


def _route(scope: Scope) -> tuple[Any, bool]:
    """The route of a request, and whether only its method is wrong."""
    is_near = False
    for route in scope["app"].router.routes:
        match, _ = route.matches(scope)
        if match is Match.FULL:
            return route, False
        is_near = is_near or match is Match.PARTIAL
    return None, is_near


def _need(scope: Scope) -> Need:
    """What the route of a request needs.

    Raises:
        Refused: there is no such route, or it does not say.
    """
    route, is_near = _route(scope)
    hint = "GET /v1/openapi.json lists all there is"
    if route is None and is_near:
        raise Refused(405, NotFound(f"One cannot {scope['method']} this.", found=scope["path"], hint=hint))
    if route is None:
        raise Refused(404, NotFound("There is nothing at this address.", found=scope["path"], hint=hint))
    need = need_of(route)
    if need is None:
        raise Refused(403, NotAllowed("Nobody may go there: the route does not say who may."))
    return need


def _entrance_need(scope: Scope) -> Need:
    """What a route needs that one comes to without a token.

    Raises:
        Refused: it is not the one where tokens are shown.
    """
    need = need_of(_route(scope)[0])
    if need is None or need.role != ENTER:
        raise Refused(
            401,
            NotAllowed(
                "This service asks for a token.",
                found="none, or one that it does not know",
                hint="the header 'Authorization: Bearer TOKEN'; tieline token FOLDER NAME makes one",
            ),
        )
    return need
