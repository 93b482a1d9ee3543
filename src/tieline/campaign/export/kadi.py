"""A campaign as records of Kadi4Mat: one for itself and one for each specimen, with typed, nested metadata.

Source: the record schema of Kadi4Mat's HTTP API, version 1, as kadi-apy 0.51 speaks it.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tieline.campaign.citation import Citation
from tieline.campaign.export.crate import describe, title_of
from tieline.campaign.export.view import View
from tieline.campaign.settings import complete
from tieline.planning.wording import spoken_unit
from tieline.schema import specimens_of

Extra = dict[str, Any]
RECORDS = "kadi-records.json"
LONGEST = 50  # letters of an identifier
N_DIGITS = 8  # of a checksum in one
BELONGS = "belongs to"  # name of the link from a specimen to its campaign


def kadi_records(view: View, citation: Citation, files: Sequence[str]) -> list[dict[str, Any]]:
    """Describe a campaign for Kadi4Mat.

    Args:
        view: of the campaign.
        citation: what is said of it.
        files: paths of the exported files.

    Returns:
        The record of the campaign and those of its specimens. Each has "record", as Kadi4Mat takes it;
        "files", the paths of what is attached; and "links", identifiers of the records that it belongs to.
    """
    name, campaign = view.settings.name, view.events[0].digest
    specimens = list(_specimens(view, identifier(name, campaign), campaign))
    theirs = {path for specimen in specimens for path in specimen["files"]}
    record = {
        "identifier": identifier(name, campaign),
        "title": title_of(view, citation),
        "type": "campaign",
        "description": describe(view, citation),
        "tags": [keyword.lower() for keyword in citation.keywords],
        "extras": list(_of_campaign(view, citation)),
    }
    if citation.licence and not citation.licence.startswith("http"):
        record["license"] = citation.licence
    whole = {"record": record, "files": [f for f in files if f not in theirs], "links": []}
    return [whole, *specimens]


def identifier(name: str, campaign: str) -> str:
    """An identifier that Kadi4Mat takes: small letters, digits, - and _, at most 50.

    It ends in a checksum, so that two names stay two, and those of two campaigns on one server too.

    Args:
        name: of what the record is about.
        campaign: what tells the campaign from all others.
    """
    plain = re.sub(r"[^a-z0-9_]+", "-", name.lower()).strip("-")
    digest = hashlib.sha256(f"{campaign} {name}".encode()).hexdigest()[:N_DIGITS]
    return f"{plain[: LONGEST - N_DIGITS - 1]}-{digest}".lstrip("-")


def extra(key: str, value: Any, unit: str = "") -> Extra:
    """One piece of metadata, with its type; lists, whose numbers share the unit, and mappings are nested."""
    if isinstance(value, Mapping):
        return {
            "key": key,
            "type": "dict",
            "value": [extra(str(k), v) for k, v in value.items() if v is not None],
        }
    if isinstance(value, list | tuple):
        parts = [extra("", v, unit) for v in value]
        return {
            "key": key,
            "type": "list",
            "value": [{k: v for k, v in p.items() if k != "key"} for p in parts],
        }
    kinds = {bool: "bool", int: "int", float: "float"}
    kind = next((name for type_, name in kinds.items() if type(value) is type_), "str")
    said = {"key": key, "type": kind, "value": value if kind != "str" else str(value)}
    return said | ({"unit": unit or None} if kind in ("int", "float") else {})


def _of_campaign(view: View, citation: Citation) -> Iterator[Extra]:
    settings = view.settings
    if view.record is not None:
        settings = complete(settings, specimens_of(view.record))
    said = {k: getattr(settings, k) for k in ("model", "design", "phase", "properties", "goal", "seed")}
    yield extra("settings", {k: v for k, v in said.items() if v not in (None, "")})
    if settings.space is not None:
        yield extra("space", settings.space)
    if citation.creators:
        yield extra("creators", [{k: v for k, v in vars(c).items() if v} for c in citation.creators])
    fits = [
        {"fit": f["name"], "state": f["state"], "verdict": f["outcome"].get("verdict")} for f in view.fits()
    ]
    if fits:
        yield extra("fits", fits)


def _specimens(view: View, whole: str, campaign: str) -> Iterator[dict[str, Any]]:
    """One record a specimen, of the whole that it belongs to; repeated measurements are a list."""
    if view.record is None:
        return
    specimens = specimens_of(view.record)
    attached = [event.told for event in view.valid if event.kind == "attached"]
    names = specimens["specimen"].values.astype(str)
    for name in dict.fromkeys(names.tolist()):
        rows = specimens.isel(specimen=names == name)
        by_role: dict[str, list[Extra]] = {}
        for variable_name, variable in rows.data_vars.items():
            role = str(variable.attrs.get("role", "property"))
            if said := _said_of(str(variable_name), variable, is_setting=role in ("synthesis", "process")):
                by_role.setdefault(role, []).append(said)
        extras = [{"key": role, "type": "dict", "value": said} for role, said in by_role.items()]
        record = {
            "identifier": identifier(f"{view.settings.name}-{name}", campaign),
            "title": name,
            "type": "specimen",
            "description": f"Specimen {name} of the campaign '{view.settings.name}'.",
            "tags": [],
            "extras": extras,
        }
        files = [f"artifacts/{told['file']}" for told in attached if told["specimen"] == name]
        yield {"record": record, "files": files, "links": [whole]}


def _said_of(name: str, variable: Any, *, is_setting: bool) -> Extra | None:
    """What is known of one variable: a number with its unit, a text, a composition, or a list of repeats."""
    unit = spoken_unit(variable)
    if "element" in variable.dims:
        row = variable.isel(specimen=0)
        if row.isnull().any():
            return None
        parts = zip(row["element"].values.tolist(), row.values.tolist(), strict=True)
        return {"key": name, "type": "dict", "value": [extra(str(e), float(x)) for e, x in parts]}
    if variable.dims != ("specimen",):
        return None
    values = [v for v in variable.values.tolist() if v == v and v != ""]
    if not values:
        return None
    return extra(name, values[0] if is_setting or len(values) == 1 else values, unit)


def write_records(records: Sequence[Mapping[str, Any]]) -> str:
    """The records as JSON."""
    return json.dumps(list(records), ensure_ascii=False, indent=1) + "\n"
