"""Choose what to make or measure next."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import get_args

import numpy as np
import xarray as xr

from tieline.errors import NotIdentified, SchemaError, TielineError, did_you_mean
from tieline.models.posterior import Posterior
from tieline.planning.beliefs import form_beliefs, measurement_noise
from tieline.planning.choice import Acquisition, Choice, choose_places
from tieline.planning.field_choice import BATCHES, Batch
from tieline.planning.field_proposals import GaussianAnswer, choose_by_field, is_linear
from tieline.planning.goals import Goal, LearnLevelSet, LearnPhaseMap, Pareto, map_terms, names_in, write_goal
from tieline.planning.instruments import Instruments, price_of_places, take_stock
from tieline.planning.measurements import choose_measurements
from tieline.planning.pool import check_pool, first_of_each, join, place_names
from tieline.planning.reason import outlook, reasons
from tieline.planning.spaces.space import Space


def propose(
    posterior: Posterior,
    pool: xr.Dataset | Space,
    goal: Goal,
    n: int = 1,
    *,
    acquisition: Acquisition | None = None,
    batch: Batch = "believer",
    costs: Mapping[str, float] | str | None = None,
    audit: int = 0,
    pending: xr.Dataset | None = None,
    seed: int = 0,
) -> xr.Dataset:
    """Propose the rows of a pool that serve a goal best, as a batch; with costs, also which instrument.

    The batch is chosen one by one, each as if the earlier ones and those pending had been measured, so that
    what they would tell is not asked for again. No place is proposed twice, and none that is pending.

    With `costs` a proposal is one measurement, a place and an instrument, chosen by what it gains per cost:

    * for the phase map, information, nats. A label tells of the map directly. The value of a property tells
      of the phase at its place as far as phases differ in it, and so of the map.
    * for a property, the expected improvement by measuring it. A label improves nothing itself: it is worth
      how much more the next measurement of the property is then expected to improve. Other properties of the
      goal count as they are expected; properties outside the goal are worth nothing here.

    A place may be proposed for one instrument after another has measured it, and never for one that has.

    Args:
        posterior: what a model learned.
        pool (specimen): the places one could go to, with the model's design variables. Further columns are
            kept. Or a `Space` of them: places that cover it, and then neighbours of the chosen ones, closer
            and closer.
        goal: `Maximize`, `Minimize`, `Target`, `LearnPhaseMap`, `LearnLevelSet`, or a weighted sum of them;
            or `Pareto`, whose score is the expected gain of dominated volume, whatever the acquisition.
        n: how many to propose, from 1 to the number of different places in the pool; with costs, of
            measurements that are left.
        acquisition: how a place is scored for the properties in the goal. `pi` is the probability of any
            improvement over the best so far. It found the best of simulated pools in the fewest tries and is
            taken where a posterior is exactly Gaussian and the pool is a list; elsewhere it is `log_ei`, the
            expected improvement. `ucb`, 1.96 sd above the mean, explores more; `thompson` takes the best of
            another draw each time; `p_best` is the probability of being the best of the pool; `lookahead`
            is how much the best expectation gains by the measurement; `information` is what it tells of the
            best value. The phase map is always scored by the information that a label would give.
        batch: what a place that was chosen is believed to show, where the posterior is exactly Gaussian: what
            was expected ("believer"), the worst or best so far ("liar_min", "liar_max"); or nothing, and
            the neighbourhood of the choice is avoided ("local_penalty").
        costs: what one measurement with each instrument costs, all in one unit of your own (hours, euro).
            An instrument is named after what it measures: the phase variable or a property of the model.
            Those left out are not available. Without costs, everything is measured at each place. Or the name
            of a column of the pool that says what each place costs: scores are then gains per cost.
        audit: how many of the n are drawn at random from the rest of the pool. Where a model is wrong, its
            own proposals may never show it; these do.
        pending (specimen): places under way, with the design variables; treated as already chosen. With
            costs, a column `instrument` says what is under way there, or else all instruments are.
        seed: of the joint draws.

    Returns:
        (specimen): rows of the pool in the order of choice, with `candidate` (row of a pool), `value`
        (score when it was chosen), `reason`, the predicted mean and sd of each property in the goal (in place
        of a column of the pool of the same name), `most_likely_phase` and `phase_entropy`. `attrs["notes"]`
        says what was left out. With costs also `instrument` and `cost`, and `value` is the gain per cost:
        nats (mean over the map) for the map, the property's unit for one property, and in a sum both, with
        their weights: improvements in spreads of the property over the pool, draws included.

    Raises:
        SchemaError: the pool or the pending places cannot be predicted; the model lacks a property of the
            goal, or what an instrument is said to measure.
        NotIdentified: the goal asks for a phase map and nothing about it is uncertain; or no instrument
            serves the goal.
        TielineError: more proposals than different places or measurements; a cost that is not positive; costs
            with another acquisition than `log_ei`.
    """
    check_goal(posterior, goal)
    _check_acquisition(acquisition)
    _check_batch(batch, acquisition)
    if isinstance(pool, Space):
        _checked_audit(audit, n)
        options = {"acquisition": acquisition or "log_ei", "batch": batch, "costs": costs, "pending": pending}
        choose = partial(propose, posterior, goal=goal, **options)
        return _propose_in_space(pool, choose, n, audit, seed)
    design = check_pool(posterior, pool)
    under_way = _under_way(posterior, design, pending)
    exact = posterior if is_linear(goal) and isinstance(posterior, GaussianAnswer) else None
    acquisition = acquisition or ("log_ei" if exact is None or costs is not None else "pi")
    if costs is not None and not isinstance(costs, str):
        _refuse_no_gain(acquisition, goal, audit)
        instruments = take_stock(posterior, costs, design, under_way, pending, n)
        rows, choice, notes = _choose_measurements(posterior, design, under_way, goal, n, instruments, seed)
    else:
        open_rows = _open_rows(design, under_way, n)
        kept = design if len(open_rows) == design.sizes["specimen"] else design.isel(specimen=open_rows)
        prices = None if costs is None else price_of_places(pool, costs)[open_rows]
        worth = _log_worth(posterior, kept, prices)
        n_chosen = n - _checked_audit(audit, n)
        if exact is not None:
            chosen, choice, notes = choose_by_field(
                exact, kept, under_way, goal, n_chosen, acquisition, batch, worth, seed
            )
        else:
            beliefs = form_beliefs(posterior, kept, under_way, goal, at_least=n, seed=seed)
            choice = choose_places(beliefs, goal, n_chosen, acquisition, worth[beliefs.candidates])
            chosen, notes = beliefs.candidates[choice.candidates], beliefs.notes
        rows = open_rows[chosen]
        if audit:
            rest = np.delete(open_rows, chosen)
            rows = np.append(rows, np.random.default_rng(seed).choice(rest, audit, replace=False))
            choice = choice.and_at_random(audit)
    predicted = posterior.predict(design.isel(specimen=rows))
    why = reasons(goal, predicted, posterior.results, choice.told, choice.instruments, choice.n_at_random)
    columns = {"candidate": rows, "value": choice.values, "reason": why}
    about = {"goal": write_goal(goal), "acquisition": acquisition, "seed": seed}
    if costs is not None and not isinstance(costs, str):
        columns |= {
            "instrument": list(choice.instruments),
            "cost": [float(costs[m]) for m in choice.instruments],
        }
        about["costs"] = ", ".join(f"{name}={float(cost)!r}" for name, cost in costs.items())
    elif costs is not None:
        about["costs"] = costs
    proposals = pool.isel(specimen=rows).drop_vars(list(columns), errors="ignore")
    keep = [each for name in names_in(goal) for each in (name, f"{name}_sd")]
    phase = [name for name in ("most_likely_phase", "phase_entropy") if name in predicted]
    proposals = proposals.assign(
        {name: predicted.variables[name] for name in (*keep, *phase)}
        | {name: ("specimen", column) for name, column in columns.items()}
    )
    return proposals.assign_attrs(about, notes=[*notes, *outlook(goal, predicted, posterior.results)])


N_COVER = 2000  # places that cover a space at first
N_NEARBY = 400  # neighbours of the chosen places that are added each time
ZOOM = (0.2, 0.07, 0.02, 0.007)  # how near they lie, in shares of each range

Chosen = tuple[np.ndarray, Choice, tuple[str, ...]]  # rows of the pool, the choice, and notes


def _log_worth(posterior: Posterior, design: xr.Dataset, prices: np.ndarray | None) -> np.ndarray:
    """Logarithm of a factor on the score of each place: the chance to make it, over what it costs."""
    worth = np.zeros(design.sizes["specimen"])
    success = None
    if isinstance(posterior, GaussianAnswer):
        success = posterior.log_success(posterior.scaled(design))
    worth = worth if success is None else success
    return worth if prices is None else worth - np.log(prices)


def _checked_audit(audit: int, n: int) -> int:
    if not 0 <= audit <= n:
        raise TielineError(
            "audit is how many of the n proposals are drawn at random.",
            found=f"audit={audit}, n={n}",
            hint=f"from 0 to {n}",
        )
    return audit


def _propose_in_space(
    space: Space, choose: Callable[..., xr.Dataset], n: int, audit: int, seed: int
) -> xr.Dataset:
    """Choose among places that cover a space, then again with neighbours of the chosen ones."""
    cover = pool = space.candidates(N_COVER, seed=seed)
    is_whole = space.n_places is not None and cover.sizes["specimen"] == space.n_places
    parts = []
    if n > audit:
        batch = choose(pool=pool, n=n - audit, seed=seed)
        for width in () if is_whole else ZOOM:
            chosen = pool.isel(specimen=batch["candidate"].values)
            pool = join(pool, space.near(chosen, width, N_NEARBY, seed=seed))
            batch = choose(pool=pool, n=n - audit, seed=seed)
        parts.append(batch)
    if audit:  # from all over the space, not from where one has looked
        parts.append(choose(pool=cover, n=audit, audit=audit, seed=seed))
    both = xr.concat(parts, dim="specimen", combine_attrs="override")
    return both.drop_vars("candidate").assign_coords(specimen=np.arange(n))


def _choose_measurements(
    posterior: Posterior,
    design: xr.Dataset,
    under_way: xr.Dataset,
    goal: Goal,
    n: int,
    instruments: Instruments,
    seed: int,
) -> Chosen:
    rows = instruments.rows
    kept = design.isel(specimen=rows)
    beliefs = form_beliefs(posterior, kept, under_way, goal, at_least=n, needs_all=True, seed=seed)
    noise = {}
    if beliefs.information is not None:
        places = join(kept.isel(specimen=beliefs.candidates), under_way)
        noise = measurement_noise(posterior, places)
    worth = _log_worth(posterior, kept, None)[beliefs.candidates]
    choice = choose_measurements(beliefs, goal, instruments, noise, worth, n, seed)
    return rows[beliefs.candidates[choice.candidates]], choice, beliefs.notes


def _refuse_no_gain(acquisition: str, goal: Goal, audit: int) -> None:
    if audit:
        raise TielineError(
            "A random proposal is a place, not a choice between instruments.",
            found=f"audit={audit} beside costs of instruments",
            hint="audit=0, or leave the costs out",
        )
    if isinstance(goal, Pareto) or any(isinstance(part, LearnLevelSet) for _, part in map_terms(goal)):
        raise TielineError(
            "Costs of instruments are weighed for the phase map and for single properties.",
            found=str(goal),
            hint="leave the costs out, or another goal",
        )
    if acquisition != "log_ei":
        raise TielineError(
            "Costs are weighed against the expected improvement.",
            found=f"acquisition='{acquisition}', whose score has no zero to be divided by a cost",
            hint='acquisition="log_ei", or leave the costs out',
        )


def _check_acquisition(acquisition: str | None) -> None:
    if acquisition is not None and acquisition not in get_args(Acquisition):
        guess = did_you_mean(acquisition, get_args(Acquisition))
        raise TielineError(
            f"There is no acquisition '{acquisition}'. {guess}".strip(),
            hint=" or ".join(get_args(Acquisition)),
        )


def _check_batch(batch: str, acquisition: str | None) -> None:
    if batch not in BATCHES:
        raise TielineError(
            f"There is no batch '{batch}'. {did_you_mean(batch, BATCHES)}".strip(), hint=" or ".join(BATCHES)
        )
    if batch == "local_penalty" and acquisition not in (None, "pi", "log_ei"):
        raise TielineError(
            "A local penalty multiplies a score that counts from zero.",
            found=f"acquisition='{acquisition}'",
            hint='acquisition="log_ei" or "pi", or another batch',
        )


def check_goal(posterior: Posterior, goal: Goal) -> None:
    """Refuse what is no goal, or asks for what the model did not learn."""
    if not isinstance(goal, Goal):
        raise TielineError("This is not a goal.", found=repr(goal), hint='tl.Maximize("strength")')
    if isinstance(posterior, GaussianAnswer) and any(
        isinstance(p, LearnPhaseMap) for _, p in map_terms(goal)
    ):
        raise NotIdentified(
            "This model knows no phases.", found=str(goal), hint="tl.PhaseProperty, or a goal without the map"
        )
    known = list(posterior.model.properties)
    for name in names_in(goal):
        if name not in known:
            raise SchemaError(
                f"The goal asks for '{name}', which this model did not learn.",
                found=f"{', '.join(known) or 'no property'}. {did_you_mean(name, known)}".strip(),
                hint="name one of these, or fit the model with the property",
            )


def _under_way(posterior: Posterior, design: xr.Dataset, pending: xr.Dataset | None) -> xr.Dataset:
    """Reduce pending places to their design; no rows when there are none."""
    if pending is None or pending.sizes.get("specimen") == 0:
        return design.isel(specimen=slice(0))
    return check_pool(posterior, pending, called="pending places")


def _open_rows(design: xr.Dataset, pending: xr.Dataset, n: int) -> np.ndarray:
    """List a row of each place in the pool that is not pending, and see that there are n."""
    n_pool = design.sizes["specimen"]
    names = place_names(join(design, pending) if pending.sizes["specimen"] else design)
    rows = first_of_each(names[:n_pool])
    if pending.sizes["specimen"]:
        rows = rows[~np.isin(names[rows], names[n_pool:])]
    n_different = len(rows)
    if n < 1 or n > n_different:
        aside = (
            f" that {'is' if n_different == 1 else 'are'} not pending" if pending.sizes["specimen"] else ""
        )
        raise TielineError(
            f"Cannot propose {n} different places.",
            found=f"a pool of {n_pool} rows with {n_different} different places{aside}",
            hint=f"n from 1 to {n_different}" if n_different else "a larger pool",
        )
    return rows
