"""The usual ways to learn, as a model of this house: scikit-learn's and a process, with intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

import numpy as np
import xarray as xr

from tieline.errors import NotIdentified, SchemaError
from tieline.models.belonging import SYSTEMS
from tieline.models.design_columns import DesignColumns
from tieline.models.learner_parts import UNCERTAINTIES, learn
from tieline.models.learner_posterior import LearnerPosterior
from tieline.models.learner_ways import PROCESS, Settings, way_named
from tieline.models.posterior import names_of
from tieline.schema import as_variables, require, require_table
from tieline.schema.flags import without_limits
from tieline.schema.wording import name_known

READER = "Learner"
FEWEST = 5


@dataclass(frozen=True)
class Learner:
    """What a usual way of machine learning makes of a table, with uncertainties that were measured.

    Each property is learned by itself from the specimens that know it. Holes in inputs are filled with
    medians of the training rows. It has no prior, and cannot simulate.

    Reads:
        design: numbers, categories, compositions or spectra (specimen, ...).
        properties: numeric columns (specimen), NaN where unmeasured; or
        phase: one variable of labels, "" where nobody looked.
        groups: what was made or measured together, and is left out together.

    Learns:
        mean, standard deviation and quantiles of every property; or the probability of each label.

    Args:
        design: name of an input, or several.
        properties: name of a property, or several.
        phase: the variable of labels, instead of properties.
        way: mean, ridge, lasso, neighbours, support_vectors, extra_trees, random_forest, gradient_boosting,
            gaussian_process, network, stable_line or formula.
        settings: of the way, as scikit-learn names them; what `tl.compare` recommends.
        uncertainty: "conformal" (errors of left-out groups), "bootstrap" (fits to groups drawn again and
            again), "ensemble" (five ways that disagree) or "bayes" (the posterior of a gaussian_process).
        groups: the variable of what is left out together, or "chemical_system"; by default rows of equal
            inputs, and rows of one specimen.

    Source:
        Zhao, KIT (2024), section 3.2.2, for three of the four ways to be unsure; Lei et al. (2018),
        doi:10.1080/01621459.2017.1307116, for split conformal prediction. Departs from the latter: groups are
        left out in five folds, and the model that answers learned from all of them.
    """

    reads: ClassVar = ("design", "properties", "phase", "groups")

    design: str | Sequence[str]
    properties: str | Sequence[str] = ()
    _: KW_ONLY
    phase: str | None = None
    way: str = "extra_trees"
    settings: Settings | Mapping[str, Any] = ()
    uncertainty: str = "conformal"
    groups: str | None = None

    def __post_init__(self) -> None:
        settings = self.settings.items() if isinstance(self.settings, Mapping) else self.settings
        object.__setattr__(self, "settings", tuple((str(k), v) for k, v in settings))
        object.__setattr__(self, "properties", names_of(self.properties))
        if not isinstance(self.design, str):
            object.__setattr__(self, "design", tuple(self.design))
        self._check()

    @property
    def design_names(self) -> tuple[str, ...]:
        """Names of the inputs."""
        return names_of(self.design)

    def fit(self, table: xr.Dataset, *, seed: int = 0) -> LearnerPosterior:
        """Learn from a table.

        Args:
            table: on `specimen`; rows may lack any property or input.
            seed: of folds, resampling and fits.

        Returns:
            The posterior; it answers `predict`, `functions` and `diagnose`.

        Raises:
            SchemaError: a variable is missing, or is not what it should be.
            NotIdentified: too little was measured to learn anything.
        """
        require_table(table)
        table = without_limits(table, self.properties)
        targets = (self.phase,) if self.phase else tuple(self.properties)
        named = [*self.design_names, *targets]
        if self.groups and self.groups not in ("specimen", SYSTEMS):
            named.append(self.groups)
        read = as_variables(table, named)
        require(read, named, READER)
        for target in targets:
            known = read[target].values
            if not self.phase and known.dtype.kind not in "iufb":
                raise SchemaError(
                    f"'{target}' should be numbers.",
                    found="text",
                    hint=f'phase="{target}" if these are labels',
                )
            is_known = np.isfinite(known) if known.dtype.kind == "f" else known.astype(str) != ""
            if is_known.sum() < FEWEST:
                raise NotIdentified(
                    f"{READER} needs at least {FEWEST} values of '{target}'.",
                    found=f"{is_known.sum()}",
                    hint="measure more specimens, or leave the property out",
                )
        columns = DesignColumns.of(read, self.design_names)
        return learn(self, table.copy(deep=True), columns, seed)

    def _check(self) -> None:
        if not self.design_names:
            raise SchemaError(f"{READER} needs at least one input.", hint='design=["temperature"]')
        if bool(self.properties) == bool(self.phase):
            raise SchemaError(
                f"{READER} predicts properties, or tells one variable of labels.",
                found="both" if self.phase else "neither",
                hint='properties=["hardness"], or phase="phase"',
            )
        way_named(self.way, labels=bool(self.phase))
        if self.uncertainty not in UNCERTAINTIES:
            raise SchemaError(
                f"There is no uncertainty '{self.uncertainty}'.",
                found=name_known(UNCERTAINTIES, self.uncertainty),
            )
        if self.uncertainty == "bayes" and self.way != PROCESS:
            raise SchemaError(
                f"'{self.way}' has no posterior of its own.",
                found='uncertainty="bayes"',
                hint='way="gaussian_process", or another uncertainty',
            )
