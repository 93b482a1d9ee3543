"""The peer "nuts": NumPyro's no-U-turn sampler on a smooth blend of the phases' functions.

Chains start where tieline's fast inference ended, and are watched at the places at which tieline watches its
own. `benchmarks.nuts_model` writes the model down; it needs jax and NumPyro, this file does without them.

Source:
    Hoffman & Gelman (2014), arXiv:1111.4246, and Phan et al. (2019), arXiv:1912.11554.
"""

import os
from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from benchmarks.methods import timed
from benchmarks.scoring import phase_scores, property_scores
from benchmarks.tasks import Row, Task
from tieline.models.convergence import convergence
from tieline.models.mcmc import N_KEPT, Watch
from tieline.models.phase_property import PhaseProperty

if TYPE_CHECKING:
    from benchmarks.nuts_model import Arrays, Blend

# Before jax is loaded: one thread, as every other method has.
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

N_CHAINS = 4
MAX_TREE_DEPTH = 6  # nearly every trajectory would be longer, at twice the cost for each step up


def nuts_rows(benchmark: str, case: str, task: Task, n_draws: int = 300) -> Iterator[Row]:
    """Score the sampler on a task, and say how its chains converged; compilation is part of its time."""
    if find_spec("numpyro") is None:
        yield Row(benchmark, case, "nuts", "skipped", "skipped: no numpyro", 0.0)
        return
    (prediction, traces), seconds = timed(sample_nuts, task, n_draws, n_draws, seed=0)
    found = convergence(traces)
    numbers = phase_scores(task.truth, prediction) | property_scores(task, prediction)
    numbers |= {"rhat_max": found.rhat, "ess_bulk_min": found.ess_bulk, "ess_tail_min": found.ess_tail}
    numbers["ess_per_second"] = min(found.ess_bulk, found.ess_tail) / seconds
    for metric, value in numbers.items():
        yield Row(benchmark, case, "nuts", metric, value, seconds)


def sample_nuts(task: Task, n_warmup: int, n_draws: int, seed: int) -> tuple[xr.Dataset, np.ndarray]:
    """Sample four chains side by side.

    Args:
        task: what was measured, and where to predict.
        n_warmup: draws of each chain in which the sampler adapts.
        n_draws: draws of each chain after that.
        seed: of starts and chains.

    Returns:
        The prediction on the grid as a tieline posterior gives it, and the traces (chain, draw, prediction)
        of what `tieline.models.mcmc.Watch` watches.
    """
    import numpyro
    from jax import random
    from numpyro.infer import MCMC, NUTS

    from benchmarks.nuts_model import Blend

    numpyro.enable_x64()  # single precision breaks the Cholesky factors where noise is small
    names = list(task.properties)
    model = PhaseProperty(task.design, "phase", names, **{**task.settings, "inference": "fast"})
    posterior = model.fit(task.table, seed=seed)
    fit, x = posterior.answer.fit, posterior.encoding.scaled(task.grid)
    blend = Blend.of(posterior.answer.seen, fit, x)
    options = {"num_chains": N_CHAINS, "chain_method": "vectorized", "progress_bar": False}
    sampler = NUTS(blend.program, max_tree_depth=MAX_TREE_DEPTH)
    chains = MCMC(sampler, num_warmup=n_warmup, num_samples=n_draws, **options)
    starts = blend.starts(fit, N_CHAINS, np.random.default_rng(seed))
    chains.run(random.PRNGKey(seed), init_params=starts)
    draws = chains.get_samples()  # one chain after the other
    traces = _traces(blend, draws).reshape(N_CHAINS, n_draws, -1)
    kept = np.unique(np.linspace(0, N_CHAINS * n_draws - 1, N_KEPT).round().astype(int))
    weight, mean, variance = blend.answers({name: value[kept] for name, value in draws.items()}, x)
    prediction = xr.Dataset(coords={"specimen": task.grid["specimen"], "phase": list(posterior.phases)})
    prediction["phase_probability"] = (("specimen", "phase"), weight.mean(0))
    sd = np.sqrt(variance.mean(0) + mean.var(0))
    for j, (name, scale) in enumerate(zip(names, posterior.encoding.scale, strict=True)):
        prediction[name] = ("specimen", mean[..., j].mean(0) * scale + posterior.encoding.centre[j])
        prediction[f"{name}_sd"] = ("specimen", sd[:, j] * scale)
    return prediction, traces


def _traces(blend: "Blend", draws: "Arrays") -> np.ndarray:
    """What `Watch.of` gives of tieline's draws, of these (draw, prediction)."""
    watch = Watch.over(blend.seen)
    weight, mean, variance = blend.answers(draws, watch.x)
    entropy = -(weight * np.log(weight + 1e-12)).sum(2)
    parts = [weight[..., watch.named], entropy, mean, np.log(variance)]
    return np.hstack([part.reshape(len(weight), -1) for part in parts])
