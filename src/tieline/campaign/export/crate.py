"""The metadata of an RO-Crate: what the campaign is, its files, and all that was done.

Source: RO-Crate 1.1, https://w3id.org/ro/crate/1.1; DataCite Metadata Schema 4.5, doi:10.14454/g8e5-6293.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import xarray as xr

from tieline.campaign.citation import Citation, Creator
from tieline.campaign.export.actions import Entity, actions_of, person_id
from tieline.campaign.export.view import View
from tieline.campaign.store.seal import sha256_of
from tieline.schema import specimens_of

METADATA = "ro-crate-metadata.json"
SPECIFICATION = "https://w3id.org/ro/crate/1.1"
PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
FORMATS = {
    ".nc": "application/x-netcdf",
    ".csv": "text/csv",
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".toml": "application/toml",
    ".txt": "text/plain",
    ".png": "image/png",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def metadata_of(view: View, citation: Citation, files: Mapping[str, str], folder: Path) -> str:
    """Write the metadata file of a crate.

    Args:
        view: of the campaign.
        citation: with creators and licence.
        files: what each file is, by its path in the crate.
        folder: where they lie.
    """
    entities = [_descriptor(), *_files(files, folder), *_variables(view), _profile(), _licence(citation)]
    entities += [*map(_person, citation.creators), *_organisations(citation)]
    actions = list(actions_of(view, citation))
    entities += {entity["@id"]: entity for entity in actions}.values()
    mentions = [{"@id": e["@id"]} for e in actions if e["@type"] == "CreateAction"]
    entities.insert(1, _root(view, citation, files, mentions))
    context = [f"{SPECIFICATION}/context", {"sha256": "http://schema.org/sha256"}]
    content = {"@context": context, "@graph": [_compact(entity) for entity in entities]}
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def datacite_of(view: View, citation: Citation) -> str:
    """Write the citation in the form that repositories take for a DOI."""
    first, last = dates_of(view)
    published = citation.published or last
    content = {
        "titles": [{"title": title_of(view, citation)}],
        "creators": [_datacite_creator(creator) for creator in citation.creators],
        **({"publisher": {"name": citation.publisher}} if citation.publisher else {}),
        "publicationYear": int(published[:4]),
        "types": {"resourceTypeGeneral": "Dataset", "resourceType": "Experimental campaign"},
        "subjects": [{"subject": keyword} for keyword in citation.keywords],
        "dates": [
            {"date": f"{first}/{last}", "dateType": "Collected"},
            {"date": published, "dateType": "Issued"},
        ],
        "rightsList": [{"rights": citation.licence, "rightsUri": citation.licence_url}],
        "descriptions": [{"description": describe(view, citation), "descriptionType": "Abstract"}],
        "formats": ["application/x-netcdf", "text/csv"],
        "schemaVersion": "http://datacite.org/schema/kernel-4",
    }
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def title_of(view: View, citation: Citation) -> str:
    """The title, by default the name of the campaign."""
    return citation.title or view.settings.name


def dates_of(view: View) -> tuple[str, str]:
    """The day of the first event and of the last."""
    return view.events[0].at[:10], view.events[-1].at[:10]


def describe(view: View, citation: Citation) -> str:
    """The description, by default what the data hold."""
    if citation.description:
        return citation.description
    if view.record is None:
        return f"The campaign '{view.settings.name}', without any data yet."
    specimens = specimens_of(view.record)
    n = len(set(specimens["specimen"].values.astype(str).tolist()))
    by_role: dict[str, list[str]] = {}
    for name, variable in _measured(specimens).items():
        by_role.setdefault(variable.attrs.get("role", "property"), []).append(_with_unit(name, variable))
    said = "; ".join(f"{role}: {', '.join(names)}" for role, names in by_role.items())
    return f"The campaign '{view.settings.name}': {n} specimens. {said}."


def _compact(entity: Entity) -> Entity:
    """Write a list of one as its only member, as RO-Crate wants it; and none at all for an empty one."""
    lists = {key: value for key, value in entity.items() if isinstance(value, list)}
    one = {key: value[0] for key, value in lists.items() if len(value) == 1}
    return {key: one.get(key, value) for key, value in entity.items() if value != []}


def _measured(specimens: xr.Dataset) -> dict[str, xr.DataArray]:
    return {str(n): v for n, v in specimens.data_vars.items() if not str(n).endswith(("_sd", "_flag"))}


def _with_unit(name: str, variable: xr.DataArray) -> str:
    unit = variable.attrs.get("units", "")
    return f"{name} ({unit})" if unit not in ("", "1") else name


def _descriptor() -> Entity:
    return {
        "@id": METADATA,
        "@type": "CreativeWork",
        "conformsTo": {"@id": SPECIFICATION},
        "about": {"@id": "./"},
    }


def _root(view: View, citation: Citation, files: Mapping[str, str], mentions: list[Entity]) -> Entity:
    first, last = dates_of(view)
    return {
        "@id": "./",
        "@type": "Dataset",
        "name": title_of(view, citation),
        "description": describe(view, citation),
        "datePublished": citation.published or last,
        "dateCreated": first,
        "dateModified": last,
        "license": {"@id": citation.licence_url},
        "author": [{"@id": person_id(c.name, c.orcid)} for c in citation.creators],
        **({"publisher": {"@id": _organisation(citation.publisher)}} if citation.publisher else {}),
        "keywords": list(citation.keywords),
        "conformsTo": [{"@id": PROFILE}],
        "hasPart": [{"@id": quote(path)} for path in files],
        "mentions": mentions,
        "variableMeasured": [{"@id": e["@id"]} for e in _variables(view)],
    }


def _files(files: Mapping[str, str], folder: Path) -> Iterator[Entity]:
    for path, about in files.items():
        file = folder / path
        yield {
            "@id": quote(path),
            "@type": "File",
            "name": path,
            "description": about,
            "contentSize": str(file.stat().st_size),
            "encodingFormat": FORMATS.get(file.suffix.lower(), "application/octet-stream"),
            "sha256": sha256_of(file),
        }


def _variables(view: View) -> Iterator[Entity]:
    for name, variable in {} if view.record is None else _measured(specimens_of(view.record)).items():
        entity = {"@id": f"#variable-{quote(name)}", "@type": "PropertyValue", "name": name}
        unit, role = variable.attrs.get("units"), variable.attrs.get("role")
        entity |= {"unitText": unit} if unit else {}
        yield entity | ({"description": f"{role} of a specimen"} if role else {})


def _profile() -> Entity:
    return {"@id": PROFILE, "@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"}


def _licence(citation: Citation) -> Entity:
    about = "Says what others may do with these data."
    return {
        "@id": citation.licence_url,
        "@type": "CreativeWork",
        "name": citation.licence,
        "description": about,
    }


def _person(creator: Creator) -> Entity:
    entity = {"@id": person_id(creator.name, creator.orcid), "@type": "Person", "name": creator.name}
    return entity | (
        {"affiliation": {"@id": _organisation(creator.affiliation)}} if creator.affiliation else {}
    )


def _organisation(name: str) -> str:
    return f"#{quote(name)}"


def _organisations(citation: Citation) -> Iterator[Entity]:
    for name in dict.fromkeys([*(c.affiliation for c in citation.creators), citation.publisher]):
        if name:
            yield {"@id": _organisation(name), "@type": "Organization", "name": name}


def _datacite_creator(creator: Creator) -> dict[str, Any]:
    said: dict[str, Any] = {"name": creator.name, "nameType": "Personal"}
    if creator.affiliation:
        said["affiliation"] = [{"name": creator.affiliation}]
    if creator.orcid:
        identity = {"nameIdentifier": person_id(creator.name, creator.orcid)}
        scheme = {"nameIdentifierScheme": "ORCID", "schemeUri": "https://orcid.org"}
        said["nameIdentifiers"] = [identity | scheme]
    return said
