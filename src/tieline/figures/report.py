"""A report of one or several campaigns: one HTML file that needs nothing else, neither files nor network."""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr
from matplotlib.figure import Figure

from tieline.figures.lines import line
from tieline.figures.maps import phase_map, property_map
from tieline.figures.pages import render
from tieline.figures.ranking import proposals
from tieline.figures.reliability import calibration
from tieline.figures.style import phases_of, save
from tieline.figures.views import charts, has_views, is_line
from tieline.planning.goals import parse_goal
from tieline.planning.listing import list_proposals
from tieline.planning.wording import percent, unbroken

LINE_CAPTION = (
    "What is expected along the line, with the band that holds 90 % of new measurements. Dashed lines are the"
    " proposals."
)
LINE_CAPTION_OF_PHASES = (
    "What is expected along the line, with the band that holds 90 % of new measurements; where the boundaries"
    " between phases lie; and how probable each phase is. Ticks at the bottom are labelled specimens, dashed"
    " lines the proposals."
)
PHASE_CAPTION = "Which phase is where. Pale and hatched: the most likely phase has less than 80 %."
PROPERTY_CAPTION = (
    "{}: {} as expected, specimens in the colour of their measured value. {}: the standard deviation of"
    " a new measurement, everything included."
)
HATCHED_CAPTION = " Hatched: the most likely phase has less than 80 %."
CUTS_CAPTION = (
    " Each cut holds the other inputs at their medians, or at the commonest category; what lies far from it"
    " is faint."
)


@dataclass(frozen=True)
class Chapter:
    """One campaign in a report.

    Attributes:
        title: a headline.
        about: one or two sentences on what was studied.
        posterior: what was learned.
        diagnosis: from `posterior.diagnose()`.
        batch: from `tl.propose`.
        remarks: further sentences, such as how close a simulated truth was met, or whom to cite.
    """

    title: str
    about: str
    posterior: Any
    diagnosis: xr.Dataset
    batch: xr.Dataset
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Picture:
    """A figure with the words below it."""

    name: str
    figure: Figure
    caption: str


def pictures(posterior, batch: xr.Dataset) -> Iterator[Picture]:
    """Draw everything that suits a posterior: a line or maps if it has either, proposals, calibration."""
    if is_line(posterior):
        caption = LINE_CAPTION_OF_PHASES if len(_phases(posterior)) > 1 else LINE_CAPTION
        yield Picture("line", line(posterior, batch), caption)
    elif has_views(posterior):
        yield from _maps(posterior, batch)
    yield Picture(
        "proposals",
        proposals(posterior, batch),
        "The proposals in the order they were chosen. Rails span what was explored;"
        " bars hold 90 % of the measurements to expect.",
    )
    yield Picture(
        "calibration",
        calibration(posterior),
        "Whether to believe it: every specimen predicted from the others, against what was measured.",
    )


def _maps(posterior, batch: xr.Dataset) -> Iterator[Picture]:
    drawn = charts(posterior, batch)
    cuts = CUTS_CAPTION if any(chart.view.resting() for chart in drawn) else ""
    sides = ("Left", "Right") if len(drawn) == 1 else ("Above", "Below")
    has_phases = len(phases_of(drawn[0].predicted)) > 1
    if has_phases:
        yield Picture("phase-map", phase_map(posterior, batch, drawn=drawn), PHASE_CAPTION + cuts)
    for name in posterior.model.properties:
        caption = PROPERTY_CAPTION.format(sides[0], name.replace("_", " "), sides[1])
        caption += (HATCHED_CAPTION if has_phases else "") + cuts
        yield Picture(f"map-{name}", property_map(posterior, name, batch, drawn=drawn), caption)


def write_report(
    chapters: Sequence[Chapter], folder: str | Path, *, title: str = "tieline report"
) -> list[Path]:
    """Write `report.html` and its figures as PNG files into a folder.

    Args:
        chapters: one a campaign.
        folder: made if it does not exist.
        title: of the page.

    Returns:
        What was written, the report first.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    written, sections = [], []
    for number, chapter in enumerate(chapters, start=1):
        shown = []
        for picture in pictures(chapter.posterior, chapter.batch):
            stem = f"{number}-{picture.name}" if len(chapters) > 1 else picture.name
            written.append(save(picture.figure, folder / f"{stem}.png"))
            shown.append({"image": b64encode(written[-1].read_bytes()).decode(), "caption": picture.caption})
        sections.append(_section(chapter, shown))
    page = render("report.html.j2", title=title, sections=sections)
    report = folder / "report.html"
    report.write_text(page, encoding="utf-8")
    return [report, *written]


def _section(chapter: Chapter, shown: list[dict[str, str]]) -> dict[str, object]:
    """Gather what the template writes about one campaign."""
    listing = list_proposals(chapter.posterior, chapter.batch)
    sources = (chapter.posterior.table.attrs, chapter.diagnosis.attrs, chapter.batch.attrs)
    notes = list(dict.fromkeys(note for attrs in sources for note in attrs.get("notes", [])))
    return {
        "title": chapter.title,
        "about": chapter.about,
        "verdict": chapter.diagnosis.attrs["verdict"],
        "sentence": chapter.diagnosis.attrs["sentence"],
        "action": chapter.diagnosis.attrs["action"],
        "facts": list(_facts(chapter.posterior, chapter.diagnosis)),
        "goal": str(parse_goal(chapter.batch.attrs["goal"])),
        "headers": list(listing.columns)[:-1],
        "rows": [(*cells, unbroken(why)) for *cells, why in listing.itertuples(name=None)],
        "pictures": shown,
        "remarks": chapter.remarks,
        "notes": notes,
    }


def _facts(posterior, diagnosis: xr.Dataset) -> Iterator[tuple[str, str]]:
    """Name the numbers behind a verdict."""
    yield "Specimens", str(posterior.table.sizes["specimen"])
    if len(_phases(posterior)) > 1:
        yield "Phases", ", ".join(_phases(posterior))
        yield "Labelled", str(int(diagnosis["n_labelled"]))
        yield "Labels found again when left out", _percent(diagnosis["label_accuracy"])
    for name in posterior.model.properties:
        yield f"Measured {name.replace('_', ' ')}", str(int(diagnosis["n_measured"].sel(property=name)))
        coverage = diagnosis["coverage_90"].sel(property=name)
        yield f"90 % intervals of {name.replace('_', ' ')} hold", _percent(coverage)


def _percent(share: xr.DataArray) -> str:
    return percent(float(share)) if share.notnull() else "not known"


def _phases(posterior) -> list[str]:
    one = posterior.predict(posterior.table.isel(specimen=[0]))
    return phases_of(one)
