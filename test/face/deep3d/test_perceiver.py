"""The perceiver runs either backend on the followed face."""

import numpy as np
import pytest

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.errors import UserError
from listener_head.face import Camera
from listener_head.face.perceiver import FacePerceiver
from listener_head.render import HeadRenderer


@pytest.fixture(scope="module")
def portrait():
    """The head in BGR, 320 x 320."""
    renderer = HeadRenderer(320)
    image = renderer.render(Coefficients.from_motion("arkit52", LAYOUTS["arkit52"].neutral()))
    renderer.close()
    return np.ascontiguousarray(image[..., ::-1])


@pytest.mark.parametrize("backend", ["landmarks", "deep3d"])
def test_face_has_coefficients_and_no_face_a_reason(request, portrait, backend):
    network = str(request.getfixturevalue("exported")) if backend == "deep3d" else ""
    perceiver = FacePerceiver(backend, deep3d_network=network)
    name = {"landmarks": "arkit52", "deep3d": "bfm2009"}[backend]
    seen = perceiver.perceive(portrait, 0)
    assert seen.face_model == perceiver.face_model == name
    # Random weights put the face anywhere, also where it cannot be.
    assert seen.valid or "network" in seen.reason
    assert np.isfinite(seen.motion).all() and len(seen.motion) == LAYOUTS[name].size
    nobody = perceiver.perceive(np.zeros_like(portrait), 10**9)
    assert not nobody.valid and nobody.reason == "no face in view"
    perceiver.reset()
    perceiver.use_camera(Camera(500.0, 500.0, 160.0, 160.0), (320, 320))
    assert np.isfinite(perceiver.perceive(portrait, 0).motion).all()
    perceiver.close()


def test_camera_of_another_picture_is_refused_and_changes_nothing():
    perceiver = FacePerceiver()
    perceiver.use_camera(Camera(500.0, 500.0, 160.0, 160.0, image_size=(320, 320)), (640, 640))
    assert perceiver.camera.fx == 1000.0
    with pytest.raises(UserError, match="aspect"):
        perceiver.use_camera(Camera(500.0, 500.0, 160.0, 160.0, image_size=(320, 320)), (640, 480))
    assert perceiver.camera.fx == 1000.0
    perceiver.close()
