"""One Markov chain over the map, the phases of specimens with properties, experts and gross errors.

The state is the map's coordinates (q, ξ), one hard phase for every row with a property, each property's
kernel and hyperparameters, and which values are gross errors. A row's phase is argmax_k (u_k + g_k), u the
map's log odds there and g standard Gumbel variables, which is a draw from the softmax of u; as the map moves
with g held, phases move with it, so that a boundary sweeps over specimens instead of being pinned by them.
"""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from tieline.models.arrays import Array, Indices
from tieline.models.elliptical_slice import elliptical_slice
from tieline.models.fusion import Fusion
from tieline.models.gate import contrasts
from tieline.models.mcmc_draws import Draw
from tieline.models.mcmc_map import Frame, Reference
from tieline.models.mcmc_property import Column, Setting
from tieline.models.observations import OUTLIER_SHARE, Observations
from tieline.models.sites import log_sum

MAP_MOVES = 8  # of the whole map, per sweep
NUDGES = 24  # of the map near single rows, per sweep
NUDGES_HELD = 4  # of these with the same Gumbel variables
EXPERT_MOVES = 2  # of each property's hyperparameters, per sweep
CERTAIN = 1e-4  # probability of all other phases below which a row's phase is not questioned by itself


class MapScore(NamedTuple):
    """A place of the chain's map, and all that its log density was made of."""

    frame: Frame
    phase: Indices
    log_values: float
    latents: Array


@dataclass(frozen=True)
class Start:
    """What all chains have in common.

    Attributes:
        seen: what was measured.
        reference: the map as fast inference knows it.
        valued: rows with any property.
        columns: the properties.
        membership: probability (row with any property, K) of each phase by fast inference.
    """

    seen: Observations
    reference: Reference
    valued: Indices
    columns: tuple[Column, ...]
    membership: Array

    @classmethod
    def of(cls, seen: Observations, fit: Fusion) -> "Start":
        """From what fast inference made of the observations."""
        measured = ~np.isnan(seen.y)
        valued = np.flatnonzero(measured.any(1))
        columns = [
            Column.of(
                np.flatnonzero(own[valued]),
                seen.x[own],
                seen.y[own, j],
                seen.error[own, j],
                fit.membership[own],
                seen.instruments_at(own),
            )
            for j, own in enumerate(measured.T)
        ]
        return cls(seen, Reference.of(fit.gates, seen.x), valued, tuple(columns), fit.membership[valued])


class Chain:
    """A Markov chain whose stationary distribution is the posterior; `sweep` moves everything once."""

    def __init__(self, start: "Start", seed: int) -> None:
        self.rng = rng = np.random.default_rng(seed)
        self.seen, self.reference, self.columns = start.seen, start.reference, start.columns
        self.n_phases = start.membership.shape[1]
        self.valued = start.valued
        self.only_labelled = np.setdiff1d(np.flatnonzero(self.seen.labelled), self.valued)
        self.phase = np.array([rng.choice(self.n_phases, p=p) for p in start.membership], dtype=np.intp)
        self.regular = [np.ones(len(column.y), dtype=bool) for column in self.columns]
        self.settings = [
            column.at(
                int(rng.integers(len(column.layouts))), 0.5 * rng.standard_normal(column.layouts[0].size)
            )
            for column in self.columns
        ]
        self.q = rng.standard_normal(len(self.reference.focus.centre))
        self.frame = Frame.at(self.q, self.reference, self.seen)
        self.xi = rng.standard_normal(self.frame.mode.size)
        self._draw_gumbels(self.frame.latents(self.frame.whitened_latents(self.xi)))

    def sweep(self) -> None:
        """Move everything once."""
        if self.n_phases > 1:
            self._move_map()
            self._nudge_map()
            self._flip_phases()
        for j in range(len(self.columns)):
            self._move_expert(j)
            self._doubt_values(j)

    def draw(self) -> Draw:
        """The present state."""
        regular = np.ones((len(self.valued), len(self.columns)), dtype=bool)
        for j, column in enumerate(self.columns):
            regular[column.rows, j] = self.regular[j]
        return Draw(
            self.frame.theta,
            self.frame.whitened_latents(self.xi),
            self.phase,
            np.array([setting.kernel for setting in self.settings], dtype=np.intp),
            np.array([setting.theta for setting in self.settings]),
            regular,
        )

    # The map.

    def _move_map(self) -> None:
        log_values = self._log_values(self.phase)
        score = self._score(self.frame, (self.phase, log_values), self.xi)
        for _ in range(MAP_MOVES):
            known = (score[1].phase, score[1].log_values)
            self.xi, score = elliptical_slice(
                self.xi, partial(self._score, self.frame, known), score, self.rng
            )
            score = self._with_new_gumbels(score)
        known = (score[1].phase, score[1].log_values)
        start = score[0] + 0.5 * float(self.q @ self.q), score[1]
        self.q, score = elliptical_slice(self.q, partial(self._score_q, known), start, self.rng)
        self.frame = score[1].frame
        self._with_new_gumbels(score)

    def _score_q(self, known: tuple[Indices, float], q: Array) -> tuple[float, MapScore]:
        try:
            frame = Frame.at(q, self.reference, self.seen)
        except np.linalg.LinAlgError:
            return -np.inf, MapScore(self.frame, known[0], known[1], np.zeros((0, 0)))
        value, score = self._score(frame, known, self.xi)
        return value + 0.5 * float(q @ q), score

    def _score(self, frame: Frame, known: tuple[Indices, float], xi: Array) -> tuple[float, MapScore]:
        """Log density of (q, ξ) over that of ξ's reference, with the Gumbel variables held.

        Args:
            frame: of q.
            known: phases whose log density of all values is known, and that density.
            xi: coordinates.
        """
        eta = frame.whitened_latents(xi)
        u = frame.latents(eta)
        value = frame.log_density - 0.5 * float((eta**2).sum()) + 0.5 * float(xi @ xi)
        likelihood, score = self._likelihood(frame, u, known)
        return value + likelihood, score

    def _likelihood(self, frame: Frame, u: Array, known: tuple[Indices, float]) -> tuple[float, MapScore]:
        """Log density of labels and values at log odds `u` (row, K), with the Gumbel variables held."""
        alone = u[self.only_labelled]
        value = float((log_sum(alone + frame.evidence[self.only_labelled]) - log_sum(alone)).sum())
        phase = (u[self.valued] + self.gumbels).argmax(1)
        value += float(frame.evidence[self.valued, phase].sum())
        log_values = known[1] if np.array_equal(phase, known[0]) else self._log_values(phase)
        return value + log_values, MapScore(frame, phase, log_values, u)

    def _nudge_map(self) -> None:
        """Move the map near single rows, one at a time.

        A sharp map is hemmed in by many rows, and a move of all of it ends at the first one that resists; a
        move along the direction in which one row's log odds vary meets only that row's neighbours.
        """
        rng, frame, t = self.rng, self.frame, contrasts(self.n_phases)
        eta = frame.whitened_latents(self.xi)
        u = frame.latents(eta)
        score = MapScore(frame, self.phase, self._log_values(self.phase), u)
        for i in range(NUDGES):
            known = (score.phase, score.log_values)
            if i % NUDGES_HELD == 0:
                self.phase = score.phase
                self._draw_gumbels(u)
            one = int(rng.integers(self.n_phases))
            other = (one + int(rng.integers(1, self.n_phases))) % self.n_phases
            v, step = frame.direction(int(rng.integers(len(u))), t[one] - t[other])
            by_step, place = frame.latents(step), float(v @ self.xi)
            slope, curvature = float((eta * step).sum()), float((step**2).sum())

            def along(
                z: Array, u=u, by_step=by_step, place=place, slope=slope, curvature=curvature, known=known
            ):
                s = float(z[0]) - place
                value, found = self._likelihood(frame, u + s * by_step, known)
                return value - s * slope - 0.5 * s**2 * curvature + 0.5 * float(z[0]) ** 2, found

            z, (_, score) = elliptical_slice(np.array([place]), along, along(np.array([place])), rng)
            s = float(z[0]) - place
            self.xi, eta, u = self.xi + s * v, eta + s * step, score.latents
        self.phase = score.phase
        self._draw_gumbels(u)

    def _log_values(self, phase: Indices) -> float:
        """Log density of all values given the phase of their rows."""
        parts = zip(self.columns, self.settings, self.regular, strict=True)
        return sum(column.log_likelihood(setting, phase[column.rows], own) for column, setting, own in parts)

    def _with_new_gumbels(self, score: tuple[float, MapScore]) -> tuple[float, MapScore]:
        """The same with Gumbel variables drawn anew given phases; they are not part of the density."""
        self.phase = score[1].phase
        self._draw_gumbels(score[1].latents)
        return score

    def _draw_gumbels(self, latents: Array) -> None:
        """Draw g given that argmax (u + g) is the phase: the largest first, the others below it."""
        u = latents[self.valued]
        rows = np.arange(len(u))
        top = log_sum(u) + self.rng.gumbel(size=len(u))
        below = -np.logaddexp(-top[:, None], -(u + self.rng.gumbel(size=u.shape)))
        below[rows, self.phase] = top
        self.gumbels = below - u

    # Phases of single rows.

    def _flip_phases(self) -> None:
        """Question the phase of every row that the map leaves in doubt."""
        latents = self.frame.latents(self.frame.whitened_latents(self.xi))
        u = latents[self.valued]
        probability = np.exp(u - log_sum(u)[:, None])
        evidence = self.frame.evidence[self.valued]
        log_values = self._log_values(self.phase)
        doubtful = np.flatnonzero(probability.max(1) < 1 - CERTAIN)
        for i in self.rng.permutation(doubtful):
            before, k = self.phase[i], int(self.rng.choice(self.n_phases, p=probability[i]))
            if k == before:
                continue
            proposed = self.phase.copy()
            proposed[i] = k
            other = self._log_values(proposed)
            if np.log(self.rng.random()) < other - log_values + evidence[i, k] - evidence[i, before]:
                self.phase, log_values = proposed, other
        self._draw_gumbels(latents)

    # Experts.

    def _move_expert(self, j: int) -> None:
        """Move a property's hyperparameters, and try its other kernel."""
        column, phase = self.columns[j], self.phase[self.columns[j].rows]

        def score(kernel: int, z: Array) -> tuple[float, Setting]:
            setting = column.at(kernel, z)
            value = setting.log_prior + column.log_likelihood(setting, phase, self.regular[j])
            return value + 0.5 * float(z @ z) + column.log_volumes[kernel], setting

        kernel = self.settings[j].kernel
        z = np.linalg.solve(column.roots[kernel], self.settings[j].theta - column.centres[kernel])
        current = score(kernel, z)
        for _ in range(EXPERT_MOVES):
            z, current = elliptical_slice(z, partial(score, kernel), current, self.rng)
        proposed = score(int(self.rng.integers(len(column.layouts))), self.rng.standard_normal(len(z)))
        if np.log(self.rng.random()) < proposed[0] - current[0]:
            current = proposed
        self.settings[j] = current[1]

    def _doubt_values(self, j: int) -> None:
        """Ask one value of a property whether it is a gross error."""
        column, phase = self.columns[j], self.phase[self.columns[j].rows]
        proposed = self.regular[j].copy()
        i = int(self.rng.choice(len(column.y), p=column.suspicion))
        proposed[i] = not proposed[i]
        odds = np.log(OUTLIER_SHARE / (1 - OUTLIER_SHARE)) * (1 if self.regular[j][i] else -1)
        before, after = (
            column.log_likelihood(self.settings[j], phase, regular) for regular in (self.regular[j], proposed)
        )
        if np.log(self.rng.random()) < after - before + odds:
            self.regular[j] = proposed
