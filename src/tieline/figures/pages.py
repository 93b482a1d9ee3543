"""Pages of one file that need nothing else, neither files nor network: a template with its pictures in it."""

from base64 import b64encode
from datetime import date
from io import BytesIO

import jinja2
from matplotlib.figure import Figure

import tieline
from tieline.figures.style import DPI, PAPER, settings


def render(template: str, **values: object) -> str:
    """Fill a template of this room in; it knows the version and today's date."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("tieline.figures", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(
        version=tieline.__version__, today=date.today().isoformat(), **values
    )


def embedded(figure: Figure) -> str:
    """Write a figure as the text that an image of a page is made of."""
    buffer = BytesIO()
    with settings():
        figure.savefig(buffer, format="png", dpi=DPI, facecolor=PAPER)
    return b64encode(buffer.getvalue()).decode()
