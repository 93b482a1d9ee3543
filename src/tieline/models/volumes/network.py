"""Networks between volumes and latent variables.

Source: Y. Zhao, KIT (2024), Table 4.3, for "convolutions". "patches" are our own: blocks that do not overlap,
which a processor is quick with, and a way of its own for texture, whose latent variables a shift of the
volume does not change.
"""

from functools import lru_cache

import equinox as eqx
import numpy as np

from tieline.models.patch_layers import (
    AnyArray,
    OverlappingPatchLayer,
    OverlappingPatchUpLayer,
    PatchLayer,
    PatchUpLayer,
    namespace,
    random_weights,
    relu,
)
from tieline.models.volumes.shape import NetworkShape
from tieline.models.volumes.waves import Waves

TEXTURE_WIDTH = 128
FIRST_LOG_VARIANCE = -2.0  # of the amplitude of a wave
FIRST_TEXTURE_LOG_VARIANCE = -5.0
LEAST_SOLID = 1e-3
LEAST_LOG_VARIANCE, MOST_LOG_VARIANCE = -12.0, 6.0


class Dense(eqx.Module):
    """A matrix and a shift."""

    weight: AnyArray
    bias: AnyArray

    def __init__(self, n_in: int, n_out: int, *, scale: float = 1.0, rng: np.random.Generator) -> None:
        weight, self.bias = random_weights(rng, n_in, n_out)
        self.weight = np.float32(scale) * weight

    def __call__(self, x: AnyArray) -> AnyArray:
        """Map (specimen, n_in) to (specimen, n_out)."""
        return x @ self.weight + self.bias


class Network(eqx.Module):
    """Encoder and decoder.

    Attributes:
        down: layers from voxels to patches.
        narrow, to_layout: from patches to mean and log variance of the latent variables of layout.
        see_texture, to_texture: from coordinates of texture to those of texture.
        widen, to_patches, up: from all latent variables back to voxels.
        expect, to_numbers: from the latent variables of texture back to its coordinates.
        crest: by how much each wave changes the log odds of solid.
        level: log odds of solid, beyond what the texture says.
        shape: how wide everything is.
    """

    down: tuple[PatchLayer | OverlappingPatchLayer, ...]
    narrow: Dense
    to_layout: Dense
    see_texture: Dense | None
    to_texture: Dense | None
    widen: Dense
    to_patches: Dense
    up: tuple[PatchUpLayer | OverlappingPatchUpLayer, ...]
    expect: Dense | None
    to_numbers: Dense | None
    crest: AnyArray
    level: AnyArray
    shape: NetworkShape = eqx.field(static=True)

    def __init__(self, shape: NetworkShape, *, rng: np.random.Generator) -> None:
        self.shape = shape
        layer, layer_up = (
            (PatchLayer, PatchUpLayer)
            if shape.architecture == "patches"
            else (OverlappingPatchLayer, OverlappingPatchUpLayer)
        )
        extra = (
            [{"size": s} for s in shape.patches]
            if shape.architecture == "patches"
            else [{}] * len(shape.patches)
        )
        steps = list(zip((1, *shape.channels[:-1]), shape.channels, extra, strict=True))
        self.down = tuple(layer(3, a, b, rng=rng, **more) for a, b, more in steps)
        self.up = tuple(layer_up(3, b, a, rng=rng, **more) for a, b, more in reversed(steps))
        self.narrow = Dense(shape.n_flat, shape.hidden, rng=rng)
        self.to_layout = Dense(shape.hidden, 2 * shape.n_layout, scale=0.1, rng=rng)
        self.widen = Dense(shape.n_latent, shape.hidden, rng=rng)
        self.to_patches = Dense(shape.hidden, shape.n_flat, rng=rng)
        has_texture = shape.n_texture > 0
        width = TEXTURE_WIDTH
        self.see_texture = Dense(shape.n_texture, width, rng=rng) if has_texture else None
        self.to_texture = Dense(width, 2 * shape.n_texture, scale=0.01, rng=rng) if has_texture else None
        self.expect = Dense(shape.n_texture, width, rng=rng) if has_texture else None
        self.to_numbers = Dense(width, shape.n_texture, scale=0.01, rng=rng) if has_texture else None
        solid = shape.to_solid[0]
        scale = np.array(shape.waves.scale, np.float32) if shape.waves else np.zeros(0, np.float32)
        self.crest = scale / np.float32(solid * (1 - solid))
        self.level = np.zeros(1, np.float32)

    def encode(self, shares: AnyArray, texture: AnyArray) -> tuple[AnyArray, AnyArray]:
        """Mean and log variance (specimen, latent) of volumes (specimen, x, y, z) and their textures."""
        xp, k = namespace(shares), self.shape.n_layout
        x = 2 * shares[..., None] - 1
        for layer in self.down:
            x = relu(layer(x))
        layout = self.to_layout(relu(self.narrow(x.reshape(len(x), -1))))
        mean, log_variance = layout[:, :k], layout[:, k:]
        if self.shape.waves:
            flat = shares.reshape(len(shares), -1) / np.float32(self.shape.edge**3)
            amplitude = flat @ _columns(self.shape.waves, self.shape.edge)
            mean = mean + amplitude / np.array(self.shape.waves.scale, np.float32)
            log_variance = log_variance + FIRST_LOG_VARIANCE
        if self.see_texture is not None and self.to_texture is not None:
            beyond, k = self.to_texture(xp.tanh(self.see_texture(texture))), self.shape.n_texture
            mean = xp.concatenate([texture + beyond[:, :k], mean], 1)
            log_variance = xp.concatenate([beyond[:, k:] + FIRST_TEXTURE_LOG_VARIANCE, log_variance], 1)
        return mean, xp.clip(log_variance, LEAST_LOG_VARIANCE, MOST_LOG_VARIANCE)

    def decode(self, latent: AnyArray) -> AnyArray:
        """Log odds of solid (specimen, x, y, z) at latent variables (specimen, latent)."""
        x = relu(self.to_patches(relu(self.widen(latent))))
        x = x.reshape(len(x), *[self.shape.last_edge] * 3, -1)
        for number, layer in enumerate(self.up):
            x = layer(x if number == 0 else relu(x))
        level = self.level + self._log_odds_of_texture(latent)
        odds = x[..., 0] + level[:, None, None, None]
        if self.shape.waves:
            amplitude = latent[:, self.shape.n_texture :] * self.crest
            odds = odds + (amplitude @ _columns(self.shape.waves, self.shape.edge).T).reshape(odds.shape)
        return odds

    def expected_texture(self, latent: AnyArray) -> AnyArray:
        """Coordinates of texture (specimen, number) at latent variables (specimen, latent)."""
        kind = latent[:, : self.shape.n_texture]
        if self.expect is None or self.to_numbers is None:
            return kind
        return kind + self.to_numbers(namespace(kind).tanh(self.expect(kind)))

    def _log_odds_of_texture(self, latent: AnyArray) -> AnyArray:
        """Log odds of solid (specimen) at the porosity that the texture says."""
        xp, (mean, *gains) = namespace(latent), self.shape.to_solid
        solid = np.float32(mean) + self.expected_texture(latent) @ np.array(gains, np.float32)
        solid = xp.clip(solid, LEAST_SOLID, 1 - LEAST_SOLID)
        return xp.log(solid) - xp.log1p(-solid)


@lru_cache(maxsize=2)
def _columns(waves: Waves, edge: int) -> np.ndarray:
    """Waves as columns (block, wave), single precision."""
    return waves.columns(edge).astype(np.float32)
