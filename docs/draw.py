"""Draw the figures of the pages: run docs/figures.md and keep the pictures that it writes."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from page_examples import examples, run

HERE = Path(__file__).parent


def main() -> None:
    """Run the page in a folder of its own, then take the pictures from there."""
    page = HERE / "figures.md"
    found = [example for example in examples(page.read_text(encoding="utf-8")) if not example.data]
    with TemporaryDirectory() as folder:
        for _ in run(found, page, Path(folder)):
            pass
        for picture in sorted(Path(folder).glob("*.png")):
            print(shutil.copy(picture, HERE / "images"))


if __name__ == "__main__":
    main()
