"""What exists is written down, and what is written down exists."""

import re
import subprocess
from pathlib import Path

import pytest
import typer
from benchmarks.__main__ import main as benchmarks
from page_examples import commands, examples

import tieline
from tieline.cli import app

ROOT = Path(__file__).parents[2]
MANUAL = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
COMMANDS = typer.main.get_command(app).commands


def section(command):
    """The part of the manual that a command has."""
    match = re.search(rf"^## tieline {command}\n(.*?)(?=^## |\Z)", MANUAL, re.M | re.S)
    return match[1] if match else ""


def test_every_command_has_a_section_and_every_section_a_command():
    assert re.findall(r"^## tieline (\S+)$", MANUAL, re.M) == list(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_explained_and_every_explained_option_exists(command):
    options = [p for p in COMMANDS[command].params if p.param_type_name == "option"]
    assert set(re.findall(r"^\| `(-\S+)` \|", section(command), re.M)) == {o.opts[0] for o in options}


@pytest.mark.parametrize("command", COMMANDS)
def test_the_manual_begins_with_what_the_help_says(command):
    said = " ".join(section(command).split())
    assert said.startswith(COMMANDS[command].help.split(",")[0].rstrip("."))


@pytest.mark.parametrize("name", tieline.__all__)
def test_every_public_name_is_in_the_reference(name):
    reference = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    assert re.search(rf"tieline\.{name}\b|tl\.{name}\b", reference)


@pytest.mark.parametrize("page", [ROOT / n for n in ("README.md", "CONTRIBUTING.md", "docs/index.md")])
def test_recipes_that_pages_tell_exist(page):
    text = page.read_text(encoding="utf-8")
    recipes = [c.split()[1] for e in examples(text) for c in commands(e) if c.startswith("make ")]
    assert recipes
    for recipe in recipes:
        dry = subprocess.run(
            ["make", "--dry-run", recipe], cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert dry.stdout.strip()


def test_make_runs_every_benchmark_that_there_is(capsys):
    benchmarks(["--list"])
    names = re.findall(r"^(\w+)", capsys.readouterr().out, re.M)
    (line,) = re.findall(r"^NAME \?= (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    assert sorted(line.split()) == sorted(names)


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "decisions").glob("*.md")), ids=lambda p: p.stem)
def test_a_decision_says_what_would_change_our_mind(page):
    headings = re.findall(r"^## (.*)$", page.read_text(encoding="utf-8"), re.M)
    assert headings == ["Context", "Choice", "What would change our mind"]
