"""Expectation propagation for the gate: Gaussian stand-ins for what each row says of its phase.

Laplace's method puts the latents of a sharp map near zero where they should be large, so that its
probabilities lean far too much towards 1/K (on simulated maps: 62 % claimed where 84 % were right).
Expectation propagation matches each row's mean and covariance instead, by quasi-random integration
over the K - 1 contrasts, and gives an evidence that can be trusted to choose hyperparameters.

Source: Minka (2001), and Rasmussen & Williams (2006), section 3.6. Departs from them: full (K - 1, K - 1)
sites updated in parallel with damping, started from Laplace's mode.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.linalg.blas import dtrmm  # pyright: ignore[reportAttributeAccessIssue]
from scipy.linalg.lapack import dpotri  # pyright: ignore[reportAttributeAccessIssue]

from tieline.models.arrays import Array

MAX_STEPS = 60  # of Newton's method
TOLERANCE = 1e-3  # in nats: the start of the sweeps need not be exact
DAMPING = 0.85
MOST_EXPONENT = 700.0  # exp of more would overflow
TINY = 1e-300  # keeps the logarithm of an underflowed likelihood finite
LEAST_LOG = -1e300  # of a largest term: below it all terms are zero
FEW_SWEEPS = 2  # that tell whether a setting is hopeless
AT_A_TIME = 1000  # rows times contrasts, so that their draws stay in the cache
SETTLED = 0.02  # largest change of a latent mean, in posterior standard deviations


@dataclass(frozen=True)
class Sites:
    """What the rows say together: a Gaussian posterior of the whitened latents η (rank, K - 1).

    Attributes:
        mode: mean of η.
        root: lower Cholesky factor of the precision of η.ravel().
        mean: latent contrasts (row, K - 1).
        covariance: (row, K - 1, K - 1).
        cavity_mean: the same without the row's own evidence.
        cavity_covariance: the same without the row's own evidence.
        shift: natural parameters (row, K - 1) of the sites.
        precision: (row, K - 1, K - 1) of the sites.
        log_evidence: nats.
    """

    mode: Array
    root: Array
    mean: Array
    covariance: Array
    cavity_mean: Array
    cavity_covariance: Array
    shift: Array
    precision: Array
    log_evidence: float


def propagate(
    g: Array,
    variance: Array,
    t: Array,
    evidence: Array,
    normals: Array,
    start: tuple[Array, Array] | None,
    n_sweeps: int,
    hopeless: float = -np.inf,
) -> Sites:
    """Match moments of every row in turn.

    Args:
        g: root of the prior covariance (row, rank).
        variance: prior variance of a latent at each row (row).
        t: contrasts (K, K - 1).
        evidence: log likelihood (row, K).
        normals: standard normals (draw, K - 1) with exact zero mean and unit covariance.
        start: shift and precision of the sites to begin with; Laplace's if not given.
        n_sweeps: most sweeps over the rows.
        hopeless: log evidence below which, after a few sweeps, no more are worth their time.
    """
    shift, precision = _laplace(g, t, evidence) if start is None else start
    floor = 1 / variance[:, None, None] * np.eye(t.shape[1])
    before, settled, log_evidence = None, False, 0.0
    for sweep in range(n_sweeps + 1):
        eta, root, mean, covariance = _posterior(g, shift, precision)
        cavity_mean, cavity_covariance = cavity = _remove(mean, covariance, shift, precision, floor)
        log_z, tilted_mean, tilted_covariance = _tilt(cavity, (mean, covariance), t, evidence, normals)
        if before is not None:
            deviation = np.sqrt(np.einsum("ncc->nc", covariance))
            settled = bool(np.abs((mean - before) / deviation).max() < SETTLED)
        if settled or sweep in (FEW_SWEEPS, n_sweeps):
            log_evidence = _evidence(g, eta, root, shift, mean, covariance, cavity, log_z)
        if settled or sweep == n_sweeps or (sweep == FEW_SWEEPS and log_evidence < hopeless):
            break
        before, cavity_precision = mean, np.linalg.inv(cavity_covariance)
        new = clip(np.linalg.inv(tilted_covariance) - cavity_precision, 0.0)
        new_shift = _apply(cavity_precision + new, tilted_mean) - _apply(cavity_precision, cavity_mean)
        precision = precision + DAMPING * (new - precision)
        shift = shift + DAMPING * (new_shift - shift)
    return Sites(eta, root, mean, covariance, cavity_mean, cavity_covariance, shift, precision, log_evidence)


def clip(matrices: Array, floor: float) -> Array:
    """Raise the eigenvalues of symmetric matrices (row, c, c) to at least `floor`."""
    if matrices.shape[1] == 1:
        return np.maximum(matrices, floor)
    values, vectors = np.linalg.eigh((matrices + np.swapaxes(matrices, 1, 2)) / 2)
    return np.einsum("nce,ne,nde->ncd", vectors, np.maximum(values, floor), vectors)


def inverse_of(root: Array) -> Array:
    """Inverse of root rootᵀ. Safe for a precision that is one plus something positive."""
    lower = np.tril(dpotri(root, lower=1)[0])
    return lower + np.tril(lower, -1).T


def moments(g: Array, eta: Array, inverse: Array) -> tuple[Array, Array]:
    """Mean and covariance of g η per row, with η ~ N(eta, inverse): far cheaper than a solve per row."""
    return g @ eta, covariances(g, quadratic_forms(inverse, eta.shape[1]))


def quadratic_forms(inverse: Array, c: int) -> Array:
    """Triangles (c, c, rank, rank) of which g·(Lᵀ g) is g·(B g), for the blocks B of (rank c, rank c).

    Only those of the lower blocks are filled. A product with a triangle takes half the time.
    """
    rank = len(inverse) // c
    blocks = inverse.reshape(rank, c, rank, c)
    forms = np.zeros((c, c, rank, rank))
    for i in range(c):
        for j in range(i + 1):
            block = blocks[:, i, :, j]
            forms[i, j] = np.triu(block) + np.triu(block.T, 1)
    return forms


def covariances(g: Array, forms: Array) -> Array:
    """Covariance (row, c, c) of g η per row, from the quadratic forms of η's covariance."""
    c = len(forms)
    covariance = np.empty((len(g), c, c))
    for i in range(c):
        for j in range(i + 1):
            half = dtrmm(1.0, forms[i, j].T, g.T, lower=1).T
            covariance[:, i, j] = covariance[:, j, i] = np.einsum("nr,nr->n", half, g)
    return covariance


def _posterior(g: Array, shift: Array, precision: Array) -> tuple[Array, Array, Array, Array]:
    root = np.linalg.cholesky(precision_of(g, precision))
    eta = cho_solve((root, True), (g.T @ shift).ravel()).reshape(g.shape[1], shift.shape[1])
    return eta, root, *moments(g, eta, inverse_of(root))


def _remove(
    mean: Array, covariance: Array, shift: Array, precision: Array, floor: Array
) -> tuple[Array, Array]:
    """The cavity: a row's latents without its own site, never wider than the prior."""
    inverse = np.linalg.inv(covariance)
    cavity = np.linalg.inv(clip(inverse - precision - floor, 0.0) + floor)
    return _apply(cavity, _apply(inverse, mean) - shift), cavity


def _tilt(
    cavity: tuple[Array, Array], posterior: tuple[Array, Array], t: Array, evidence: Array, normals: Array
) -> tuple[Array, Array, Array]:
    """Log normaliser, mean and covariance of cavity times likelihood, row by row."""
    n, size = len(evidence), max(AT_A_TIME // t.shape[1], 1)
    few = [
        _tilt_few((cavity[0][s], cavity[1][s]), (posterior[0][s], posterior[1][s]), t, evidence[s], normals)
        for s in (slice(i, i + size) for i in range(0, n, size))
    ]
    log_z, mean, covariance = (np.concatenate(part) for part in zip(*few, strict=True))
    return log_z, mean, covariance


def _tilt_few(
    cavity: tuple[Array, Array], posterior: tuple[Array, Array], t: Array, evidence: Array, normals: Array
) -> tuple[Array, Array, Array]:
    """`_tilt` of rows so few that their draws fit the cache.

    Half of the draws come from the cavity, which is never narrower than the answer, and half from the
    current posterior, which soon is the answer; together they need far fewer than either.
    """
    # Phases first, rows last: sums over the few phases are then whole-array additions.
    sources = [(mean, np.linalg.cholesky(covariance)) for mean, covariance in (cavity, posterior)]
    parts = [_spread_out(*source, normals) for source in sources]
    draws = np.concatenate(parts, axis=1)
    own = -0.5 * (normals**2).sum(1)[:, None]
    scales = [np.log(np.einsum("ncc->nc", root)).sum(1) for _, root in sources]
    of_cavity = np.concatenate([own - scales[0], _log_density(parts[1], *sources[0])])
    of_posterior = np.concatenate([_log_density(parts[0], *sources[1]), own - scales[1]])
    weight = 2 / (1 + np.exp(np.minimum(of_posterior - of_cavity, MOST_EXPONENT)))
    u = np.tensordot(t, draws, 1)
    u -= u.max(0)
    np.exp(u, out=u)
    best = evidence.max(1)
    likelihood = (u * np.exp(evidence - best[:, None]).T[:, None, :]).sum(0) / u.sum(0)
    weight *= likelihood + TINY
    total = weight.sum(0)
    weight /= total
    tilted = (weight * draws).sum(1)
    apart = draws - tilted[:, None, :]
    # A sum over few effective draws can vanish: no row pins its latents to better than 1e-3 of the cavity.
    matched = 1e-3 * cavity[1] + np.einsum("csn,dsn->ncd", weight * apart, apart)
    return np.log(total / (2 * len(normals))) + best, tilted.T, matched


def _spread_out(mean: Array, root: Array, normals: Array) -> Array:
    """Draws (K - 1, draw, row) of each row's Gaussian."""
    return mean.T[:, None, :] + normals @ root.transpose(1, 2, 0)


def _log_density(draws: Array, mean: Array, root: Array) -> Array:
    """Log normal density (draw, row) of draws (K - 1, draw, row), up to a constant."""
    inverse, apart = np.linalg.inv(root), draws - mean.T[:, None, :]
    total = np.log(np.einsum("ncc->nc", inverse)).sum(1) * np.ones((draws.shape[1], 1))
    for i in range(len(draws)):
        total -= 0.5 * sum(inverse[:, i, j] * apart[j] for j in range(i + 1)) ** 2
    return total


def _evidence(
    g: Array,
    eta: Array,
    root: Array,
    shift: Array,
    mean: Array,
    covariance: Array,
    cavity: tuple[Array, Array],
    log_z: Array,
) -> float:
    """Rasmussen & Williams (2006), eq. 3.65, for sites with full precisions."""
    whole = 0.5 * (g.T @ shift * eta).sum() - np.log(np.diag(root)).sum()
    rows = log_z - (_normaliser(mean, covariance) - _normaliser(*cavity))
    return float(whole + rows.sum())


def _normaliser(mean: Array, covariance: Array) -> Array:
    """½ log|S| + ½ mᵀ S⁻¹ m for every row."""
    solved = np.linalg.solve(covariance, mean[:, :, None])[:, :, 0]
    return 0.5 * np.linalg.slogdet(covariance)[1] + 0.5 * (mean * solved).sum(1)


def _apply(matrices: Array, vectors: Array) -> Array:
    return np.einsum("ncd,nd->nc", matrices, vectors)


def _laplace(g: Array, t: Array, evidence: Array) -> tuple[Array, Array]:
    """Sites of Laplace's method: the gradient and the concave curvature at the mode."""
    eta = np.zeros((g.shape[1], t.shape[1]))
    value = _objective(g, eta, t, evidence)
    for _ in range(MAX_STEPS):
        gradient, w = _derivatives(g @ eta @ t.T, evidence, t)
        root = cho_factor(precision_of(g, w), lower=True)
        step = cho_solve(root, (g.T @ gradient - eta).ravel()).reshape(eta.shape)
        size, gain = 1.0, -np.inf
        while size > 1e-4:
            gain = _objective(g, eta + size * step, t, evidence) - value
            if gain >= 0:
                break
            size /= 2
        if gain < 0:
            break
        eta, value = eta + size * step, value + gain
        if gain < TOLERANCE:
            break
    gradient, w = _derivatives(g @ eta @ t.T, evidence, t)
    return gradient + _apply(w, g @ eta), w


def _objective(g: Array, eta: Array, t: Array, evidence: Array) -> float:
    u = g @ eta @ t.T
    return float((log_sum(u + evidence) - log_sum(u)).sum() - 0.5 * (eta**2).sum())


def _derivatives(u: Array, evidence: Array, t: Array) -> tuple[Array, Array]:
    """Gradient (row, K - 1) and clipped negative Hessian (row, K - 1, K - 1) of the log likelihood."""
    prior = np.exp(u - log_sum(u)[:, None])
    posterior = np.exp(u + evidence - log_sum(u + evidence)[:, None])
    return (posterior - prior) @ t, clip(_spread(prior, t) - _spread(posterior, t), 0.0)


def log_sum(u: Array, axis: int = 1) -> Array:
    """Log of the sum of exponentials along an axis, phases (row, K) if not said; all may be -inf."""
    top = np.maximum(u.max(axis), LEAST_LOG)
    with np.errstate(divide="ignore"):
        return top + np.log(np.exp(u - np.expand_dims(top, axis)).sum(axis))


def _spread(p: Array, t: Array) -> Array:
    """Tᵀ (diag p - p pᵀ) T for every row."""
    m = p @ t
    return np.tensordot(p, t[:, :, None] * t[:, None, :], 1) - m[:, :, None] * m[:, None, :]


def precision_of(g: Array, w: Array) -> Array:
    """I + Σ_i (g_i g_iᵀ) ⊗ W_i, ordered as eta.ravel()."""
    rank, c = g.shape[1], w.shape[1]
    a = np.empty((rank, c, rank, c))
    for i in range(c):
        for j in range(i, c):
            a[:, i, :, j] = (g * w[:, i, j, None]).T @ g
            a[:, j, :, i] = a[:, i, :, j]
    a = a.reshape(rank * c, rank * c)
    a[np.diag_indices_from(a)] += 1.0
    return a
