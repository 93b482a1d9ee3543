"""Scripts that run where a library is not installed."""

import subprocess
import sys


def lines_without(library: str, code: str) -> list[str]:
    """What a script prints, line by line, in a process that cannot import the library."""
    head = f"import sys\nsys.modules[{library!r}] = None\nimport tieline as tl\n"
    ran = subprocess.run([sys.executable, "-c", head + code], capture_output=True, text=True, check=True)
    return ran.stdout.strip().splitlines()


def hint_without(library: str, call: str) -> str:
    """How to install what a call lacks, as the message says."""
    (hint,) = lines_without(
        library, f"try:\n    {call}\nexcept tl.MissingExtra as error:\n    print(error.hint)\n"
    )
    return hint
