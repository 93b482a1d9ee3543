"""Posterior in, matplotlib figure out. Nothing is shown or written until `save` is asked to."""

from tieline.figures.backtests import backtest, regret
from tieline.figures.comparisons import comparison
from tieline.figures.compositions import element_effects, predicted_spectra, property_correlation
from tieline.figures.diffraction import phases, quantified
from tieline.figures.evidence import explained_spectrum, ion_evidence
from tieline.figures.explorations import exploration
from tieline.figures.fingerprints import cluster_cards, cross_modal, fingerprint, which_modality
from tieline.figures.histories import history
from tieline.figures.inspections import inspection
from tieline.figures.latents import convergence, latent_space, training, transfer
from tieline.figures.lines import line
from tieline.figures.maps import phase_map, property_map
from tieline.figures.ranking import proposals
from tieline.figures.reliability import calibration
from tieline.figures.spectra import composition, ion_profiles, preprocessings, scores
from tieline.figures.style import save
from tieline.figures.volumes import volume

__all__ = [
    "backtest",
    "calibration",
    "cluster_cards",
    "comparison",
    "composition",
    "convergence",
    "cross_modal",
    "element_effects",
    "explained_spectrum",
    "exploration",
    "fingerprint",
    "history",
    "inspection",
    "ion_evidence",
    "ion_profiles",
    "latent_space",
    "line",
    "phase_map",
    "phases",
    "predicted_spectra",
    "preprocessings",
    "property_correlation",
    "property_map",
    "proposals",
    "quantified",
    "regret",
    "save",
    "scores",
    "training",
    "transfer",
    "volume",
    "which_modality",
]
