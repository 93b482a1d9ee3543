"""Posteriors on disk: one netCDF file with arrays, and the rest as JSON. Nothing in it is executed."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from tieline.errors import SchemaError
from tieline.models.aligned_network import AlignedNetwork
from tieline.models.attention_network import AttentionNetwork
from tieline.models.class_rule import ClassRule
from tieline.models.composition_basis import Basis, Span
from tieline.models.composition_field import CompositionField
from tieline.models.composition_fit import CompositionFit
from tieline.models.composition_posterior import CompositionPosterior
from tieline.models.composition_properties import CompositionProperties
from tieline.models.composition_reading import CompositionReading, Coordinates, Scale
from tieline.models.composition_source import Source
from tieline.models.composition_transfer import Help
from tieline.models.convergence import Convergence
from tieline.models.coregionalisation import Coupling
from tieline.models.design_columns import DesignColumns
from tieline.models.element_slots import Slots
from tieline.models.encoder_network import EncoderShape
from tieline.models.encoding import Encoding
from tieline.models.expert_mixture import ExpertMixture
from tieline.models.experts import Expert, Layout, Pairs
from tieline.models.fingerprint.fingerprint import Fingerprint
from tieline.models.fingerprint.fingerprint_posterior import FingerprintPosterior
from tieline.models.fingerprint.laws import FittedLaw
from tieline.models.fingerprint.modality import Modality
from tieline.models.fingerprint.modality_reading import View
from tieline.models.fingerprint.physics import LAWS
from tieline.models.fingerprint.population import Population
from tieline.models.fusion import Fusion
from tieline.models.fusion_answer import FusionAnswer
from tieline.models.gate import Gate, GateSettings
from tieline.models.gate_mixture import Focus, GateMixture
from tieline.models.gaussian_average import GaussianAverage
from tieline.models.gaussian_encoding import Inputs, Outputs, Reading
from tieline.models.gaussian_fit import GaussianFit
from tieline.models.gaussian_kernel import Entries, Hyperparameters
from tieline.models.gaussian_posterior import GaussianPosterior
from tieline.models.gaussian_process import GaussianProcess
from tieline.models.learner import Learner
from tieline.models.learner_posterior import LearnerPosterior
from tieline.models.line import Regions, Segmentation
from tieline.models.line_answer import LineAnswer
from tieline.models.line_fit import LineFit, Stretches
from tieline.models.mcmc import Sample
from tieline.models.mcmc_answer import SampledAnswer
from tieline.models.mcmc_draws import Draw
from tieline.models.mcmc_property import Column
from tieline.models.network_ensemble import NetworkEnsemble
from tieline.models.observations import Observations
from tieline.models.phase_count import PhaseCount
from tieline.models.phase_posterior import PhasePosterior
from tieline.models.phase_property import PhaseProperty
from tieline.models.pseudo_mixtures import Regression
from tieline.models.segments import Settings
from tieline.models.sensitivity import Sensitivity
from tieline.models.sites import Sites
from tieline.models.spectral_composition import SpectralComposition
from tieline.models.spectral_posterior import SpectralPosterior
from tieline.models.spectral_references import References
from tieline.models.stacking import Guesses, Stack
from tieline.models.tree_ensemble import Forest, TreeEnsemble
from tieline.models.volumes.autoencoder import VolumeAutoencoder
from tieline.models.volumes.posterior import VolumePosterior
from tieline.models.volumes.shape import NetworkShape
from tieline.models.volumes.texture import Texture
from tieline.models.volumes.waves import Waves
from tieline.models.widths import Widths
from tieline.schema import open_netcdf, save_netcdf

FORMAT = "tieline posterior 9"

# Only these can stand in a file; a name that is not here is refused, never imported.
PARTS = {
    part.__name__: part
    for part in (
        AlignedNetwork, AttentionNetwork, Basis, ClassRule, Column, CompositionField, CompositionFit,
        CompositionProperties, CompositionReading, Convergence, Coordinates, Coupling, DesignColumns,
        Draw, EncoderShape, Encoding, Entries, Expert, ExpertMixture, Fingerprint, FittedLaw, Focus,
        Forest, Fusion, FusionAnswer, Gate, GateMixture, GateSettings, GaussianAverage, GaussianFit,
        GaussianProcess, Guesses, Help, Hyperparameters, Inputs, Layout, Learner, LineAnswer, LineFit,
        Modality, NetworkEnsemble, NetworkShape, Observations, Outputs, Pairs, PhaseCount,
        PhaseProperty, Population, Reading, References, Regions, Regression, Sample, SampledAnswer,
        Scale, Segmentation, Sensitivity, Settings, Sites, Slots, Source, Span, SpectralComposition, Stack,
        Stretches, Texture, TreeEnsemble, View, VolumeAutoencoder, Waves, Widths,
        *LAWS,
    )
}  # fmt: skip


AnyPosterior = (
    CompositionPosterior
    | FingerprintPosterior
    | GaussianPosterior
    | LearnerPosterior
    | PhasePosterior
    | SpectralPosterior
    | VolumePosterior
)
POSTERIORS = {
    kind.__name__: kind
    for kind in (
        CompositionPosterior,
        FingerprintPosterior,
        GaussianPosterior,
        LearnerPosterior,
        PhasePosterior,
        SpectralPosterior,
        VolumePosterior,
    )
}


def save_posterior(posterior: AnyPosterior, path: str | Path) -> Path:
    """Write a posterior; the file is complete or absent.

    Args:
        posterior: of any tieline model.
        path: of the file, by custom ending in .nc.
    """
    shelf = Shelf({}, {})
    structure = {
        f.name: _dismantle(getattr(posterior, f.name), shelf) for f in fields(posterior) if f.name != "table"
    }
    values = xr.Dataset({kind: (f"{kind}_number", np.concatenate(a)) for kind, a in shelf.arrays.items()})
    kind = type(posterior).__name__
    attrs = {"format": FORMAT, "posterior": kind, "structure": json.dumps(structure)}
    tree = xr.DataTree.from_dict({"/": xr.Dataset(attrs=attrs), "/table": posterior.table, "/arrays": values})
    return save_netcdf(tree, path)


def load_posterior(path: str | Path) -> AnyPosterior:
    """Read a posterior that `save` wrote.

    Raises:
        SchemaError: the file is not a posterior, or is damaged.
    """
    tree = open_netcdf(path)
    if not isinstance(tree, xr.DataTree) or tree.attrs.get("format") != FORMAT:
        raise SchemaError(
            f"{Path(path).name} is not a posterior that this version of tieline reads.",
            found=f"format {tree.attrs.get('format', 'none')!r}",
            hint="posterior.save(path) writes one; fit again if it comes from another version",
        )
    try:
        structure = json.loads(tree.attrs["structure"])
        arrays = {str(name): a.values for name, a in tree["arrays"].data_vars.items()}

        @cache  # an array that stands in several places is one again
        def take(kind: str, start: int, shape: tuple[int, ...]) -> np.ndarray:
            return arrays[kind][start : start + math.prod(shape)].reshape(shape)

        parts = {name: _assemble(value, take) for name, value in structure.items()}
        return POSTERIORS[tree.attrs["posterior"]](table=tree["table"].to_dataset(), **parts)
    except (KeyError, TypeError, ValueError) as error:
        raise SchemaError(
            f"{Path(path).name} is damaged.",
            found=f"{type(error).__name__}: {error}",
            hint="fit again and save",
        ) from error


@dataclass(frozen=True)
class Shelf:
    """Arrays end to end, one row for each type: a file of hundreds of small variables would be slow.

    Attributes:
        arrays: flat arrays of each type, in order.
        places: where each array stands, so that one that occurs twice is kept once.
    """

    arrays: dict[str, list[np.ndarray]]
    places: dict[int, dict[str, Any]]

    def put(self, array: np.ndarray) -> dict[str, Any]:
        """Put an array aside, and say where."""
        if id(array) not in self.places:
            row = self.arrays.setdefault(array.dtype.name, [])
            start = sum(a.size for a in row)
            row.append(array.ravel())
            self.places[id(array)] = {"array": array.dtype.name, "start": start, "shape": array.shape}
        return self.places[id(array)]


def _dismantle(value: Any, shelf: Shelf) -> Any:
    """JSON for a value, its arrays put aside."""
    if is_dataclass(value):
        inside = {f.name: _dismantle(getattr(value, f.name), shelf) for f in fields(value)}
        return {"part": type(value).__name__, "fields": inside}
    if isinstance(value, np.ndarray):
        return shelf.put(value)
    if isinstance(value, tuple | list):
        return {"items": [_dismantle(v, shelf) for v in value]}
    return value.item() if isinstance(value, np.generic) else value


def _assemble(value: Any, take: Callable[[str, int, tuple[int, ...]], np.ndarray]) -> Any:
    if not isinstance(value, dict):
        return value
    if "array" in value:
        return take(value["array"], value["start"], tuple(value["shape"]))
    if "items" in value:
        return tuple(_assemble(v, take) for v in value["items"])
    if value["part"] not in PARTS:
        raise ValueError(f"unknown part {value['part']!r}")
    return PARTS[value["part"]](**{k: _assemble(v, take) for k, v in value["fields"].items()})
