"""Which figures a posterior has, and each of them drawn once."""

import json
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from textwrap import wrap
from threading import RLock
from typing import Any

import numpy as np
import xarray as xr

from tieline.figures.lines import position_along
from tieline.figures.resting import Held
from tieline.figures.style import phases_of
from tieline.figures.triangle import Triangle
from tieline.figures.views import View, has_views, is_line, views
from tieline.models.posterior import Posterior
from tieline.planning.pool import check_pool
from tieline.planning.wording import unbroken
from tieline.service.charts.line import line
from tieline.service.charts.maps import phase_map, property_map

KEPT = 40  # predictions of whole views, and figures of them, of a few hundred kB each
MOST_BYTES = 1 << 30  # of arrays among them, such as scans
SD = "± "  # begins the name of the figure of an uncertainty


@dataclass
class Drawings:
    """Predictions and figures that take a second and are looked at often; the latest are kept.

    Attributes:
        kept: by posterior, view, and what is drawn.
    """

    kept: OrderedDict[Any, Any] = field(default_factory=OrderedDict)
    _lock: RLock = field(default_factory=RLock)  # what is drawn may need what was predicted

    def once(self, key: Any, make: Callable[[], Any]) -> Any:
        """Work something out, unless it is known."""
        with self._lock:  # one after the other: two that ask for the same share the work
            if key not in self.kept:
                self.kept[key] = make()
                while len(self.kept) > 1 and (len(self.kept) > KEPT or self._bytes() > MOST_BYTES):
                    self.kept.popitem(last=False)
            self.kept.move_to_end(key)
            return self.kept[key]

    def _bytes(self) -> int:
        return sum(getattr(one, "nbytes", 0) for one in self.kept.values())

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
        held: where inputs are held that a view does not span, by name; the others rest.
    """

    posterior: Posterior
    digest: str
    proposals: xr.Dataset | None
    drawings: Drawings
    held: Held = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """`line`, `map`, or `none` where a design has neither."""
        if is_line(self.posterior):
            return "line"
        return "map" if has_views(self.posterior) else "none"

    def views(self) -> list[View]:
        """The views of a map, each with what is held there."""
        found = views(self.posterior)
        return [replace(v, held={n: x for n, x in self.held.items() if n in v.others}) for v in found]

    def has_phases(self) -> bool:
        """Whether it tells several phases apart."""
        one = self.posterior.predict(self.posterior.table.isel(specimen=[0]))
        return len(phases_of(one)) > 1

    def draw(self, what: str, number: int) -> bytes:
        """Draw a figure, unless it is known.

        Args:
            what: `line`, `phases`, a property, or a property with `± ` before it for its uncertainty.
            number: of the view.

        Returns:
            JSON, as Plotly reads it.
        """
        shown = () if self.proposals is None else tuple(self.proposals["proposal"].values.tolist())
        key = (self.digest, what, number, shown, tuple(sorted(self.held.items())))
        return self.drawings.once(key, lambda: as_json(self._figure(what, number)))

    def _figure(self, what: str, number: int) -> dict[str, Any]:
        if what == "line":
            return line(self.posterior, self._stars(None))
        view = self.views()[number]
        key = (self.digest, number, tuple(sorted(view.held.items())))
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


def as_json(figure: dict[str, Any]) -> bytes:
    """A figure as it is sent."""
    return json.dumps(figure, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def title_of(view: View) -> str:
    """What a view shows."""
    if isinstance(view, Triangle):
        return " – ".join(view.elements)
    return " and ".join(name.replace("_", " ") for name in view.names)


def _wrapped(text: str) -> str:
    return "<br>".join(wrap(text, 50))
