"""What the site does to a page: it runs the examples and shows what they print, and typesets equations."""

import os
import re
from html import unescape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from latex2mathml.converter import convert
from page_examples import examples, run

# Python-Markdown's arithmatex marks equations; browsers draw MathML without a script from elsewhere.
EQUATION = re.compile(r'<(?P<tag>span|div) class="arithmatex">\\[(\[](?P<latex>.*?)\\[)\]]</(?P=tag)>', re.S)
SHORT = 14  # lines of output that are shown at once


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Put what every example prints below it."""
    has_data = bool(os.environ.get("TIELINE_DATA"))
    found = [example for example in examples(markdown) if has_data or not example.data]
    with TemporaryDirectory() as folder:
        printed = list(run(found, Path(page.file.src_path), Path(folder)))
    for example, text in reversed(list(zip(found, printed, strict=True))):
        markdown = markdown[: example.end] + _output(text) + markdown[example.end :]
    return markdown


def on_page_content(html: str, **_: Any) -> str:
    """Turn LaTeX into MathML."""
    return EQUATION.sub(_mathml, html)


def _output(text: str) -> str:
    """A box for what was printed, closed if it is long."""
    if not text.strip():
        return ""
    lines = text.rstrip().splitlines()
    box = "???+" if len(lines) <= SHORT else "???"
    inside = "\n".join(f"    {line}" for line in lines)
    return f'\n\n{box} quote "Output"\n\n    ```text\n{inside}\n    ```\n'


def _mathml(match: re.Match[str]) -> str:
    display = "block" if match["tag"] == "div" else "inline"
    return convert(unescape(match["latex"]).strip(), display=display)
