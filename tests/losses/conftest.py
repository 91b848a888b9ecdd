"""The fixtures of the losses; the examples are a plain module beside the tests."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from examples import LOSSES, make_loss


@pytest.fixture(params=LOSSES, ids=lambda c: c.__name__)
def loss_class(request):
    return request.param


@pytest.fixture(params=[False, True], ids=["", "intercept"])
def loss(loss_class, request):
    return make_loss(loss_class, request.param)
