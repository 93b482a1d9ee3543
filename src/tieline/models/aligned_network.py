"""Two ways to one latent place, from the elements and from the labels, aligned; labels that attend to labels.

While it is trained, values y are read by an encoder of their own into q(z | y), which is to agree with what
the composition says, p(z | x); both are decoded alike. Properties have embeddings, which see each other by
attention before each is answered. What is left has a covariance that is fitted by the likelihood.

Source: Kong et al. (2021), doi:10.1063/5.0047066 (H-CLMP), for aligned latent places, shared decoder,
property embeddings and attention among labels. Departs from its published code: the loss is a bound of the
likelihood, with a covariance of what is left instead of sampled embeddings and of divergences of softmaxes;
a prediction is made at the mean of z, and is the same every time; it needs no labels, which may be missing
in training, too; compositions may be of one element; the network is small.
"""

import math
from dataclasses import dataclass
from types import ModuleType

from tieline.models.encoder_network import AnyArray, Batch, EncoderShape, encode, silu, softmax, unpack

N_LATENT = 32
N_LABEL_UNITS = 64
N_TOKEN = 16  # numbers of a property's embedding when properties attend to each other
LEAST_NOISE = 1e-3  # variance of a standardised property that no network goes below
MOST_LOG_SD = 4.0  # of a latent place


@dataclass(frozen=True)
class AlignedNetwork:
    """Attention over elements, a latent place that labels know too, properties that attend to each other.

    Attributes:
        encoder: of compositions.
        n_properties: how many it predicts.
    """

    encoder: EncoderShape
    n_properties: int

    @property
    def pieces(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of all weights."""
        h, p = self.encoder.n_hidden, self.n_properties
        return self.encoder.pieces | {
            "place": (h, 2 * N_LATENT), "place_bias": (2 * N_LATENT,),
            "label": (2 * p, N_LABEL_UNITS), "label_bias": (N_LABEL_UNITS,),
            "told": (N_LABEL_UNITS, 2 * N_LATENT), "told_bias": (2 * N_LATENT,),
            "decode": (h + N_LATENT, h), "decode_bias": (h,), "refine": (h, h), "refine_bias": (h,),
            "embedding": (h, p), "answer_bias": (p,),
            "token": (h, N_TOKEN), "token_own": (p, N_TOKEN), "token_look": (N_TOKEN, 3 * N_TOKEN),
            "answer": (N_TOKEN, 1),
            "left_by_place": (p, p), "left_by_labels": (p, p),
        }  # fmt: skip

    @property
    def n_noise(self) -> int:
        """Draws of both latent places."""
        return 2 * N_LATENT

    def mean(self, weights: AnyArray, features: AnyArray, batch: Batch, xp: ModuleType) -> AnyArray:
        """Expected values of order one (composition, property)."""
        network = unpack(weights, self.pieces, xp)
        hidden = encode(network, self.encoder, features, batch, xp)
        place = hidden @ network["place"] + network["place_bias"]
        return self._decode(network, hidden, place[:, :N_LATENT], xp)

    def loss(
        self, weights: AnyArray, features: AnyArray, batch: Batch, noise: AnyArray, xp: ModuleType
    ) -> AnyArray:
        """Minus a bound of the log likelihood given the labels' place, and the likelihood given the other."""
        network = unpack(weights, self.pieces, xp)
        seen = xp.isfinite(batch.values)
        values = xp.where(seen, batch.values, 0.0)
        hidden = encode(network, self.encoder, features, batch, xp)
        place = _bounded(hidden @ network["place"] + network["place_bias"], xp)
        labels = xp.concatenate([values, xp.where(seen, 1.0, 0.0)], 1)
        units = silu(labels @ network["label"] + network["label_bias"], xp)
        told = _bounded(units @ network["told"] + network["told_bias"], xp)
        total = _divergence(told, place, xp)
        for (mean, log_sd), part, left in (
            (place, noise[:, :N_LATENT], "left_by_place"),
            (told, noise[:, N_LATENT:], "left_by_labels"),
        ):
            drawn = mean + xp.exp(log_sd) * part
            error = xp.where(seen, self._decode(network, hidden, drawn, xp) - values, 0.0)
            error = xp.sqrt(batch.weight) * error
            total = total + _misfit(error, seen, network[left], xp)
        return (total / xp.maximum(seen.sum(1), 1)).mean()

    def _decode(
        self, network: dict[str, AnyArray], hidden: AnyArray, place: AnyArray, xp: ModuleType
    ) -> AnyArray:
        """Properties (composition, property) of what is known and of a latent place (composition, latent)."""
        both = xp.concatenate([hidden, place], 1)
        found = silu(both @ network["decode"] + network["decode_bias"], xp)
        found = found + silu(found @ network["refine"] + network["refine_bias"], xp)
        first = found @ network["embedding"] + network["answer_bias"]
        tokens = (found @ network["token"])[:, None] * network["embedding"].mean(0)[:, None]
        tokens = tokens + network["token_own"]
        query, key, value = xp.split(tokens @ network["token_look"], 3, axis=-1)
        attention = softmax(query @ xp.swapaxes(key, 1, 2) / math.sqrt(N_TOKEN), 2, xp)
        return first + ((tokens + attention @ value) @ network["answer"])[..., 0]


def _bounded(place: AnyArray, xp: ModuleType) -> tuple[AnyArray, AnyArray]:
    """Mean and log standard deviation of a latent place."""
    mean, log_sd = xp.split(place, 2, axis=1)
    return mean, MOST_LOG_SD * xp.tanh(log_sd / MOST_LOG_SD)


def _divergence(of: tuple[AnyArray, AnyArray], other: tuple[AnyArray, AnyArray], xp: ModuleType) -> AnyArray:
    """How far one Gaussian is from another (composition), nats."""
    apart = (of[0] - other[0]) ** 2 + xp.exp(2 * of[1])
    return (other[1] - of[1] + 0.5 * apart * xp.exp(-2 * other[1]) - 0.5).sum(1)


def _misfit(error: AnyArray, seen: AnyArray, root: AnyArray, xp: ModuleType) -> AnyArray:
    """Minus the log density (composition) of errors, those that are seen, with a covariance for all."""
    from jax.scipy.linalg import solve_triangular

    n = root.shape[0]
    identity = xp.eye(n)
    # At the start, when the root is nearly nothing, the covariance is one.
    factor = identity + xp.tril(root)
    covariance = factor @ factor.T + LEAST_NOISE * identity
    both = seen[:, :, None] & seen[:, None, :]
    masked = xp.where(both, covariance, identity)  # what is missing adds a constant
    lower = xp.linalg.cholesky(masked)
    scaled = solve_triangular(lower, error[..., None], lower=True)
    return 0.5 * (scaled**2).sum((1, 2)) + xp.log(xp.diagonal(lower, axis1=1, axis2=2)).sum(1)
