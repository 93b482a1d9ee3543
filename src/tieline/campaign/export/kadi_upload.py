"""Send an exported folder to a Kadi4Mat server; begun again, it goes on where it stopped.

Source: Kadi4Mat's HTTP API, version 1, as kadi-apy 0.51 speaks it.
"""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin

from tieline.campaign.export.kadi import BELONGS, RECORDS
from tieline.campaign.store.seal import sha256_of
from tieline.errors import TielineError

API = "/api/v1"
PATIENCE = 60.0  # seconds to wait for an answer
WAITS = (0.1, 0.3, 1.0, 3.0, 10.0)  # seconds between questions after a file that the server puts together
PAGE = 100  # entries of a list that are asked for at a time


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirection: the token is for one server."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(_Stay)


@dataclass(frozen=True)
class Server:
    """A Kadi4Mat server.

    Attributes:
        host: its address.
        token: a personal access token, which may read and write records.
    """

    host: str
    token: str

    def ask(
        self, method: str, address: str, *, said: Any = None, data: bytes | None = None, **headers: str
    ) -> tuple[int, Any]:
        """Send one request; returns the status and the answer.

        Raises:
            TielineError: no answer comes, or the token is not accepted.
        """
        body = data if said is None else json.dumps(said).encode()
        all_headers = {"Authorization": f"Bearer {self.token}", **headers}
        if said is not None:
            all_headers["Content-Type"] = "application/json"
        url = urljoin(self.host, address)
        if not url.startswith(self.host.rstrip("/") + "/"):
            raise TielineError(
                "The server points to another one.", found=url, hint=f"only {self.host} is asked"
            )
        request = urllib.request.Request(url, data=body, headers=all_headers, method=method)
        try:
            with _opener().open(request, timeout=PATIENCE) as answer:
                return answer.status, _read(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                content = _read(error.read())
            if error.code in (401, 403):
                raise _refused("The server does not accept the token.", error.code, content) from error
            return error.code, content
        except OSError as error:
            raise TielineError(
                f"The server {self.host} does not answer.",
                found=str(error),
                hint="try again: what was sent is not sent twice",
            ) from error

    def expect(self, status: int | tuple[int, ...], method: str, address: str, **what: Any) -> Any:
        """Send one request that must be answered with a status, or one of several.

        Raises:
            TielineError: it is answered otherwise.
        """
        found, content = self.ask(method, address, **what)
        if found not in (status if isinstance(status, tuple) else (status,)):
            raise _refused(f"The server refused {method} {address}.", found, content)
        return content

    def pages(self, address: str) -> Iterator[Any]:
        """All entries of a list."""
        page = 1
        while True:
            query = urlencode({"page": page, "per_page": PAGE})
            content = self.expect(200, "GET", f"{address}?{query}")
            yield from content["items"]
            if page >= content.get("_pagination", {}).get("total_pages", 1):
                return
            page += 1


def upload(folder: Path, server: Server, *, progress: Callable[[str], None] = lambda line: None) -> list[int]:
    """Send the records of an exported folder, their files and links.

    Records that are there are brought up to date; files that are there, byte for byte, are not sent again.

    Args:
        folder: from `Campaign.export(..., form="kadi")`.
        server: where to.
        progress: is told each thing that was done.

    Returns:
        The number of each record on the server.

    Raises:
        TielineError: the server refuses something, or does not answer.
    """
    if not server.token:
        raise TielineError("A Kadi4Mat server wants a token.", hint="make one under Settings there")
    file = folder / RECORDS
    if not file.is_file():
        raise TielineError(
            f"'{folder}' is no export for Kadi4Mat.", hint="tieline export FOLDER PATH --format kadi"
        )
    known: dict[str, int] = {}
    for entry in json.loads(file.read_text(encoding="utf-8")):
        meta = _record(server, entry["record"], progress)
        known[entry["record"]["identifier"]] = meta["id"]
        _send_files(server, meta, folder, entry["files"], progress)
        _link(server, meta, [known[name] for name in entry["links"]])
    return list(known.values())


def _record(server: Server, record: Mapping[str, Any], progress: Callable[[str], None]) -> Any:
    """Make a record, or bring the one of that name up to date."""
    name = record["identifier"]
    status, meta = server.ask("GET", f"{API}/records/identifier/{name}")
    if status == 404:
        progress(f"made the record {name}")
        return server.expect(201, "POST", f"{API}/records", said=record)
    if status != 200:
        raise _refused(f"The server does not show the record '{name}'.", status, meta)
    changed = {key: value for key, value in record.items() if meta.get(key) != value}
    if changed:
        progress(f"changed {', '.join(changed)} of the record {name}")
        return server.expect(200, "PATCH", meta["_actions"]["edit"], said=changed)
    return meta


def _send_files(
    server: Server, meta: Any, folder: Path, paths: list[str], progress: Callable[[str], None]
) -> None:
    there = {f["name"]: f for f in server.pages(f"{API}/records/{meta['id']}/files")}
    for path in paths:
        name = path.replace("/", "_")  # a record has no folders
        file = folder / path
        about = {"size": file.stat().st_size, "description": f"sha256:{sha256_of(file)}"}
        known = there.get(name)
        if known is not None and all(known.get(key) == value for key, value in about.items()):
            continue
        if known is None:
            place = server.expect(201, "POST", meta["_actions"]["new_upload"], said={"name": name, **about})
        else:
            place = server.expect(201, "PUT", known["_actions"]["edit_data"], said=about)
        _send(server, place, file)
        progress(f"sent {name}")


def _send(server: Server, place: Any, file: Path) -> None:
    """Send what is in a file, in one piece or in those that the server wants."""
    address = place["_actions"]["upload_data"]
    if place["upload_type"] == "direct":
        server.expect((200, 201), "PUT", address, data=file.read_bytes())
        return
    answer = place
    with file.open("rb") as opened:
        for i in range(place["chunk_count"]):
            chunk = opened.read(place["_meta"]["chunk_size"])
            headers = {"Kadi-Chunk-Index": str(i), "Kadi-Chunk-Size": str(len(chunk))}
            answer = server.expect(200, "PUT", address, data=chunk, **headers)
    answer = server.expect(202, "POST", answer["_actions"]["finish"])
    for wait in (*WAITS, *[WAITS[-1]] * 60):
        time.sleep(wait)
        content = server.expect(200, "GET", answer["_links"]["self"])
        task = content["_meta"]["task"]
        if "error" in task:
            raise _refused(f"The server could not put '{file.name}' together.", 200, task)
        if "file" in task:
            return
    raise TielineError(
        f"The server does not finish '{file.name}'.", hint="try again later; what is there stays"
    )


def _link(server: Server, meta: Any, wanted: list[int]) -> None:
    if not wanted:
        return
    there = {
        link["record_to"]["id"]
        for link in server.pages(f"{API}/records/{meta['id']}/records")
        if link["name"] == BELONGS
    }
    for number in wanted:
        if number not in there:
            said = {"record_to": {"id": number}, "name": BELONGS, "term": None}
            server.expect(201, "POST", meta["_actions"]["link_record"], said=said)


def _read(content: bytes) -> Any:
    try:
        return json.loads(content) if content else {}
    except ValueError:
        return {"description": content[:200].decode(errors="replace")}


def _refused(what: str, status: int, content: Any) -> TielineError:
    said = content.get("description") or json.dumps(content)[:200] if isinstance(content, Mapping) else ""
    return TielineError(
        what, found=f"{status}: {said}", hint="what was sent before stays; begin again to go on"
    )
