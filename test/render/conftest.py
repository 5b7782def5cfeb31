import pytest

from listener_head.errors import UserError
from listener_head.render import HeadRenderer


@pytest.fixture(scope="session")
def open_renderer():
    """Opens renderers, and closes them in the end; skips where no OpenGL context opens."""
    opened = []

    def open_one(*arguments, **options) -> HeadRenderer:
        try:
            opened.append(HeadRenderer(*arguments, **options))
        except UserError as error:
            if "OpenGL context" in str(error):
                pytest.skip(str(error))
            raise
        return opened[-1]

    yield open_one
    for renderer in opened:
        renderer.close()
