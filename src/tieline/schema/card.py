"""What a notebook shows: a card of plain HTML that needs nothing else, on light and on dark paper."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape

# White stands on each with a contrast of 5 or more; everything else has the colour of the notebook's text.
BADGES = {"green": ("#00624a", "✓"), "amber": ("#7d4a00", "!"), "red": ("#a3210f", "✕")}
CELL = "padding:.15em .7em .15em 0;text-align:left;vertical-align:top;font-weight:400"


def card(
    title: str,
    facts: Iterable[tuple[str, str]],
    *,
    judged: Mapping[str, str] | None = None,
    table: Sequence[Sequence[str]] = (),
    notes: Iterable[str] = (),
) -> str:
    """Put what is to be said into HTML; all of it is escaped.

    Args:
        title: what it is.
        facts: what and how much.
        judged: `verdict`, `sentence` and `action`, if it was judged.
        table: rows, the first of which heads the others.
        notes: what should be known besides.
    """
    rows = "".join(f"<tr>{_cell('th', what)}{_cell('td', value)}</tr>" for what, value in facts)
    parts = [f"<b>{escape(title)}</b>", f"<table style='border-collapse:collapse'>{rows}</table>"]
    if judged is not None:
        parts.append(badge(judged))
    if table:
        head = "".join(_cell("th", cell, "border-bottom:1px solid currentColor") for cell in table[0])
        body = "".join(f"<tr>{''.join(_cell('td', cell) for cell in row)}</tr>" for row in table[1:])
        parts.append(f"<table style='border-collapse:collapse'><tr>{head}</tr>{body}</table>")
    said = "".join(f"<li>{escape(note)}</li>" for note in notes)
    parts.append(f"<ul style='margin:.3em 0'>{said}</ul>" if said else "")
    return f"<div style='font-family:sans-serif;color:inherit'>{''.join(parts)}</div>"


def badge(judged: Mapping[str, str]) -> str:
    """A verdict as a badge, with its sentence and what to do."""
    colour, mark = BADGES[judged["verdict"]]
    look = f"background:{colour};color:#fff;border-radius:1em;padding:.05em .6em;font-weight:600"
    word = f"<span style='{look}'>{mark} {escape(judged['verdict'])}</span>"
    return f"<p>{word} {escape(judged['sentence'])} <b>{escape(judged['action'])}</b></p>"


def _cell(kind: str, text: str, more: str = "") -> str:
    return f"<{kind} style='{CELL};{more}'>{escape(text)}</{kind}>"
