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
        """One draw for every number and every hidden unit."""
        return self.encoder.n_numbers + self.encoder.n_hidden

    def mean(self, weights: AnyArray, features: AnyArray, batch: Batch, xp: ModuleType) -> AnyArray:
        """Expected values of order one (composition, property)."""
        network = unpack(weights, self.pieces, xp)
        return _answer(network, encode(network, self.encoder, features, batch, xp))

    def loss(
        self, weights: AnyArray, features: AnyArray, batch: Batch, noise: AnyArray, xp: ModuleType
    ) -> AnyArray:
        """Mean size of the errors, those near zero squared; missing values count nothing.

        Numbers are blurred and hidden units unreliable: a network that depends on none of them alone errs
        less on other materials (Srivastava et al., 2014, section 10, with normal factors).
        """
        network = unpack(weights, self.pieces, xp)
        n = self.encoder.n_numbers
        blurred = batch._replace(numbers=batch.numbers + BLURRED * noise[:, :n])
        hidden = encode(network, self.encoder, features, blurred, xp) * (1 + UNRELIABLE * noise[:, n:])
        seen = xp.isfinite(batch.values)
        error = _answer(network, hidden) - xp.where(seen, batch.values, 0.0)
        size = xp.sqrt(error**2 + ROBUST**2) - ROBUST
        return xp.where(seen, batch.weight * size, 0.0).sum() / xp.maximum(seen.sum(), 1)


def _answer(network: dict[str, AnyArray], hidden: AnyArray) -> AnyArray:
    return hidden @ network["answer"] + network["answer_bias"]
