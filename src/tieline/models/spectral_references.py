"""What the spectra of pure compounds tell: their levels, and how spectra of one compound scatter.

A spot counts n_j ~ Poisson(d f_j m_j) in channel j, with a dose d that scales the whole spectrum and a factor
f_j of mean 1 for every channel. Both are learned from the spots of pure compounds. The variance of a channel
is then m + s^2 m^2 at a dose of 1; s^2 is shrunk for each channel towards that of all channels, as far as
channels do not differ by more than chance.
"""

from dataclasses import dataclass

import numpy as np

from tieline.models.arrays import Array, Mask

N_ROUNDS = 5  # dose and level are each found given the other
FEW_COUNTS = 30.0  # in fewer the variance is Poisson's, and says nothing of s
TYPICAL_SPREAD = 0.06  # variance of f that channels are weighed with before s^2 is known


@dataclass(frozen=True)
class References:
    """Pure spectra at a dose of one.

    Attributes:
        compounds: names, sorted.
        channels (channel): the axis.
        axis: its name.
        level (compound, channel): mean counts of one spot.
        highest (channel): the most that any reference counted.
        n_spectra (compound): from how many spectra.
        spread (channel): variance of f, dimensionless.
        dose_sd: sd of the logarithm of the dose between spots.
    """

    compounds: tuple[str, ...]
    channels: Array
    axis: str
    level: Array
    highest: Array
    n_spectra: Array
    spread: Array
    dose_sd: float

    @property
    def level_variance(self) -> Array:
        """Variance (compound, channel) of the levels, up to a common factor of each compound."""
        return (self.level + self.spread * self.level**2) / self.n_spectra[:, None]

    @property
    def log_yield_variance(self) -> Array:
        """Variance (compound) of the logarithm of a compound's common factor: the mean dose of its spots."""
        return self.dose_sd**2 / self.n_spectra

    def seen(self, channel: Mask) -> "References":
        """Keep some of the channels."""
        return References(
            self.compounds, self.channels[channel], self.axis, self.level[:, channel], self.highest[channel],
            self.n_spectra, self.spread[channel], self.dose_sd,
        )  # fmt: skip


def learn_references(counts: Array, label: np.ndarray, channels: Array, axis: str) -> References:
    """Learn from spectra of pure compounds.

    Args:
        counts (spectrum, channel): of pure compounds.
        label (spectrum): which compound.
        channels (channel): the axis.
        axis: its name.
    """
    compounds = tuple(np.unique(label).tolist())
    groups = [counts[label == compound] for compound in compounds]
    found = [_dose_and_level(group) for group in groups]
    doses = [dose for dose, _ in found if len(dose) > 1]
    level = np.stack([level for _, level in found])
    freedom = sum(len(d) - 1 for d in doses)
    dose_variance = sum(float(((np.log(d) - np.log(d).mean()) ** 2).sum()) for d in doses) / freedom
    n_spectra = np.array([len(group) for group in groups], dtype=float)
    spread = _spread(groups, found)
    highest = counts.max(0)
    return References(
        compounds, channels, axis, level, highest, n_spectra, spread, float(np.sqrt(dose_variance))
    )


def _dose_and_level(group: Array) -> tuple[Array, Array]:
    """Dose (spectrum), of mean one, and level (channel) of the spectra of one compound."""
    level, dose = group.mean(0), np.ones(len(group))
    for _ in range(N_ROUNDS):
        weight = 1 / (1 + TYPICAL_SPREAD * level)  # level times the inverse variance of a ratio
        dose = np.maximum((group * weight).sum(1) / (level * weight).sum(), 1e-6)
        dose /= dose.mean()
        level = (group / dose[:, None]).mean(0)
    return dose, level


def _spread(groups: list[Array], found: list[tuple[Array, Array]]) -> Array:
    """Variance of f (channel): what scatter there is beyond Poisson's, relative to the level squared."""
    several = [(group, *parts) for group, parts in zip(groups, found, strict=True) if len(group) > 1]
    own, level = np.zeros((2, len(several), groups[0].shape[1]))
    for k, (group, dose, mean) in enumerate(several):
        expected = dose[:, None] * np.maximum(mean, 1e-9)
        scatter = ((group - expected) ** 2).sum(0) * len(group) / (len(group) - 1)
        own[k] = (scatter - expected.sum(0)) / (expected**2).sum(0)
        level[k] = mean
    freedom = np.array([len(group) - 1.0 for group, *_ in several])[:, None]
    common = TYPICAL_SPREAD
    for _ in range(2):  # how sure each estimate is depends a little on what is estimated
        chance = 2 * (common + 1 / np.maximum(level, 1)) ** 2 / freedom
        weight = np.where(level > FEW_COUNTS, 1 / chance, 0)
        if not weight.any():
            return np.zeros(level.shape[1])
        common = max(float((weight * own).sum() / weight.sum()), 0.0)
    total = weight.sum(0)
    known = total > 0
    of_channel = np.where(known, (weight * own).sum(0) / np.where(known, total, 1), common)
    between = max(float(np.mean((of_channel[known] - common) ** 2 - 1 / total[known])), 0.0)
    # James & Stein: a channel keeps of its own estimate what is not chance.
    return np.maximum(
        common + between / (between + 1 / np.where(known, total, 1e-9)) * (of_channel - common), 0
    )
