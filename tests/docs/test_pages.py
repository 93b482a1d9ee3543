"""Every example of every page runs, in the order of the page, in a folder of its own."""

import os
from pathlib import Path

import pytest
from page_examples import commands, examples, run

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
TEXTS = {page: page.read_text(encoding="utf-8") for page in PAGES}
DATA = Path(os.environ.get("TIELINE_DATA", "nowhere"))
has_data = pytest.mark.skipif(
    not (DATA / "sage" / "fegapd").is_dir(), reason="$TIELINE_DATA has no sage/fegapd"
)


def name(page):
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", [p for p in PAGES if examples(TEXTS[p])], ids=name)
def test_examples_of_a_page_run(page, tmp_path):
    found = [example for example in examples(TEXTS[page]) if not example.data]
    assert len(list(run(found, page, tmp_path))) == len(found)


@has_data
@pytest.mark.parametrize("page", [p for p in PAGES if any(e.data for e in examples(TEXTS[p]))], ids=name)
def test_examples_on_real_data_run(page, tmp_path):
    found = [example for example in examples(TEXTS[page]) if example.data]
    start = [e for e in examples(TEXTS[page])[:1] if not e.data]  # where a page imports tieline
    assert "".join(run(start + found, page, tmp_path))


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=name)
def test_commands_are_ones_that_something_runs(page):
    """tieline is run above, make is tried below, and tests/test_benchmarks.py runs the benchmarks."""
    text = page.read_text(encoding="utf-8")
    typed = [c for e in examples(text) if e.kind == "console" for c in commands(e)]
    assert {command.split()[0] for command in typed} <= {"tieline", "make", "python"}
    assert all(c.startswith("python -m benchmarks") for c in typed if c.startswith("python"))


def test_an_example_that_fails_is_reported_at_its_line_of_the_page(tmp_path):
    page = "# Title\n\n```python\nfine = 1\n```\n\n```python\nassert fine == 2\n```\n"
    with pytest.raises(AssertionError) as failure:
        list(run(examples(page), Path("page.md"), tmp_path))
    assert failure.traceback[-1].lineno + 1 == 8


def test_a_command_that_fails_is_reported(tmp_path):
    page = "```console\n$ tieline fit nowhere\n```\n"
    with pytest.raises(AssertionError, match="There is no campaign"):
        list(run(examples(page), Path("page.md"), tmp_path))
