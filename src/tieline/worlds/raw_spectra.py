"""Raw ToF-SIMS spectra drawn around peak areas: finite resolution, a mass axis that is slightly off."""

import numpy as np
import xarray as xr

from tieline.errors import TielineError


def raw_spectra(
    table: xr.Dataset,
    *,
    resolution: float = 4000.0,
    mass_shift: float = 0.0,
    step: float = 0.004,
    background: float = 0.002,
    seed: int = 0,
) -> xr.DataArray:
    """Draw the raw spectra that peak areas would have been integrated from.

    Args:
        table: area (specimen, mz), in counts.
        resolution: m/z over the full width of a peak at half its height.
        mass_shift: sd of the relative error of each spectrum's mass axis; half of it as a shift of its root.
        step: width of a channel, u.
        background: counts of a channel where there is no peak.
        seed: of shifts and counts.

    Returns:
        counts (specimen, mz) in channels of even width.

    Raises:
        TielineError: a setting is out of range.
    """
    if min(resolution, step) <= 0 or min(mass_shift, background) < 0:
        raise TielineError(
            "Resolution and step are positive, shift and background are not negative.",
            found=f"resolution={resolution:g}, step={step:g}, mass_shift={mass_shift:g}, "
            f"background={background:g}",
        )
    rng = np.random.default_rng(seed)
    areas, exact = table["area"].transpose("specimen", "mz").values, table["mz"].values
    n_channels = int((exact.max() + 1) / step)
    mz = (np.arange(n_channels) + 0.5) * step
    counts = rng.poisson(background, (len(areas), n_channels)).astype(float)
    for row, area in zip(counts, areas, strict=True):
        stretch, root = 1 + mass_shift * rng.standard_normal(), 0.5 * mass_shift * rng.standard_normal()
        centre = (np.sqrt(exact) * np.sqrt(stretch) + root) ** 2
        # One draw for each ion that was counted: 2.355 sd are the full width at half height.
        ion = np.repeat(np.arange(len(exact)), area.astype(int))
        place = rng.normal(centre[ion], exact[ion] / resolution / 2.355)
        row += np.bincount(np.clip((place / step).astype(int), 0, n_channels - 1), minlength=n_channels)
    return xr.DataArray(
        counts,
        dims=("specimen", "mz"),
        coords={"specimen": table["specimen"], "mz": ("mz", mz, {"units": "u"})},
        name="counts",
        attrs={"units": "counts", "role": "structure"},
    )
