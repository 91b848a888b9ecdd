"""The fixtures of the losses; the examples are a plain module beside the tests."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from examples import LOSSES, REGRESSION_LOSSES, SMOOTH_LOSSES, VARIANTS, make_loss, variants


def name_of_variant(case):
    return f"{case[0].__name__}-{case[1]}"


@pytest.fixture(params=LOSSES, ids=lambda c: c.__name__)
def loss_class(request):
    return request.param


@pytest.fixture(params=SMOOTH_LOSSES, ids=lambda c: c.__name__)
def smooth_class(request):
    return request.param


@pytest.fixture(params=REGRESSION_LOSSES, ids=lambda c: c.__name__)
def regression_class(request):
    return request.param


@pytest.fixture(params=variants(LOSSES), ids=name_of_variant)
def loss(request):
    return make_loss(request.param[0], **VARIANTS[request.param[1]])


@pytest.fixture(params=variants(SMOOTH_LOSSES), ids=name_of_variant)
def smooth_loss(request):
    return make_loss(request.param[0], **VARIANTS[request.param[1]])
