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
from tieline.models.elliptical_slice import elliptical_slice, turn
from tieline.models.fusion import Fusion
from tieline.models.gate import contrasts
from tieline.models.mcmc_doubts import Doubts
from tieline.models.mcmc_draws import Draw
from tieline.models.mcmc_map import Frame, Reference
from tieline.models.mcmc_property import Column, LeftOut, Setting, Values
from tieline.models.observations import OUTLIER_SHARE, Observations
from tieline.models.sites import log_sum

MAP_MOVES = 12  # of the whole map, per sweep
SETTINGS_SPREAD = 2.0  # of the reference of the map's hyperparameters, so that chains find out of tails
NUDGES = 24  # of the map near single rows, per sweep
SPREADS = (1.0, 1.0, 4.0)  # of their reference, in turn
NUDGES_HELD = 4  # of these with the same Gumbel variables
EXPERT_MOVES = (1.0, 2.0)  # of each property's hyperparameters, per sweep, by spread
CERTAIN = 1e-4  # probability of all other phases below which a row's phase is not questioned by itself


class MapScore(NamedTuple):
    """A map, the phases that the Gumbel variables make of it, and what labels and values say to both."""

    phase: Indices
    log_likelihood: float
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
        doubts: where it was in doubt.
    """

    seen: Observations
    reference: Reference
    valued: Indices
    columns: tuple[Column, ...]
    membership: Array
    doubts: Doubts

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
        return cls(
            seen,
            Reference.of(fit.gates, seen.x),
            valued,
            tuple(columns),
            fit.membership[valued],
            Doubts.of(fit.membership),
        )


class Chain:
    """A Markov chain whose stationary distribution is the posterior; `sweep` moves everything once."""

    def __init__(self, start: "Start", seed: int) -> None:
        self.rng = rng = np.random.default_rng(seed)
        self.seen, self.reference, self.columns = start.seen, start.reference, start.columns
        self.n_phases = start.membership.shape[1]
        self.valued = start.valued
        self.doubts, self.visited = start.doubts, np.zeros(self.seen.label.shape)
        self.places = [self._places(column) for column in self.columns]
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

    def _places(self, column: Column) -> Indices:
        """Which of a property's values each row (row with any property) has, -1 where none."""
        places = np.full(len(self.valued), -1)
        places[column.rows] = np.arange(len(column.rows))
        return places

    def sweep(self) -> None:
        """Move everything once."""
        if self.n_phases > 1:
            self._move_map()
            self._move_settings()
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
        """Move the map as a whole."""
        frame, values = self.frame, self._values()
        others = self.rng.standard_normal((MAP_MOVES, len(self.xi)))
        steps = frame.steps(others)
        by_steps, u_mode = frame.latents(steps), frame.latents(frame.mode)
        apart = frame.whitened_latents(self.xi) - frame.mode
        by_apart = frame.latents(apart)
        here = self._look(frame.evidence, u_mode + by_apart, values)
        for other, step, by_step in zip(others, steps, by_steps, strict=True):
            # On the ellipse log odds are linear, and everything else quadratic, in sine and cosine.
            form = np.stack([frame.mode.ravel(), apart.ravel(), step.ravel()])
            eta2, xi2 = form @ form.T, np.stack([self.xi, other]) @ np.stack([self.xi, other]).T

            def on_ellipse(
                cos: float, sin: float, eta2=eta2, xi2=xi2, by_apart=by_apart, by_step=by_step
            ) -> tuple[float, MapScore]:
                at, on = np.array([1.0, cos, sin]), np.array([cos, sin])
                there = self._look(frame.evidence, u_mode + cos * by_apart + sin * by_step, values)
                by_prior = -0.5 * float(at @ eta2 @ at) + 0.5 * float(on @ xi2 @ on)
                return there.log_likelihood + by_prior, there

            start = here.log_likelihood - 0.5 * float(eta2[:2, :2].sum()) + 0.5 * float(xi2[0, 0])
            (cos, sin), (_, here) = turn(on_ellipse, (start, here), self.rng)
            self.xi, apart = cos * self.xi + sin * other, cos * apart + sin * step
            by_apart = here.latents - u_mode
            self._take(here)

    def _move_settings(self) -> None:
        """Move the map's hyperparameters with the straightened coordinates held."""

        def score(q: Array) -> tuple[float, tuple[Frame, MapScore] | None]:
            try:
                frame = Frame.at(q, self.reference, self.seen)
            except np.linalg.LinAlgError:
                return -np.inf, None
            return at(frame)

        def at(frame: Frame) -> tuple[float, tuple[Frame, MapScore] | None]:
            eta = frame.whitened_latents(self.xi)
            here = self._look(frame.evidence, frame.latents(eta), values)
            return frame.log_density - 0.5 * float((eta**2).sum()) + here.log_likelihood, (frame, here)

        values = self._values()
        current = at(self.frame)
        self.q, (_, found) = elliptical_slice(self.q, score, current, self.rng, SETTINGS_SPREAD)
        if found is not None:
            self.frame, here = found
            self._take(here)

    def _look(self, evidence: Array, u: Array, values: Values) -> MapScore:
        """What log odds `u` (row, K) make of labels and values, with the Gumbel variables held."""
        alone = u.take(self.only_labelled, 0)
        odds = np.exp(alone - alone.max(1)[:, None])
        likely = np.exp(evidence.take(self.only_labelled, 0))
        value = float(np.log((odds * likely).sum(1) / odds.sum(1)).sum())
        phase = (u.take(self.valued, 0) + self.gumbels).argmax(1)
        value += float(evidence[self.valued, phase].sum()) + values.log_density(phase)
        return MapScore(phase, value, u)

    def _nudge_map(self) -> None:
        """Move the map near single rows, one at a time.

        A sharp map is hemmed in by many rows, and a move of all of it ends at the first one that resists; a
        move along the direction in which one row's log odds vary meets only that row's neighbours.
        """
        rng, frame, values = self.rng, self.frame, self._values()
        rows, one, other = self.doubts.draw(NUDGES, rng)
        t = contrasts(self.n_phases)
        vs = frame.directions(rows, t[one] - t[other])
        steps = frame.steps(vs)
        by_steps, eta = frame.latents(steps), frame.whitened_latents(self.xi)
        here = self._look(frame.evidence, frame.latents(eta), values)
        for i, (v, step, by_step) in enumerate(zip(vs, steps, by_steps, strict=True)):
            if i % NUDGES_HELD == 0:
                self._take(here)
            # The other phase of a group may lie far out in the reference's tail.
            spread = SPREADS[i % len(SPREADS)]
            place, normal, u = float(v @ self.xi), spread * float(rng.standard_normal()), here.latents
            slope, curvature = float((eta * step).sum()), float((step**2).sum())

            def along(
                cos: float, sin: float, u=u, by_step=by_step, line=(place, normal, slope, curvature, spread)
            ) -> tuple[float, MapScore]:
                place, normal, slope, curvature, spread = line
                z = place * cos + normal * sin
                s = z - place
                there = self._look(frame.evidence, u + s * by_step, values)
                by_prior = 0.5 * (z / spread) ** 2 - s * slope - 0.5 * s**2 * curvature
                return there.log_likelihood + by_prior, there

            start = here.log_likelihood + 0.5 * (place / spread) ** 2
            (cos, sin), (_, here) = turn(along, (start, here), rng)
            s = place * cos + normal * sin - place
            self.xi, eta = self.xi + s * v, eta + s * step
        self._take(here)

    def _values(self) -> Values:
        """The values, as they judge phases while experts and gross errors stay."""
        return Values(self.columns, self.settings, self.regular)

    def _take(self, here: MapScore) -> None:
        """Keep the phases, and draw Gumbel variables anew given them; they are not part of the density."""
        self.phase = here.phase
        self._draw_gumbels(here.latents)

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
        """Draw the phase of every row that the map leaves in doubt, given all others.

        Drawn phases are proposals only, accepted by whole likelihoods.
        """
        latents = self.frame.latents(self.frame.whitened_latents(self.xi))
        u = latents[self.valued]
        probability = np.exp(latents - log_sum(latents)[:, None])
        self.visited += probability
        doubtful = np.flatnonzero(probability[self.valued].max(1) < 1 - CERTAIN)
        log_prior = u + self.frame.evidence[self.valued]
        left_out = [self._left_out(j, self.phase) for j in range(len(self.columns))]
        for i in self.rng.permutation(doubtful):
            before, log_p = self.phase[i], self._log_phase(i, log_prior[i], left_out)
            k = int((log_p + self.rng.gumbel(size=self.n_phases)).argmax())
            if k == before:
                continue
            proposed = self.phase.copy()
            proposed[i] = k
            try:
                after = [
                    self._left_out(j, proposed) if where[i] >= 0 else left_out[j]
                    for j, where in enumerate(self.places)
                ]
            except np.linalg.LinAlgError:
                continue
            gain = sum(
                new.log_likelihood - old.log_likelihood for new, old in zip(after, left_out, strict=True)
            )
            gain += log_prior[i, k] - log_prior[i, before]
            back = self._log_phase(i, log_prior[i], after)
            if np.log(self.rng.random()) < gain + back[before] - log_p[k]:
                self.phase, left_out = proposed, after
        self._draw_gumbels(latents)

    def _left_out(self, j: int, phase: Indices) -> LeftOut:
        """Property j with its values left out one by one, given the phase of each row with any (row)."""
        column = self.columns[j]
        return LeftOut(column, self.settings[j], phase[column.rows], self.regular[j])

    def _log_phase(self, i: int, log_prior: Array, left_out: list[LeftOut]) -> Array:
        """Log probability (K) of each phase of row i, all other phases given; rounding may spoil it."""
        log_p = log_prior.copy()
        for property_, where in zip(left_out, self.places, strict=True):
            if where[i] >= 0:
                log_p += property_.log_density(int(where[i]))
        return log_p - log_sum(log_p[None])[0]

    # Experts.

    def _move_expert(self, j: int) -> None:
        """Move a property's hyperparameters, and try its other kernel."""
        column, phase = self.columns[j], self.phase[self.columns[j].rows]

        def score(kernel: int, z: Array) -> tuple[float, Setting]:
            setting = column.at(kernel, z)
            value = setting.log_prior + column.log_likelihood(setting, phase, self.regular[j])
            return value + column.log_volumes[kernel], setting

        kernel = self.settings[j].kernel
        z = np.linalg.solve(column.roots[kernel], self.settings[j].theta - column.centres[kernel])
        current = score(kernel, z)
        for spread in EXPERT_MOVES:
            z, current = elliptical_slice(z, partial(score, kernel), current, self.rng, spread)
        other = self.rng.standard_normal(len(z))
        proposed = score(int(self.rng.integers(len(column.layouts))), other)
        if np.log(self.rng.random()) < proposed[0] - current[0] + 0.5 * float(other @ other - z @ z):
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
