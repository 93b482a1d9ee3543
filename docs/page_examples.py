"""Find the examples of a page and run them: the tests do it, and the site when it is built.

A page is one session. Its `python` blocks share their variables, and its `console` blocks run what follows
`$ tieline`, all in one folder, in the order of the page. A block below the line `<!-- needs fe-ga-pd -->` is
run only where $TIELINE_DATA is.
"""

import re
import shlex
import shutil
from collections.abc import Iterator
from contextlib import chdir, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from tieline.cli import app

SHEETS = Path(__file__).parents[1] / "examples"
FENCE = re.compile(
    r"^(?P<needs><!-- needs (?P<data>\S+) -->\n)?```(?P<kind>python|console)\n(?P<code>.*?)^```$", re.M | re.S
)


@dataclass(frozen=True)
class Example:
    """A block of a page.

    Attributes:
        kind: "python" or "console".
        code: what stands in the block.
        data: the real data that it needs; "" for none.
        line: where the code begins on the page, from 1.
        end: offset of the end of the block in the page's text.
    """

    kind: str
    code: str
    data: str
    line: int
    end: int


def examples(page: str) -> list[Example]:
    """Find the blocks of a page's text, in order."""
    return [
        Example(m["kind"], m["code"], m["data"] or "", page.count("\n", 0, m.start("code")) + 1, m.end())
        for m in FENCE.finditer(page)
    ]


def commands(example: Example) -> list[str]:
    """What a console block tells to type: its lines behind `$`."""
    return [line.removeprefix("$ ") for line in example.code.splitlines() if line.startswith("$ ")]


def run(found: list[Example], page: Path, folder: Path) -> Iterator[str]:
    """Run examples in a folder, beside a copy of examples/, and yield what each of them prints.

    Raises:
        AssertionError: a command ended with an error.
    """
    shutil.copytree(SHEETS, folder / "examples", dirs_exist_ok=True)
    session: dict[str, Any] = {"__name__": page.stem}
    for example in found:
        with chdir(folder):
            yield _run_python(example, page, session) if example.kind == "python" else _run_console(example)


def _run_python(example: Example, page: Path, session: dict[str, Any]) -> str:
    # Empty lines in front let a traceback point to the line of the page.
    code = compile("\n" * (example.line - 1) + example.code, str(page), "exec")
    with redirect_stdout(StringIO()) as printed:
        exec(code, session)
    return printed.getvalue()


def _run_console(example: Example) -> str:
    printed = []
    for command in commands(example):
        program, *words = shlex.split(command)
        if program != "tieline":
            continue
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 0, f"{command}\n{result.output}"
        printed.append(f"$ {command}\n{result.stdout}")
    return "\n".join(printed)
