"""How wide a network between volumes and latent variables is."""

import math
from dataclasses import dataclass

from tieline.models.volumes.waves import Waves

CHANNELS = (16, 32, 64, 128)  # of the convolutions, each halving the edge
PATCH_CHANNELS = (64, 128)  # after the first patches, and after each further ones
FIRST_PATCH, LAST_EDGE = 4, 4  # blocks; the edge at which patches become one list of numbers


@dataclass(frozen=True)
class NetworkShape:
    """Widths of a network, and what it begins with.

    Attributes:
        architecture: "patches" or "convolutions".
        edge: blocks along an edge of a volume.
        n_layout: latent variables of where ligaments run.
        hidden: width of the layer between patches and latent variables.
        waves: whose amplitudes are where latent variables of layout begin; None for none.
        tolerance: standard deviation of each coordinate of texture around what is expected.
        to_solid: the mean share of solid, and what it gains by each coordinate of texture.
    """

    architecture: str
    edge: int
    n_layout: int
    hidden: int
    waves: Waves | None
    tolerance: tuple[float, ...]
    to_solid: tuple[float, ...]

    @property
    def n_texture(self) -> int:
        """Latent variables of what a volume is like: one for each of its coordinates."""
        return len(self.tolerance)

    @property
    def n_latent(self) -> int:
        """All latent variables; those of texture come first."""
        return self.n_texture + self.n_layout

    @property
    def patches(self) -> tuple[int, ...]:
        """Edges of the patches, layer by layer, in what the layer before made of blocks."""
        if self.architecture == "convolutions":
            return (2,) * len(CHANNELS)
        return (FIRST_PATCH, *[2] * int(math.log2(self.edge // FIRST_PATCH // LAST_EDGE)))

    @property
    def channels(self) -> tuple[int, ...]:
        """Numbers for every patch, layer by layer."""
        if self.architecture == "convolutions":
            return CHANNELS
        return (PATCH_CHANNELS[0], *[PATCH_CHANNELS[1]] * (len(self.patches) - 1))

    @property
    def last_edge(self) -> int:
        """Patches along an edge after the last layer."""
        return self.edge // math.prod(self.patches)

    @property
    def n_flat(self) -> int:
        """Numbers of a volume after the last layer."""
        return self.last_edge**3 * self.channels[-1]

    @property
    def n_weights(self) -> int:
        """Weights of encoder and decoder, those of texture and shifts left out: they are few."""
        kernel = 4 if self.architecture == "convolutions" else 1
        layers = zip((1, *self.channels[:-1]), self.channels, self.patches, strict=True)
        in_layers = 2 * sum((kernel if kernel > 1 else size) ** 3 * a * b for a, b, size in layers)
        return in_layers + self.hidden * (2 * self.n_flat + 2 * self.n_layout + self.n_latent)
