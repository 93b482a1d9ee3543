"""SAGE: the phase map and the properties of a material system, learned jointly."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

import numpy as np
import xarray as xr
from threadpoolctl import threadpool_limits

from tieline.errors import NotIdentified, SchemaError
from tieline.models.encoding import Encoding, encode
from tieline.models.fusion_answer import FusionAnswer
from tieline.models.gross_errors import fit_robustly
from tieline.models.line_answer import LineAnswer
from tieline.models.mcmc import sample
from tieline.models.mcmc_answer import SampledAnswer
from tieline.models.observations import Observations
from tieline.models.phase_count import PhaseCount, fuse_any
from tieline.models.phase_posterior import PhasePosterior
from tieline.models.posterior import label_sets, names_of, refuse_twice
from tieline.models.prior_worlds import simulate
from tieline.schema.flags import notes_on_limits, without_limits

INFERENCES = ("auto", "exact", "fast", "mcmc")
MOST_REGIONS = 6  # on a line, when their number is not given and labels do not ask for more
MOST_RUNS = 12  # wrong labels make runs too, and every region more has its cost in time
MOST_ON_LINE = 600  # specimens beyond which "auto" prefers the fast engine on a line


@dataclass(frozen=True)
class PhaseProperty:
    """Which phase is where, and what every property does in each of them.

    Phase labels and properties, each measured on some of the specimens, speak of one map: a label says
    where a phase is, and so does the jump of a property at its boundary. Within a phase a property is
    smooth; across a boundary it may change as it likes, and how much phases have in common is learned.

    Reads:
        design: one composition (specimen, element), or the names of numeric columns (specimen).
        phase: labels (specimen), missing where unlabelled, or probabilities (specimen, phase); of one or of
            several label sets, each with an error rate of its own. Optional.
        properties: numeric columns (specimen), NaN where unmeasured; `<name>_sd` is read as standard error.
        instrument: names (specimen), needed where a property was measured. Optional.

    Learns:
        the probability of every phase at any place, and mean and standard deviation of every property there.

    Args:
        design: name of the composition variable, or a list of names.
        phase: name of the label variable, or a list of them where labels come from several instruments or
            labs, which name the same phases; None to find phases from the properties alone.
        properties: names of the properties; empty for a phase map from labels alone.
        n_phases: number of phases. If not given, those that are labelled and, off a line, further ones that
            properties ask for; without labels, found from the properties.
        n_regions: number of regions on a line; found from the evidence if not given.
        inference: "exact" sums over every segmentation of a line; "fast" approximates in any number of
            dimensions; "mcmc" samples the full posterior from where "fast" ends; "auto" takes the first on
            a line and the second elsewhere.
        instrument: name of the column that says on which instrument, or in which lab, properties were
            measured. Each but the commonest may add an offset, which is learned, to all values of a property.
        n_sweeps: most sweeps of each of the four chains of "mcmc", which stop sooner once they agree.

    Source:
        Kusne et al. (2024), doi:10.1039/D4DD00048J. Departs from it: memberships are hard and the properties'
        functions are integrated out; a line is solved exactly, and elsewhere expectation propagation for
        the map alternates with Gaussian processes, hyperparameters averaged by their evidence.
    """

    reads: ClassVar = ("design", "phase", "properties", "instrument")

    design: str | Sequence[str]
    phase: str | Sequence[str] | None = None
    properties: str | Sequence[str] = ()
    _: KW_ONLY
    n_phases: int | None = None
    n_regions: int | None = None
    inference: str = "auto"
    n_sweeps: int = 2000
    instrument: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "properties", names_of(self.properties))
        if not isinstance(self.design, str):
            object.__setattr__(self, "design", tuple(self.design))
        if self.phase is not None and not isinstance(self.phase, str):
            names = tuple(self.phase)
            object.__setattr__(self, "phase", names if len(names) > 1 else names[0] if names else None)
        self._check()

    @property
    def design_names(self) -> tuple[str, ...]:
        """Names of the design variables."""
        return names_of(self.design)

    @threadpool_limits.wrap(limits=1, user_api="blas")  # matrices are small: threads would only wait
    def fit(self, table: xr.Dataset, *, seed: int = 0, executor: Executor | None = None) -> PhasePosterior:
        """Learn the map and the properties from a table.

        Args:
            table: on `specimen`; rows may lack the label, or any property.
            seed: of the chains of "mcmc"; exact and fast inference leave nothing to chance.
            executor: runs the chains of "mcmc" side by side, here or on a cluster; without it they take
                turns. Any `concurrent.futures.Executor` will do, dask's `client.get_executor()` too.

        Returns:
            The posterior; it answers `predict`, `functions`, `phase_count` and `diagnose`.

        Raises:
            SchemaError: a variable is missing, or is not what it should be.
            NotIdentified: too little was measured to learn anything.
        """
        if not isinstance(table, xr.Dataset):
            raise SchemaError(
                "A table is an xarray.Dataset.",
                found=type(table).__name__,
                hint="tieline.table(dataframe), or tieline.represent(record)",
            )
        if "specimen" in table.dims and "specimen" not in table.coords:
            table = table.assign_coords(specimen=np.arange(table.sizes["specimen"]))
        table = without_limits(table, self.properties)
        encoding, seen, rows, notes = encode(
            table, self.design_names, label_sets(self), self.properties, self.n_phases, self.instrument
        )
        notes += notes_on_limits(table, self.properties)
        engine = self._engine(seen, notes)
        if engine == "exact":
            encoding, answer = self._fit_line(encoding, seen, notes)
            count = PhaseCount.given(len(encoding.labels))
            if not answer.seen.labelled.any():
                count = PhaseCount.of_regions(answer.count_probability())
        else:
            fit, seen, labels, count = fuse_any(seen, encoding.labels, self.n_phases)
            encoding = encoding.with_labels(labels)
            notes.extend(_count_notes(count, labels, seen))
            answer = FusionAnswer(fit, seen)
            if engine == "mcmc":
                draws = sample(seen, fit, seed=seed, most_sweeps=self.n_sweeps, executor=executor)
                answer = SampledAnswer(draws, fit, seen)
            if self.n_regions:
                notes.append("n_regions was not used: only exact inference on a line counts regions.")
        return PhasePosterior(self, table.copy(deep=True), encoding, answer, rows, tuple(notes), count)

    def simulate(self, design: xr.Dataset, *, seed: int, n_phases: int = 3) -> xr.Dataset:
        """Draw one world from the model's own prior, on a line too from that of the fast engine.

        Args:
            design: the design variables on `specimen`, and the column of instruments if there are several.
            seed: of the world.
            n_phases: how many phases to draw, if `self.n_phases` does not say.

        Returns:
            The design with the phase and every property, noise included, at every specimen. A single label
            set names true phases; of several each has a rate of wrong labels of its own. Instruments other
            than the commonest have offsets; without a column of them all is measured on one.
        """
        world = simulate(
            design,
            self.design_names,
            label_sets(self),
            self.properties,
            self.n_phases or n_phases,
            seed,
            self.instrument,
        )
        if self.instrument is None or self.instrument in world:
            return world
        return world.assign({self.instrument: ("specimen", np.full(world.sizes["specimen"], "1"))})

    def _fit_line(
        self, encoding: Encoding, seen: Observations, notes: list[str]
    ) -> tuple[Encoding, LineAnswer]:
        is_anonymous = bool(np.isnan(seen.label).all())
        most = self.n_regions or self.n_phases if is_anonymous else self.n_regions
        n_places, n_phases = len(np.unique(seen.x)), seen.label.shape[1]
        possible = 1 if n_phases == 1 and not is_anonymous else n_places
        if most and most > possible:
            raise NotIdentified(
                f"A line with {most} regions cannot be had from these specimens.",
                found=f"{n_places} different places, {n_phases} phases",
                hint="fewer regions: each needs a place, and neighbours are of different phases",
            )
        counts = range(most, most + 1) if most else range(1, max(MOST_REGIONS, _n_runs(seen) + 2) + 1)
        if is_anonymous:
            seen = seen.without_labels(max(counts))
            encoding = encoding.with_labels(tuple(str(i + 1) for i in range(max(counts))))
        answer, aside = fit_robustly(seen, counts, is_anonymous=is_anonymous)
        for j, name in enumerate(self.properties):
            if aside[:, j].any():
                notes.append(f"{name}: {aside[:, j].sum()} of its values set aside as gross error.")
        return encoding, answer

    def _engine(self, seen: Observations, notes: list[str]) -> str:
        on_line = seen.x.shape[1] == 1
        if self.inference == "exact" and not on_line:
            raise SchemaError(
                "Exact inference needs a line: one design dimension.",
                found=f"{seen.x.shape[1]} dimensions",
                hint='inference="fast"',
            )
        several = [f"{len(seen.labels)} label sets"] if seen.further else []
        several += [f"{seen.instrument.max() + 1} instruments"] if seen.instrument is not None else []
        if self.inference == "exact" and several:
            raise SchemaError(
                "Exact inference knows one label set and one instrument.",
                found=" and ".join(several),
                hint='inference="fast" or "mcmc"',
            )
        if self.inference != "auto":
            return self.inference
        if on_line and several:
            notes.append(f"{' and '.join(several)} on a line: the fast engine was used.")
            return "fast"
        if on_line and len(seen.x) > MOST_ON_LINE:
            notes.append(f"More than {MOST_ON_LINE} specimens on a line: the fast engine was used.")
        return "exact" if on_line and len(seen.x) <= MOST_ON_LINE else "fast"

    def _check(self) -> None:
        if not self.design_names:
            raise SchemaError(
                "PhaseProperty needs at least one design variable.", hint='design="composition"'
            )
        if self.phase is None and not self.properties:
            raise SchemaError(
                "PhaseProperty needs a phase column, a property, or both.",
                hint='phase="phase" or properties=["hardness"]',
            )
        instrument = [self.instrument] if self.instrument else []
        names = [*self.design_names, *label_sets(self), *self.properties, *instrument]
        refuse_twice(
            "PhaseProperty",
            names,
            "name each once, as design, as phase, among the properties or as instrument",
        )
        if self.inference not in INFERENCES:
            raise SchemaError(
                f"inference must be one of {', '.join(INFERENCES)}.", found=repr(self.inference)
            )
        for name in ("n_phases", "n_regions", "n_sweeps"):
            value = getattr(self, name)
            if (value is not None or name == "n_sweeps") and (
                not isinstance(value, int | np.integer) or value < 1
            ):
                raise SchemaError(f"{name} must be a whole number from one up.", found=repr(value))


def _count_notes(count: PhaseCount, labels: tuple[str, ...], seen: Observations) -> Iterator[str]:
    """Which phases were found from the properties, and how sure their number is."""
    n = len(labels)
    if len(count.numbers) == 1:
        return
    sure = f"the probability of {n} phase{'s' * (n > 1)} is {count.probability[count.numbers == n][0]:.2f}"
    if not seen.labelled.any():
        yield f"The number of phases was found from the properties: {sure}."
        return
    for name in labels[count.numbers[0] :]:
        yield f"Phase {name} has no labels, it was found from the properties: {sure}."


def _n_runs(seen: Observations) -> int:
    """Number of runs of equal labels along a line: each wants a region."""
    labelled = np.flatnonzero(seen.labelled)
    along = labelled[np.argsort(seen.x[labelled, 0], kind="stable")]
    phase = seen.label[along].argmax(1)
    return min(1 + int((phase[1:] != phase[:-1]).sum()), MOST_RUNS)
