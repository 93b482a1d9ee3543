"""The toy posterior and its pool."""

import pytest
from toy_posterior import toy_posterior

from tieline.planning.pool import default_pool


@pytest.fixture(scope="module")
def posterior():
    return toy_posterior(1, 12)


@pytest.fixture(scope="module")
def pool(posterior):
    return default_pool(posterior)
