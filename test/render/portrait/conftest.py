"""Two portraits: a photograph in the public domain, and the built-in head's picture."""

import numpy as np
import pytest

from listener_head.errors import UserError
from listener_head.render import HeadRenderer
from listener_head.render.contact_sheet import pose
from listener_head.render.portrait import PortraitRenderer

SIZE = 256


def opened(make):
    """What ``make`` returns; skips where no OpenGL context opens."""
    try:
        return make()
    except UserError as error:
        if "OpenGL" in str(error):
            pytest.skip(str(error))
        raise


@pytest.fixture(scope="session")
def drawn_portrait():
    """The built-in head, mouth closed [512, 512, 3]."""
    renderer = opened(lambda: HeadRenderer(512))
    picture = renderer.render(pose({}))
    renderer.close()
    return picture


@pytest.fixture(scope="session")
def astronaut():
    """Eileen Collins, photographed by NASA, with an open smile [512, 512, 3]."""
    data = pytest.importorskip("skimage.data", reason="scikit-image, which has a portrait, is not installed")
    return np.ascontiguousarray(data.astronaut())


@pytest.fixture(scope="session")
def drawn(drawn_portrait):
    renderer = opened(lambda: PortraitRenderer(drawn_portrait, SIZE))
    yield renderer
    renderer.close()


@pytest.fixture(scope="session")
def photographed(astronaut):
    renderer = opened(lambda: PortraitRenderer(astronaut, SIZE))
    yield renderer
    renderer.close()


@pytest.fixture(params=["drawn", "photographed"])
def renderer(request):
    return request.getfixturevalue(request.param)
