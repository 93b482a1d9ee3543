"""A Gaussian process: smooth properties of any design, with honest uncertainty, in milliseconds."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

import numpy as np
import xarray as xr
from threadpoolctl import threadpool_limits

from tieline.errors import SchemaError, did_you_mean
from tieline.models.feasibility import fit_feasibility
from tieline.models.gaussian_encoding import READER, read
from tieline.models.gaussian_posterior import GaussianPosterior
from tieline.models.gaussian_worlds import simulate
from tieline.models.kernels import KERNELS
from tieline.models.posterior import names_of, refuse_twice
from tieline.models.transfer import fit_campaigns
from tieline.schema import as_variables, require, require_table


@dataclass(frozen=True)
class GaussianProcess:
    """What smooth properties do over a design: the surrogate of a campaign.

    Several properties are learned together, each measured on some of the specimens, and how they go together
    is learned too: over the design, and in what is left at one specimen. Hyperparameters are averaged
    over a few draws.

    Reads:
        design: one composition (specimen, element), or names of columns (specimen) of numbers or categories,
            or compositions and columns together.
        properties: numeric columns (specimen), NaN where unmeasured; `<name>_sd` is read as standard error.
            `<name>_flag` says "below" or "above" where the value is only a limit, and "failed" where the
            specimen could not be made. Repeated rows are repeated measurements.
        campaign: which campaign each specimen is from. Optional.

    Learns:
        mean and standard deviation of every property at any place; how probable it is that a specimen can be
        made there, if some failed.

    Args:
        design: name of the composition variable, or a list of names.
        properties: name of a property, or several.
        kernel: "matern52", for functions that are smooth but not too smooth, or "rbf", for very smooth ones.
        campaign: name of the column of campaigns, if earlier ones are to help.
        target: the campaign that is predicted; that of the last row if not given.

    Source:
        Zhao et al. (2022), doi:10.3389/fmats.2022.821817, for the surrogate of a materials campaign; the
        covariance is stated in `gaussian_kernel`. Departs from the former: several outputs, priors that
        scale with the number of inputs, limits, failures and earlier campaigns.
    """

    reads: ClassVar = ("design", "properties", "campaign")

    design: str | Sequence[str]
    properties: str | Sequence[str]
    _: KW_ONLY
    kernel: str = "matern52"
    campaign: str | None = None
    target: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "properties", names_of(self.properties))
        if not isinstance(self.design, str):
            object.__setattr__(self, "design", tuple(self.design))
        self._check()

    @property
    def phase(self) -> None:
        """It reads no labels."""

    @property
    def design_names(self) -> tuple[str, ...]:
        """Names of the design variables."""
        return names_of(self.design)

    @threadpool_limits.wrap(limits=1, user_api="blas")  # matrices are small: threads would only wait
    def fit(self, table: xr.Dataset, *, seed: int = 0) -> GaussianPosterior:
        """Learn the properties from a table.

        Args:
            table: on `specimen`; rows may lack any property.
            seed: of the draws of hyperparameters.

        Returns:
            The posterior; it answers `predict`, `functions` and `diagnose`.

        Raises:
            SchemaError: a variable is missing, or is not what it should be.
            NotIdentified: too little was measured to learn anything.
        """
        require_table(table)
        table = as_variables(table, self.design_names)
        reading = read(table, self.design_names, self.properties, self.campaign, self._target(table))
        fit, reading = fit_campaigns(reading, self.kernel, seed)
        feasible = None
        if reading.is_failed.any():
            feasible = fit_feasibility(reading.x, reading.is_failed, reading.inputs.group, self.kernel)
        return GaussianPosterior(self, table.copy(deep=True), reading, fit, feasible)

    def simulate(self, design: xr.Dataset, *, seed: int = 0) -> xr.Dataset:
        """Draw a world from the prior of this model: properties over a design.

        Args:
            design: design variables on `specimen`, with the column of campaigns if there are several.
            seed: of the draw.

        Returns:
            The design with every property, noise included, at every specimen.
        """
        require(design, self.design_names, READER)
        world = simulate(
            design, self.design_names, self.properties, self.kernel, seed, self.campaign, self.target
        )
        if self.campaign is None or self.campaign in world:
            return world
        return world.assign({self.campaign: ("specimen", np.full(world.sizes["specimen"], "1"))})

    def _target(self, table: xr.Dataset) -> str:
        if self.campaign is None or self.campaign not in table:
            return ""
        return str(table.variables[self.campaign].values[-1] if self.target is None else self.target)

    def _check(self) -> None:
        if not self.design_names:
            raise SchemaError(f"{READER} needs at least one design variable.", hint='design="composition"')
        if not self.properties:
            raise SchemaError(f"{READER} needs at least one property.", hint='properties=["hardness"]')
        names = [*self.design_names, *self.properties, *([self.campaign] if self.campaign else [])]
        refuse_twice(READER, names, "name each once, as design, among the properties or as campaign")
        if self.kernel not in KERNELS:
            raise SchemaError(
                f"There is no kernel '{self.kernel}'. {did_you_mean(self.kernel, KERNELS)}".strip(),
                hint=" or ".join(KERNELS),
            )
        if self.target is not None and self.campaign is None:
            raise SchemaError(
                "A target campaign needs the column of campaigns.",
                found=f"target={self.target!r}, campaign=None",
                hint='campaign="campaign"',
            )
