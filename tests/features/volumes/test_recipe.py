import numpy as np
import pytest
import xarray as xr

import tieline as tl
from tieline.features.volumes import describe, read_recipe, write_recipe
from tieline.features.volumes.recipe import RECIPE, SIZES, STRETCHES
from tieline.worlds import membrane, membrane_plan


def sure(table, sd=1e-6):
    return table.assign({f"{name}_sd": ("specimen", np.full(len(table.specimen), sd)) for name in RECIPE})


def test_a_recipe_is_read_as_it_was_written():
    plan = membrane_plan(30, radius=(2.0, 6.0), n_stretched=2)
    read = read_recipe(sure(write_recipe(plan)))
    for name in (*SIZES, *STRETCHES):
        np.testing.assert_allclose(read[name], plan[name], rtol=1e-5)


def test_only_ratios_of_the_stretch_make_a_membrane_and_a_recipe():
    one, same = ((0.5, 1.0, 0.8), (0.25, 0.5, 0.4))
    assert membrane(20, one, size=24).equals(membrane(20, same, size=24))
    plan = membrane_plan(2, n_stretched=0)
    recipes = write_recipe(
        plan.assign({n: ("specimen", np.array(e)) for n, *e in zip(STRETCHES, one, same, strict=True)})
    )
    for name in STRETCHES:
        assert recipes[f"log_{name}"].values[0] == pytest.approx(recipes[f"log_{name}"].values[1])


def test_intervals_hold_the_settings_and_never_more_than_one():
    plan = membrane_plan(4, n_stretched=1, seed=2)
    read = read_recipe(sure(write_recipe(plan), sd=0.05))
    for name in (*SIZES, *STRETCHES):
        assert (read[f"{name}_low"] <= read[name]).all()
        assert (read[name] <= read[f"{name}_high"] + 1e-12).all()
    assert all((read[f"{name}_high"] <= 1).all() for name in STRETCHES)
    assert (read["n_points_sd"] / read["n_points"]).values == pytest.approx(0.05, rel=0.1)


def test_a_few_membranes_teach_how_others_were_made():
    def made(plan):
        columns = [plan[name].values for name in ("n_points", *STRETCHES, "radius", "seed")]
        rows = zip(*(column.tolist() for column in columns), strict=True)
        return xr.concat([describe(membrane(n, e, r, 64, s)) for n, *e, r, s in rows], "specimen")

    ranges = {"n_points": (40, 120), "radius": (2.0, 4.0), "n_stretched": 2}
    plan, unseen = membrane_plan(40, seed=1, **ranges), membrane_plan(12, seed=2, **ranges)
    described, others = made(plan).assign_coords(specimen=plan.specimen), made(unseen)
    others = others.assign_coords(specimen=unseen.specimen)
    design = [str(name) for name in described if described[name].std() > 0]
    table = write_recipe(plan.merge(described))
    answers = [tl.GaussianProcess(design, name).fit(table, seed=0).predict(others) for name in RECIPE]
    read = read_recipe(xr.merge(answers, compat="override"))
    assert float(np.abs(read["n_points"] / unseen["n_points"] - 1).median()) < 0.1
    assert float(np.abs(read["radius"] / unseen["radius"] - 1).median()) < 0.04
    assert np.median([np.abs(read[n] - unseen[n]).values for n in STRETCHES]) < 0.06


def test_refuses_what_is_no_recipe():
    plan = membrane_plan(3)
    with pytest.raises(tl.SchemaError, match="reads 'radius'"):
        write_recipe(plan.drop_vars("radius"))
    with pytest.raises(tl.SchemaError, match="positive"):
        write_recipe(plan.assign(radius=-plan["radius"]))
    with pytest.raises(tl.SchemaError, match="log_n_points_sd"):
        read_recipe(write_recipe(plan))
