"""Which figures a posterior has, and each of them drawn once."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from textwrap import wrap
from threading import Lock
from typing import Any

import numpy as np
import xarray as xr

from tieline.figures.lines import position_along
from tieline.figures.style import phases_of
from tieline.figures.triangle import Triangle
from tieline.figures.views import View, has_views, is_line, views
from tieline.models.posterior import Posterior
from tieline.planning.pool import check_pool
from tieline.planning.wording import unbroken
from tieline.service.charts.line import line
from tieline.service.charts.maps import phase_map, property_map

KEPT = 12  # predictions of whole views
SD = "± "  # begins the name of the figure of an uncertainty


@dataclass
class Drawings:
    """Predictions that take a second and are looked at often; the latest are kept.

    Attributes:
        kept: by posterior and view.
    """

    kept: OrderedDict[Any, Any] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def once(self, key: Any, make: Callable[[], Any]) -> Any:
        """Work something out, unless it is known."""
        with self._lock:  # one after the other: two that ask for the same share the work
            if key not in self.kept:
                self.kept[key] = make()
                while len(self.kept) > KEPT:
                    self.kept.popitem(last=False)
            self.kept.move_to_end(key)
            return self.kept[key]

    def alone(self, make: Callable[[], Any]) -> Any:
        """Draw while nothing else is drawn: settings of matplotlib are those of the whole process."""
        with self._lock:
            return make()


@dataclass(frozen=True)
class Scene:
    """A posterior with the experiments that are proposed beside it.

    Attributes:
        posterior: what was learned.
        digest: checksum of its file.
        proposals (specimen): that are open or under way; None if there are none.
        drawings: what was worked out before.
    """

    posterior: Posterior
    digest: str
    proposals: xr.Dataset | None
    drawings: Drawings

    @property
    def kind(self) -> str:
        """`line`, `map`, or `none` where a design has neither."""
        if is_line(self.posterior):
            return "line"
        return "map" if has_views(self.posterior) else "none"

    def views(self) -> list[View]:
        """The views of a map."""
        return views(self.posterior)

    def has_phases(self) -> bool:
        """Whether it tells several phases apart."""
        one = self.posterior.predict(self.posterior.table.isel(specimen=[0]))
        return len(phases_of(one)) > 1

    def draw(self, what: str, number: int) -> dict[str, Any]:
        """Draw a figure.

        Args:
            what: `line`, `phases`, a property, or a property with `± ` before it for its uncertainty.
            number: of the view.
        """
        if what == "line":
            return line(self.posterior, self._stars(None))
        view = self.views()[number]
        key = (self.digest, number)
        predicted = self.drawings.once(key, lambda: self.posterior.predict(view.pixels()))
        stars = self._stars(view)
        if what == "phases":
            return phase_map(self.posterior, view, predicted, stars)
        name = what.removeprefix(SD)
        return property_map(self.posterior, name, view, predicted, stars, of_sd=what.startswith(SD))

    def _stars(self, view: View | None) -> list[dict[str, Any]]:
        if self.proposals is None:
            return []
        places = check_pool(self.posterior, self.proposals, called="proposals")
        if view is None:
            x = position_along(self.posterior, places)
            y = np.zeros(len(x))
        else:
            x, y = view.locate(places)
        names, reasons = (self.proposals[v].values.astype(str) for v in ("proposal", "reason"))
        rows = zip(x, y, names, reasons, strict=True)
        return [
            {"x": float(a), "y": float(b), "number": i, "text": f"<b>{name}</b><br>{_wrapped(unbroken(why))}"}
            for i, (a, b, name, why) in enumerate(rows, start=1)
        ]


def title_of(view: View) -> str:
    """What a view shows."""
    if isinstance(view, Triangle):
        return " – ".join(view.elements)
    return " and ".join(name.replace("_", " ") for name in view.names)


def _wrapped(text: str) -> str:
    return "<br>".join(wrap(text, 50))
