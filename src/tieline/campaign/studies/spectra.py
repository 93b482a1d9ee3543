"""Spectra that are kept with a campaign: those of pure compounds, and what others are made of."""

from collections import Counter
from collections.abc import Iterable, Sequence
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
from tieline.schema.wording import name_known, name_some

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
        notes: on channels that a file lacks, or has beside those of the references.
    """

    files: list[Kept]
    references: xr.Dataset | None
    unknown: xr.Dataset | None
    charge: int
    groups: list[str]
    notes: list[str]

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
        SchemaError: one cannot be read, or has no such column, or other channels, or ions of another charge.
    """
    if ions not in CHARGES:
        raise SchemaError("Ions are negative or positive.", found=repr(ions), hint=" or ".join(CHARGES))
    tables = [_labelled(t, f, column, compound) for t, f in zip(spectra_apart(files), files, strict=True)]
    before = kept(campaign, KIND)
    # What cannot stand, or beside which something else could not, is refused before anything is kept.
    _charge_of([*(one.about["charge"] for one in before), CHARGES[ions]])
    _on_common_channels(
        [*(one.read() for one in before), *tables], [*(one.name for one in before), *(f.name for f in files)]
    )
    added = []
    for table, file in zip(tables, files, strict=True):
        is_pure = table[REFERENCE].values != ""
        about = {
            "charge": CHARGES[ions],
            "n_pure": int(is_pure.sum()),
            "n_unknown": int((~is_pure).sum()),
        }
        settings = {"ions": ions, "column": column, "compound": compound}
        added.append(keep(campaign, KIND, file, table, about, by, settings))
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
    """All spectra that are kept.

    Raises:
        SchemaError: files that were left over do not go together.
    """
    files = kept(campaign, KIND)
    charge = _charge_of(one.about["charge"] for one in files)
    tables, notes = _on_common_channels([one.read() for one in files], [one.name for one in files])
    pure = [t.isel(specimen=t[REFERENCE].values != "") for t in tables]
    other = [t.isel(specimen=t[REFERENCE].values == "") for t in tables]
    unknown = _together(other)
    groups = [] if unknown is None else [n for n in _texts(unknown) if n != REFERENCE]
    return Spectra(files, _together([p[[AREA, REFERENCE]] for p in pure]), unknown, charge, groups, notes)


def _charge_of(charges: Iterable[int]) -> int:
    """The one charge of all ions.

    Raises:
        SchemaError: they have several; a compound has other peaks in each.
    """
    found = set(charges)
    if len(found) > 1:
        raise SchemaError(
            "Spectra of negative and of positive ions are not told by each other.",
            found="files of both",
            hint="leave out those of one charge, or keep them in a campaign of their own",
        )
    return found.pop() if found else CHARGES["negative"]


def _on_common_channels(tables: list[xr.Dataset], names: list[str]) -> tuple[list[xr.Dataset], list[str]]:
    """Bring spectra onto the channels of the first references, whichever file came first.

    Returns:
        The spectra, and notes on what the channels of each file lack and what lies beside them.

    Raises:
        SchemaError: most channels of a file are missing.
    """
    if not tables:
        return [], []
    first = next((t for t in tables if (t[REFERENCE].values != "").any()), tables[0])
    target = read_spectra(first, AREA)
    brought, notes = [], []
    for table, name in zip(tables, names, strict=True):
        matched = match_channels(read_spectra(table, AREA), target.channels, target.axis)
        area = (("specimen", target.axis), matched.counts, table[AREA].attrs)
        rest = table.drop_vars([AREA, target.axis])
        brought.append(rest.assign({AREA: area}).assign_coords({target.axis: first[target.axis]}))
        notes += [f"{name}: {note}" for note in matched.notes]
    return brought, notes


def take_shares(campaign: Campaign, found: xr.Dataset, by: str) -> list[str]:
    """Make the shares that were found columns of the campaign, each with its standard error.

    A spectrum that holds something that is none of the references has no shares there: they would be those of
    its explained part only. How much of the counts no reference explains is a column too.

    Args:
        campaign: that gets them.
        found: what the posterior predicted.
        by: who does it.
    """
    about = {"role": "property", "units": "1"}
    unexplained = ("specimen", found["unexplained"].values, {"role": "structure", "units": "1"})
    columns = {"unexplained_share": unexplained}
    is_strange = found["is_none_of_references"].values
    for compound in found["compound"].values:
        one = found.sel(compound=compound)
        half = (one["share_high"].values - one["share_low"].values) / 2
        columns[f"share_{compound}"] = ("specimen", np.where(is_strange, np.nan, one["share"].values), about)
        columns[f"share_{compound}_sd"] = ("specimen", np.where(is_strange, np.nan, half / HALF_OF_90), about)
    names = found["specimen"].values.astype(str)
    notes = []
    if is_strange.any():
        strangers = name_some(names[is_strange])
        notes = [f"No shares of {strangers}: something there is none of the references."]
    return take_over(campaign, xr.Dataset(columns, {"specimen": names}), "shares-of-compounds", by, notes)


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
