"""Spectra in files of ION-TOF's software, read by pySPM: .ita, .itm and .itax.

Only numbers are taken out. The library's own class for .itax would run what stands in a file, so it is never
made; and a damaged file may keep it busy without end: it works in a process of its own, see `signal_files`.
"""

import warnings
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from tieline.errors import MissingExtra, SchemaError, not_installed
from tieline.readers.faults import FAULTS, first_words
from tieline.readers.signals import Signal
from tieline.readers.source import Source

ENDINGS = {".ita", ".itm", ".itax"}
NODE = "tofsims"
HINT = "export the spectrum as text in the program that wrote it"


def obstacle(name: str) -> MissingExtra | None:
    """Why files such as one of this name cannot be read here, if they cannot."""
    if find_spec("pySPM") is not None:
        return None
    why = ImportError("No module named 'pySPM'")
    return not_installed(f"Files such as '{name}' need", "tofsims", why)


def read_ion_tof(source: Source) -> Signal:
    """Read the spectrum of all that was measured: counts over m/z, as the calibration in the file has it.

    Raises:
        SchemaError: the file is damaged, or holds no spectrum.
    """
    from pySPM.Block import MissingBlockError  # type: ignore[import-not-found] - an extra

    read = _itax if source.path.suffix.lower() == ".itax" else _ita
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it names where a calibration stands that it looks for elsewhere
            mz, counts = read(source.path)
    except (*FAULTS, MissingBlockError) as error:
        raise _refused(source, first_words(error)) from error
    begin = int(np.argmin(mz))  # channels before the time of no mass count backwards
    mz, counts = mz[begin:], counts[begin:]
    if mz.size < 2 or not np.isfinite(mz).all() or not (np.diff(mz) > 0).all():
        raise _refused(source, "a calibration under which m/z does not rise")
    return Signal(source.path.stem, NODE, np.asarray(counts, float), "counts", "mz", mz, "u")


def _ita(path: Path) -> tuple[np.ndarray, np.ndarray]:
    from pySPM.Block import MissingBlockError  # type: ignore[import-not-found] - an extra
    from pySPM.ITM import ITM  # type: ignore[import-not-found] - an extra

    file = ITM(str(path))
    try:
        return file.get_spectrum()
    except MissingBlockError:  # .itm has every pulse, and no sum of them
        return file.get_raw_spectrum(deadTimeCorr=False)


def _itax(path: Path) -> tuple[np.ndarray, np.ndarray]:
    from pySPM.Block import Block  # type: ignore[import-not-found] - an extra
    from pySPM.ITAX import ITAX  # type: ignore[import-not-found] - an extra

    with path.open("rb") as opened:
        opened.seek(8)
        file = ITAX.__new__(ITAX)
        file.f, file.root = opened, Block(opened)
        return file.getSpectrum()


def _refused(source: Source, found: str) -> SchemaError:
    return SchemaError(f"'{source.name}' cannot be read as a mass spectrum.", found=found, hint=HINT)
