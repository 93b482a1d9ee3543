"""Models that were learned beside a campaign, by `tieline compare --save` say, kept with it to be asked.

The file itself is attached, under its checksum. Which names stand for which files is in the log alone.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import xarray as xr

from tieline.campaign.campaign import Campaign
from tieline.campaign.files import kept_netcdf
from tieline.campaign.kinds import kinds_of
from tieline.campaign.memory import posterior_of_design
from tieline.campaign.places import predict_beside
from tieline.campaign.store import tables
from tieline.campaign.studies.kept import KEPT, LEFT_OUT, note_study
from tieline.campaign.telling import Vocabulary, read_places_told
from tieline.errors import NotFound, SchemaError, did_you_mean
from tieline.models.posterior import Posterior, label_sets, names_of
from tieline.planning.pool import default_pool
from tieline.schema import as_variables
from tieline.schema.wording import name_some

STUDY = "models"
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}", re.I)  # what is asked for by its name stands in an address


@dataclass(frozen=True)
class KeptModel:
    """A model that is kept.

    Attributes:
        name: that it is asked by.
        digest: checksum of its file.
        at: when it was kept.
        by: who kept it.
        posterior: what it is.
    """

    name: str
    digest: str
    at: str
    by: str
    posterior: Posterior

    @property
    def predicts(self) -> list[str]:
        """Names of labels and properties."""
        return [*label_sets(self.posterior.model), *self.posterior.model.properties]

    @property
    def inputs(self) -> list[str]:
        """What it predicts from."""
        return list(names_of(self.posterior.model.design))

    @property
    def units(self) -> dict[str, str]:
        """Units of what it predicts and of its inputs."""
        table = as_variables(self.posterior.table, self.inputs)
        found = {name: table[name].attrs.get("units", "") for name in (*self.inputs, *self.predicts)}
        return {name: unit for name, unit in found.items() if unit}

    def predict(self, places: xr.Dataset | None = None) -> xr.Dataset:
        """Predict at places (specimen), by default all over the region that it was learned from."""
        return predict_beside(self.posterior, default_pool(self.posterior) if places is None else places)

    def places(self, rows: Sequence[Mapping[str, Any]]) -> xr.Dataset:
        """Places (specimen) of settings as they are told: numbers, texts, compositions, values with units.

        Raises:
            SchemaError: a setting is not known, missing or of another kind, or an input is a spectrum.
            UnitError: a unit is unknown, or is not one of the setting.
        """
        table = as_variables(self.posterior.table, self.inputs)
        if wide := [name for name in self.inputs if set(table[name].dims) - {"specimen", "element"}]:
            raise SchemaError(
                f"'{self.name}' predicts from spectra, which are not told in a line.",
                found=name_some(wide),
                hint="tl.load_posterior reads it in Python",
            )
        design = table[self.inputs].reset_coords(drop=True)
        told = tuple(self.predicts)
        words = Vocabulary(
            tuple(self.inputs), (), told, told, frozenset(), self.units, kinds_of(design, None)
        )
        return read_places_told(rows, words)


def keep_model(campaign: Campaign, file: str | Path, *, name: str = "", by: str = "") -> KeptModel:
    """Keep a saved posterior with a campaign, in place of an earlier one of that name.

    Args:
        campaign: that keeps it.
        file: what `posterior.save` or `tieline compare --save` wrote.
        name: that it is asked by; by default that of the file without its ending.
        by: who keeps it, for the log.

    Raises:
        SchemaError: the file is no posterior that predicts at places, or the name cannot be one.
    """
    file = Path(file)
    name = name or file.stem
    if not NAME.fullmatch(name):
        raise SchemaError(
            "A model is kept under a plain name.",
            found=repr(name[:80]),
            hint="letters, digits, - and _: --name forest",
        )
    posterior = posterior_of_design(file)
    digest = str(campaign.attach(file, by=by).told["sha256"])
    event = note_study(campaign, STUDY, KEPT, name, settings={}, of=digest, by=by)
    return KeptModel(name, digest, event.at, event.by, posterior)


def names_of_models(campaign: Campaign) -> list[str]:
    """The names of the models that are kept, in their order."""
    return sorted(_kept(campaign))


def kept_model(campaign: Campaign, name: str) -> KeptModel:
    """A model that is kept.

    Raises:
        NotFound: there is none of that name.
        TielineError: its file is gone or damaged.
    """
    digest, at, by = _find(campaign, name)
    return KeptModel(name, digest, at, by, _read(kept_netcdf(campaign.path / "artifacts", digest)))


def leave_out_model(campaign: Campaign, name: str, *, by: str = "") -> None:
    """Let a model be asked no more; its file stays attached.

    Raises:
        NotFound: there is none of that name.
    """
    digest, *_ = _find(campaign, name)
    note_study(campaign, STUDY, LEFT_OUT, name, settings={}, of=digest, by=by)


def _find(campaign: Campaign, name: str) -> tuple[str, str, str]:
    """Checksum, time and keeper of a model, whether or not its file can be read."""
    there = _kept(campaign)
    if name not in there:
        known = sorted(there)
        raise NotFound(
            f"There is no model '{name}'. {did_you_mean(name, known)}".strip(),
            found=name_some(known) if known else "no model that is kept",
            hint="tieline model FOLDER FILE keeps one",
        )
    return there[name]


def _kept(campaign: Campaign) -> dict[str, tuple[str, str, str]]:
    """Checksum, time and keeper of each model by its name, as the log has them."""
    event = tables.event
    query = sa.select(event).where(event.c.kind == "studied").order_by(event.c.number)
    found: dict[str, tuple[str, str, str]] = {}
    for row in campaign.store.rows(query):
        told = json.loads(row.content)
        if told["study"] == STUDY and told["deed"] == KEPT:
            found[told["name"]] = (told["of"], row.at, row.by)
        elif told["study"] == STUDY:
            found.pop(told["name"], None)
    return found


@lru_cache(maxsize=4)
def _read(file: Path) -> Posterior:
    """A posterior whose file, named by its checksum, never changes."""
    return posterior_of_design(file)
