"""Files that diffractometers write themselves: PANalytical .xrdml, Bruker .brml and .raw, Rigaku .rasx."""

import warnings

import numpy as np
from pint.errors import PintError, UnitStrippedWarning

from tieline.errors import SchemaError, not_installed
from tieline.readers.faults import FAULTS as PLAIN_FAULTS
from tieline.readers.faults import first_words
from tieline.readers.patterns import Pattern, rising
from tieline.readers.source import Source

FAULTS = (*PLAIN_FAULTS, PintError)
HINT = "export the pattern as .xy, two_theta in degrees and counts, in the program that wrote it"


def read_diffractometer(source: Source) -> Pattern:
    """Read the one pattern of a file, named like it.

    Raises:
        MissingExtra: the library that knows these files is not installed: pip install "tieline[readers]".
        SchemaError: it is damaged, or holds several scans, or none over two_theta.
    """
    try:
        from fairmat_readers_xrd import readers
    except ImportError as error:
        raise not_installed(f"Files such as '{source.name}' need", "readers", error) from error
    known = {
        ".xrdml": readers.read_panalytical_xrdml,
        ".brml": readers.read_bruker_brml,
        ".raw": readers.read_bruker_raw,
        ".rasx": readers.read_rigaku_rasx,
    }
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UnitStrippedWarning)  # it looks at shapes of several scans
            found = known[source.path.suffix.lower()](str(source.path))
    except FAULTS as error:
        raise _refused(source, first_words(error)) from error
    if not found or found.get("2Theta") is None or found.get("intensity") is None:
        raise _refused(source, "nothing that was measured over two_theta")
    angles = np.atleast_1d(found["2Theta"].to("degree").magnitude).astype(float)
    counts = np.atleast_1d(found["intensity"].magnitude).astype(float)
    if counts.shape == (1,):  # the library writes what is the same everywhere once
        counts = np.full(angles.shape, counts[0])
    if angles.ndim != 1 or angles.shape != counts.shape:
        raise _refused(source, f"several scans: intensities of shape {counts.shape}")
    return Pattern(source.path.stem, *rising(angles, counts, source.name))


def _refused(source: Source, found: str) -> SchemaError:
    return SchemaError(f"'{source.name}' cannot be read as one diffraction pattern.", found=found, hint=HINT)
