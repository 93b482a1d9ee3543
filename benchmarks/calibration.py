"""Are the posteriors of `PhaseProperty` as sure as they should be? Ranks and coverage over fresh worlds.

`exact`, `fast` and `mcmc` are asked about worlds from their own priors (`prior_worlds.py`). `misfit_...` are
worlds of `tieline.worlds.phase_map` that break what the models assume (`misfits.py`): many gross errors,
noise three times as loud on one side, wrong labels, labels read a tenth of the width aside, or a modality
that covers one side only. `mcmc` runs short chains here, as a world costs seconds per hundred sweeps.

`--keep FILE` appends every world to FILE and does not run again what stands there.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import xarray as xr
from scipy.special import ndtri

from benchmarks.kept import World, keep_world, kept_worlds
from benchmarks.methods import timed
from benchmarks.misfits import misfit_world
from benchmarks.prior_worlds import PriorWorld, prior_world
from benchmarks.ranks import outside, quantities, rank, uniformity
from benchmarks.tasks import Options, Row
from tieline.evaluation import scores
from tieline.models.phase_posterior import PhasePosterior
from tieline.models.phase_property import PhaseProperty

CASES = ("exact", "fast", "mcmc", "misfit_exact", "misfit_fast", "misfit_mcmc")
SEEDS = (1000, 200)  # the first world, and how many of each case
MOST = {
    "misfit_exact": 100,
    "misfit_fast": 100,
    "misfit_mcmc": 10,
}  # worlds, as they have up to 120 specimens
LEVELS = (50, 80, 90, 95)
N_DRAWS, N_SWEEPS = 199, 200
TOO_FEW = 0.8  # coverage of 90 % intervals in one world that counts as a failure
N_BINS = 10  # of claimed probability


def run(options: Options) -> Iterator[Row]:
    """Run all cases: the worlds first, then their summary."""
    if options.methods == "peers":
        return
    for case in filter(options.wants, CASES):
        known = kept_worlds(options.keep, case)
        n_seeds = min(options.n_seeds, MOST.get(case, options.n_seeds))
        for seed in range(options.first_seed, options.first_seed + n_seeds):
            if seed in known:
                continue
            known[seed] = {"case": case, "seed": seed} | answer_world(case, seed)
            keep_world(options.keep, known[seed])
        yield from summary(case, list(known.values()))


def answer_world(case: str, seed: int) -> World:
    """Draw a world, fit it, and compare what the posterior says with what is true."""
    kind, _, engine = case.rpartition("_")
    return _misfit(engine, seed) if kind else _own(engine, seed)


def summary(case: str, worlds: Sequence[World]) -> Iterator[Row]:
    """Average over worlds; standard errors are between worlds."""
    seconds = float(np.mean([world["seconds"] for world in worlds]))
    numbers = {"worlds": float(len(worlds))}
    for way in ("coverage", "normal"):
        for level in LEVELS if way in worlds[0] else ():
            share = np.array([world[way][str(level)] for world in worlds])
            name = f"coverage_{level}" + "_normal" * (way == "normal")
            numbers |= {name: share.mean(), f"{name}_se": share.std(ddof=1) / np.sqrt(len(share))}
    for name in worlds[0].get("ranks", ()):
        ranks = np.array([world["ranks"][name] for world in worlds])
        numbers |= {f"rank_chi2_p_{name}": uniformity(ranks), f"rank_outside_band_{name}": outside(ranks)}
    numbers |= {"ece": calibration_error(worlds), "brier": float(np.mean([w["brier"] for w in worlds]))}
    numbers["accuracy"] = float(np.mean([np.mean(w["is_right"]) for w in worlds]))
    if "kind" in worlds[0]:  # twenty places of a world of the prior are too few to judge it by
        numbers |= verdicts(worlds)
    for metric, value in numbers.items():
        yield Row("calibration", case, "tieline", metric, float(value), seconds)


def calibration_error(worlds: Sequence[World]) -> float:
    """Expected calibration error of the likeliest phase, over all places of all worlds."""
    claimed = np.concatenate([world["claimed"] for world in worlds])
    is_right = np.concatenate([world["is_right"] for world in worlds])
    which = np.minimum((claimed * N_BINS).astype(int), N_BINS - 1)
    gaps = [abs((is_right - claimed)[which == b].sum()) for b in range(N_BINS)]
    return float(sum(gaps) / len(claimed))


def verdicts(worlds: Sequence[World]) -> dict[str, float]:
    """How often the verdict is green, and how it goes with worlds whose intervals hold too few."""
    is_green = np.array([world["verdict"] == "green" for world in worlds])
    failed = np.array([world["normal"]["90"] < TOO_FEW for world in worlds])
    found = {"green": is_green.mean(), "failed": failed.mean()}
    if failed.any():
        found["failed_not_green"] = 1 - is_green[failed].mean()
    if is_green.any():
        found["green_but_wrong"] = failed[is_green].mean()
    return {name: float(value) for name, value in found.items()}


def ask(world: PriorWorld, posterior: PhasePosterior, seed: int) -> tuple[xr.Dataset, xr.DataArray]:
    """Predictions, and draws, at the places that are asked for and at the twins."""
    places = xr.concat([world.asked, world.twins], "specimen")[world.axes]
    return posterior.predict(places), posterior.functions(places, N_DRAWS, seed=seed)


def ranks_of(world: PriorWorld, predicted: xr.Dataset, draws: xr.DataArray, seed: int) -> dict[str, float]:
    """Rank the truth of a world among draws."""
    truth = xr.concat([world.asked, world.twins], "specimen")
    noise = predicted["strength_variance"].sel(part="noise").values[world.asked.sizes["specimen"] :]
    phase = np.array(draws.attrs["phases"])[draws["phase_draw"].values]
    drawn = quantities(world.table, draws.values[:, :, 0], phase, noise)
    true = quantities(world.table, truth["noise_free"].values[None], truth["phase"].values[None], noise)
    rng = np.random.default_rng([seed, 2])
    return {name: rank(true[name][0], drawn[name], rng) for name in drawn}


def _own(engine: str, seed: int) -> World:
    world = prior_world(engine, seed)
    model = world.model(engine, N_SWEEPS)
    posterior, fit_seconds = timed(model.fit, world.table, seed=seed)
    (predicted, draws), ask_seconds = timed(ask, world, posterior, seed)
    n = world.asked.sizes["specimen"]
    own, fresh = predicted.isel(specimen=slice(n)), world.asked["strength"].values
    noise = np.sqrt(own["strength_variance"].sel(part="noise").values)
    rng = np.random.default_rng([seed, 3])
    below = (draws.values[:, :n, 0] + noise * rng.standard_normal((N_DRAWS, n)) < fresh).mean(0)
    found = {str(level): float((np.abs(below - 0.5) < level / 200).mean()) for level in LEVELS}
    return {
        "seconds": round(fit_seconds + ask_seconds, 2),
        "ranks": {k: round(v, 4) for k, v in ranks_of(world, predicted, draws, seed).items()},
        "coverage": found,
        **_scores(own, world.asked["phase"].values, fresh, "strength"),
        "verdict": posterior.diagnose().attrs["verdict"],
    }


def _misfit(engine: str, seed: int) -> World:
    kind, world, table, fresh = misfit_world(seed, 1 if engine == "exact" else 2)
    model = PhaseProperty(world.design, "phase", "property", inference=engine, n_sweeps=N_SWEEPS)
    posterior, fit_seconds = timed(model.fit, table, seed=seed)
    predicted, ask_seconds = timed(posterior.predict, world.grid)
    found = _scores(predicted, world.truth(world.grid)["phase"].values, fresh, "property")
    # Every sixteenth place speaks for the phases: neighbours say the same.
    thin = {name: found[name][::16] for name in ("claimed", "is_right")}
    return {
        "kind": kind,
        "seconds": round(fit_seconds + ask_seconds, 2),
        **(found | thin),
        "verdict": posterior.diagnose().attrs["verdict"],
    }


def _scores(predicted: xr.Dataset, phase: np.ndarray, fresh: np.ndarray, name: str) -> World:
    """Coverage of mean +- sd intervals, and how phases compare with the truth."""
    z = np.abs(fresh - predicted[name].values) / predicted[f"{name}_sd"].values
    probability = predicted["phase_probability"]
    return {
        "normal": {str(k): round(float((z <= ndtri(0.5 + k / 200)).mean()), 4) for k in LEVELS},
        "brier": round(scores.brier(phase, probability.values, probability["phase"].values), 4),
        "claimed": probability.max("phase").values.round(3).tolist(),
        "is_right": (predicted["most_likely_phase"].values == phase).astype(int).tolist(),
    }
