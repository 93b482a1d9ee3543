"""The encoder of compositions with a layer that answers: several properties, each value off by little."""

from dataclasses import dataclass
from types import ModuleType

from tieline.models.encoder_network import AnyArray, Batch, EncoderShape, encode, unpack

BLURRED = 0.3  # standard deviation of what is added to each standardised number while it learns
UNRELIABLE = 0.5  # standard deviation of the factor that each hidden unit has while it learns
ROBUST = 0.2  # standard deviations of a property, from which on errors count by their size, not its square


@dataclass(frozen=True)
class AttentionNetwork:
    """Attention over elements, then properties.

    Attributes:
        encoder: its larger part.
        n_properties: how many it predicts.
    """

    encoder: EncoderShape
    n_properties: int

    @property
    def pieces(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of all weights."""
        answer = (self.encoder.n_hidden, self.n_properties)
        return self.encoder.pieces | {"answer": answer, "answer_bias": answer[1:]}

    @property
    def n_noise(self) -> int:
        """For every number and hidden unit one draw."""
        return self.encoder.n_numbers + self.encoder.n_hidden

    def mean(self, weights: AnyArray, features: AnyArray, batch: Batch, xp: ModuleType) -> AnyArray:
        """Expected values of order one (composition, property)."""
        return self._mean(weights, features, batch, 1.0, xp)

    def _mean(
        self, weights: AnyArray, features: AnyArray, batch: Batch, factor: AnyArray | float, xp: ModuleType
    ) -> AnyArray:
        network = unpack(weights, self.pieces, xp)
        hidden = factor * encode(network, self.encoder, features, batch, xp)
        return hidden @ network["answer"] + network["answer_bias"]

    def loss(
        self, weights: AnyArray, features: AnyArray, batch: Batch, noise: AnyArray, xp: ModuleType
    ) -> AnyArray:
        """Mean size of the errors, those near zero squared; missing values count nothing.

        What it reads, and its hidden units, are noisy: a network that relies on none of them alone errs less
        on other materials (Srivastava et al., 2014, with normal factors).
        """
        seen = xp.isfinite(batch.values)
        blur, factor = noise[:, : self.encoder.n_numbers], 1 + UNRELIABLE * noise[:, self.encoder.n_numbers :]
        blurred = batch._replace(numbers=batch.numbers + BLURRED * blur)
        error = self._mean(weights, features, blurred, factor, xp) - xp.where(seen, batch.values, 0.0)
        size = xp.sqrt(error**2 + ROBUST**2) - ROBUST
        return xp.where(seen, batch.weight * size, 0.0).sum() / xp.maximum(seen.sum(), 1)
