"""Formulas of ternary compounds, for tests of models that read compositions."""

METALS = ("Ti", "V", "Fe", "Co", "Ni", "Cu", "Zr", "Nb", "Al", "Mg")
NONMETALS = ("O", "S", "N", "C")


def ternaries(rng, n, metals=METALS, nonmetals=NONMETALS, most=4):
    """Two metals and a nonmetal, of which there are up to so many atoms."""
    pairs = [rng.choice(metals, 2, replace=False) for _ in range(n)]
    return [f"{a}{rng.integers(1, 4)}{b}{rng.choice(nonmetals)}{rng.integers(1, most + 1)}" for a, b in pairs]
