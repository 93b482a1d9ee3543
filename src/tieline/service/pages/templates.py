"""The templates of pages, and the addresses of the files that they name."""

import hashlib
import uuid
from functools import cache
from importlib.resources import files

import jinja2

from tieline.planning.wording import unbroken
from tieline.service.pages.words import ago, moment, spoken


@cache
def environment() -> jinja2.Environment:
    """The templates; whatever they show is escaped."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("tieline.service"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    made.filters |= {"ago": ago, "moment": moment, "spoken": spoken, "unbroken": unbroken}
    made.tests["beginning"] = lambda text, begin: text.startswith(begin)
    made.globals |= {"static": static_address, "new_key": lambda: uuid.uuid4().hex}
    return made


@cache
def static_address(name: str) -> str:
    """The address of a static file, which changes when the file does, so that a browser may keep it."""
    content = files("tieline.service").joinpath("static", name).read_bytes()
    return f"/static/{name}?{hashlib.sha256(content).hexdigest()[:12]}"
