"""Who made the data of a campaign and what others may do with them: the table [citation] of campaign.toml."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from tieline.errors import SchemaError, TielineError
from tieline.schema.wording import name_known

TEXTS = ("title", "description", "licence", "publisher", "published")
KEYS = (*TEXTS, "keywords", "creators")
KEYS_OF_CREATOR = ("name", "orcid", "affiliation", "by")
EXAMPLE = """lines such as these in campaign.toml, before any [[space...]]:
    [citation]
    licence = "CC-BY-4.0"
    keywords = ["hard coatings"]
    [[citation.creators]]
    name = "Lovelace, Ada"
    orcid = "0000-0002-1825-0097"
    affiliation = "Analytical Engines"
    by = "ada\""""


@dataclass(frozen=True)
class Creator:
    """Somebody who made the data.

    Attributes:
        name: "Family, Given".
        orcid: the number alone, "0000-0002-1825-0097"; "" if there is none.
        affiliation: where they work; "" if it is not said.
        by: how they sign what they do in the campaign; "" if they do not.
    """

    name: str
    orcid: str = ""
    affiliation: str = ""
    by: str = ""


@dataclass(frozen=True)
class Citation:
    """How the data of a campaign are to be cited.

    Attributes:
        title: "" for the name of the campaign.
        description: "" for one that is made of the data.
        licence: an SPDX identifier such as "CC-BY-4.0", or a URL; "" if it is not said.
        publisher: who makes them public; "" if it is not said.
        published: a day, "2026-11-28"; "" for that of the last event.
        keywords: for searches.
        creators: in the order in which they are cited.
    """

    title: str = ""
    description: str = ""
    licence: str = ""
    publisher: str = ""
    published: str = ""
    keywords: tuple[str, ...] = ()
    creators: tuple[Creator, ...] = ()

    @classmethod
    def from_dict(cls, said: Mapping[str, Any] | None) -> "Citation":
        """Read the table [citation].

        Raises:
            SchemaError: a key or a value is none that can stand there.
        """
        said = said or {}
        _refuse_unknown(said, KEYS, "[citation]")
        keywords, creators = said.get("keywords", []), said.get("creators", [])
        if not isinstance(keywords, list) or not all(isinstance(k, str) for k in keywords):
            raise _impossible("keywords", keywords, 'keywords = ["coatings", "hardness"]')
        if not isinstance(creators, list) or not all(isinstance(c, Mapping) for c in creators):
            raise _impossible("creators", creators, "[[citation.creators]], one for each of them")
        texts = {key: _text(key, said.get(key, "")) for key in TEXTS}
        _check_licence(texts["licence"])
        _check_day(texts["published"])
        return cls(**texts, keywords=tuple(keywords), creators=tuple(_creator(c) for c in creators))

    @property
    def licence_url(self) -> str:
        """Where the licence can be read."""
        is_url = self.licence.startswith("https://") or self.licence.startswith("http://")
        return self.licence if is_url else f"https://spdx.org/licenses/{self.licence}"

    def refuse_gaps(self) -> None:
        """See that what everybody asks of published data is there.

        Raises:
            TielineError: creators or licence are missing.
        """
        missing = [key for key in ("creators", "licence") if not getattr(self, key)]
        if missing:
            raise TielineError(
                "Who made these data, and what may others do with them? A crate must say both.",
                found=f"no {' and no '.join(missing)} under [citation] in campaign.toml",
                hint=EXAMPLE,
            )


def _creator(said: Mapping[str, Any]) -> Creator:
    _refuse_unknown(said, KEYS_OF_CREATOR, "[[citation.creators]]")
    texts = {key: _text(key, said.get(key, "")) for key in KEYS_OF_CREATOR}
    if not texts["name"].strip():
        raise _impossible("name", texts["name"], 'name = "Lovelace, Ada" for every creator')
    texts["orcid"] = texts["orcid"].removeprefix("https://orcid.org/")
    if texts["orcid"] and not is_orcid(texts["orcid"]):
        raise _impossible(
            "orcid", texts["orcid"], "sixteen digits as 0000-0002-1825-0097; the last one checks"
        )
    return Creator(**texts)


def is_orcid(text: str) -> bool:
    """Whether a text is an ORCID iD: four groups of four, of which the last character checks the others.

    Source: ISO/IEC 7064:2003, MOD 11-2.
    """
    if not re.fullmatch(r"(?:\d{4}-){3}\d{3}[\dX]", text):
        return False
    digits, total = text.replace("-", ""), 0
    for digit in digits[:-1]:
        total = (total + int(digit)) * 2
    return "0123456789X"[(12 - total % 11) % 11] == digits[-1]


def _refuse_unknown(said: Mapping[str, Any], keys: tuple[str, ...], where: str) -> None:
    for key in said:
        if key not in keys:
            raise SchemaError(f"{where} in campaign.toml has no '{key}'.", found=name_known(keys, key))


def _text(key: str, value: Any) -> str:
    if not isinstance(value, str):
        raise _impossible(key, value, 'a text in quotes, days too: "2026-11-28"')
    return value


def _check_licence(licence: str) -> None:
    if licence and not re.fullmatch(r"https?://\S+|[A-Za-z0-9][A-Za-z0-9.+-]*", licence):
        raise _impossible(
            "licence", licence, 'an SPDX identifier such as "CC-BY-4.0", or the address of its text'
        )


def _check_day(day: str) -> None:
    try:
        if day:
            date.fromisoformat(day)
    except ValueError:
        raise _impossible("published", day, 'a day, "2026-11-28"') from None


def _impossible(key: str, value: Any, hint: str) -> SchemaError:
    return SchemaError(
        f"'{key}' under [citation] in campaign.toml has the wrong form.", found=repr(value), hint=hint
    )
