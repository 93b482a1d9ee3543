"""Real data to learn and test with: small tables that come with the package, larger ones on request.

A larger data set is looked for in `$TIELINE_DATA`, then in pooch's cache, and only then downloaded from its
public origin. Every file is compared with its SHA-256 before it is read.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from tieline.errors import TielineError
from tieline.schema import table
from tieline.schema.wording import name_known
from tieline.units import canonical

LATP_SOURCE = (
    "Y. Zhao, Applications of Machine Learning in Materials Science, dissertation, KIT (2024), section 4.1; "
    "Zhao et al., Front. Mater. 9, 821817 (2022), doi:10.3389/fmats.2022.821817"
)
FE_GA_PD_SOURCE = (
    "Kusne et al., Nat. Commun. 11, 5966 (2020), doi:10.1038/s41467-020-19597-w; "
    "Long et al., Rev. Sci. Instrum. 78, 072217 (2007), doi:10.1063/1.2755487; NIST, public domain"
)
FE_GA_PD_ORIGIN = (
    "https://raw.githubusercontent.com/KusneNIST/CAMEO_NComm/f4f1ef44a4f9dcb8fd8adba2edbcd91fd10feab3/data/"
)
FE_GA_PD_FILES = {
    "FeGaPd_CMP.txt": "6888d23dee27af9f07e071e25e572f4d63b04d8ebb88255a4edb248c356944c8",
    "FeGaPd_DFT_regions.txt": "9839e33415da84f86b746c85d58fb95bb989e378779118a2e3d5e8f851092238",
    "FeGaPd_Mag.txt": "b152c0bdc660b3e8ae8ef27bbf0f760d5f1853fdcc1019e7c0098ba22a325df3",
    "FeGaPd_XRD.txt": "eafe161faf023c0fd822017d8d05c5675e678d0ea52de35aad7e03667d0f0441",
}
AFLOW_SOURCE = (
    "AFLOW, Curtarolo et al., Comput. Mater. Sci. 58, 218 (2012), doi:10.1016/j.commatsci.2012.02.005; split "
    "by Wang et al., npj Comput. Mater. 7, 77 (2021), doi:10.1038/s41524-021-00545-1; MIT"
)
ESTM_SOURCE = (
    "Na & Chang, npj Comput. Mater. 8, 214 (2022), doi:10.1038/s41524-022-00897-2, from many papers; "
    "CC-BY-4.0"
)
PHONON_SOURCE = (
    "JARVIS-DFT, Choudhary et al., npj Comput. Mater. 6, 173 (2020), doi:10.1038/s41524-020-00440-1; "
    "leaderboard of phonon densities of states, NIST, public domain"
)


@dataclass(frozen=True)
class LocalFile:
    """A file that is looked for in `$TIELINE_DATA` only, since it was put together from its origin.

    Attributes:
        name: under `$TIELINE_DATA`.
        checksum: SHA-256.
        origin: where what it holds is public.
    """

    name: str
    checksum: str
    origin: str


AFLOW = LocalFile(
    "composition/aflow_long_crabnet_splits.csv.gz",
    "e8e062a6210c628eef05bc4d55ce6a6e99613d56c9214576b8915bb5b91a6f6d",
    "github.com/anthony-wang/CrabNet at 457b4d4, data/benchmark_data",
)
ESTM = LocalFile(
    "composition/estm_thermoelectric.csv",
    "3b742fc6aeffc9a4f29a5572a68e3a475a3ae8f72174c11273a9d1bcfd4460e4",
    "github.com/KRICT-DATA/SIMD at 72d597c, dataset/estm.xlsx",
)
PHONON_DOS = LocalFile(
    "composition/jarvis_phdos_with_formula.csv",
    "85daf8416f4ba383d989f77e704cf7b4ad2d601ec0dd4e59c269ff5086d04a74",
    "github.com/usnistgov/jarvis_leaderboard at 57afc55",
)


def names() -> list[str]:
    """List the records that `load` knows."""
    return sorted(_LOADERS)


def load(name: str) -> xr.DataTree:
    """Load a record of real measurements.

    Args:
        name: "latp", 22 sintered LATP electrolytes, comes with the package; "fe-ga-pd", a composition spread
            of 278 specimens with diffraction, magnetisation and phase regions, is 1 MB from its origin. Found
            in `$TIELINE_DATA` only: "aflow", seven computed properties of 27,690 formulas, each of some of
            them; "estm", 5,205 measurements of thermoelectrics against temperature; "phonon-dos", computed
            phonon densities of states of 663 compounds in 66 bins.

    Returns:
        The record; `attrs["source"]` says whom to cite.

    Raises:
        TielineError: there is no such record, or its files can neither be found nor downloaded.

    Example:
        >>> load("latp")["specimens"].sizes["specimen"]
        22
    """
    if name not in _LOADERS:
        raise TielineError(
            f"There is no data set '{name}'.",
            found=name_known(names(), name),
            hint="tieline.datasets.names() lists them; tieline.datasets.latp_candidates() is a pool",
        )
    return _LOADERS[name]()


def latp_candidates(iterations: str = "3-4") -> xr.Dataset:
    """Lay out the recipes among which the LATP study chose.

    Args:
        iterations: "1-2", 5 x 7 x 12 recipes from batches of powder that were there, or "3-4", 9 x 13 x 22.

    Returns:
        Dataset on `specimen`: relative_phosphoric_acid (wt.%), sintering_temperature (degC) and dwell_time
        (min).

    Raises:
        TielineError: other iterations.

    Source:
        Zhao, KIT (2024), Table 4.1.
    """
    ranges = _bundled("latp_search_range.csv").set_index("setting")
    settings = ranges[ranges["iterations"] == iterations]
    if settings.empty:
        raise TielineError(
            "There are no candidates of these iterations.",
            found=repr(iterations),
            hint=" or ".join(f'"{known}"' for known in ranges["iterations"].unique()),
        )
    levels = [[float(value) for value in text.split()] for text in settings["values"]]
    recipes = pd.DataFrame(list(product(*levels)), columns=list(settings.index))
    pool = table(recipes, roles=_LATP_ROLES, units=dict(settings["unit"]))
    return pool.assign_attrs(source=LATP_SOURCE)


_LATP_ROLES = {
    "relative_phosphoric_acid": "synthesis",
    "sintering_temperature": "process",
    "dwell_time": "process",
}


def _load_latp() -> xr.DataTree:
    sheet = _bundled("latp.csv")
    iteration = sheet.pop("iteration").to_numpy()
    specimens = table(
        sheet,
        roles=_LATP_ROLES | {"relative_density": "property", "ionic_conductivity": "property"},
        units={
            "relative_phosphoric_acid": "wt.%",
            "sintering_temperature": "degC",
            "dwell_time": "min",
            "relative_density": "%",
            "ionic_conductivity": "S/cm",
        },
    )
    specimens["relative_phosphoric_acid"].attrs["long_name"] = "phosphoric acid, deviation from stoichiometry"
    # A coordinate, not a variable: when a specimen was made is nothing to learn a material from.
    specimens = specimens.assign_coords(iteration=("specimen", iteration))
    return _record({"/specimens": specimens}, LATP_SOURCE)


def _load_fe_ga_pd() -> xr.DataTree:
    folder = _folder("sage/fegapd", FE_GA_PD_ORIGIN, FE_GA_PD_FILES)
    sheet = pd.read_csv(folder / "FeGaPd_CMP.txt", sep=r"\s+")
    # The second column: where the sensor saturated at 10, the authors put a broad Gaussian peak.
    sheet["remanent_magnetisation"] = np.loadtxt(folder / "FeGaPd_Mag.txt", delimiter=",")[:, 1]
    sheet["phase"] = np.loadtxt(folder / "FeGaPd_DFT_regions.txt", dtype=int).astype(str)
    specimens = table(
        sheet, composition=["Fe", "Ga", "Pd"], basis="fraction", units={"remanent_magnetisation": "a.u."}
    )
    patterns = np.loadtxt(folder / "FeGaPd_XRD.txt", delimiter=",")
    diffraction = xr.Dataset(
        {"intensity": (("measurement", "two_theta"), patterns[1:], {"units": canonical("a.u.")})},
        coords={
            "specimen": ("measurement", specimens.specimen.values),
            "two_theta": ("two_theta", patterns[0], {"units": canonical("deg")}),
        },
    )
    record = _record({"/specimens": specimens, "/xrd": diffraction}, FE_GA_PD_SOURCE)
    rows = _bundled("fe_ga_pd_rows.csv")
    # Which specimens the SAGE notebook trained on, in its order and with its repeats.
    record.attrs["structure_rows"] = rows.loc[rows["role"] == "structure", "row"].tolist()
    record.attrs["property_rows"] = rows.loc[rows["role"] == "property", "row"].tolist()
    return record


_AFLOW_PROPERTIES = {
    "ael_bulk_modulus_vrh": ("bulk_modulus", "GPa"),
    "ael_shear_modulus_vrh": ("shear_modulus", "GPa"),
    "ael_debye_temperature": ("debye_temperature", "K"),
    "agl_thermal_conductivity_300K": ("thermal_conductivity", "W/m/K"),
    "agl_thermal_expansion_300K": ("thermal_expansion", "1/K"),
    "Egap": ("band_gap", "eV"),
    "energy_atom": ("energy", "eV"),
}


def _load_aflow() -> xr.DataTree:
    rows = _local(AFLOW)
    wide = rows.pivot(index="formula", columns="property", values="target")
    columns = {name: wide[key] for key, (name, _) in _AFLOW_PROPERTIES.items()}
    sheet = pd.DataFrame(columns).reset_index()
    units = dict(_AFLOW_PROPERTIES.values())
    specimens = table(sheet, formula="formula", units=units, roles=dict.fromkeys(units, "property"))
    splits = rows.pivot(index="formula", columns="property", values="split").fillna("")
    coordinates = {
        f"{name}_split": ("specimen", splits.loc[sheet["formula"], key].to_numpy(str))
        for key, (name, _) in _AFLOW_PROPERTIES.items()
    }
    return _record({"/specimens": specimens.assign_coords(coordinates)}, AFLOW_SOURCE)


_ESTM_COLUMNS = {  # power factor and figure of merit follow from these
    "formula": "formula",
    "temperature": "T_K",
    "seebeck_coefficient": "seebeck_uV_K",
    "electrical_conductivity": "sigma_S_m",
    "thermal_conductivity": "kappa_W_mK",
}


def _load_estm() -> xr.DataTree:
    rows = _local(ESTM)
    columns = {name: rows[key] for name, key in _ESTM_COLUMNS.items()}
    units = {
        "temperature": "K",
        "seebeck_coefficient": "µV/K",
        "electrical_conductivity": "S/m",
        "thermal_conductivity": "W/m/K",
    }
    roles = {name: "process" if name == "temperature" else "property" for name in units}
    specimens = table(pd.DataFrame(columns), formula="formula", units=units, roles=roles)
    dois = rows["doi"].str.replace("_", "/", n=1).to_numpy(str)
    return _record({"/specimens": specimens.assign_coords(doi=("specimen", dois))}, ESTM_SOURCE)


def _load_phonon_dos() -> xr.DataTree:
    sheet = _local(PHONON_DOS)
    bins = [name for name in sheet.columns if name.startswith("b")]
    specimens = table(
        pd.DataFrame({n: sheet[n] for n in ("jid", "formula")}), specimen="jid", formula="formula"
    )
    specimens["phonon_dos"] = (("specimen", "bin"), sheet[bins].to_numpy(float), _DOS_ATTRIBUTES)
    specimens = specimens.assign_coords(bin=np.arange(len(bins)))
    return _record({"/specimens": specimens}, PHONON_SOURCE)


_DOS_ATTRIBUTES = {"role": "property", "units": "1", "long_name": "phonon density of states, largest value 1"}

_LOADERS: dict[str, Callable[[], xr.DataTree]] = {
    "aflow": _load_aflow,
    "estm": _load_estm,
    "fe-ga-pd": _load_fe_ga_pd,
    "latp": _load_latp,
    "phonon-dos": _load_phonon_dos,
}


def _local(file: LocalFile) -> pd.DataFrame:
    """Read a sheet from `$TIELINE_DATA`; NaN in a column of formulas is sodium nitride."""
    root = os.environ.get("TIELINE_DATA", "")
    path = Path(root) / file.name
    if not root or not path.is_file():
        raise TielineError(
            f"'{file.name}' was put together from public data, and cannot be downloaded as it is.",
            found=f"TIELINE_DATA={root or 'not set'}",
            hint=f"set TIELINE_DATA to the folder that holds it; its origin is {file.origin}",
        )
    _refuse_other_file(path, file.checksum, file.origin)
    return pd.read_csv(path, keep_default_na=False)


def _bundled(name: str) -> pd.DataFrame:
    with files("tieline").joinpath("data", name).open(encoding="utf-8") as file:
        return pd.read_csv(file, keep_default_na=False)


def _record(nodes: dict[str, xr.Dataset], source: str) -> xr.DataTree:
    record = xr.DataTree.from_dict(nodes)
    record.attrs["source"] = source
    return record


def _folder(under: str, origin: str, checksums: dict[str, str]) -> Path:
    """Find a data set's files, or fetch them; return the folder they are in."""
    local = Path(os.environ.get("TIELINE_DATA", "")) / under
    if os.environ.get("TIELINE_DATA") and all((local / name).is_file() for name in checksums):
        for name, checksum in checksums.items():
            _refuse_other_file(local / name, checksum, f"{origin}{name}")
        return local
    return _fetch(under, origin, checksums)


def _refuse_other_file(path: Path, checksum: str, origin: str) -> None:
    if sha256(path.read_bytes()).hexdigest() != checksum:
        raise TielineError(
            f"'{path.name}' is not the file it should be: its SHA-256 differs.",
            found=str(path),
            hint=f"fetch it again from {origin}, or unset TIELINE_DATA",
        )


def _fetch(under: str, origin: str, checksums: dict[str, str]) -> Path:
    import pooch

    cache = Path(pooch.os_cache("tieline")) / under
    registry = {name: f"sha256:{checksum}" for name, checksum in checksums.items()}
    fetcher = pooch.create(path=cache, base_url=origin, registry=registry)
    for name in checksums:
        try:
            fetcher.fetch(name)
        except (OSError, ValueError) as error:  # no network, no such page, or another checksum
            raise TielineError(
                f"'{name}' could not be downloaded.",
                found=f"{type(error).__name__} at {origin}{name}",
                hint=f"download {', '.join(checksums)} by hand into {cache}, "
                f"or set TIELINE_DATA to a folder that holds {under}",
            ) from error
    return cache
