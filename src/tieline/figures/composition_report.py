"""A report of what unknown spectra are made of: one HTML file that needs nothing else."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from tieline.figures.evidence import explained_spectrum, ion_evidence
from tieline.figures.pages import embedded, render
from tieline.figures.spectra import MOST_BARS, composition, ion_profiles
from tieline.insight.characteristic_ions import characteristic_ions
from tieline.insight.evidence import spectral_evidence
from tieline.models.spectral_posterior import SpectralPosterior
from tieline.planning.wording import percent

MOST_SHOWN = 12  # spectra that are shown peak by peak; the table has all
MOST_LINES = 4  # unknowns in the circles of ions
N_IONS = 5

SHARES = "Shares with their intervals. Hatched: something in the spectrum is none of the references."
CIRCLES = (
    "The first ions of each compound, from their least to their most over all spectra. The own compound is"
    " filled strongly, the others faintly, unknowns are lines."
)
PEAKS = (
    "Every peak, on a root scale: what each compound adds, and what was measured. Below: what is left over;"
    " the peaks that stand out most are named by their m/z."
)
IONS = (
    "The ions of each compound. A bar of length 1 is what the compound would show alone: its own colour"
    " reaches as far as its share. Numbers: counts of a spot."
)


def write_composition_report(
    posterior: SpectralPosterior,
    table: xr.Dataset,
    path: str | Path,
    *,
    by: str | None = None,
    elements: Sequence[str] = (),
    charge: int = -1,
    title: str = "What these spectra are made of",
) -> Path:
    """Write what unknown spectra are made of, and the ions behind it, into one HTML file.

    Args:
        posterior: of `SpectralComposition`.
        table: unknown spectra on `specimen`.
        path: of the file; its folder is made if it does not exist.
        by: name of a variable; spectra that agree in it are spots of one specimen and are averaged first.
        elements: what ions may hold; without it peaks are not assigned.
        charge: of the ions.
        title: of the page.

    Returns:
        The path.

    Raises:
        SchemaError: the spectra are missing, negative, or over other channels.
    """
    found = posterior.predict(table, by=by)
    ions = characteristic_ions(posterior, n=_n_ions(posterior), elements=elements, charge=charge)
    diagnosis = posterior.diagnose()
    page = render(
        "composition_report.html.j2",
        title=title,
        **{key: diagnosis.attrs[key] for key in ("verdict", "sentence", "action")},
        facts=list(_facts(posterior, diagnosis, found)),
        level=percent(found.attrs["level"]),
        compounds=posterior.compounds,
        rows=[_row(found.isel(specimen=i)) for i in range(found.sizes["specimen"])],
        pictures=list(_overview(posterior, table, found, ions, by)),
        ions=list(_ions(ions)),
        spectra=list(_spectra(posterior, table, found, ions, by)),
        notes=list(dict.fromkeys([*table.attrs.get("notes", []), *found.attrs["notes"]])),
    )
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
    return path


def _n_ions(posterior: SpectralPosterior) -> int:
    return min(N_IONS, len(posterior.references.channels))


def _facts(
    posterior: SpectralPosterior, diagnosis: xr.Dataset, found: xr.Dataset
) -> Iterator[tuple[str, str]]:
    yield "Spectra of references", str(diagnosis["n_spectra"].sum().item())
    yield "Compounds", ", ".join(posterior.compounds)
    yield "Peaks", str(len(posterior.references.channels))
    yield "Unknowns", str(found.sizes["specimen"])
    yield "With something else in them", str(int(found["is_none_of_references"].sum()))


def _row(one: xr.Dataset) -> dict[str, object]:
    """One line of the table of shares."""
    cells = (one[v].values for v in ("share", "share_low", "share_high", "is_present"))
    shares = [(_cell(*ends), bool(there)) for *ends, there in zip(*cells, strict=True)]
    return {"name": str(one["specimen"].values), "shares": shares, "beside": _beside(one)}


def _cell(share: float, low: float, high: float) -> str:
    if np.isnan(share):
        return ""
    return f"{share:.2f} ({low:.2f} to {high:.2f})" if low > 0 else f"below {max(high, 0.01):.2f}"


def _beside(one: xr.Dataset) -> str:
    if one["share"].isnull().all():
        return "nothing was counted"
    said = []
    if one["is_none_of_references"]:
        said.append(
            f"something is none of the references: {percent(float(one['unexplained']))} of the counts"
        )
    if one["n_truncated"] > 0:
        said.append(f"{int(one['n_truncated'])} peaks higher than in any reference")
    return "; ".join(said)


def _overview(
    posterior: SpectralPosterior, table: xr.Dataset, found: xr.Dataset, ions: xr.Dataset, by: str | None
) -> Iterator[dict[str, str]]:
    answered = found.isel(specimen=found["share"].notnull().all("compound").values)
    if answered.sizes["specimen"]:
        shown = answered.isel(specimen=slice(0, MOST_BARS))
        yield {"image": embedded(composition(shown)), "caption": SHARES}
    # Circles compare counts over the same peaks: those that the references have.
    evidence = spectral_evidence(posterior, table.isel(specimen=_rows(table, found, by, MOST_LINES)), by=by)
    unknowns = evidence[["counts"]].rename(counts="area")
    spectrum, reference = posterior.model.spectrum, posterior.model.reference
    axis = posterior.references.axis
    references = posterior.table[[spectrum, reference]].sel({axis: posterior.references.channels})
    renamed = references.rename({spectrum: "area", reference: "reference"})
    yield {"image": embedded(ion_profiles(renamed, ions, unknowns)), "caption": CIRCLES}


def _spectra(
    posterior: SpectralPosterior, table: xr.Dataset, found: xr.Dataset, ions: xr.Dataset, by: str | None
) -> Iterator[dict[str, object]]:
    """The unknowns one by one, each with its evidence."""
    evidence = spectral_evidence(posterior, table.isel(specimen=_rows(table, found, by, MOST_SHOWN)), by=by)
    for i, name in enumerate(evidence["specimen"].values):
        one, alone = found.isel(specimen=i), evidence.isel(specimen=[i])
        if one["share"].isnull().all():
            continue
        pictures = [
            {"image": embedded(explained_spectrum(alone)), "caption": PEAKS},
            {"image": embedded(ion_evidence(alone, ions)), "caption": IONS},
        ]
        yield {"name": str(name), "sentence": _sentence(one), "pictures": pictures}


def _rows(table: xr.Dataset, found: xr.Dataset, by: str | None, most: int) -> np.ndarray:
    """Rows of the first unknowns: all spots of each."""
    if by is None:
        return np.arange(min(most, table.sizes["specimen"]))
    return np.flatnonzero(np.isin(table[by].values.astype(str), found["specimen"].values[:most].astype(str)))


def _sentence(one: xr.Dataset) -> str:
    present = one.isel(compound=np.flatnonzero(one["is_present"].values)).sortby("share", ascending=False)
    parts = [
        f"{percent(float(s))} {c} ({percent(float(low))} to {percent(float(high))})"
        for c, s, low, high in zip(
            present["compound"].values, *(present[f"share{e}"].values for e in ("", "_low", "_high")),
            strict=True,
        )
    ]  # fmt: skip
    beside = _beside(one)
    return (
        "; ".join([", ".join(parts) or "no compound is clearly there", *([beside] if beside else [])]) + "."
    )


def _ions(ions: xr.Dataset) -> Iterator[dict[str, str]]:
    axis = next(str(v) for v in ions.data_vars)
    for compound in ions["compound"].values:
        for rank in ions["rank"].values:
            one = ions.sel(compound=compound, rank=rank)
            yield {
                "compound": str(compound) if rank == 1 else "",
                "name": str(one["ion"].values) or "not assigned",
                "place": f"{float(one[axis]):.3f}",
                "level": f"{float(one['level']):,.0f}",
                "next_level": f"{float(one['next_level']):,.0f}",
                "frequency": percent(float(one["frequency"])),
            }
