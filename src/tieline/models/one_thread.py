"""Linear algebra in one thread: matrices are small, and several threads would wait for each other."""

from collections.abc import Callable
from functools import cache, wraps
from typing import ParamSpec, TypeVar

from threadpoolctl import ThreadpoolController

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


def one_thread(function: Callable[Given, Answer]) -> Callable[Given, Answer]:
    """Let a function calculate in one thread, whatever the environment says."""

    @wraps(function)
    def limited(*args: Given.args, **kwargs: Given.kwargs) -> Answer:
        with _libraries().limit(limits=1, user_api="blas"):
            return function(*args, **kwargs)

    return limited


@cache
def _libraries() -> ThreadpoolController:
    """The loaded libraries of linear algebra. To look for them takes a millisecond, so it is done once."""
    import numpy  # noqa: F401 - it brings one of its own
    import scipy.linalg  # noqa: F401 - and so does this

    return ThreadpoolController()
