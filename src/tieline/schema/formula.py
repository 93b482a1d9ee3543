"""Chemical formulas as amounts of elements, by a grammar that refuses what it does not know.

    formula = part (("·" | "*" | "•") [number] part)*        hydrates: CuSO4·5H2O
    part    = (unit [number])+
    unit    = symbol | "(" part ")" | "[" part "]" | "{" part "}"
    number  = 2, 0.95, .5                                     one if it is not given

A full stop is a decimal point and no dot of a hydrate: CuSO4.5H2O, which may be meant as either, is refused.
Blanks are skipped, and subscripts (₂) are read as numbers. Symbols are those of the 118 elements, in their
own spelling: CO is carbon monoxide, Co is cobalt, and NaN is sodium nitride. A charge, an unknown amount
(x, δ) and a symbol of no element are refused by name. An amount of zero means that the element is not there.
"""

import re
from collections.abc import Iterable, Iterator

import numpy as np
import xarray as xr

from tieline.errors import SchemaError, did_you_mean
from tieline.schema.weights import atomic_weights

Amounts = dict[str, float]

DEEPEST = 20  # brackets within brackets; beyond, it is no formula
_OPEN = {"(": ")", "[": "]", "{": "}"}
_DOTS = re.compile("[·•⋅∙*]")
_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉․", "0123456789.")
_NUMBER = re.compile(r"\d+\.?\d*|\.\d+")
_LEADING = re.compile(r"(?P<number>\d+\.?\d*|\.\d+)?(?P<rest>.*)", re.DOTALL)
_SYMBOL = re.compile(r"[A-Z][a-z]?")
_CHARGE = re.compile(r"[\^⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻+−]|-\d*[)\]]?$")
_HYDRATE = re.compile(r"(?<=[A-Za-z)\]}])(?P<number>\d+)\.(?P<amount>\d+)H2O$")
_EMPTY = {"", "nan", "None", "<NA>"}


def parse_formula(formula: str) -> Amounts:
    """Read a chemical formula.

    Args:
        formula: such as "Fe3O4", "Bi2(Te0.9Se0.1)3" or "CuSO4·5H2O"; the grammar stands at the top of the
            module.

    Returns:
        Symbol to amount, moles in one formula unit, in the order of first mention.

    Raises:
        SchemaError: it is no formula. The message says at which character.

    Example:
        >>> parse_formula("Mg(OH)2")
        {'Mg': 1.0, 'O': 2.0, 'H': 2.0}
    """
    if not isinstance(formula, str) and formula is not None and formula == formula:
        raise SchemaError("A formula is not text.", found=repr(formula), hint="formulas such as 'Fe3O4'")
    if not isinstance(formula, str) or formula.strip() in _EMPTY:
        raise SchemaError(
            "A formula is empty.",
            found=repr(formula),
            hint="fill it; if it is NaN, sodium nitride, pd.read_csv(..., keep_default_na=False) reads it",
        )
    text = "".join(formula.translate(_SUBSCRIPTS).split())
    if _CHARGE.search(text):
        raise SchemaError(
            "A formula with a charge is no composition.",
            found=formula,
            hint="leave the charge out: Fe3+ is Fe, [SO4]2- is SO4",
        )
    if match := _HYDRATE.search(text):
        raise SchemaError(
            f"The full stop in '{formula}' may be a decimal point or the dot of a hydrate.",
            found=f"'{match[0]}'",
            hint=f"{text[: match.end('number')]}·{match['amount']}H2O if it is a hydrate;"
            f" {text.removesuffix('H2O')}(H2O) if it is a decimal point",
        )
    total: Amounts = {}
    for number, part in enumerate(_DOTS.split(text)):
        match = _LEADING.fullmatch(part)
        factor = match["number"] if match else None
        if not match or not match["rest"] or (factor and number == 0):
            raise _refusal(formula, part or "·", "a coefficient stands only after the dot of a hydrate")
        _add(total, _Reader(formula, match["rest"]).part(""), float(factor or 1))
    amounts = {symbol: amount for symbol, amount in total.items() if amount > 0}
    if not amounts:
        raise SchemaError("All amounts of a formula are zero.", found=formula, hint="correct the formula")
    return amounts


def compositions(formulas: Iterable[str], elements: Iterable[str] | None = None) -> xr.DataArray:
    """Turn formulas into one composition variable.

    Args:
        formulas: one a specimen. The same material may come twice, in other words too: O4Fe3, Fe6O8.
        elements: symbols in the wanted order; by default all that occur, by atomic number.

    Returns:
        (specimen, element): mole fractions that sum to one; 0 where an element does not occur.

    Raises:
        SchemaError: a formula cannot be read, with its row; or an element is not among those wanted.

    Example:
        >>> compositions(["Fe2O3", "Fe"]).values.round(2).tolist()
        [[0.6, 0.4], [0.0, 1.0]]
    """
    amounts = list(_read_rows(formulas))
    order = list(atomic_weights())
    present = {symbol for row in amounts for symbol in row}
    wanted = sorted(present, key=order.index) if elements is None else [str(e) for e in elements]
    if strangers := sorted(present - set(wanted)):
        row = next(i for i, row in enumerate(amounts) if strangers[0] in row)
        raise SchemaError(
            f"'{strangers[0]}' is not among the elements that were asked for.",
            found=f"{strangers[0]} in row {row}; asked for {', '.join(wanted)}",
            hint="leave `elements` out to have all that occur",
        )
    place = {symbol: i for i, symbol in enumerate(wanted)}
    fractions = np.zeros((len(amounts), len(wanted)))
    for i, row in enumerate(amounts):
        for symbol, amount in row.items():
            fractions[i, place[symbol]] = amount
    fractions /= fractions.sum(1, keepdims=True)
    return xr.DataArray(
        fractions,
        dims=("specimen", "element"),
        coords={"element": np.array(wanted, dtype=str)},
        name="composition",
        attrs={"role": "synthesis", "units": "1"},
    )


def chemical_systems(composition: xr.DataArray) -> np.ndarray:
    """Name the chemical system of each specimen: its elements, sorted and joined, such as "Fe-O".

    Args:
        composition (specimen, element): mole fractions.

    Returns:
        (specimen): text; "" where the composition is not known.
    """
    symbols = composition["element"].values.astype(str)
    order = np.argsort(symbols)
    present = composition.transpose("specimen", "element").values[:, order] > 0
    return np.array(["-".join(symbols[order][row]) for row in present], dtype=str)


def note_repeated(composition: xr.DataArray) -> Iterator[str]:
    """A note when a material stands on several rows, whatever the spelling of its formula."""
    fractions = composition.transpose("specimen", "element").values
    n_materials = len(np.unique(fractions.round(9), axis=0))
    if n_materials < len(fractions):
        yield f"{composition.name}: {len(fractions)} rows are of {n_materials} materials"


def _read_rows(formulas: Iterable[str]) -> Iterator[Amounts]:
    known: dict[object, Amounts] = {}
    for row, formula in enumerate(formulas):
        try:
            if formula not in known:
                known[formula] = parse_formula(formula)
        except SchemaError as error:
            raise SchemaError(error.what, found=f"{error.found}, in row {row}", hint=error.hint) from error
        yield known[formula]


def _add(total: Amounts, amounts: Amounts, factor: float) -> None:
    for symbol, amount in amounts.items():
        total[symbol] = total.get(symbol, 0.0) + factor * amount


def _refusal(formula: str, at: str, hint: str) -> SchemaError:
    return SchemaError(f"'{formula}' is not a formula that can be read.", found=f"'{at}'", hint=hint)


def _advice(text: str, rest: str) -> str:
    """What to do about characters that are no symbol."""
    if rest[0] in _OPEN.values():
        return "a bracket closes that was not opened"
    if rest[0] == ",":
        return "a decimal point for a comma: Fe2.5O; an amount for each of several: (Fe0.5Co0.5)2O3"
    if text == text.lower():
        return "symbols begin with a capital letter: Fe2O3"
    return "symbols of elements, numbers and brackets; an unknown amount (x, δ) needs a number"


class _Reader:
    """One pass over the text of one part, from left to right."""

    def __init__(self, formula: str, text: str) -> None:
        """Stand before the first character."""
        self.formula, self.text, self.at, self.depth = formula, text, 0, 0

    def part(self, closing: str) -> Amounts:
        """Read units until a bracket closes, or the text ends."""
        found: Amounts = {}
        while self.at < len(self.text) and self.text[self.at] != closing:
            unit = self._unit()
            _add(found, unit, self._number())
        if closing and self.at == len(self.text):
            raise _refusal(self.formula, self.text, f"a bracket is not closed: '{closing}' is missing")
        if not found:
            raise _refusal(self.formula, self.text[self.at :] or self.text, "nothing stands in a bracket")
        return found

    def _unit(self) -> Amounts:
        if (opening := self.text[self.at]) in _OPEN:
            self.at += 1
            self.depth += 1
            if self.depth > DEEPEST:
                raise _refusal(self.formula, self.text[:40], f"at most {DEEPEST} brackets within each other")
            inside = self.part(_OPEN[opening])
            self.at += 1
            self.depth -= 1
            return inside
        return {self._symbol(): 1.0}

    def _symbol(self) -> str:
        match = _SYMBOL.match(self.text, self.at)
        rest = self.text[self.at : self.at + 8]
        if not match:
            raise _refusal(self.formula, rest, _advice(self.text, rest))
        for symbol in (match[0], match[0][0]):
            if symbol in atomic_weights():
                self.at += len(symbol)
                return symbol
        raise SchemaError(
            f"'{match[0]}' in '{self.formula}' is the symbol of no element.",
            found=f"'{rest}'",
            hint=_ISOTOPES.get(match[0]) or did_you_mean(match[0], atomic_weights()) or "correct the symbol",
        )

    def _number(self) -> float:
        match = _NUMBER.match(self.text, self.at)
        if not match:
            return 1.0
        self.at = match.end()
        return float(match[0])


_ISOTOPES = {"D": "H, since isotopes are not told apart", "T": "H, since isotopes are not told apart"}
