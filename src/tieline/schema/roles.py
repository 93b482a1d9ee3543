"""The four roles a variable can play, and the rule that guesses one from a column's name."""

import re
import unicodedata

import numpy as np
import pandas as pd
import xarray as xr

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

# Languages such as German join words: Glühtemperatur, Haltezeit, Pressdruck. A salt (nitrate), an imprint
# (Eindruck) or the time of day (Uhrzeit) only ends alike.
_COMPOUND = re.compile(
    r"(?:^|_)([a-z0-9]*?(?:temperature?n?|(?<!uhr)(?<!tages)(?<!jahres)zeit(?:en)?|(?<!date)time|dauer|duration|"
    r"(?<!ein)(?<!aus)(?<!ab)(?<!sieb)druck|pressure|geschwindigkeit|speed|drehzahl|atmosphaere|atmosphere|"
    r"(?<!nit)(?<!bo)(?<!hyd)(?<!cit)(?<!tart)(?<!chlo)(?<!fer)(?<!subst)(?<!concent)(?<!filt)raten?|"
    r"(?:gas|durch)fluss|(?:laser|heiz|sputter|hf|rf|plasma|pump|mikrowellen|strahl)_?leistung))[0-9]*(?=_|$)"
)
# "Hardness after ageing time" is a hardness: what stands behind these words is not what the column holds.
_CONDITION = re.compile(r"_(?:at|bei|after|nach|vs|gegen)_")
# Temperatures, times, pressures, rates that are measured: (what the name speaks of, what makes it a result).
_RESULTS = (
    (
        "temperatur",
        r"curie|neel|debye|schmelz|melting|siede|boiling|liquidus|solidus|uebergang|umwandlung|transition|"
        r"transformation|sprung|kriti[sk]|critical|glas(?:uebergang|temperatur|s_)|zersetzung|decomposition|"
        r"(?:k|c)r[iy]stalli[sz]ation(?!.*(?:glueh|anneal))|blocking|blockier|freezing|einfrier|erweichung|"
        r"softening|zuend|ignition|(?:martensit|austenit|bainit)e?_?(?:start|finish|end)|_room_|_raumtemp",
    ),
    (
        "zeit|dauer|time|duration",
        r"relaxation|lebens|life|response|ansprech|antwort|decay|abkling|zerfall|halbwert|switching|schalt|"
        r"rise_?time|anstieg|standzeit|failure|rupture|bruch|versagen|gelation|gelier|inkubation|incubation|"
        r"kohaerenz|coherence",
    ),
    (
        "druck|pressure",
        r"(?<!wasser)dampfdruck|vapou?r_?pressure|berst|burst|plateau|kriti[sk]|critical|gleichgewicht|"
        r"equilibrium|transition|uebergang|umwandlung|dissoziation|dissociation|osmo",
    ),
    (
        "rate|geschwindigkeit|speed",
        r"korrosion|corrosion|kriech|creep|wachstum|growth|verschleiss|wear|abtrag|removal|aetz|(?<!str)etch|zaehl|count|"
        r"zerfall|decay|abbau|degradation|fehler|error|leck|leak|aufloes|dissolution|reaktion|reaction|schall|"
        r"sound|riss|crack|oxidation|_loss",
    ),
)

MAX_INTEGER_LABELS = 20  # an integer column with more values than this counts something


def guess_role(name: str, series: pd.Series) -> str:
    """Guess a column's role from its name, and for structure also from what it holds.

    The rule, in this order:

    1. a word of the name is phase, label, structure, region, cluster, lattice, ... and the column is text, or
       integers of at most 20 kinds: `structure`;
    2. the name is an element's symbol, or has a word such as composition, content, dopant, acid: `synthesis`;
    3. a word of the name is temperature, time, pressure, annealing, sintering, deposition, ..., or ends so
       (Glühtemperatur), and none says that it was measured (Curie, melting, critical, transition, glass):
       `process`;
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
    is_setting = words & _PROCESS or setting_word(plain_name(name))
    if is_setting and not words & _MEASURED and not names_result(plain_name(name)):
        return "process"
    return "property"


def is_label(variable: xr.DataArray) -> bool:
    """Whether a variable tells apart rather than measures: text, or numbers of a phase.

    These have the role structure, are whole and have no unit; a porosity or a grain size is none.
    """
    if variable.dtype.kind not in "iuf":
        return True
    if variable.attrs.get("role") != "structure" or "units" in variable.attrs:
        return False
    known = variable.values[np.isfinite(variable.values)]
    return bool((known == np.floor(known)).all())


def plain_name(name: str) -> str:
    """Write a name in small plain letters, its words joined by _: "Néel-Temp." becomes neel_temp."""
    text = unicodedata.normalize("NFC", name).lower().replace("ß", "ss")
    text = text.translate(str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"}))
    text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^0-9a-z]+", "_", text).strip("_")


def setting_word(name: str) -> str:
    """Find the word of a plain name that ends like a setting, such as gluehtemperatur; "" without one."""
    match = _COMPOUND.search(_CONDITION.split(name)[0])
    return match[1] if match else ""


def names_result(name: str) -> bool:
    """Whether a plain name is that of a temperature, time, pressure or rate that is measured, not set."""
    kinds = " ".join(match[1] for match in _COMPOUND.finditer(name))
    return any(re.search(kind, kinds) and re.search(measured, name) for kind, measured in _RESULTS)


def _holds_labels(series: pd.Series) -> bool:
    if not pd.api.types.is_numeric_dtype(series):
        return True
    known = series.dropna()
    return bool((known % 1 == 0).all()) and known.nunique() <= MAX_INTEGER_LABELS
