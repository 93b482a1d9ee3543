"""By which names a service may be called, and whether it asks for a token."""

import ipaddress
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
HOST = re.compile(r"(?P<name>\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253})(:(?P<port>\d{1,5}))?")


@dataclass(frozen=True)
class Access:
    """Who may come to a service.

    Attributes:
        names: that the service may be called by; a page of another name that leads here is an attack on
            whoever looks at it (DNS rebinding).
        is_any_address: whether it may also be called by any numeric address, which nobody can rebind.
        needs_token: whether everybody needs a token.
    """

    names: frozenset[str] = LOOPBACK
    is_any_address: bool = False
    needs_token: bool = False

    @classmethod
    def at(cls, host: str, *, names: Iterable[str] = (), needs_token: bool = False) -> "Access":
        """What holds for a service that listens at a host.

        Args:
            host: name or address; one that other machines can reach needs tokens.
            names: that other machines call it by, through a proxy perhaps, which needs tokens too.
            needs_token: ask for tokens on this machine as well.
        """
        more = frozenset(name.lower() for name in names)
        if is_loopback(host):
            return cls(LOOPBACK | more, needs_token=needs_token or bool(more))
        own = {host.lower(), socket.gethostname().lower(), socket.getfqdn().lower()}
        return cls(LOOPBACK | own | more, is_any_address=True, needs_token=True)

    def knows(self, host: str) -> bool:
        """Whether the service goes by a name, as a request gives it in its header Host."""
        found = HOST.fullmatch(host.lower())
        if found is None:
            return False
        name = found["name"]
        return name in self.names or (self.is_any_address and is_address(name))


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a host."""
    if host.lower() == "localhost":
        return True
    return is_address(host) and ipaddress.ip_address(host.strip("[]")).is_loopback


def is_address(host: str) -> bool:
    """Whether a host is a numeric address."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def same_place(origin: str, host: str) -> bool:
    """Whether a page of an origin was served by the host that it now calls."""
    _, slashes, place = origin.lower().partition("://")
    return bool(slashes) and place == host.lower()
