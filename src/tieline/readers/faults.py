"""What a damaged file makes the libraries that read it stumble over, beside errors of their own."""

import struct
import zipfile
import zlib
from tokenize import TokenError
from xml.etree.ElementTree import ParseError

FAULTS = (
    *(ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, NameError, NotImplementedError),
    *(OSError, RuntimeError, SyntaxError, TypeError, ValueError),
    *(struct.error, zlib.error, zipfile.BadZipFile, zipfile.LargeZipFile, ParseError, TokenError),
)
LONGEST = 200  # letters


def first_words(error: Exception) -> str:
    """What an error says, in one line; its kind if it says nothing."""
    said = str(error).splitlines()
    return said[0][:LONGEST] if said else type(error).__name__
