"""Diffraction: phases of two spreads found from patterns alone, and weighed mixtures quantified.

`fegapd`: 278 patterns of a real Fe-Ga-Pd spread and no labels; `ari` is the adjusted Rand index with the
computed phase regions of the authors, of which four occur. `tieline:patterns` is the main phase of
`find_phases`, `tieline:regions` the region of `find_regions`; with `+property` the map of `PhaseProperty`
that reads their probabilities beside the magnetisation. Peers are told a number of clusters, ours are not.
`alfelio`: 231 simulated patterns of Al-Li-Fe oxides whose six phases are known; `activation_mae` and
`fraction_mae` are mean absolute errors of normalised activations and of mole fractions, components matched to
phases as is best for them, and `regions` the part of the specimens whose set of phases is right; a phase is
there from 2 % on, in ours where that is more likely than not. NMF is told that there are six phases.
`dara`: 20 weighed mixtures of two or three powders, scanned
slowly (`8min`) and fast (`2min`), against lines worked out from the crystal structures of their components;
`mae` is of weight fractions. `tieline` knows which components were weighed in, `tieline:any` has all ten to
choose from. The peer takes the same lines at the shift that suits them best, with one width, in non-negative
least squares.

Source: Kusne et al. (2020), doi:10.1038/s41467-020-19597-w; Al-Li-Fe: Le Bras et al., AAAI (2014), as in
github.com/gomes-lab/DRNets-Nature-Machine-Intelligence at 0423d71 and
github.com/MingChiangChang/CrystalShift.jl at c006c07, MIT. Mixtures: github.com/jrneilson/dara at a90c43f,
MIT.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from scipy.optimize import linear_sum_assignment, nnls
from sklearn.cluster import KMeans, SpectralClustering
from sklearn.decomposition import NMF
from sklearn.metrics import adjusted_rand_score

import tieline as tl
from benchmarks.tasks import Options, Row, data_folder, no_data
from benchmarks.xrd_structures import CELLS, cif
from tieline.features.phases import find_phases, find_regions, powder_sticks, quantify_phases
from tieline.features.phases.background import background_of
from tieline.features.phases.reading import lines_of, read_patterns

CASES = ("alfelio", "dara", "fegapd")
PRESENT = 0.02
CLUSTERS = (3, 4, 5)


def run(options: Options) -> Iterator[Row]:
    """Run every case that was asked for."""
    folder = data_folder()
    for case in filter(options.wants, CASES):
        if folder is None:
            yield no_data("xrd", case)
        else:
            yield from {"alfelio": _alfelio, "dara": _dara, "fegapd": _fegapd}[case](folder, options)


def _alfelio(folder: Path, options: Options) -> Iterator[Row]:
    stored = folder / "spectra"
    intensity = np.load(stored / "alfelio_xrd_231x650.npz")["I"].astype(float)
    composition = np.loadtxt(stored / "alfelio_composition.csv", delimiter=",")
    truth = {
        "activation": np.loadtxt(stored / "alfelio_normalized_weights_sol.csv", delimiter=","),
        "fraction": np.loadtxt(stored / "alfelio_sol.csv", delimiter=",")[:, 1:],
    }
    record = _record(composition, ["Al", "Li", "Fe"], intensity, "q", np.linspace(15.0, 80.0, 650))
    if options.methods in ("all", "tieline"):
        start = time.process_time()
        found = find_phases(record)
        is_present = found["presence_probability"].values > 0.5
        used = time.process_time() - start
        yield from _unmixed("tieline", found["share"].values, is_present, truth, used)
    if options.methods in ("all", "peers"):
        start = time.process_time()
        model = NMF(6, init="nndsvda", max_iter=2000, random_state=0)
        amount = model.fit_transform(intensity) * model.components_.sum(1)
        share = amount / amount.sum(1, keepdims=True)
        yield from _unmixed("nmf", share, share > PRESENT, truth, time.process_time() - start)


def _unmixed(
    method: str, share: np.ndarray, is_present: np.ndarray, truth: dict[str, np.ndarray], seconds: float
) -> Iterator[Row]:
    for name, wanted in truth.items():
        ours, theirs, order = _matched(share, wanted)
        error = float(np.abs(ours[:, order] - theirs).sum() / wanted.size)
        yield Row("xrd", "alfelio", method, f"{name}_mae", error, seconds)
    _, theirs, order = _matched(share, truth["activation"])
    found = np.pad(is_present, ((0, 0), (0, theirs.shape[1] - share.shape[1])))[:, order]
    regions = (found == (theirs > PRESENT)).all(1).mean()
    yield Row("xrd", "alfelio", method, "regions", float(regions), seconds)
    yield Row("xrd", "alfelio", method, "n_phases", float(share.shape[1]), seconds)


def _matched(share: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shares and truth with as many columns, missing ones zero, and the component of each phase."""
    size = max(share.shape[1], wanted.shape[1])
    ours, theirs = (np.pad(a, ((0, 0), (0, size - a.shape[1]))) for a in (share, wanted))
    distance = np.abs(ours[:, :, None] - theirs[:, None]).mean(0)
    return ours, theirs, linear_sum_assignment(distance.T)[1]


def _dara(folder: Path, options: Options) -> Iterator[Row]:
    meta = pd.read_csv(folder / "spectra" / "dara_xrd_meta.csv")
    counts = np.load(folder / "spectra" / "dara_xrd_counts.npz")
    lines = {name: powder_sticks(cif(name), two_theta=(9.0, 101.0)) for name in CELLS}
    methods = [m for m in ("tieline", "tieline:any", "nnls") if options.methods in ("all", _side(m))]
    for scan in ("8min", "2min"):
        errors: dict[str, list[float]] = {method: [] for method in methods}
        used, held = dict.fromkeys(methods, 0.0), []
        for _, row in meta[(meta["kind"] == "mixture") & (meta["scan"] == scan)].iterrows():
            wanted = json.loads(row["weight_fraction"])
            angles = np.linspace(row["start"], row["end"], row["n"])
            known = {name: value for name, value in lines.items() if name.split()[0] in wanted}
            for method in methods:
                start = time.process_time()
                shares, found = _weights(method, angles, counts[row["id"]], lines if ":" in method else known)
                used[method] += time.process_time() - start
                absent = sum(v for name, v in shares.items() if name not in wanted)
                wrong = sum(abs(shares.get(name, 0.0) - v) for name, v in wanted.items()) + absent
                errors[method].append(wrong / len(wanted))
                held += _held(found, wanted) if method == "tieline" else []
        for method in methods:
            yield Row("xrd", "dara", method, f"mae_{scan}", float(np.mean(errors[method])), used[method])
        if held:
            yield Row("xrd", "dara", "tieline", f"coverage_90_{scan}", float(np.mean(held)), used["tieline"])


def _side(method: str) -> str:
    return "tieline" if method.startswith("tieline") else "peers"


def _weights(
    method: str, angles: np.ndarray, counts: np.ndarray, lines: dict[str, xr.Dataset]
) -> tuple[dict[str, float], xr.Dataset | None]:
    """Weight fractions by compound, polymorphs together, and our whole answer."""
    if method == "nnls":
        amount, found = _plain(angles, counts.astype(float), lines), None
    else:
        pattern = xr.Dataset(
            {"intensity": (("measurement", "two_theta"), counts[None].astype(float))},
            {"specimen": ("measurement", ["mixture"]), "two_theta": angles},
        )
        found = quantify_phases(pattern, lines)
        amount = found["share"].values[0]
    shares: dict[str, float] = {}
    for name, share in zip(lines, amount / amount.sum(), strict=True):
        shares[name.split()[0]] = shares.get(name.split()[0], 0.0) + float(share)
    return shares, found


def _held(found: xr.Dataset | None, wanted: dict[str, float]) -> list[bool]:
    """Whether intervals hold the weights, of compounds without polymorphs."""
    assert found is not None
    one = found.isel(measurement=0)
    return [
        bool(one["share_low"].sel(reference=name) <= weight <= one["share_high"].sel(reference=name))
        for name, weight in wanted.items()
        if name in one["reference"].values
    ]


def _plain(angles: np.ndarray, counts: np.ndarray, lines: dict[str, xr.Dataset]) -> np.ndarray:
    """Amounts of Gaussian lines of one width, by plain least squares on counts without background."""
    net = counts - background_of(counts[None], int(1.5 / (angles[1] - angles[0])))[0]
    best = (np.inf, np.zeros(len(lines)))
    for shift in np.arange(-0.2, 0.21, 0.02):
        drawn = [
            (np.exp(-(((angles[:, None] - at) / 0.08) ** 2)) * of).sum(1)
            for at, of in ((v["two_theta"].values + shift, v["intensity"].values) for v in lines.values())
        ]
        amount, left = nnls(np.stack(drawn, axis=1), net)
        best = min(best, (left, amount), key=lambda pair: pair[0])
    return best[1]


def _fegapd(folder: Path, options: Options) -> Iterator[Row]:
    del folder  # datasets.load looks there itself
    record = tl.datasets.load("fe-ga-pd")
    table = tl.represent(record)
    regions = table["phase"].values
    table = table.drop_vars("phase")  # no labels
    if options.methods in ("all", "tieline"):
        for name, find, soft in (
            ("tieline:patterns", find_phases, "phase_probability"),
            ("tieline:regions", find_regions, "region_probability"),
        ):
            start = time.process_time()
            found = find(record)[soft]
            used = time.process_time() - start
            alone = float(adjusted_rand_score(regions, found.values.argmax(1)))
            yield Row("xrd", "fegapd", name, "ari", alone, used)
            yield Row("xrd", "fegapd", name, "n_phases", float(found.sizes["phase"]), used)
            model = tl.PhaseProperty("composition", "found", ["remanent_magnetisation"])
            joint = model.fit(table.assign(found=found)).predict(table)["phase_probability"].values.argmax(1)
            used = time.process_time() - start
            agreement = float(adjusted_rand_score(regions, joint))
            yield Row("xrd", "fegapd", f"{name}+property", "ari", agreement, used)
    if options.methods in ("all", "peers"):
        counts = lines_of(read_patterns(record["xrd"].to_dataset(), table["specimen"].values)).counts
        for name, labels, seconds in _clusters(np.sqrt(np.maximum(counts, 0))):
            yield Row("xrd", "fegapd", name, "ari", float(adjusted_rand_score(regions, labels)), seconds)


def _clusters(root: np.ndarray) -> Iterator[tuple[str, np.ndarray, float]]:
    """Clusterings of root intensities, by the name of the method and the number of clusters."""
    for n in CLUSTERS:
        start = time.process_time()
        yield (
            f"k_means_{n}",
            KMeans(n, n_init=10, random_state=0).fit_predict(root),
            time.process_time() - start,
        )
        start = time.process_time()
        amount = NMF(n, init="nndsvda", max_iter=1000, random_state=0).fit_transform(root)
        amount /= np.maximum(amount.sum(1, keepdims=True), 1e-12)
        labels = KMeans(n, n_init=10, random_state=0).fit_predict(amount)
        yield f"nmf_k_means_{n}", labels, time.process_time() - start
        start = time.process_time()
        spectral = SpectralClustering(n, affinity="nearest_neighbors", n_neighbors=10, random_state=0)
        yield f"spectral_{n}", spectral.fit_predict(root), time.process_time() - start


def _record(
    composition: np.ndarray, elements: list[str], intensity: np.ndarray, axis: str, values: np.ndarray
) -> xr.DataTree:
    names = np.arange(len(composition))
    specimens = xr.Dataset(
        {"composition": (("specimen", "element"), composition)}, {"specimen": names, "element": elements}
    )
    patterns = xr.Dataset(
        {"intensity": (("measurement", axis), intensity)},
        {"specimen": ("measurement", names), axis: values},
    )
    return xr.DataTree.from_dict({"/specimens": specimens, "/xrd": patterns})
