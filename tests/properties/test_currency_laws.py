"""Laws of tables and records that hold whatever the lab wrote down."""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import tieline as tl
from tieline.features.composition import composition_from_coordinates, simplex_coordinates
from tieline.units import canonical, convert

TEMPERATURES = st.sampled_from(["K", "degC", "degF"])
LENGTHS = st.sampled_from(["nm", "µm", "mm", "cm", "m", "Å"])
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=8)
NUMBERS = st.floats(-1e6, 1e6) | st.just(np.nan)
LABELS = st.sampled_from(["", "bcc", "fcc", "Ω-phase"])


@st.composite
def sheets(draw):
    """A sheet of 1 to 6 specimens with a ternary composition, a property with its error, and labels."""
    names = draw(st.lists(NAMES, min_size=1, max_size=6, unique=True))
    amounts = draw(arrays(float, (len(names), 3), elements=st.floats(0.01, 1)))
    columns = dict(
        zip(["Fe", "Ga", "Pd"], 100 * (amounts / amounts.sum(axis=1, keepdims=True)).T, strict=True)
    )
    return pd.DataFrame(
        {
            "specimen": names,
            **columns,
            "hardness": draw(st.lists(NUMBERS, min_size=len(names), max_size=len(names))),
            "hardness_sd": draw(st.lists(st.floats(0, 10), min_size=len(names), max_size=len(names))),
            "phase": draw(st.lists(LABELS, min_size=len(names), max_size=len(names))),
        }
    )


def as_table(sheet):
    return tl.table(sheet, composition=["Fe", "Ga", "Pd"], basis="at.%", units={"hardness": "GPa"})


@settings(max_examples=8, deadline=None)  # a file takes a tenth of a second
@given(sheets(), st.lists(st.text(max_size=5), max_size=3))
def test_what_is_saved_is_what_is_opened(sheet, notes):
    table = as_table(sheet).assign_attrs(notes=notes)
    record = xr.DataTree.from_dict(
        {"/specimens": table, "/hardness_test": table.rename(specimen="measurement")}
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.nc"
        xr.testing.assert_identical(tl.open_netcdf(tl.save_netcdf(table, path)), table)
        xr.testing.assert_identical(tl.open_netcdf(tl.save_netcdf(record, path)), record)


@settings(max_examples=50, deadline=None)
@given(sheets(), st.randoms(use_true_random=False))
def test_the_order_of_specimens_is_irrelevant(sheet, random):
    order = random.sample(range(len(sheet)), len(sheet))
    shuffled = as_table(sheet.iloc[order])
    xr.testing.assert_identical(shuffled, as_table(sheet).isel(specimen=order))


@settings(max_examples=50, deadline=None)
@given(sheets(), st.floats(0.99, 1.01))
def test_compositions_stay_on_the_simplex(sheet, slip):
    sheet[["Fe", "Ga", "Pd"]] *= slip
    table = as_table(sheet)
    np.testing.assert_allclose(table.composition.sum("element"), 1, rtol=1e-14)
    assert (table.composition >= 0).all()
    noted = any("renormalised" in note for note in table.attrs["notes"])
    assert noted == (abs(slip - 1) > 1e-6) or abs(abs(slip - 1) - 1e-6) < 1e-9


@settings(max_examples=50, deadline=None)
@given(sheets())
def test_weight_percent_of_mole_fractions_gives_them_back(sheet):
    table = as_table(sheet)
    weights = [tl.schema.atomic_weights()[element] for element in table.element.values]
    masses = table.composition.values * weights
    again = sheet.assign(
        **dict(zip(["Fe", "Ga", "Pd"], 100 * (masses / masses.sum(1)[:, None]).T, strict=True))
    )
    closed = tl.table(again, composition=["Fe", "Ga", "Pd"], basis="wt.%")
    np.testing.assert_allclose(closed.composition, table.composition, rtol=1e-12)


@settings(max_examples=50, deadline=None)
@given(sheets())
def test_coordinates_of_the_simplex_lose_nothing(sheet):
    composition = as_table(sheet).composition
    again = composition_from_coordinates(
        simplex_coordinates(composition), composition.element.values.tolist()
    )
    np.testing.assert_allclose(again, composition, atol=1e-14)


@settings(max_examples=100, deadline=None)
@given(st.floats(-1e4, 1e4), st.tuples(TEMPERATURES, TEMPERATURES) | st.tuples(LENGTHS, LENGTHS))
def test_a_conversion_can_be_undone(value, units):
    source, target = units
    np.testing.assert_allclose(
        convert(convert(value, source, target), target, source), value, atol=1e-9, rtol=1e-12
    )


@settings(max_examples=100)
@given(
    st.lists(
        st.sampled_from(["S", "cm", "K", "µm", "at.%", "degC", "mol"]), min_size=1, max_size=4, unique=True
    )
)
def test_the_canonical_spelling_is_its_own(symbols):
    once = canonical("/".join(symbols))
    assert canonical(once) == once
