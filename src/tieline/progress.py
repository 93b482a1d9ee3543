"""How far work has come: a bar in a notebook or a terminal, and nothing where nobody looks."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from importlib import import_module

Tell = Callable[..., None]
PAUSE = 0.2  # seconds between two pictures in a notebook, each of which is a message to the browser


@contextmanager
def progress_bar(words: str) -> Iterator[Tell]:
    """Show how far something has come that takes a while.

    In a notebook a bar stands below the cell, in a terminal on its last line; both go when the work is done.
    Elsewhere, in a script that writes to a file or in a process of its own, nothing is printed.

    Args:
        words: what is counted.

    Returns:
        For the length of a `with`, the function that moves the bar, to be given as `progress`: it is called
        with how many are done, and of how many where that is known. What else it is told it leaves aside.

    Example:
        >>> with progress_bar("Furnace runs") as progress:
        ...     for n_done in (1, 2, 3):
        ...         progress(n_done, 3)
    """
    if _in_notebook():
        with _notebook_bar(words) as tell:
            yield tell
    elif sys.stderr.isatty():
        with _terminal_bar(words) as tell:
            yield tell
    else:
        yield lambda n_done, n_all=None, *_: None


def _in_notebook() -> bool:
    """Whether a kernel runs this; where IPython was not loaded, none does."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return hasattr(shell, "kernel")


@contextmanager
def _notebook_bar(words: str) -> Iterator[Tell]:
    notebook = import_module("IPython.display")  # a kernel has it, and nobody else needs it
    shown = notebook.display(notebook.HTML(_drawn(words, 0, None)), display_id=True)
    latest = time.monotonic()

    def tell(n_done: int, n_all: int | None = None, *_: object) -> None:
        nonlocal latest
        if n_done == n_all or time.monotonic() - latest >= PAUSE:
            latest = time.monotonic()
            shown.update(notebook.HTML(_drawn(words, n_done, n_all)))

    try:
        yield tell
    finally:
        shown.update(notebook.HTML(""))


def _drawn(words: str, n_done: int, n_all: int | None) -> str:
    """A bar as plain HTML; one of work whose end is not known moves by itself."""
    ends = "" if n_all is None else f" value='{n_done}' max='{n_all}'"
    counted = f"{n_done:,}" if n_all is None else f"{n_done:,} of {n_all:,}"
    said = escape(words, quote=True)
    return f"<label>{said} <progress{ends} aria-label='{said}'></progress> {counted}</label>"


@contextmanager
def _terminal_bar(words: str) -> Iterator[Tell]:
    from rich.console import Console
    from rich.markup import escape as plain
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(plain(words), total=None)
        yield lambda n_done, n_all=None, *_: shown.update(task, completed=n_done, total=n_all)
