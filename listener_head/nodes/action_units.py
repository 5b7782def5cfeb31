"""Node `action_units`: the listener's face as facial action units for ROS4HRI (REP 155)."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from listener_head.avatar import ArkitExpression, action_units
from listener_head.avatar.action_units import KNOWN
from listener_head.avatar.arkit import open_retarget
from listener_head.msg import FaceCoefficients
from listener_head.ros.arkit import arkit_face
from listener_head.ros.interfaces import interface
from listener_head.ros.node import GraphNode, run


class ActionUnits(GraphNode):
    """Subscribes to `listener/coefficients`, publishes `listener/facial_action_units` with the same stamp."""

    def __init__(self, cli_args: Sequence[str] | None = None) -> None:
        super().__init__("action_units", cli_args)
        self.declare(
            "face_model", "", "your BFM_model_front.mat, for a listener that speaks bfm2009", fixed=True
        )

    def configure(self) -> None:
        """Needs hri_msgs."""
        message_type = interface("hri_msgs", "msg", "FacialActionUnits")
        self._expression = ArkitExpression(open_retarget(self.value("face_model")))
        self._units = self.advertise(message_type, "listener/facial_action_units")
        self._message = message_type()

    def activate(self) -> None:
        """Listens to the coefficients."""
        self.subscribe(FaceCoefficients, "listener/coefficients", self._tell)

    def _tell(self, message: FaceCoefficients) -> None:
        face = arkit_face(self, self._expression, message)
        if face is None:
            return
        coefficients, weights = face
        units = action_units(weights, coefficients.rotation)
        self._message.header = message.header
        self._message.intensity = array("f", units.tolist())
        self._message.confidence = array("f", (KNOWN * coefficients.confidence).tolist())
        self._units.publish(self._message)
        self.counts["faces"] += 1


def main() -> None:
    """Runs the node."""
    run(ActionUnits)


if __name__ == "__main__":
    main()
