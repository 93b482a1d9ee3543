"""Send a request until it is answered. Each bears a key, so that however often it is sent it counts once."""

import json
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from tieline import errors
from tieline.errors import NotAllowed, SchemaError, TielineError, Unavailable

LATER = (502, 503, 504)  # the service, or a proxy before it, asks to come again
FIRST, LONGEST = 0.1, 5.0  # seconds between two attempts
KINDS: dict[str, type[TielineError]] = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, TielineError)
}


@dataclass(frozen=True)
class Sender:
    """A way to the service.

    Attributes:
        http: the connection.
        patience: seconds for which a request is sent again, before it is given up.
    """

    http: httpx.Client
    patience: float

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        content: Any = None,
        file: tuple[str, bytes] | None = None,
        key: str = "",
    ) -> httpx.Response:
        """Send a request and return the answer; sent again while the service is away.

        Args:
            method: of HTTP.
            path: behind /v1.
            query: of the address.
            content: to be sent as JSON, or as a form beside a file.
            file: name and bytes of a file.
            key: names the request.

        Raises:
            TielineError: what the service refused; its kind is that of the service's error.
            Unavailable: the service did not answer in time.
        """
        about: dict[str, Any] = {"params": query, "headers": {"Idempotency-Key": key} if key else {}}
        if file is not None:
            about |= {"files": {"file": file}, "data": content}
        elif method == "POST":
            about["content"] = as_json(content)
            about["headers"]["Content-Type"] = "application/json"
        until, wait = time.monotonic() + self.patience, FIRST
        while True:
            response, trouble = None, ""
            try:
                response = self.http.request(method, f"/v1{path}", **about)
            except httpx.TransportError as error:
                trouble = f"{type(error).__name__}: {error}"
            if response is not None and response.status_code not in LATER:
                return checked(response)
            # Robots that lost the same service do not all come back at the same moment.
            pause = wait * random.uniform(0.5, 1.0)
            if time.monotonic() + pause > until:
                if response is not None:
                    return checked(response)
                raise self.away(trouble)
            time.sleep(pause)
            wait = min(2 * wait, LONGEST)

    def away(self, trouble: str) -> Unavailable:
        """What to say when the service does not answer."""
        return Unavailable(
            f"The service at {self.http.base_url} does not answer.",
            found=trouble,
            hint="see that it runs (tieline serve FOLDER) and that the address is right",
        )


def checked(response: httpx.Response) -> httpx.Response:
    """An answer that is no error.

    Raises:
        TielineError: it is one.
    """
    if response.is_success:
        return response
    try:
        said = response.json()
        kind = KINDS.get(said["error"], TielineError)
        raise kind(said["what"], found=said["found"], hint=said["hint"])
    except (ValueError, KeyError, TypeError):
        error = NotAllowed if response.status_code in (401, 403) else TielineError
        raise error(
            "This is no answer of a tieline service.",
            found=f"status {response.status_code} from {response.url}",
            hint="http://MACHINE:8731, as tieline serve prints it",
        ) from None


def as_json(content: Any) -> bytes:
    """Write what is sent; numbers and arrays of numpy are taken as what they hold.

    Raises:
        SchemaError: something in it is no number, text, list or mapping, or not finite.
    """
    try:
        return json.dumps(content, default=_held, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise SchemaError(
            "Something in this cannot be sent.",
            found=str(error),
            hint='finite numbers, text, lists and mappings; {"flag": "failed"} where there is no value',
        ) from error


def _held(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} {value!r}")
