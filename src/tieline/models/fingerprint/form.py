"""What networks have to know of modalities, and their sizes."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Form:
    """What a network has to know of its modality.

    Attributes:
        shape: of one measurement, without the specimen.
        likelihood: what the decoder's output means.
        has_decoder: whether a network predicts it or corrects a law; physics alone may do so instead.
        shift: pixels by which the encoder's input is moved at random while it learns.
        correction: standard deviation of what the decoder adds to a law, of standardised values; 0 if the
            decoder predicts the modality itself.
    """

    shape: tuple[int, ...]
    likelihood: str = "gaussian"
    has_decoder: bool = True
    shift: float = 0.0
    correction: float = 0.0

    @property
    def n_entries(self) -> int:
        """How many numbers one measurement has."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Width:
    """Sizes of the networks.

    Attributes:
        n_latent: dimensions of the latent space.
        n_hidden: units of a hidden layer.
        n_channels: of the first layer of patches.
    """

    n_latent: int
    n_hidden: int
    n_channels: int = 16
