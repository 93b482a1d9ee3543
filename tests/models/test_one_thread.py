"""Linear algebra in one thread, and as many as before afterwards."""

import scipy.linalg  # noqa: F401 - brings the library whose threads are counted
from threadpoolctl import ThreadpoolController

from tieline.models.one_thread import one_thread


def threads():
    return [library["num_threads"] for library in ThreadpoolController().select(user_api="blas").info()]


@one_thread
def within():
    """How many there are in here."""
    return threads()


def test_a_function_calculates_in_one_thread():
    with ThreadpoolController().limit(limits=2, user_api="blas"):
        assert threads() == [2] * len(threads())
        assert within() == [1] * len(threads())
        assert threads() == [2] * len(threads())
    assert within.__doc__ == "How many there are in here."
