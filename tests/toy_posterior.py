"""A posterior in closed form: an independent implementation of the protocol, to plan and draw with.

Two boundaries cross the direction t = (mean of the scaled inputs) at 0.4 and 0.7, each uncertain by `doubt`.
Inside a region every property is a quadratic of t, uncertain by the distance to the nearest specimen.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr
from scipy.stats import norm

PHASES = ["A", "B", "C"]
BOUNDARIES = np.array([0.4, 0.7])


@dataclass(frozen=True)
class ToyModel:
    design: str | list[str]
    phase: str | None = "phase"
    properties: tuple[str, ...] = ("hardness",)


@dataclass(frozen=True)
class ToyPosterior:
    model: ToyModel
    table: xr.Dataset
    doubt: float = 0.05
    noise: float = 0.1
    features: int = field(default=64)
    notes: tuple[str, ...] = ()

    def _inputs(self, places: xr.Dataset) -> np.ndarray:
        design = self.model.design
        if isinstance(design, str):
            return places[design].transpose("specimen", "element").values
        raw = np.column_stack([places[name].values for name in design])
        seen = np.column_stack([self.table[name].values for name in design])
        return (raw - seen.min(0)) / np.ptp(seen, axis=0)

    def _along(self, x: np.ndarray) -> np.ndarray:
        return x[:, 0] if isinstance(self.model.design, str) else x.mean(1)

    def _probability(self, t: np.ndarray) -> np.ndarray:
        left = norm.cdf((BOUNDARIES[0] - t) / self.doubt)
        right = norm.cdf((t - BOUNDARIES[1]) / self.doubt)
        return np.stack([left, np.clip(1 - left - right, 0, 1), right], -1)

    def _sd(self, x: np.ndarray) -> np.ndarray:
        seen = self._inputs(self.table)
        nearest = np.linalg.norm(x[:, None] - seen[None], axis=-1).min(1)
        return 0.02 + 0.6 * (1 - np.exp(-nearest / 0.2))

    def _levels(self, t: np.ndarray, j: int) -> np.ndarray:
        bend = np.array([0.0, 1.0, -1.0]) + j
        level = np.array([1.0, 3.0, 2.0]) + 5 * j
        return level + bend * (t[:, None] - 0.5) ** 2 * 8

    def predict(self, places: xr.Dataset) -> xr.Dataset:
        x = self._inputs(places)
        t, sd = self._along(x), self._sd(x)
        probability = self._probability(t)
        entropy = -(probability * np.log(np.clip(probability, 1e-300, 1))).sum(1)
        answer: dict[str, Any] = {
            "phase_probability": (("specimen", "phase"), probability),
            "phase_entropy": ("specimen", entropy, {"units": "nat"}),
            "most_likely_phase": ("specimen", np.array(PHASES)[probability.argmax(1)]),
        }
        for j, name in enumerate(self.model.properties):
            units = {"units": self.table[name].attrs.get("units", "")}
            levels = self._levels(t, j)
            mean = (probability * levels).sum(1)
            between = (probability * (levels - mean[:, None]) ** 2).sum(1)
            parts = np.stack([np.full_like(t, self.noise**2), sd**2, between, 0 * t], -1)
            answer[name] = ("specimen", mean, units)
            answer[f"{name}_sd"] = ("specimen", np.sqrt(parts.sum(1)), units)
            answer[f"{name}_variance"] = (("specimen", "part"), parts)
        coords = {
            "specimen": places["specimen"].values,
            "phase": PHASES,
            "part": ["noise", "within_region", "between_region", "between_hyperparameter"],
        }
        design = self.model.design
        about = {"notes": [], "model": "Toy", "design": [design] if isinstance(design, str) else list(design)}
        return xr.Dataset(answer, coords, about)

    def functions(self, places: xr.Dataset, n: int = 200, seed: int = 0) -> xr.DataArray:
        rng = np.random.default_rng(seed)
        x = self._inputs(places)
        t, sd = self._along(x), self._sd(x)
        cuts = np.sort(BOUNDARIES + self.doubt * rng.standard_normal((n, 2)), axis=1)
        phase = (t[None, :, None] > cuts[:, None, :]).sum(-1)
        draws = []
        for j in range(len(self.model.properties)):
            frequency = rng.normal(0, 4, (n, self.features, x.shape[1]))
            offset = rng.uniform(0, 2 * np.pi, (n, self.features, 1))
            wave = np.sqrt(2 / self.features) * np.cos(frequency @ x.T + offset).sum(1)
            levels = self._levels(t, j)
            draws.append(np.take_along_axis(levels, phase.T, 1).T + sd * wave)
        coords = {
            "specimen": places["specimen"].values,
            "property": list(self.model.properties),
            "phase_draw": (("draw", "specimen"), phase),
        }
        return xr.DataArray(np.stack(draws, -1), coords, ("draw", "specimen", "property"))

    def diagnose(self) -> xr.Dataset:
        at_specimens = self.predict(self.table)
        rng = np.random.default_rng(1)
        properties = list(self.model.properties)
        measured = np.stack([self.table[p].values for p in properties], -1)
        sd = np.stack([at_specimens[f"{p}_sd"].values for p in properties], -1)
        return xr.Dataset(
            {
                "loo_mean": (("specimen", "property"), measured + 0.8 * sd * rng.standard_normal(sd.shape)),
                "loo_sd": (("specimen", "property"), np.where(np.isfinite(measured), sd, np.nan)),
                "loo_phase_probability": at_specimens["phase_probability"].drop_vars("specimen"),
                "label_accuracy": 0.9,
                "coverage_90": ("property", np.full(len(properties), 0.93)),
                "n_labelled": 10,
                "n_measured": ("property", np.isfinite(measured).sum(0)),
            },
            {"property": properties, "phase": PHASES},
            {"verdict": "amber", "sentence": "Boundary A-B is known to 0.05.", "action": "Label two more."},
        )

    @property
    def results(self) -> xr.Dataset:
        return self.table

    @property
    def has_boundaries(self) -> bool:
        return len(self.model.design) == 1

    def boundaries(self) -> xr.Dataset:
        (name,) = self.model.design
        column = self.table[name].values
        low, span = column.min(), np.ptp(column)
        position = np.linspace(low, low + span, 400)
        t = (position - low) / span
        density = norm.pdf(t[:, None], BOUNDARIES, self.doubt).sum(1) / span
        return xr.Dataset(
            {
                "density": ("position", density),
                "location": ("boundary", low + span * BOUNDARIES),
                "location_sd": ("boundary", np.full(2, span * self.doubt)),
                "region_count_probability": ("n_regions", [0.1, 0.85, 0.05]),
            },
            {"position": position, "n_regions": [2, 3, 4]},
        )


def toy_posterior(
    n_inputs: int = 1, n_specimens: int = 24, composition: bool = False, seed: int = 0, **settings
):
    """Fill a table from the toy's own truth and wrap it; labels and values on different specimens."""
    rng = np.random.default_rng(seed)
    names = ["temperature", "dwell", "pressure", "flow"][:n_inputs]
    scale = {"temperature": (500, 700), "dwell": (1, 9), "pressure": (0.1, 1), "flow": (2, 4)}
    units = {"temperature": "degC", "dwell": "h", "pressure": "mbar", "flow": "sccm"}
    properties = settings.pop("properties", ("hardness",))
    if composition:
        elements = ["Fe", "Ga", "Pd"]
        fractions = rng.dirichlet(np.ones(3), n_specimens)
        data = {"composition": (("specimen", "element"), fractions, {"units": "1", "role": "synthesis"})}
        table = xr.Dataset(data, {"specimen": np.arange(n_specimens), "element": elements})
        model = ToyModel("composition", properties=properties)
    else:
        data = {}
        for name in names:
            low, high = scale[name]
            column = np.concatenate([[low, high], rng.uniform(low, high, n_specimens - 2)])
            data[name] = ("specimen", column, {"units": units[name], "role": "process"})
        table = xr.Dataset(data, {"specimen": np.arange(n_specimens)})
        model = ToyModel(names, properties=properties)
    blank = {p: ("specimen", np.zeros(n_specimens), {"units": "GPa", "role": "property"}) for p in properties}
    posterior = ToyPosterior(model, table.assign(blank), **settings)
    truth = posterior.predict(table)
    label = np.where(rng.random(n_specimens) < 0.7, truth["most_likely_phase"].values, "")
    table["phase"] = ("specimen", label, {"role": "structure"})
    for name in properties:
        values = truth[name].values + posterior.noise * rng.standard_normal(n_specimens)
        values = np.where(rng.random(n_specimens) < 0.7, values, np.nan)
        table[name] = ("specimen", values, {"units": "GPa", "role": "property"})
    return ToyPosterior(model, table, **settings)
