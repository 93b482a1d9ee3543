"""What a column's header says: a name, a unit, whether it is the error of another column."""

import re
import unicodedata
from dataclasses import dataclass

from tieline.errors import UnitError
from tieline.units import canonical

_ERROR = (
    r"±|\+/-|\+-|s\.?d\.?|std\.?(?:[ _]?(?:dev(?:iation)?|err(?:or)?)\.?)?|stdev|stderr|"
    r"standard (?:error|deviation)|sem|err(?:or)?|uncertainty|unc"
)
_ERROR_BEHIND = re.compile(rf"(?:^|[\s_.,;:])[\[(]?(?:{_ERROR})[\])]?\s*$", re.IGNORECASE)
_ERROR_BEFORE = re.compile(rf"^(?:{_ERROR})(?:[\s_]+(?:of|in)\b[\s_]*|[\s_]+)(?=\S)", re.IGNORECASE)
_ERROR_BRACKET = re.compile(rf"[\[(]\s*(?:{_ERROR})\s*[\])]", re.IGNORECASE)
_BRACKETS = re.compile(r"\[([^\[\]]*)\]|\(((?:[^()]|\([^()]*\))*)\)")
_LATEX = {r"\mu": "µ", r"\circ": "°", r"\Omega": "Ω", r"\AA": "Å", r"\cdot": "·", r"\%": "%", "$": ""}
_GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta", "η": "eta",
    "θ": "theta", "κ": "kappa", "λ": "lambda", "μ": "mu", "µ": "mu", "ν": "nu", "ξ": "xi", "π": "pi",
    "ρ": "rho", "σ": "sigma", "τ": "tau", "φ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega", "Δ": "delta",
    "Θ": "theta", "Λ": "lambda", "Σ": "sigma", "Φ": "phi", "Ψ": "psi", "Ω": "omega",
}  # fmt: skip
_LETTERS = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ø": "o"}
)
# In brackets these say which value it is, not its unit.
_QUALIFIERS = re.compile(
    r"measured|calc\w*|predicted|nominal|actual|target|exp\w*|theor\w*|estimated|average|avg\.?|mean|raw|"
    r"corrected|normali[sz]ed|fitted?|total|rel\w*|abs\w*|initial|final|max\.?|set|real",
    re.IGNORECASE,
)
_TEMPERATURE = re.compile(r"(^|[\W_])(t|temp\w*|\w*temperatur\w*)([\W_]|$)", re.IGNORECASE)
_TIME = re.compile(r"(^|[\W_])(t|\w*time|dwell|duration|delay|\w*zeit|\w*dauer)([\W_]|$)", re.IGNORECASE)
_SYMBOLS = {("T", "degC"): "temperature", ("T", "K"): "temperature", ("T", "degF"): "temperature"} | {
    ("t", unit): "time" for unit in ("s", "min", "h", "day", "ms")
}


LONGEST_HEADER = 300  # characters; more is a cell of prose, and slow to search for brackets


@dataclass(frozen=True)
class Header:
    """A header, taken apart.

    Attributes:
        base: what is left when unit and error mark are taken off.
        unit_text: the unit as written; "" when the header names none.
        units: canonical unit; None when there is none, or it is not known.
        question: what to ask about the unit; "" when nothing is open.
        is_error: the column is the standard error of another.
    """

    base: str
    unit_text: str
    units: str | None
    question: str
    is_error: bool


def parse_header(text: str, unit_below: str = "") -> Header:
    """Take a header apart: "T (°C)", "σ [S/cm] sd", "time / min", "temperature_C".

    Args:
        text: the header as written.
        unit_below: the cell of a row of units below it; it wins over the header's own.
    """
    plain = text[:LONGEST_HEADER]
    for mark, sign in _LATEX.items():
        plain = plain.replace(mark, sign)
    plain = plain.replace("{", "").replace("}", "").replace("^°", "°")
    plain, is_error = _without_error(plain)
    base, unit_text = _split_unit(plain)
    if unit_below.strip("[]() "):
        unit_text = unit_below.strip("[]() ")
    elif not is_error:
        base, is_error = _without_error(base)
    base = re.sub(r"\s+", " ", base).strip(" ,;:/_")
    if unit_text is None:
        return Header(base, "", None, _suffix_question(base), is_error)
    units, question = _known_unit(unit_text, base)
    return Header(base, unit_text, units, question, is_error)


def _without_error(text: str) -> tuple[str, bool]:
    for pattern in (_ERROR_BRACKET, _ERROR_BEHIND, _ERROR_BEFORE):
        rest = pattern.sub(" ", text, count=1)
        if rest != text:
            return rest.strip(), True
    return text.strip(), False


def _split_unit(text: str) -> tuple[str, str | None]:
    """Cut a header into base and unit text; None when it names no unit."""
    for match in reversed(list(_BRACKETS.finditer(text))):
        inside = (match[1] if match[1] is not None else match[2]).strip()
        is_name = match[1] is None and (_QUALIFIERS.fullmatch(inside) or not inside)
        if not is_name and text[: match.start()].strip():
            return text[: match.start()] + " " + text[match.end() :], inside
    for separator in (r"\s+/\s*", r"\s*/\s*", r"\s+in\s+", r",\s*"):
        parts = re.split(separator, text, maxsplit=1)
        if len(parts) == 2 and parts[0].strip() and _is_plausible(parts[1], parts[0]):
            return parts[0], parts[1].strip()
    return _split_suffix(text)


def _split_suffix(text: str) -> tuple[str, str | None]:
    """Cut "conductivity_S_per_cm" or "Fe at.%": the last words, when they can only be a unit."""
    words = re.split(r"[_\s]+", text.strip())
    for n in (4, 3, 2, 1):
        if n >= len(words):
            continue
        base, tail = " ".join(words[:-n]), [w.replace("pct", "%") for w in words[-n:]]
        joined = " ".join(tail)
        if n > 1 and "per" in tail[1:-1]:
            joined = re.sub(r"\s*per\s*", "/", joined)
        elif n == 2 and tail[1] == "%" and tail[0].strip(".") in ("wt", "at", "mol", "vol"):
            joined = tail[0] + "%"
        elif n > 1:
            continue
        if _is_plausible(joined, base) and not (n == 1 and _ends_like_unit(words[:-1])):
            return "_".join(words[:-n]) if "_" in text else base, joined
    return text, None


def _suffix_question(base: str) -> str:
    """Ask about a last word that may be a unit: "debye_K" or "kappa_W_mK"."""
    words = base.split("_")
    if len(words) < 2 or len(words[-1]) > 3 or _is_word(words[-1]) or canonical_or_none(words[-1]) is None:
        return ""
    tail = words[-2:] if _ends_like_unit(words[:-1]) and len(words) > 2 else words[-1:]
    return f"Is '{'_'.join(tail)}' the unit of '{base}'?"


def _is_word(text: str) -> bool:
    return text in ("min", "d", "m", "h", "l", "g") or not text.strip("0123456789")


def _ends_like_unit(words: list[str]) -> bool:
    # "W_mK" is W/(m K), not millikelvin: a unit before a unit makes the last one doubtful.
    return len(words) > 1 and len(words[-1]) <= 2 and canonical_or_none(words[-1]) is not None


def _is_plausible(text: str, base: str) -> bool:
    """Whether a text without brackets can only be meant as the unit of `base`."""
    text = text.strip()
    if base.rstrip()[-1:] in (":", "=", ""):
        return False
    if not text or canonical_or_none(text) in (None, "1") or text.lower() in ("none", "fraction", "count"):
        return False
    if re.fullmatch(r"[A-Za-z]+[0-9]+", text):  # HV10 is a test load, not a power
        return False
    if _TEMPERATURE.search(base) and text in ("C", "K", "F", "°C", "°F", "degC"):
        return True
    if _TIME.search(base) and text in ("s", "h", "d", "min", "sec"):
        return True
    return text not in ("min", "d", "day") and (len(text) > 1 or text in "%°")


def _known_unit(text: str, base: str) -> tuple[str | None, str]:
    if text == "C" and not _TEMPERATURE.search(base):
        return None, f"Is the unit 'C' of '{base}' degrees Celsius or coulomb?"
    try:
        return canonical(text), ""
    except UnitError as error:
        return None, f"{error.what} {error.hint}".strip()


def error_header(header: str) -> str:
    """Header of the column of standard errors of another, if the reader makes it."""
    return f"{header} ±"


def flag_header(header: str) -> str:
    """Header of the column that says which values of another are limits, if the reader makes it."""
    return f"{header} flag"


def canonical_or_none(text: str) -> str | None:
    """Canonical form of a unit, or None when it is not on the list."""
    try:
        return canonical(text)
    except UnitError:
        return None


def identifier(text: str) -> str:
    """Turn words into a snake_case name: "Härte σ₀" becomes "haerte_sigma0"."""
    text = re.sub(r"2\s*[-_]?\s*(θ|theta\b)", "two_theta", text, flags=re.IGNORECASE)
    text = "".join(
        f" {_GREEK[c]} " if c in _GREEK else c
        for c in text.replace("#", " number ").replace("%", " percent ")
    )
    text = unicodedata.normalize("NFKD", text.translate(_LETTERS)).encode("ascii", "ignore").decode()
    text = re.sub(r"([a-z]{2,})([A-Z][a-z])", r"\1_\2", text)
    name = re.sub(r"[^0-9a-z]+", "_", text.lower()).strip("_")
    return f"x_{name}" if not name or name[0].isdigit() else name


def symbol_name(base: str, units: str | None) -> str:
    """Spell out a bare symbol whose unit says what it is: T in degC is a temperature, t in min a time."""
    return _SYMBOLS.get((base.strip(), units or ""), identifier(base))
