"""Spectra that are kept with a campaign: those of pure compounds, and what others are made of."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from tieline.campaign.campaign import Campaign
from tieline.campaign.studies.kept import Kept, keep, kept, take_over
from tieline.errors import NotIdentified, SchemaError
from tieline.models.diagnosis import HALF_OF_90
from tieline.models.spectral_composition import SpectralComposition
from tieline.models.spectral_posterior import SpectralPosterior
from tieline.models.spectral_reading import match_channels, read_spectra
from tieline.readers.apart import spectra_apart
from tieline.schema.wording import name_known

KIND = "spectra"
AREA, REFERENCE = "area", "reference"
NAMES = ("reference", "compound", "substance", "pure", "material", "class")  # columns that name a compound
CHARGES = {"negative": -1, "positive": 1}


@dataclass(frozen=True, eq=False)
class Spectra:
    """All spectra of a campaign.

    Attributes:
        files: that they came in.
        references (specimen): of pure compounds; None if there are none.
        unknown (specimen): the others, on the channels of the references; None if there are none.
        charge: of the ions.
        groups: columns of text by which unknown spectra can be averaged.
    """

    files: list[Kept]
    references: xr.Dataset | None
    unknown: xr.Dataset | None
    charge: int
    groups: list[str]

    @property
    def key(self) -> tuple[str, ...]:
        """What tells these spectra from others."""
        return tuple(f"{one.digest} {one.about['at']}" for one in self.files)

    def learn(self) -> SpectralPosterior:
        """Learn from the pure spectra.

        Raises:
            NotIdentified: there are fewer than two compounds, or too few spectra.
        """
        if self.references is None:
            raise NotIdentified(
                "There are no spectra of pure compounds yet.",
                found=f"{len(self.files)} files of unknown spectra" if self.files else "no files",
                hint="drop spectra of pure compounds, with a column that names the compound",
            )
        return SpectralComposition().fit(self.references)


def add_spectra(
    campaign: Campaign,
    files: Sequence[Path],
    *,
    column: str = "",
    compound: str = "",
    ions: str = "negative",
    by: str,
) -> list[Kept]:
    """Read files of spectra in a process of its own, and keep them, all or none.

    Args:
        campaign: that they belong to.
        files: as `tieline.readers.spectra.load_spectra` reads them.
        column: that names the pure compound; found by its name if it is not given.
        compound: that all spectra are of.
        ions: negative or positive.
        by: who adds them.

    Raises:
        SchemaError: one cannot be read, or has no such column, or other channels.
    """
    tables = [_labelled(t, f, column, compound) for t, f in zip(spectra_apart(files), files, strict=True)]
    known = [one.read() for one in kept(campaign, KIND)[:1]]
    for table in tables:
        on_channels_of(table, [*known, *tables][0])  # what cannot stand is refused before anything is kept
    added = []
    for table, file in zip(tables, files, strict=True):
        is_pure = table[REFERENCE].values != ""
        about = {
            "charge": CHARGES.get(ions, -1),
            "n_pure": int(is_pure.sum()),
            "n_unknown": int((~is_pure).sum()),
        }
        added.append(keep(campaign, KIND, file, table, about, by))
    return added


def _labelled(table: xr.Dataset, file: Path, column: str, compound: str) -> xr.Dataset:
    """Spectra as areas, with the pure compound of each, "" where it is unknown."""
    table = table.rename({"counts": AREA}) if "counts" in table else table
    texts = _texts(table)
    if column and column not in texts:
        raise SchemaError(
            f"'{file.name}' has no column of text '{column}'.",
            found=name_known(texts, column),
            hint="leave it empty",
        )
    column = column or next((name for name in texts if name.casefold() in NAMES), "")
    label = np.full(table.sizes["specimen"], compound)
    if column and not compound:
        label = np.char.strip(table[column].values.astype(str))
    return table.drop_vars(REFERENCE, errors="ignore").assign({REFERENCE: ("specimen", label)})


def find_spectra(campaign: Campaign) -> Spectra:
    """All spectra that are kept."""
    files = kept(campaign, KIND)
    tables = [one.read() for one in files]
    tables = [on_channels_of(table, tables[0]) for table in tables]
    pure = [t.isel(specimen=t[REFERENCE].values != "") for t in tables]
    other = [t.isel(specimen=t[REFERENCE].values == "") for t in tables]
    unknown = _together(other)
    groups = [] if unknown is None else [n for n in _texts(unknown) if n != REFERENCE]
    charge = files[-1].about["charge"] if files else -1
    return Spectra(files, _together([p[[AREA, REFERENCE]] for p in pure]), unknown, charge, groups)


def on_channels_of(table: xr.Dataset, first: xr.Dataset) -> xr.Dataset:
    """Bring spectra onto the channels of others.

    Raises:
        SchemaError: most channels are missing.
    """
    target = read_spectra(first, AREA)
    matched = match_channels(read_spectra(table, AREA), target.channels, target.axis)
    rest = table.drop_vars([AREA, target.axis])
    return rest.assign({AREA: (("specimen", target.axis), matched.counts, table[AREA].attrs)}).assign_coords(
        {target.axis: first[target.axis]}
    )


def take_shares(campaign: Campaign, found: xr.Dataset, by: str) -> list[str]:
    """Make the shares that were found columns of the campaign, each with its standard error.

    Args:
        campaign: that gets them.
        found: what the posterior predicted.
        by: who does it.
    """
    about = {"role": "property", "units": "1"}
    columns = {}
    for compound in found["compound"].values:
        one = found.sel(compound=compound)
        half = (one["share_high"].values - one["share_low"].values) / 2
        columns[f"share_{compound}"] = ("specimen", one["share"].values, about)
        columns[f"share_{compound}_sd"] = ("specimen", half / HALF_OF_90, about)
    names = found["specimen"].values.astype(str)
    return take_over(campaign, xr.Dataset(columns, {"specimen": names}), "shares-of-compounds", by)


def _texts(table: xr.Dataset) -> list[str]:
    return [
        str(n) for n, v in table.data_vars.items() if v.dims == ("specimen",) and v.dtype.kind not in "iufb"
    ]


def _together(tables: list[xr.Dataset]) -> xr.Dataset | None:
    """Spectra one below the other; text that one lacks is empty, and a name that is taken gets a number."""
    tables = [t for t in tables if t.sizes["specimen"]]
    if not tables:
        return None
    texts = list(dict.fromkeys(name for t in tables for name in _texts(t)))
    filled = [
        t.assign({n: ("specimen", np.full(t.sizes["specimen"], "")) for n in texts if n not in t})
        for t in tables
    ]
    joined = xr.concat(
        [t[[AREA, *texts]] for t in filled], "specimen", join="exact", combine_attrs="override"
    )
    seen: Counter[str] = Counter()
    names = []
    for name in joined["specimen"].values.astype(str):
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return joined.assign_coords(specimen=names)
