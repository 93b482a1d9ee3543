"""The command `tieline unmix`."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from tieline.cli.arguments import AsJson, words_in
from tieline.cli.printing import console, errors, plain, print_json, print_notes, print_verdict
from tieline.errors import TielineError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable

    import xarray as xr

COMPOUNDS = ("reference", "compound", "folder")  # columns that name what a reference is of
SHARES = ("share", "share_low", "share_high", "is_present")


def unmix(
    references: Annotated[Path, typer.Argument(help="Spectra of pure compounds: a table, or a folder.")],
    unknowns: Annotated[
        Path | None,
        typer.Argument(help="Unknown spectra; by default the rows above that name no compound."),
    ] = None,
    reference: Annotated[str, typer.Option(help="Column that names the compound of a reference.")] = "",
    by: Annotated[str, typer.Option(help="Column that says which spots are of one specimen.")] = "",
    ions: Annotated[
        str, typer.Option(help="Ions to which raw spectra are calibrated, with commas between.")
    ] = "6Li,Li,O,OH,O2",
    minimum: Annotated[float, typer.Option(help="Counts that a peak of raw spectra must have.")] = 100.0,
    elements: Annotated[str, typer.Option(help="What ions may hold beside the compounds' own.")] = "H,C,N,O",
    charge: Annotated[int, typer.Option(help="Of the ions: -1 or 1.")] = -1,
    report: Annotated[Path | None, typer.Option(help="Write an HTML report here.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say which compounds unknown mass spectra are made of, and which ions say so."""
    from tieline.models.spectral_composition import SpectralComposition

    known, table = _tables(references, unknowns, reference, words_in(ions), charge, minimum)
    with errors.status("Unmixing ..."):
        posterior = SpectralComposition().fit(known)
        found = posterior.predict(table, by=by or None)
    if report is not None:
        from tieline.figures.composition_report import write_composition_report

        may_hold = [*_elements_of(posterior.compounds), *words_in(elements)]
        with errors.status("Drawing ..."):
            write_composition_report(
                posterior, table, report, by=by or None, elements=list(dict.fromkeys(may_hold)), charge=charge
            )
    notes = list(dict.fromkeys([*table.attrs.get("notes", []), *found.attrs["notes"]]))
    if as_json:
        print_json({"spectra": _records(found), "notes": notes})
        return
    print_verdict(posterior.diagnose())
    _print_shares(found)
    print_notes(notes)
    if report is not None:
        console.print(f"Report: [bold]{report}[/]")


def _tables(
    references: Path, unknowns: Path | None, column: str, ions: list[str], charge: int, minimum: float
) -> tuple["xr.Dataset", "xr.Dataset"]:
    """Peak areas of references and of unknowns; raw spectra go through together."""
    import numpy as np
    import xarray as xr

    from tieline.features.spectra import peak_areas
    from tieline.readers.spectra import load_spectra

    known = _labelled(load_spectra(references), column)
    table = known.isel(specimen=known["reference"].values == "")
    known = known.isel(specimen=known["reference"].values != "")
    if unknowns is not None:
        table = load_spectra(unknowns)
    if not table.sizes["specimen"]:
        raise TielineError(
            "All spectra name a compound: there is nothing to unmix.",
            found=f"{known.sizes['specimen']} references",
            hint="tieline unmix REFERENCES UNKNOWNS, or leave the compound of unknowns empty",
        )
    if ("counts" in known) != ("counts" in table):
        raise TielineError(
            "Raw spectra and peak areas cannot be compared.",
            found=", ".join("raw spectra" if "counts" in t else "peak areas" for t in (known, table)),
            hint="export both in the same way",
        )
    if "area" in known:
        return known, table
    n_known, notes = known.sizes["specimen"], [*known.attrs["notes"], *table.attrs["notes"]]
    table = table.assign_coords(mz=known["mz"]) if table.sizes["mz"] == known.sizes["mz"] else table
    raw = xr.concat([known, table], "specimen", data_vars="all", join="exact").assign_attrs(notes=notes)
    areas = peak_areas(raw, ions=ions, charge=charge, minimum=minimum)
    return areas.isel(specimen=np.arange(n_known)), areas.isel(specimen=slice(n_known, None))


def _labelled(spectra: "xr.Dataset", column: str) -> "xr.Dataset":
    """The spectra with their compound in the variable 'reference'."""
    texts = [str(name) for name, variable in spectra.data_vars.items() if variable.dims == ("specimen",)]
    chosen = column or next((name for name in COMPOUNDS if name in texts), "")
    if chosen not in texts:
        raise TielineError(
            f"There is no column '{chosen}'. {did_you_mean(chosen, texts)}".strip()
            if chosen
            else "Nothing says which compound each reference is of.",
            found=f"columns {', '.join(texts)}" if texts else "no column of text, and no folders",
            hint="--reference NAME of the column; raw spectra lie in a folder named like their compound",
        )
    return spectra.assign(reference=("specimen", [str(v).strip() for v in spectra[chosen].values]))


def _elements_of(compounds: "Iterable[str]") -> list[str]:
    """Symbols of elements in the names of compounds, as far as these are formulas."""
    from tieline.schema.isotopes import isotopes

    found = re.findall("[A-Z][a-z]?", " ".join(compounds))
    known = isotopes()
    return [symbol for symbol in dict.fromkeys(found) if symbol in known]


def _records(found: "xr.Dataset") -> list[dict[str, Any]]:
    """Unknowns as plain records: a share with its interval for each compound."""
    records = []
    for i, name in enumerate(found["specimen"].values):
        one = found.isel(specimen=i)
        shares = {
            str(c): {v: plain(one[v].sel(compound=c)) for v in SHARES} for c in found["compound"].values
        }
        flags = {v: plain(one[v]) for v in ("is_none_of_references", "unexplained", "n_truncated")}
        records.append({"specimen": str(name), "shares": shares, **flags})
    return records


def _print_shares(found: "xr.Dataset") -> None:
    """One line an unknown: the compounds that are clearly there, and a warning."""
    for i, name in enumerate(found["specimen"].values):
        one = found.isel(specimen=i)
        present = [
            f"{c} {one['share'].sel(compound=c):.2f}"
            f" ({one['share_low'].sel(compound=c):.2f} to {one['share_high'].sel(compound=c):.2f})"
            for c in found["compound"].values
            if one["is_present"].sel(compound=c)
        ]
        said = ", ".join(present) or "no compound is clearly there"
        console.print(f"[bold]{escape(str(name))}[/]  {escape(said)}", highlight=False, soft_wrap=True)
        if one["is_none_of_references"]:
            share = f"{one['unexplained']:.0%} of the counts"
            console.print(f"    [yellow]something is none of the references: {share}[/]", highlight=False)
