"""Choose what to make or measure next."""

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np
import xarray as xr

from tieline.errors import TielineError
from tieline.models.posterior import Posterior
from tieline.planning.beliefs import form_beliefs, measurement_noise
from tieline.planning.choice import Acquisition, Choice, choose_places
from tieline.planning.field_choice import Batch
from tieline.planning.field_proposals import GaussianAnswer, choose_by_field, is_linear
from tieline.planning.goals import Goal, names_in, write_goal
from tieline.planning.instruments import Instruments, price_of_places, take_stock
from tieline.planning.measurements import choose_measurements
from tieline.planning.pool import check_pool, first_of_each, join, place_names
from tieline.planning.reason import outlook, reasons
from tieline.planning.request import (
    check_acquisition,
    check_audit,
    check_batch,
    check_costs,
    check_goal,
    check_number,
)
from tieline.planning.spaces.space import Space
from tieline.planning.zoom import propose_in_space


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
            kept. Or a `Space` of them: places that cover it, and then neighbours of each chosen one, closer
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
            of instruments with another acquisition than `log_ei`, or of places with `ucb` or `thompson`,
            which have no zero that a gain could be counted from.
    """
    check_goal(posterior, goal)
    check_number(n)
    check_acquisition(acquisition)
    check_batch(batch, acquisition)
    check_audit(audit, n)
    if isinstance(pool, Space):
        options = {"acquisition": acquisition or "log_ei", "batch": batch, "costs": costs}
        choose = partial(propose, posterior, goal=goal, **options)
        return propose_in_space(pool, choose, n, audit, pending, seed)
    design = check_pool(posterior, pool)
    under_way = _under_way(posterior, design, pending)
    exact = posterior if is_linear(goal) and isinstance(posterior, GaussianAnswer) else None
    acquisition = acquisition or ("log_ei" if exact is None or costs is not None else "pi")
    check_costs(costs, acquisition, goal, audit)
    about = {"goal": write_goal(goal), "acquisition": acquisition, "seed": seed}
    if costs is None or isinstance(costs, str):
        rows = _open_rows(design, under_way, n)
        kept = design if len(rows) == design.sizes["specimen"] else design.isel(specimen=rows)
        prices = None if costs is None else price_of_places(pool, costs)[rows]
        worth, n_chosen = _log_worth(posterior, kept, prices), n - audit
        if exact is not None:
            chosen, choice, notes = choose_by_field(
                exact, kept, under_way, goal, n_chosen, acquisition, batch, worth, seed
            )
        else:
            beliefs = form_beliefs(posterior, kept, under_way, goal, at_least=n, seed=seed)
            choice = choose_places(beliefs, goal, n_chosen, acquisition, worth[beliefs.candidates])
            chosen, notes = beliefs.candidates[choice.candidates], beliefs.notes
        rows, choice = _with_audit(rows, chosen, choice, audit, seed)
        about |= {} if costs is None else {"costs": costs}
    else:
        instruments = take_stock(posterior, costs, design, under_way, pending, n)
        rows, choice, notes = _choose_measurements(posterior, design, under_way, goal, n, instruments, seed)
        about["costs"] = ", ".join(f"{name}={float(cost)!r}" for name, cost in costs.items())
    predicted = posterior.predict(design.isel(specimen=rows))
    why = reasons(goal, predicted, posterior.results, choice.told, choice.instruments, choice.n_at_random)
    columns = {"candidate": rows, "value": choice.values, "reason": why}
    if choice.instruments:
        assert isinstance(costs, Mapping)  # they alone name instruments
        prices = [float(costs[name]) for name in choice.instruments]
        columns |= {"instrument": list(choice.instruments), "cost": prices}
    proposals = pool.isel(specimen=rows).drop_vars(list(columns), errors="ignore")
    keep = [each for name in names_in(goal) for each in (name, f"{name}_sd")]
    phase = [name for name in ("most_likely_phase", "phase_entropy") if name in predicted]
    proposals = proposals.assign(
        {name: predicted.variables[name] for name in (*keep, *phase)}
        | {name: ("specimen", column) for name, column in columns.items()}
    )
    notes = [*notes, *_ignored(batch, exact), *_of_places(predicted, posterior)]
    return proposals.assign_attrs(about, notes=[*notes, *outlook(goal, predicted, posterior.results)])


def _ignored(batch: Batch, exact: GaussianAnswer | None) -> Iterator[str]:
    if batch != "believer" and exact is None:
        yield f"batch='{batch}' is not used: this goal is scored by joint draws, which spread by themselves."


def _of_places(predicted: xr.Dataset, posterior: Posterior) -> list[str]:
    """What the prediction notes about the proposed places themselves."""
    known = set(posterior.notes)
    return [note for note in predicted.attrs.get("notes", []) if note not in known]


def _with_audit(
    open_rows: np.ndarray, chosen: np.ndarray, choice: Choice, audit: int, seed: int
) -> tuple[np.ndarray, Choice]:
    """Rows of the pool that were chosen, and some more drawn at random from the rest."""
    rows = open_rows[chosen]
    if not audit:
        return rows, choice
    rest = np.delete(open_rows, chosen)
    drawn = np.random.default_rng(seed).choice(rest, audit, replace=False)
    return np.append(rows, drawn), choice.and_at_random(audit)


def _log_worth(posterior: Posterior, design: xr.Dataset, prices: np.ndarray | None) -> np.ndarray:
    """Logarithm of a factor on the score of each place: the chance to make it, over what it costs."""
    worth = np.zeros(design.sizes["specimen"])
    success = None
    if isinstance(posterior, GaussianAnswer):
        success = posterior.log_success(posterior.scaled(design))
    worth = worth if success is None else success
    return worth if prices is None else worth - np.log(prices)


def _choose_measurements(
    posterior: Posterior,
    design: xr.Dataset,
    under_way: xr.Dataset,
    goal: Goal,
    n: int,
    instruments: Instruments,
    seed: int,
) -> tuple[np.ndarray, Choice, tuple[str, ...]]:
    """Choose pairs of a place and an instrument: rows of the pool, the choice, and notes."""
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
