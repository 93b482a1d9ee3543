"""Tables that other planners of experiments export: BayBE's measurements, and the trials of Ax.

Such a table says itself which columns are settings and which rows failed, if one knows where to look.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from tieline.readers.cells import is_missing, share_of_numbers
from tieline.readers.headers import parse_header, symbol_name
from tieline.readers.mapping import MAPPING_ENDING, Correction
from tieline.readers.roles import guess_role
from tieline.readers.sheet import Sheet
from tieline.schema.wording import name_some

BAYBE = ("BatchNr", "FitNr")
AX = ("trial_index", "arm_name", "trial_status")
REMARKS_OF_AX = ("generation_node", "generation_method", "generation_model", "reason_for_failure")
MEASURED = ("COMPLETED", "EARLY_STOPPED")  # states of a trial of Ax that has a result


@dataclass(frozen=True)
class Understood:
    """A table of another planner.

    Attributes:
        sheet: the table; where experiments failed, with columns that say so.
        planner: who exported it.
        columns: what each column means.
        notes: the same for people.
    """

    sheet: Sheet
    planner: str
    columns: dict[str, Correction]
    notes: list[str]


def understand(sheet: Sheet) -> Understood | None:
    """Recognise a table that BayBE or Ax exported, by the columns that only theirs have; None for others."""
    headers = sheet.headers
    if set(BAYBE) <= set(headers):
        return _of_baybe(sheet)
    return _of_ax(sheet) if set(AX) <= set(headers) else None


def _of_baybe(sheet: Sheet) -> Understood:
    """Settings stand first, then results, then the number of the batch and of the fit behind it."""
    ours = sheet.headers[: min(sheet.headers.index(name) for name in BAYBE)]
    ours = [h for h in ours if not h.startswith("column ")]  # the index of the frame, without a header
    results = _last_results(sheet, ours)
    columns = _meant(sheet, ours, results) | {name: Correction(role="note") for name in BAYBE}
    notes = [_summary("BayBE", ours, results, f"{' and '.join(BAYBE)} are remarks")]
    return Understood(sheet, "BayBE", columns, [*notes, *_doubts(sheet, ours, results)])


def _last_results(sheet: Sheet, ours: Sequence[str]) -> list[str]:
    """The last column, and those before it in which something was not measured: settings have no gaps."""
    first = len(ours) - 1
    while first > 0 and any(is_missing(cell) for cell in sheet.column(ours[first - 1])):
        first -= 1
    return list(ours[max(first, 0) :])


def _of_ax(sheet: Sheet) -> Understood:
    """Results stand before settings; what became of a trial stands beside them."""
    remarks = [h for h in sheet.headers if h in ("trial_index", "trial_status", *REMARKS_OF_AX)]
    ours = [h for h in sheet.headers if h not in (*remarks, "arm_name")]
    results = _first_results(sheet, ours)
    columns = _meant(sheet, ours, results) | {h: Correction(role="note") for h in remarks}
    columns["arm_name"] = Correction(role="identity")
    said = f"arm_name names the specimens; {', '.join(remarks)} are remarks"
    notes = [_summary("Ax", ours, results, said), *_doubts(sheet, ours, results)]
    state = pd.Series([str(s).strip().upper() for s in sheet.column("trial_status")], sheet.cells.index)
    arms = sheet.cells["arm_name"].astype(str)
    cells = sheet.cells.copy()
    became = {
        "that failed, and are flagged so": state == "FAILED",
        "that were abandoned, without a result": state == "ABANDONED",
        "that are not finished": ~state.isin([*MEASURED, "FAILED", "ABANDONED"]),
    }
    notes += [f"trials {words}: {name_some(arms[which])}" for words, which in became.items() if which.any()]
    for header in results:
        lost = state.isin(["ABANDONED", "FAILED"]) & ~cells[header].map(is_missing)
        if lost.any():
            notes.append(
                f"{header}: left out of trials that failed or were abandoned: {name_some(arms[lost])}"
            )
        cells.loc[lost, header] = ""
        if (state == "FAILED").any() and not parse_header(header).is_error:
            flag = f"{_name(header)}_flag"
            cells[flag] = pd.Series("", cells.index, dtype=object).mask(state == "FAILED", "failed")
            columns[flag] = Correction(name=flag, role="property")
    letters = {h: sheet.letters.get(h, sheet.letters["trial_status"]) for h in map(str, cells.columns)}
    return Understood(replace(sheet, cells=cells, letters=letters), "Ax", columns, notes)


def _first_results(sheet: Sheet, ours: Sequence[str]) -> list[str]:
    """Columns up to the last that has a gap; without any gap, those before the first that names a setting."""
    gaps = [i for i, h in enumerate(ours) if any(is_missing(cell) for cell in sheet.column(h))]
    settings = [i for i, h in enumerate(ours) if _names_setting(sheet, h)]
    n = gaps[-1] + 1 if gaps else max(settings[0] if settings else 1, 1)
    return list(ours[:n])


def _names_setting(sheet: Sheet, header: str) -> bool:
    is_numeric = share_of_numbers(sheet.column(header)) >= 0.5
    parsed = parse_header(header)
    role, _ = guess_role(_name(header), parsed.units, is_numeric=is_numeric)
    return role in ("process", "synthesis") or not is_numeric


def _meant(sheet: Sheet, ours: Sequence[str], results: Sequence[str]) -> dict[str, Correction]:
    """The role of every column between the planner's own; a standard error goes with its value."""
    columns = {}
    for header in ours:
        if parse_header(header).is_error:
            continue
        role, _ = guess_role(_name(header), parse_header(header).units, is_numeric=True)
        setting = "synthesis" if role == "synthesis" else "process"
        columns[header] = Correction(role="property" if header in results else setting)
    return columns


def _name(header: str) -> str:
    parsed = parse_header(header)
    return symbol_name(parsed.base, parsed.units)


def _summary(planner: str, ours: Sequence[str], results: Sequence[str], more: str) -> str:
    settings = [h for h in ours if h not in results]
    return (
        f"A table that {planner} exported: {', '.join(settings) or 'nothing'} was set,"
        f" {', '.join(results) or 'nothing'} was measured; {more}."
    )


def _doubts(sheet: Sheet, ours: Sequence[str], results: Sequence[str]) -> list[str]:
    """Name settings that nothing but their place tells from results."""
    doubtful = [h for h in ours if h not in results and not _names_setting(sheet, h)]
    if not doubtful:
        return []
    return [
        f"{', '.join(doubtful)}: taken for settings by their place; a result is said to be one by"
        f' role = "property" in {sheet.name}{MAPPING_ENDING}'
    ]
