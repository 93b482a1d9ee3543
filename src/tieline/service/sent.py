"""Files that are sent: kept for a moment, under a name that can do no harm."""

import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from fastapi import Depends, File, UploadFile

from tieline.errors import SchemaError

LONGEST = 120  # letters
PLAIN = re.compile(r"\w[\w .,()+=@-]*\.\w{1,12}")
DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)\..*", re.I)  # names that are no files on Windows


def _dropped(files: Annotated[list[UploadFile], File()] = []) -> list[UploadFile]:  # noqa: B006 - FastAPI copies it
    return [file for file in files if file.filename]  # a browser sends an empty one where none was chosen


Dropped = Annotated[list[UploadFile], Depends(_dropped)]


def require_files(files: Sequence[UploadFile], what: str, hint: str) -> None:
    """See that a form came with files.

    Raises:
        SchemaError: it came without; `what` asks for them, and `hint` says which.
    """
    if not files:
        raise SchemaError(what, found="no file", hint=hint)


def plain_name(name: str | None) -> str:
    """The name of a file that is sent, which rows without a name are called after.

    Raises:
        SchemaError: it is a path, or has letters that are not in every file system.
    """
    name = name or ""
    if len(name) > LONGEST or not PLAIN.fullmatch(name) or DEVICES.fullmatch(name):
        raise SchemaError(
            "A file is sent under a plain name.",
            found=repr(name[:LONGEST]),
            hint="spread.csv: letters, digits, spaces and ( ) + , - . = @ _, with an ending",
        )
    return name


@contextmanager
def kept_for_a_moment(file: UploadFile) -> Iterator[Path]:
    """A file that was sent, on disk for as long as it is looked at."""
    name = plain_name(file.filename)
    with tempfile.TemporaryDirectory(prefix="tieline-") as folder:
        place = Path(folder) / name
        with place.open("wb") as copy:
            shutil.copyfileobj(file.file, copy)
        yield place
