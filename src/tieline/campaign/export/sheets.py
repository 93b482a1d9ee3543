"""A campaign as plain tables, with a dictionary that says what every column is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import sqlalchemy as sa
import xarray as xr

from tieline.campaign.export.view import View
from tieline.campaign.export.writing import DICTIONARY
from tieline.campaign.proposals import list_proposals
from tieline.campaign.store import tables
from tieline.planning.listing import heading
from tieline.readers.mapping import Correction, Mapped
from tieline.schema import specimens_of

FLAG_MEANING = "failed: could not be measured; below or above: the value is only a limit; empty: ok"
# What every proposal has beside its settings.
OF_PROPOSAL = {
    "proposal": "name of the proposal",
    "state": "proposed, claimed, running, done, failed or abandoned",
    "claimed_by": "who took it",
    "lease_until": "until when they meant to be done, UTC",
    "instrument": "who or what it was asked for",
    "why": "why it failed or was given up",
    "value": "score by which it was chosen",
    "reason": "why it was proposed",
}
OF_MEASUREMENT = {
    "specimen": "identity of the specimen",
    "property": "what was measured",
    "value": "a number, in the unit beside it",
    "unit": "of the value and its standard error",
    "sd": "standard error of the value",
    "label": "what was found, where that is no number",
    "flag": FLAG_MEANING,
    "source": "imported: a file in raw/ says so; told: recorded one by one",
    "proposal": "name of the proposal that was followed",
    "event": "number of the event in events.jsonl",
    "at": "when it was told, UTC",
}
OF_FIT = {
    "fit": "name of the fit",
    "state": "running, done, failed, cancelled or interrupted",
    "started": "UTC",
    "ended": "UTC",
    "data": "number of the last event that it knew of",
    "model": "of tieline, which stayed when others challenged it",
    "decision": "which model stays and why, where others challenged it",
    "arrived": "how the fit before it did on what it had not seen",
    "seed": "of everything random",
    "tieline": "version",
    "verdict": "green, amber or red: how far it can be trusted",
    "sentence": "the verdict in words",
    "table_sha256": "checksum of what the table said that it learned from",
    "posterior": "file of what was learned",
}


@dataclass(frozen=True)
class Sheet:
    """One table.

    Attributes:
        name: of its file.
        about: what a row is.
        rows: with the columns that are described, in their order.
        meanings: of each column: meaning, unit and role.
        mapped: how tieline reads the file again; None where it need not.
    """

    name: str
    about: str
    rows: pd.DataFrame
    meanings: Mapping[str, Mapping[str, str]]
    mapped: Mapped | None = None

    @property
    def text(self) -> str:
        """As CSV."""
        return self.rows.to_csv(index=False, lineterminator="\n")


def sheets_of(view: View) -> list[Sheet]:
    """All that a campaign says in numbers, as tables, and last their dictionary."""
    found = [] if view.record is None else [_specimens(specimens_of(view.record))]
    found += [_measurements(view), _proposals(view), _fits(view)]
    return [*found, _dictionary(found)]


def _specimens(specimens: xr.Dataset) -> Sheet:
    """One row a specimen; the columns say in their headers what tieline needs to read them as they were."""
    flat = _Columns({}, {}, {})
    flat.add("specimen", specimens["specimen"], "specimen", Correction(name="specimen", role="identity"))
    composition, parts = None, []
    aside = [str(name) for name in specimens.coords if name not in specimens.dims]
    for name, variable in specimens.reset_coords(aside).data_vars.items():
        others = [d for d in variable.dims if d != "specimen"]
        if others == ["element"] and composition is None:
            composition = str(name)
            for element in variable["element"].values.astype(str).tolist():
                meaning = f"mole fraction of {element} in {name}"
                parts.append(flat.add(element, variable.sel(element=element), meaning, None))
        elif others:
            for value in variable[others[0]].values:
                part = variable.sel({others[0]: value})
                flat.add(f"{name} {value}", part, f"{name} of {others[0]} {value}", Correction(ignore=True))
        else:
            flat.add(heading(variable, str(name)), variable, _meaning(str(name)), _said(str(name), variable))
    basis = None if composition is None else "fraction"
    mapped = Mapped(columns=flat.said, composition=tuple(parts), composition_name=composition, basis=basis)
    about = "one row a specimen, more where something was measured again"
    return Sheet("specimens.csv", about, pd.DataFrame(flat.values), flat.meanings, mapped)


@dataclass(frozen=True)
class _Columns:
    """Columns of a table while it is made.

    Attributes:
        values: of each column.
        meanings: as in `Sheet`.
        said: what tieline must know to read them again.
    """

    values: dict[str, Any]
    meanings: dict[str, Mapping[str, str]]
    said: dict[str, Correction]

    def add(self, header: str, variable: xr.DataArray, meaning: str, said: Correction | None) -> str:
        """Add a variable on (specimen) under a header that no other has, which is returned."""
        while header in self.values:
            header += " "
        self.values[header] = variable.values
        unit, role = str(variable.attrs.get("units", "")), str(variable.attrs.get("role", ""))
        self.meanings[header] = {"meaning": meaning, "unit": unit, "role": role}
        if said is not None:
            self.said[header] = said
        return header


def _said(name: str, variable: xr.DataArray) -> Correction:
    role, units = variable.attrs.get("role", "note"), variable.attrs.get("units")
    return Correction(name=name if name.isidentifier() else None, role=role, units=units)


def _meaning(name: str) -> str:
    for ending, words in (("_sd", "standard error of {}"), ("_flag", "of {}: " + FLAG_MEANING)):
        if name.endswith(ending):
            return words.format(name.removesuffix(ending).replace("_", " "))
    return name.replace("_", " ")


def _measurements(view: View) -> Sheet:
    """One row a measurement: what files say, and what was told in the unit in which it was told."""
    measurement = tables.measurement
    found = view.store.rows(sa.select(measurement).order_by(measurement.c.event, measurement.c.line))
    rows = [{**row._mapping, "source": "told"} for row in found]
    joined = None if view.imported is None else specimens_of(view.imported)
    rows = [*_imported(joined), *rows]
    frame = pd.DataFrame(rows, columns=list(OF_MEASUREMENT))
    frame["flag"] = frame["flag"].replace("ok", "")
    frame = frame.astype({"value": float, "sd": float, "event": "Int64"})
    about = "one row a measurement, as it came"
    return Sheet("measurements.csv", about, frame, _plainly(OF_MEASUREMENT))


def _imported(specimens: xr.Dataset | None) -> list[dict[str, Any]]:
    rows = []
    for name, variable in {} if specimens is None else specimens.data_vars.items():
        assert specimens is not None
        is_result = variable.attrs.get("role") in ("property", "structure") and variable.dims == ("specimen",)
        if not is_result or str(name).endswith(("_sd", "_flag")):
            continue
        is_number = variable.dtype.kind in "iufb"
        sd, flag = (specimens.get(f"{name}{ending}") for ending in ("_sd", "_flag"))
        for i, value in enumerate(variable.values.tolist()):
            row = {"specimen": str(specimens["specimen"].values[i]), "property": name, "source": "imported"}
            row["flag"] = "" if flag is None else str(flag.values[i])
            known = value == value if is_number else bool(value)
            if not known and not row["flag"]:
                continue
            row |= {"value" if is_number else "label": value if known else None}
            row |= {"unit": variable.attrs.get("units")} if is_number else {}
            row |= {} if sd is None else {"sd": sd.values[i]}
            rows.append(row)
    return rows


def _proposals(view: View) -> Sheet:
    listed = list_proposals(view.store).drop_vars("is_overdue")  # which the time of reading would change
    flat = _Columns({}, {}, {})
    flat.add("proposal", listed["proposal"], OF_PROPOSAL["proposal"], None)
    for name, variable in listed.drop_vars("proposal").data_vars.items():
        is_setting = variable.attrs.get("role") in ("synthesis", "process")
        meaning = OF_PROPOSAL.get(str(name), f"{'' if is_setting else 'predicted '}{_meaning(str(name))}")
        if "element" in variable.dims:
            for element in variable["element"].values:
                header = f"{name} {element}"
                flat.add(header, variable.sel(element=element), f"mole fraction of {element} in {name}", None)
        else:
            flat.add(heading(variable, str(name)), variable, meaning, None)
    about = "one row a proposal: its settings, its state, what was predicted and why it was made"
    return Sheet("proposals.csv", about, pd.DataFrame(flat.values), flat.meanings)


def _fits(view: View) -> Sheet:
    rows = []
    for fit in view.fits():
        settings = fit["about"].get("settings") or {}
        posterior = f"posteriors/{fit['posterior']}.nc" if fit["posterior"] else ""
        model = settings.get("model") or ("PhaseProperty" if settings else "")
        decision = fit["outcome"].get("challenge", {}).get("decision", "")
        said = {"model": model, "decision": decision, "arrived": ""}
        rows.append({**said, **fit, **fit["about"], **fit["outcome"], "fit": fit["name"]})
        rows[-1]["posterior"] = posterior
    frame = pd.DataFrame(rows, columns=list(OF_FIT))
    return Sheet("fits.csv", "one row a fit", frame, _plainly(OF_FIT))


def _plainly(meanings: Mapping[str, str]) -> dict[str, Mapping[str, str]]:
    return {name: {"meaning": meaning, "unit": "", "role": ""} for name, meaning in meanings.items()}


def _dictionary(sheets: Sequence[Sheet]) -> Sheet:
    rows = [
        {"file": sheet.name, "column": header, **said, "type": _type(sheet.rows.dtypes[header])}
        for sheet in sheets
        for header, said in sheet.meanings.items()
    ]
    about = {"file": "name of the table", "column": "header of the column", "meaning": "what it holds"}
    about |= {"type": "number, whole number or text", "unit": "of its numbers; 1 is dimensionless"}
    about |= {"role": "synthesis, process, structure or property"}
    frame = pd.DataFrame(rows, columns=list(about))
    return Sheet(DICTIONARY, "one row a column of the other tables", frame, _plainly(about))


def _type(kind: Any) -> str:
    if pd.api.types.is_integer_dtype(kind):
        return "whole number"
    return "number" if pd.api.types.is_numeric_dtype(kind) else "text"
