"""How far to trust a composition: every reference spectrum told by the others."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from tieline.models.spectral_reading import read_references
from tieline.models.spectral_references import References, learn_references
from tieline.models.unmixing import shares, unmix
from tieline.models.verdict import judge

if TYPE_CHECKING:
    from tieline.models.spectral_posterior import SpectralPosterior

FEW_SPECTRA = 5
CLEAR_SHARE = 0.8  # of its own compound, that a left-out reference should have at least
ALIKE = 0.1  # standard error of an absent compound's share: two pure spectra are hardly told apart
MOST_ASTRAY = 0.05  # of the references


def diagnose(posterior: "SpectralPosterior") -> xr.Dataset:
    """Tell each reference by the others, and put the result in one sentence."""
    found = _left_out(posterior)
    fine = ("green", "Every reference is told by the others", "Use the shares and their intervals.")
    return judge(found, _worries(posterior, found), fine, posterior.notes)


def _left_out(posterior: "SpectralPosterior") -> xr.Dataset:
    model, compounds = posterior.model, posterior.compounds
    spectra, label = read_references(posterior.table, model.spectrum, model.reference)
    n_rows = posterior.table.sizes["specimen"]
    share, misfit = np.full((n_rows, len(compounds)), np.nan), np.full(n_rows, np.nan)
    own = np.full(n_rows, np.nan)
    for i, row in enumerate(spectra.of_rows(posterior.table, None)):
        others = np.arange(len(label)) != i
        if (label[others] == label[i]).any() and _several(label[others]):
            references = learn_references(
                spectra.counts[others], label[others], spectra.channels, spectra.axis
            )
            mixture = unmix(spectra.counts[i], references)
            share[row], *_ = shares(mixture, np.ones(len(compounds)), references.log_yield_variance)
            misfit[row], own[row] = mixture.misfit, share[row, compounds.index(label[i])]
    return xr.Dataset(
        {
            "loo_share": (("specimen", "compound"), share, {"units": "1"}),
            "loo_own_share": ("specimen", own, {"units": "1"}),
            "loo_misfit": ("specimen", misfit, {"units": "1"}),
            "n_spectra": ("compound", posterior.references.n_spectra.astype(int)),
            "share_sd": ("compound", _absent_sd(posterior.references), {"units": "1"}),
        },
        coords={"specimen": posterior.table["specimen"], "compound": compounds},
    )


def _several(label: np.ndarray) -> bool:
    return np.unique(label, return_counts=True)[1].max() > 1


def _absent_sd(references: References) -> np.ndarray:
    """Standard error of each compound's share in one spot of another that it is most easily taken for."""
    n = len(references.compounds)
    worst = np.zeros(n)
    for k in range(n):
        covariance = unmix(references.level[k], references).covariance
        is_other = np.arange(n) != k
        worst[is_other] = np.maximum(worst, np.sqrt(np.diag(covariance)))[is_other]
    return worst


def _worries(posterior: "SpectralPosterior", found: xr.Dataset) -> Iterator[tuple[str, str, str]]:
    """Yield (verdict, sentence, action) for everything that is not as it should be."""
    own = found["loo_own_share"].values
    told = own[np.isfinite(own)]
    astray = float((told < 0.5).mean()) if len(told) else 0.0
    unclear = float((told < CLEAR_SHARE).mean()) if len(told) else 0.0
    if astray > MOST_ASTRAY:
        yield (
            "red",
            f"{astray:.0%} of the references are taken for other compounds when left out",
            "Look for mistaken labels, or measure compounds that differ more.",
        )
    elif unclear > MOST_ASTRAY:
        yield (
            "amber",
            f"{unclear:.0%} of the references, left out, are less than {CLEAR_SHARE:.0%} their own compound",
            "Look at these spots for contamination, or measure more spots.",
        )
    for compound in posterior.compounds:
        n, sd = (found[name].sel(compound=compound).item() for name in ("n_spectra", "share_sd"))
        if sd > ALIKE:
            yield (
                "amber",
                f"{compound} is hardly told from the others: its share is off by {sd:.2f} where it is absent",
                f"Measure more spots, or peaks that only {compound} has.",
            )
        if n < FEW_SPECTRA:
            yield (
                "amber",
                f"{compound} has only {n} reference spectr{'um' if n == 1 else 'a'}",
                f"Measure {compound} on more spots.",
            )
