"""Why a spectrum is said to be of these compounds: what each of them adds to every peak."""

import numpy as np
import xarray as xr

from tieline.errors import SchemaError
from tieline.models.spectral_posterior import SpectralPosterior
from tieline.models.spectral_reading import read_unknowns
from tieline.models.unmixing import unmix

MOST_SPECTRA = 500  # of one answer: each has every peak of every compound


def spectral_evidence(
    posterior: SpectralPosterior, table: xr.Dataset, *, by: str | None = None
) -> xr.Dataset:
    """Take unknown spectra apart, peak by peak.

    Whatever the method of the model, this is what the unmixing by the references says.

    Args:
        posterior: of `SpectralComposition`.
        table: spectra on `specimen`, as for `predict`.
        by: name of a variable; spectra that agree in it are averaged first.

    Returns:
        counts (specimen, channel), of one spot; contribution (specimen, compound, channel), what each
        compound adds to them; residual (specimen, channel), counts less all contributions in standard
        errors; alone (specimen, compound, channel), what a compound would show if there were nothing else, by
        which its ions are judged. NaN where nothing was counted.

    Raises:
        SchemaError: the spectra are missing, negative, over other channels, or too many.
    """
    known = posterior.references
    unknowns = read_unknowns(table, posterior.model.spectrum, known, by)
    counts, n = unknowns.spectra.counts, len(unknowns.names)
    if n > MOST_SPECTRA:
        raise SchemaError(
            f"At most {MOST_SPECTRA} spectra are taken apart at once.",
            found=f"{n} spectra",
            hint="average the spots of each specimen with by=, or choose some",
        )
    contribution, alone = np.full((2, n, *known.level.shape), np.nan)
    residual = np.full(counts.shape, np.nan)
    for i in np.flatnonzero(~unknowns.is_empty):
        mixture = unmix(counts[i], known, int(unknowns.n_spots[i]))
        contribution[i], alone[i] = mixture.amount[:, None] * known.level, mixture.amount.sum() * known.level
        residual[i] = mixture.residual
    axis = known.axis
    return xr.Dataset(
        {
            "counts": (("specimen", axis), counts, {"units": "counts"}),
            "contribution": (("specimen", "compound", axis), contribution, {"units": "counts"}),
            "alone": (("specimen", "compound", axis), alone, {"units": "counts"}),
            "residual": (("specimen", axis), residual, {"units": "1"}),
        },
        coords={
            "specimen": unknowns.names,
            "compound": posterior.compounds,
            axis: posterior.table[axis].sel({axis: known.channels}),
        },
    )
