"""What was done in a campaign, as actions of the Process Run Crate profile: by what, with what, to what end.

Source: Process Run Crate 0.5, https://w3id.org/ro/wfrun/process/0.5.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from tieline.campaign.citation import Citation
from tieline.campaign.export.view import View
from tieline.campaign.store.event import Event
from tieline.readers.mapping import MAPPING_ENDING

Entity = dict[str, Any]


def actions_of(view: View, citation: Citation) -> Iterator[Entity]:
    """Every action as an entity, each behind those that it names for the first time."""
    fits = {fit["name"]: fit for fit in view.fits()}
    for event in view.valid:
        made = _DEEDS.get(event.kind)
        if made is None:
            continue
        told = event.told
        about = made(told, fits)
        if about is None:
            continue
        yield from about.pop("entities", [])
        version = about.pop("tieline", "")  # not every event tells it
        yield software("tieline", version)
        action: Entity = {
            "@id": f"#event-{event.number}",
            "@type": "CreateAction",
            "endTime": _time(event.at),
        }
        action |= {"instrument": {"@id": software_id("tieline", version)}, **about}
        yield action | _agent(event, citation, action["description"])


def software(name: str, version: str) -> Entity:
    """A program, or a package that it used; of a version that is not known if it is empty."""
    identity = software_id(name, version)
    entity = {"@id": identity, "@type": "SoftwareApplication", "name": name, "url": identity}
    return entity | ({"version": version} if version else {})


def software_id(name: str, version: str) -> str:
    """A package as the world names it.

    Source: the Package-URL specification.
    """
    return f"pkg:pypi/{name}" + (f"@{version}" if version else "")


def person_id(name: str, orcid: str) -> str:
    """How a crate names a creator."""
    return f"https://orcid.org/{orcid}" if orcid else f"#{quote(name)}"


def reference(*paths: str) -> list[Entity]:
    """Refer to files by their path in the crate."""
    return [{"@id": quote(path)} for path in paths]


def _agent(event: Event, citation: Citation, description: str) -> Entity:
    """Who did it: a creator by how they sign; anybody, or any robot, else in words."""
    for creator in citation.creators:
        if event.by and event.by in (creator.by, creator.name):
            return {"agent": {"@id": person_id(creator.name, creator.orcid)}}
    return {"description": f"{description} By {event.by}."} if event.by else {}


def _time(at: str) -> str:
    """A time of the log as the profile writes it, to the millisecond."""
    return f"{at[: len('2026-11-28T17:27:24.435')]}+00:00"


def _imported(told: Mapping[str, Any], fits: Mapping[str, Any]) -> Entity:
    folder = f"raw/{told['name']}"
    files = [f"{folder}/{path}" for path in told["files"]]
    mappings = [path for path in told["files"] if path.endswith(MAPPING_ENDING)]
    how = f", its columns as {' and '.join(mappings)} say" if mappings else ""
    return {
        "name": f"Import of {told['file']}",
        "description": " ".join([f"{told['file']} was read{how}.", *told["notes"]]),
        "object": reference(*files),
        "result": reference(f"arrays/{told['record']}.nc"),
        "tieline": told.get("tieline", ""),
    }


def _fit_started(told: Mapping[str, Any], fits: Mapping[str, Any]) -> Entity | None:
    """A fit, told at its beginning and dated by its end; nothing of one that runs still."""
    fit = fits[told["fit"]]
    if fit["state"] == "running":
        return None
    about, outcome = fit["about"], fit["outcome"]
    settings = {k: v for k, v in (about.get("settings") or {}).items() if v is not None}
    values = {**settings, "seed": about.get("seed", settings.get("seed"))}
    parameters = [
        {
            "@id": f"#{fit['name']}-{name}",
            "@type": "PropertyValue",
            "name": name,
            "value": value if isinstance(value, str | int | float) else json.dumps(value, ensure_ascii=False),
        }
        for name, value in values.items()
        if value is not None
    ]
    packages = [software(name, version) for name, version in about.get("packages", {}).items()]
    is_done = fit["state"] == "done"
    said = {
        "name": f"Fit {fit['name']}",
        "description": outcome.get("sentence") or f"The fit was not completed: it {_how(fit['state'])}.",
        "startTime": _time(fit["started"]),
        "endTime": _time(fit["ended"]),
        "actionStatus": f"http://schema.org/{'Completed' if is_done else 'Failed'}ActionStatus",
        "object": [{"@id": p["@id"]} for p in parameters],
        "tieline": about.get("tieline", ""),
        "entities": [*parameters, *packages],
    }
    if packages:
        said["softwareRequirements"] = [{"@id": p["@id"]} for p in packages]
    if is_done:
        said["object"] = [*reference(table_path(fit["name"])), *said["object"]]
        said["result"] = reference(f"posteriors/{fit['posterior']}.nc")
    else:
        said["error"] = outcome.get("what") or fit["state"]
    return said


def _how(state: str) -> str:
    return state if state == "failed" else f"was {state}"


def table_path(fit: str) -> str:
    """Where the table that a fit learned from lies in the crate."""
    return f"tables/{fit}.nc"


def _proposed(told: Mapping[str, Any], fits: Mapping[str, Any]) -> Entity:
    names = [one["name"] for one in told["proposals"]]
    about = told["about"]
    span = " to ".join(dict.fromkeys([names[0], names[-1]])) if names else "nothing"
    said = {
        "name": f"Proposal of {span}",
        "description": f"{len(names)} proposed, {_why(about)}.",
        "result": reference("proposals.csv"),
        "tieline": told.get("tieline", ""),
    }
    if about.get("posterior"):
        said["object"] = reference(f"posteriors/{about['posterior']}.nc")
    return said


def _why(about: Mapping[str, Any]) -> str:
    if not about.get("goal"):
        return "before anything was learned"
    return f"to {about['goal']}" + (f", by {about['acquisition']}" if about.get("acquisition") else "")


def _told(told: Mapping[str, Any], fits: Mapping[str, Any]) -> Entity:
    names = list(dict.fromkeys(one["property"] for one in told["results"])) or ["how it was made"]
    said = {
        "name": f"Measurement of {told['specimen']}",
        "description": f"Told of {told['specimen']}: {', '.join(names)}.",
        "result": reference("measurements.csv"),
    }
    return said | ({"object": reference("proposals.csv")} if told["proposal"] else {})


def _attached(told: Mapping[str, Any], fits: Mapping[str, Any]) -> Entity:
    of = told["specimen"] or told["proposal"]
    return {
        "name": f"Attachment of {told['name']}",
        "description": f"{told['name']} was attached{f' to {of}' if of else ''}.",
        "result": reference(f"artifacts/{told['file']}"),
    }


def _studied(told: Mapping[str, Any], fits: Mapping[str, Any]) -> Entity:
    deed = {"kept": "Reading", "left_out": "Leaving out", "learned": "Learning"}[told["deed"]]
    settings = ", ".join(
        f"{name} {value}" for name, value in told["settings"].items() if value not in (None, "")
    )
    with_settings = f" with {settings}" if settings else ""
    made = f" What came of it has the SHA-256 {told['made']}." if told["made"] else ""
    return {
        "name": f"{deed} of {told['name']}",
        "description": f"{deed} of {told['name']} in the study of {told['study']}{with_settings}.{made}",
        "tieline": told["tieline"],
    }


_DEEDS = {
    "imported": _imported,
    "fit_started": _fit_started,
    "proposed": _proposed,
    "told": _told,
    "attached": _attached,
    "studied": _studied,
}
