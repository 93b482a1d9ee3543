"""The tables of a store: the log, which is all that counts, and what follows from it."""

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

LIVE = ("proposed", "claimed", "running")  # states of a proposal whose result is still awaited
OVER = ("done", "failed", "abandoned")

primary = MetaData()  # made and changed by migrations alone
derived = MetaData()  # made anew from the log at any time

event = Table(
    "event",
    primary,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("key", Text, nullable=False, unique=True),
    Column("request", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("previous", Text, nullable=False),
    Column("digest", Text, nullable=False),
)

# Signs of life of running fits: nothing is lost with them, so they are not in the log.
beat = Table(
    "beat",
    primary,
    Column("fit", Text, primary_key=True),
    Column("at", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("process", Text, nullable=False),
)

version = Table("version", primary, Column("number", Integer, primary_key=True))

proposal = Table(
    "proposal",
    derived,
    Column("name", Text, primary_key=True),
    Column("event", BigInteger, nullable=False),
    Column("line", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("measures", Text, nullable=False),
    Column("instrument", Text, nullable=False),
    Column("design", Text, nullable=False),
    Column("attrs", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("claimed_by", Text, nullable=False),
    Column("lease_until", Text, nullable=False),
    Column("changed", BigInteger, nullable=False),
    Column("why", Text, nullable=False),
    UniqueConstraint("event", "line"),
)
Index("by_state", proposal.c.state, proposal.c.instrument)
# No two live proposals of one place for one purpose, whoever asks at the same moment.
_is_live = text(f"state IN ({', '.join(repr(state) for state in LIVE)})")
Index(
    "one_live_proposal",
    proposal.c.place,
    proposal.c.measures,
    unique=True,
    sqlite_where=_is_live,
    postgresql_where=_is_live,
)

specimen = Table(
    "specimen",
    derived,
    Column("name", Text, primary_key=True),
    Column("event", BigInteger, nullable=False),
    Column("proposal", Text, nullable=False),
    Column("asked", Text, nullable=False),
    Column("made", Text, nullable=False),
    Column("attrs", Text, nullable=False),
)

measurement = Table(
    "measurement",
    derived,
    Column("event", BigInteger, primary_key=True),
    Column("line", Integer, primary_key=True),
    Column("specimen", Text, nullable=False),
    Column("proposal", Text, nullable=False),
    Column("property", Text, nullable=False),
    Column("value", Double),
    Column("label", Text),
    Column("sd", Double),
    Column("flag", Text, nullable=False),
    Column("unit", Text),
    Column("at", Text, nullable=False),
)

imported = Table(
    "import",
    derived,
    Column("name", Text, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("file", Text, nullable=False),
    Column("sheet", Text, nullable=False),
    Column("event", BigInteger, nullable=False),
)

fit = Table(
    "fit",
    derived,
    Column("name", Text, primary_key=True),
    Column("event", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("started", Text, nullable=False),
    Column("ended", Text, nullable=False),
    Column("data", BigInteger, nullable=False),
    Column("about", Text, nullable=False),
    Column("posterior", Text, nullable=False),
    Column("outcome", Text, nullable=False),
)

artifact = Table(
    "artifact",
    derived,
    Column("event", BigInteger, primary_key=True),
    Column("name", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("specimen", Text, nullable=False),
    Column("proposal", Text, nullable=False),
)

token = Table(
    "token",
    derived,
    Column("name", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("sha256", Text, nullable=False, unique=True),
    Column("at", Text, nullable=False),
    Column("by", Text, nullable=False),
)

# Single values: "record" is the checksum of what the imports say together, "data" the latest event that
# changed what a fit would learn from.
fact = Table("fact", derived, Column("name", Text, primary_key=True), Column("value", Text, nullable=False))
