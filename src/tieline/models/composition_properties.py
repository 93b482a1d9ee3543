"""From composition to many properties at once, with what is known of some telling of the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr
from threadpoolctl import threadpool_limits

from tieline.errors import SchemaError, did_you_mean
from tieline.models.composition_fit import METHODS
from tieline.models.composition_posterior import CompositionPosterior
from tieline.models.composition_reading import READER, Coordinates
from tieline.models.composition_transfer import fit_with_sources
from tieline.models.laplace_kernel import laplace
from tieline.models.posterior import names_of, refuse_twice
from tieline.schema import require, require_table


@dataclass(frozen=True)
class CompositionProperties:
    """What materials of any composition are like: several properties, in new chemical systems too.

    A Gaussian process with a covariance of properties and an ensemble of trees learn from statistics of the
    elements and from mole fractions; networks of attention over elements, if they are asked for, from the
    elements themselves. How they are weighed, and how wide intervals are, is learned from materials and from
    whole chemical systems that were left out. What was measured on a specimen tells of its other properties.

    Reads:
        design: one composition (specimen, element) of chemical elements, and numbers (specimen) beside it,
            such as a temperature.
        properties: numeric columns (specimen), NaN where unmeasured. Repeated rows are repeated measurements.
            `<name>_sd` beside a property is its standard error; `<name>_flag` says "below" or "above" where
            the value is only a limit, and "failed" where there is none.

    Learns:
        mean, standard deviation and quantiles of every property of any composition; how properties go
        together.

    Args:
        design: name of the composition variable, or a list of names with it.
        properties: name of a property, or several.
        method: "stack" for the process and the trees; "encoder" for networks of attention besides, which take
            minutes where there are thousands of specimens, and are worth it there; "hclmp" for networks with
            aligned latent places alone, to compare with.

    Source:
        Kong et al. (2021), doi:10.1063/5.0047066 (H-CLMP), for the question: correlated properties of
        compositions in new composition spaces. Departs from its network: covariances fitted by likelihood,
        labels may be missing, known properties condition others, intervals are calibrated on left-out
        systems.
    """

    reads: ClassVar = ("design", "properties")

    design: str | Sequence[str]
    properties: str | Sequence[str]
    method: str = "stack"

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

    @threadpool_limits.wrap(limits=1, user_api="blas")
    def fit(
        self, table: xr.Dataset, *, transfer: Mapping[str, xr.Dataset] | None = None, seed: int = 0
    ) -> CompositionPosterior:
        """Learn the properties from a table.

        Args:
            table: on `specimen`; rows may lack any property.
            transfer: other tables by name, of compositions and of properties or spectra that may tell of
                these; a variable of the role "property" is read. Each is used only if chemical systems that
                are left out are predicted better with it, and not as much better with its values shuffled.
            seed: of trees and networks, of what is left out together, and of rows where there are too many.

        Returns:
            The posterior; it answers `predict`, `functions` and `diagnose`.

        Raises:
            SchemaError: a variable is missing, or is not what it should be.
            NotIdentified: too little was measured to learn anything.
        """
        require_table(table, hint='tieline.table(dataframe, formula="formula")')
        reading, fit, help_ = fit_with_sources(
            table, self.design_names, self.properties, self.method, transfer or {}, seed
        )
        return CompositionPosterior(self, table.copy(deep=True), reading, fit, help_)

    def simulate(self, design: xr.Dataset, *, seed: int = 0) -> xr.Dataset:
        """Draw a world from the prior: noisy values of order one of every property at every place.

        Args:
            design: design variables on `specimen`.
            seed: of the draw.

        Returns:
            The design with every property.
        """
        require(design, self.design_names, READER)
        rng = np.random.default_rng(seed)
        coordinates, places = Coordinates.of(design, self.design_names)
        x = places / coordinates.first_lengths[coordinates.group]
        n, p = len(x), len(self.properties)
        mixing = rng.standard_normal((p, p)) / np.sqrt(p)
        functions = (
            np.linalg.cholesky(laplace(x, x) + 1e-6 * np.eye(n)) @ rng.standard_normal((n, p)) @ mixing.T
        )
        values = functions + 0.1 * rng.standard_normal((n, p))
        about = {"role": "property", "units": "1"}
        return design.assign(
            {name: ("specimen", values[:, j], about) for j, name in enumerate(self.properties)}
        )

    def _check(self) -> None:
        if not self.design_names:
            raise SchemaError(f"{READER} needs a composition.", hint='design="composition"')
        if not self.properties:
            raise SchemaError(f"{READER} needs at least one property.", hint='properties=["bulk_modulus"]')
        if self.method not in METHODS:
            raise SchemaError(
                f"{READER} has no method '{self.method}'.",
                found=did_you_mean(self.method, METHODS) or repr(self.method),
                hint=" or ".join(f'method="{method}"' for method in METHODS),
            )
        names = [*self.design_names, *self.properties]
        refuse_twice(READER, names, "name each once, in the design or among the properties")
