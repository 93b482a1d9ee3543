"""Which part a column plays, guessed from the words in its header."""

import re

from tieline.schema.roles import names_result, setting_word

ROLES = ("synthesis", "process", "structure", "property")
ALL_ROLES = (*ROLES, "identity", "note")

IDENTITY = re.compile(
    r"((specimen|sample|probe|spot|point|wafer|alloy)s?_?(id|no|nr|number|name|code|label|identifier)?|"
    r"id|no|nr|number|name|code|identifier|uid|uuid|jid)"
)
# Tried in this order: "melting temperature" is a property although temperatures are settings.
_WORDS: tuple[tuple[str, str], ...] = (
    (
        "note",
        "remark remarks comment comments note notes doi reference references ref date operator user "
        "url link source author title year iteration batch run series index file "
        "filename kommentar bemerkung datum split",
    ),
    (
        "property",
        "melting curie debye glass transition neel liquidus solidus relaxation lifetime "
        "hardness strength factor",
    ),
    (
        "structure",
        "phase phases label labels structure region regions cluster microstructure crystal spacegroup "
        "lattice grain porosity tortuosity polymorph crystallinity symmetry bcc fcc hcp phasen gefuege",
    ),
    (
        "process",
        "temperature temp time pressure rate speed power atmosphere anneal annealing annealed sinter "
        "sintering milling heating cooling dwell duration flow delay process processing substrate method rpm "
        "environment temperatur zeit druck dauer atmosphaere",
    ),
    (
        "synthesis",
        "composition content fraction amount excess dopant doping precursor ratio stoichiometry formula "
        "concentration acid solvent additive gehalt anteil zusammensetzung",
    ),
)
_SYNTHESIS_UNITS = ("at.%", "wt.%", "mol%")


def is_identity_name(name: str) -> bool:
    """Whether a snake_case name is one that labs give to the column of specimens."""
    return IDENTITY.fullmatch(name) is not None


def is_formula_name(name: str) -> bool:
    """Whether a snake_case name is one that labs give to a column of chemical formulas."""
    return name == "composition" or "formula" in name.split("_")


def guess_role(name: str, units: str | None, *, is_numeric: bool) -> tuple[str, str]:
    """Guess the role of one column that is neither identity, composition nor error.

    Args:
        name: its snake_case name.
        units: its canonical unit, if known.
        is_numeric: whether its cells are numbers.

    Returns:
        The role, and why.
    """
    words = set(name.split("_"))
    for role, known in _WORDS:
        shared = sorted(words & set(known.split()))
        if role == "property" and names_result(name):
            shared = shared or [name]
        if role == "process" and not shared:
            shared = [word] if (word := setting_word(name)) else []
        if shared and not (role == "property" and not is_numeric):
            return role, f"the header says '{shared[0]}'"
    if units in _SYNTHESIS_UNITS:
        return "synthesis", f"its unit {units} is one of composition"
    if is_numeric:
        return "property", "numbers, and no word in the header says otherwise"
    return "note", "text, and no word in the header says that it is a label"
