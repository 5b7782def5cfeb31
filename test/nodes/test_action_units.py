import numpy as np
import pytest
from listener_head.msg import FaceCoefficients

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.ros import qos
from listener_head.ros.convert import to_message
from listener_head.ros.interfaces import interface, is_installed
from listener_head.ros.stamps import to_stamp

LAYOUT = LAYOUTS["arkit52"]


@pytest.mark.skipif(not is_installed("hri_msgs"), reason="hri_msgs is not installed")
def test_a_smile_is_action_unit_12(bench):
    bench.start("action_units")
    units = interface("hri_msgs", "msg", "FacialActionUnits")
    received = bench.listen(units, "listener/facial_action_units", qos.RESULT)
    faces = bench.speak(FaceCoefficients, "listener/coefficients", qos.RESULT)
    motion = LAYOUT.neutral()
    motion[[LAYOUT.index("mouthSmileLeft"), LAYOUT.index("mouthSmileRight")]] = 0.5
    faces.publish(to_message(Coefficients.from_motion("arkit52", motion), 42, None, "camera"))
    bench.until(lambda: received, "action units")
    message = received[0]
    assert message.header.stamp == to_stamp(42)
    assert len(message.intensity) == len(message.confidence) == 99
    assert message.intensity[units.LIP_CORNER_PULLER] == pytest.approx(0.5)
    assert message.confidence[units.LIP_CORNER_PULLER] == 1
    assert message.confidence[units.SWALLOW] == 0
    assert np.isfinite(message.intensity).all()


@pytest.mark.skipif(is_installed("hri_msgs"), reason="hri_msgs is installed")
def test_without_hri_msgs_it_refuses_and_names_the_package(bench):
    node = bench.configured("action_units")
    assert not node.bring_up()
    assert "needs the package hri_msgs, which is not installed" in node.problem
