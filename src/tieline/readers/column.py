"""One column of a sheet and what it is taken to mean."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column and what it is taken to mean.

    Attributes:
        header: as written in the file.
        name: of the variable.
        role: synthesis, process, structure, property, identity, note, or ignored.
        unit_text: the unit as written in the file; "" when there is none.
        units: canonical; None when unknown.
        why: the reason for the guess.
        question: what to ask about the unit; "" when nothing is open.
        doubt: why it may not be the text that it is read as; "" for no doubt.
        is_numeric: whether its cells are read as numbers.
        error_of: name of the variable whose standard error it is; "" for none.
        component: element or component of a composition; "" for none.
        is_formula: whether its cells are chemical formulas, which say the composition.
        decimal: the decimal mark, when a person stated it.
        missing: further texts that mean "not measured", stated by a person.
    """

    header: str
    name: str
    role: str
    unit_text: str
    units: str | None
    why: str
    question: str = ""
    doubt: str = ""
    is_numeric: bool = True
    error_of: str = ""
    component: str = ""
    is_formula: bool = False
    decimal: str | None = None
    missing: tuple[str, ...] = ()
