"""Tokens let people and robots into the service of a campaign; the campaign keeps only their checksums."""

import hashlib
import re
import secrets
from dataclasses import dataclass

import sqlalchemy as sa

from tieline.campaign.store import tables
from tieline.campaign.store.store import Store
from tieline.errors import TielineError, did_you_mean

ROLES = ("read", "propose", "admin")  # each may do what those before it may
NAME = re.compile(r"\w[\w .@-]{0,63}")
N_BYTES = 32  # of a secret: nobody guesses 256 random bits, so that a plain checksum keeps it


@dataclass(frozen=True)
class Token:
    """Who has been let in; the secret itself is known to nobody but its owner.

    Attributes:
        name: of the person or robot.
        role: read, propose or admin.
        at: since when, UTC.
        by: who let them in.
    """

    name: str
    role: str
    at: str
    by: str


def add_token(store: Store, name: str, role: str, *, by: str = "") -> str:
    """Make a token and return its secret, which is shown this one time.

    Args:
        store: of the campaign.
        name: of the person or robot.
        role: read, propose or admin.
        by: who lets them in.

    Raises:
        TielineError: it is no such role, or no name.
        Conflict: there is a token of that name.
    """
    if role not in ROLES:
        raise TielineError(
            f"There is no role '{role}'. {did_you_mean(role, ROLES)}".strip(), hint=" or ".join(ROLES)
        )
    if not NAME.fullmatch(name):
        raise TielineError(
            "A token is named after a person or a robot.",
            found=repr(name),
            hint="such as furnace-2",
        )
    secret = secrets.token_urlsafe(N_BYTES)
    store.write("token_added", {"name": name, "role": role, "sha256": checksum_of(secret)}, by=by)
    return secret


def revoke_token(store: Store, name: str, *, by: str = "") -> None:
    """Let somebody in no longer.

    Raises:
        NotFound: there is no such token.
    """
    store.write("token_revoked", {"name": name}, by=by)


def list_tokens(store: Store) -> list[Token]:
    """All tokens that are valid, by name."""
    token = tables.token
    columns = (token.c.name, token.c.role, token.c.at, token.c.by)
    return [Token(*row) for row in store.rows(sa.select(*columns).order_by(token.c.name))]


def find_token(store: Store, secret: str) -> Token | None:
    """Whose secret this is; None if it is nobody's."""
    token = tables.token
    columns = (token.c.name, token.c.role, token.c.at, token.c.by)
    rows = store.rows(sa.select(*columns).where(token.c.sha256 == checksum_of(secret)))
    return Token(*rows[0]) if rows else None


def checksum_of(secret: str) -> str:
    """What the campaign keeps of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
