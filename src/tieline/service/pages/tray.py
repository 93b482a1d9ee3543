"""Files that were dropped and are looked at, until somebody says that they are right."""

import shutil
import tempfile
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fastapi import UploadFile

from tieline.errors import NotFound, SchemaError
from tieline.readers.mapping import MAPPING_ENDING
from tieline.service.sent import plain_name

KEPT = 10  # heaps of files; the oldest are thrown away
MOST_FILES = 2000  # of one heap


@dataclass(frozen=True)
class Tray:
    """A folder of our own with a heap of files for each time that some were dropped.

    Attributes:
        folder: that it lives in.
    """

    folder: Path

    @classmethod
    def new(cls) -> "Tray":
        """An empty one."""
        return cls(Path(tempfile.mkdtemp(prefix="tieline-tray-")))

    def throw_away(self) -> None:
        """Remove everything."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def put(self, files: Sequence[UploadFile]) -> str:
        """Keep files that were sent; returns the name of the heap.

        Raises:
            SchemaError: there are none, too many, two of one name, or one whose name is no plain one.
        """
        names = [plain_name(file.filename) for file in files]
        if not names or len(names) > MOST_FILES:
            raise SchemaError("Which files?", found=f"{len(names)}", hint=f"drop 1 to {MOST_FILES} at once")
        if len({name.casefold() for name in names}) < len(names):
            raise SchemaError("Two files have the same name.", hint="add them one after the other")
        heap = uuid.uuid4().hex
        place = self.folder / heap / self._called(names)
        place.mkdir(parents=True)
        for name, file in zip(names, files, strict=True):
            with (place / name).open("wb") as copy:
                shutil.copyfileobj(file.file, copy)
        for old in sorted(self.folder.iterdir(), key=lambda p: p.stat().st_mtime_ns)[:-KEPT]:
            shutil.rmtree(old, ignore_errors=True)
        return heap

    def files(self, heap: str) -> list[Path]:
        """The files of a heap, without what was said about them.

        Raises:
            NotFound: it was thrown away, or added already.
        """
        place = self.folder / heap
        if not (heap.isalnum() and place.is_dir()):
            raise NotFound(
                "These files are not here any more.", found="a page from before", hint="drop them once more"
            )
        (inner,) = place.iterdir()
        return sorted(p for p in inner.iterdir() if not p.name.endswith(MAPPING_ENDING))

    def whole(self, heap: str) -> Path:
        """What is to be imported: the one file, or the folder of several."""
        files = self.files(heap)
        return files[0] if len(files) == 1 else files[0].parent

    def take_away(self, heap: str) -> None:
        """Remove a heap that was added."""
        shutil.rmtree(self.folder / heap, ignore_errors=True)

    @staticmethod
    def _called(names: Sequence[str]) -> str:
        """A folder of several files is called after its table, the file that is not like the others."""
        endings = [Path(name).suffix.lower() for name in names]
        rarest = min(range(len(names)), key=lambda i: endings.count(endings[i]))
        return Path(names[rarest]).stem
