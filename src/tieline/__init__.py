"""Learn how synthesis, process, structure and property hang together, and what to make next."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tieline import datasets, features, figures, readers, worlds
    from tieline.campaign.campaign import Campaign
    from tieline.campaign.settings import Settings
    from tieline.client.client import connect
    from tieline.errors import (
        Conflict,
        MissingExtra,
        NotAllowed,
        NotConverged,
        NotFound,
        NotIdentified,
        SchemaError,
        TielineError,
        Unavailable,
        UnitError,
    )
    from tieline.evaluation.compare import compare
    from tieline.evaluation.retraining import retrain
    from tieline.evaluation.task import Task, inspect, task
    from tieline.features.represent import represent
    from tieline.insight.exploration import explore
    from tieline.models.composition_properties import CompositionProperties
    from tieline.models.fingerprint import physics
    from tieline.models.fingerprint.fingerprint import Fingerprint
    from tieline.models.fingerprint.modality import Modality
    from tieline.models.gaussian_process import GaussianProcess
    from tieline.models.learner import Learner
    from tieline.models.phase_property import PhaseProperty
    from tieline.models.posterior_file import load_posterior
    from tieline.models.spectral_composition import SpectralComposition
    from tieline.models.volumes.autoencoder import VolumeAutoencoder
    from tieline.planning.backtest import backtest
    from tieline.planning.goals import LearnLevelSet, LearnPhaseMap, Maximize, Minimize, Pareto, Target
    from tieline.planning.propose import propose
    from tieline.planning.screen import screen
    from tieline.planning.spaces.constraints import LinearConstraint
    from tieline.planning.spaces.inputs import Categorical, Levels, Numeric
    from tieline.planning.spaces.mixture import Composition
    from tieline.planning.spaces.space import Space
    from tieline.planning.stopping import stopping
    from tieline.planning.strategies import Strategy
    from tieline.progress import progress_bar
    from tieline.readers.load import load
    from tieline.schema import check, open_netcdf, save_netcdf, table

# Names are loaded when first asked for, so that `import tieline` stays quick and light.
_HOME = {
    "Campaign": "tieline.campaign.campaign",
    "Categorical": "tieline.planning.spaces.inputs",
    "Composition": "tieline.planning.spaces.mixture",
    "CompositionProperties": "tieline.models.composition_properties",
    "Conflict": "tieline.errors",
    "Fingerprint": "tieline.models.fingerprint.fingerprint",
    "GaussianProcess": "tieline.models.gaussian_process",
    "LearnLevelSet": "tieline.planning.goals",
    "LearnPhaseMap": "tieline.planning.goals",
    "Learner": "tieline.models.learner",
    "Levels": "tieline.planning.spaces.inputs",
    "LinearConstraint": "tieline.planning.spaces.constraints",
    "Maximize": "tieline.planning.goals",
    "Minimize": "tieline.planning.goals",
    "MissingExtra": "tieline.errors",
    "Modality": "tieline.models.fingerprint.modality",
    "NotAllowed": "tieline.errors",
    "NotConverged": "tieline.errors",
    "NotFound": "tieline.errors",
    "NotIdentified": "tieline.errors",
    "Numeric": "tieline.planning.spaces.inputs",
    "Pareto": "tieline.planning.goals",
    "PhaseProperty": "tieline.models.phase_property",
    "SchemaError": "tieline.errors",
    "Settings": "tieline.campaign.settings",
    "Space": "tieline.planning.spaces.space",
    "SpectralComposition": "tieline.models.spectral_composition",
    "Strategy": "tieline.planning.strategies",
    "Target": "tieline.planning.goals",
    "Task": "tieline.evaluation.task",
    "TielineError": "tieline.errors",
    "Unavailable": "tieline.errors",
    "UnitError": "tieline.errors",
    "VolumeAutoencoder": "tieline.models.volumes.autoencoder",
    "backtest": "tieline.planning.backtest",
    "check": "tieline.schema",
    "connect": "tieline.client.client",
    "compare": "tieline.evaluation.compare",
    "datasets": "",
    "explore": "tieline.insight.exploration",
    "features": "",
    "figures": "",
    "inspect": "tieline.evaluation.task",
    "load": "tieline.readers.load",
    "load_posterior": "tieline.models.posterior_file",
    "open_netcdf": "tieline.schema",
    "physics": "tieline.models.fingerprint",
    "progress_bar": "tieline.progress",
    "propose": "tieline.planning.propose",
    "readers": "",
    "represent": "tieline.features.represent",
    "retrain": "tieline.evaluation.retraining",
    "save_netcdf": "tieline.schema",
    "screen": "tieline.planning.screen",
    "stopping": "tieline.planning.stopping",
    "table": "tieline.schema",
    "task": "tieline.evaluation.task",
    "worlds": "",
}

__version__ = "0.1.0"
__all__ = [
    "Campaign",
    "Categorical",
    "Composition",
    "CompositionProperties",
    "Conflict",
    "Fingerprint",
    "GaussianProcess",
    "LearnLevelSet",
    "LearnPhaseMap",
    "Learner",
    "Levels",
    "LinearConstraint",
    "Maximize",
    "Minimize",
    "MissingExtra",
    "Modality",
    "NotAllowed",
    "NotConverged",
    "NotFound",
    "NotIdentified",
    "Numeric",
    "Pareto",
    "PhaseProperty",
    "SchemaError",
    "Settings",
    "Space",
    "SpectralComposition",
    "Strategy",
    "Target",
    "Task",
    "TielineError",
    "Unavailable",
    "UnitError",
    "VolumeAutoencoder",
    "backtest",
    "check",
    "compare",
    "connect",
    "datasets",
    "explore",
    "features",
    "figures",
    "inspect",
    "load",
    "load_posterior",
    "open_netcdf",
    "physics",
    "progress_bar",
    "propose",
    "readers",
    "represent",
    "retrain",
    "save_netcdf",
    "screen",
    "stopping",
    "table",
    "task",
    "worlds",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'tieline' has no attribute '{name}'")
    home = _HOME[name]
    return getattr(import_module(home), name) if home else import_module(f"tieline.{name}")


def __dir__() -> list[str]:
    return __all__
