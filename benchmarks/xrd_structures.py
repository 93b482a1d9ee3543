"""Crystal structures of the weighed mixtures' components, from the literature, as CIF."""

CELLS = {  # space group, a, b, c (angstrom), beta or gamma (degrees), and atoms
    "TiO2 rutile": ("P 42/m n m", 4.5937, 4.5937, 2.9587, 90, 90, "Ti 0 0 0; O .3048 .3048 0"),
    "TiO2 anatase": ("I 41/a m d:1", 3.7852, 3.7852, 9.5139, 90, 90, "Ti 0 0 0; O 0 0 .2081"),
    "ZnO": ("P 63 m c", 3.2498, 3.2498, 5.2066, 90, 120, "Zn 1/3 2/3 0; O 1/3 2/3 .3821"),
    "NiO": ("F m -3 m", 4.1769, 4.1769, 4.1769, 90, 90, "Ni 0 0 0; O .5 .5 .5"),
    "In2O3": (
        "I a -3",
        10.117,
        10.117,
        10.117,
        90,
        90,
        "In .25 .25 .25; In .4663 0 .25; O .3905 .1529 .3832",
    ),
    "MnCO3": ("R -3 c:H", 4.7682, 4.7682, 15.6354, 90, 120, "Mn 0 0 0; C 0 0 .25; O .2695 0 .25"),
    "Li2CO3": (
        "C 1 2/c 1",
        8.3593,
        4.9725,
        6.1975,
        114.83,
        90,
        "Li .1965 .4489 .8343; C 0 .0657 .25; O 0 .3216 .25; O .1459 -.0653 .3127",
    ),
    "ZrO2": (
        "P 1 21/c 1",
        5.1505,
        5.2116,
        5.3173,
        99.23,
        90,
        "Zr .2754 .0395 .2083; O .0700 .3317 .3447; O .4496 .7569 .4792",
    ),
    "Bi2O3": (
        "P 1 21/c 1",
        5.8496,
        8.1648,
        7.5101,
        112.977,
        90,
        "Bi .5242 .1843 .3613; Bi .0404 .0425 .7762; O .7783 .3037 .7080; O .2337 .0468 .1266; "
        "O .2698 .0294 .5117",
    ),
    "V2O5": (
        "P m m n:2",
        11.512,
        3.564,
        4.368,
        90,
        90,
        "V .10118 .25 .8917; O .1043 .25 .531; O .9311 .25 .003; O .25 .25 .001",
    ),
    "La(OH)3": ("P 63/m", 6.5286, 6.5286, 3.8588, 90, 120, "La 1/3 2/3 .25; O .386 .281 .25"),
}


def cif(name: str) -> str:
    """Write a structure as CIF."""
    group, a, b, c, beta, gamma, atoms = CELLS[name]
    lines = [
        f"data_{name.replace(' ', '_')}",
        f"_cell_length_a {a}",
        f"_cell_length_b {b}",
        f"_cell_length_c {c}",
        "_cell_angle_alpha 90",
        f"_cell_angle_beta {beta}",
        f"_cell_angle_gamma {gamma}",
        f"_space_group_name_H-M_alt '{group}'",
        "loop_",
        *(f"_atom_site_{field}" for field in ("label", "type_symbol", "fract_x", "fract_y", "fract_z")),
    ]
    for i, atom in enumerate(atoms.split("; ")):
        element, *places = atom.split()
        numbers = [int(p[0]) / int(p[2]) if "/" in p else float(p) for p in places]
        lines.append(f"{element}{i + 1} {element} " + " ".join(f"{number:.6f}" for number in numbers))
    return "\n".join(lines) + "\n"
