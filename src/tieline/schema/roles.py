"""The four roles a variable can play, and the rule that guesses one from a column's name."""

import re

import pandas as pd

from tieline.schema.weights import atomic_weights

ROLES = ("synthesis", "process", "structure", "property")

_STRUCTURE = {"phase", "phases", "label", "labels", "structure", "region", "regions", "cluster", "lattice"}
_STRUCTURE |= {"spacegroup", "polymorph", "symmetry"}
_SYNTHESIS = {"composition", "content", "concentration", "dopant", "doping", "stoichiometry", "precursor"}
_SYNTHESIS |= {"acid", "excess", "binder", "solvent"}
_PROCESS = {"temperature", "temp", "time", "duration", "dwell", "hold", "pressure", "flow", "substrate"}
_PROCESS |= {
    "annealing",
    "anneal",
    "sintering",
    "sinter",
    "deposition",
    "cooling",
    "heating",
    "laser",
    "scan",
}
_PROCESS |= {"milling", "process"}
_MEASURED = {
    "curie",
    "neel",
    "néel",
    "melting",
    "critical",
    "transition",
    "glass",
    "debye",
    "response",
    "decay",
}

MAX_INTEGER_LABELS = 20  # an integer column with more values than this counts something


def guess_role(name: str, series: pd.Series) -> str:
    """Guess a column's role from its name, and for structure also from what it holds.

    The rule, in this order:

    1. a word of the name is phase, label, structure, region, cluster, lattice, ... and the column is text, or
       integers of at most 20 kinds: `structure`;
    2. the name is an element's symbol, or has a word such as composition, content, dopant, acid: `synthesis`;
    3. a word of the name is temperature, time, pressure, annealing, sintering, deposition, ... and none says
       that it was measured (Curie, melting, critical, transition, glass): `process`;
    4. otherwise: `property`.

    Args:
        name: the column's name.
        series: its values.
    """
    words = set(re.findall(r"[^\W\d_]+", name.lower()))
    if words & _STRUCTURE and _holds_labels(series):
        return "structure"
    if name in atomic_weights() or words & _SYNTHESIS:
        return "synthesis"
    if words & _PROCESS and not words & _MEASURED:
        return "process"
    return "property"


def _holds_labels(series: pd.Series) -> bool:
    if not pd.api.types.is_numeric_dtype(series):
        return True
    known = series.dropna()
    return bool((known % 1 == 0).all()) and known.nunique() <= MAX_INTEGER_LABELS
