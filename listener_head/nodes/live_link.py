"""Node `live_link`: the listener's face to an avatar, as the Live Link Face app sends it."""

from __future__ import annotations

from collections.abc import Sequence

from listener_head.avatar import ArkitExpression, LiveLinkEncoder, LiveLinkSender
from listener_head.avatar.arkit import open_retarget
from listener_head.avatar.live_link import DEFAULT_PORT
from listener_head.errors import UserError
from listener_head.msg import FaceCoefficients
from listener_head.ros.arkit import arkit_face
from listener_head.ros.node import GraphNode, run
from listener_head.ros.stamps import to_ns


class LiveLink(GraphNode):
    """Subscribes to `listener/coefficients`, sends a UDP packet for each."""

    def __init__(self, cli_args: Sequence[str] | None = None) -> None:
        super().__init__("live_link", cli_args)
        self.declare("host", "127.0.0.1", "name or address of the computer with the avatar", fixed=True)
        self.declare("port", DEFAULT_PORT, "its UDP port", 1, 65535, fixed=True)
        self.declare("subject", "listener_head", "name of the subject in Unreal", fixed=True)
        self.declare(
            "face_model", "", "your BFM_model_front.mat, for a listener that speaks bfm2009", fixed=True
        )

    def configure(self) -> None:
        """Finds the address."""
        self._expression = ArkitExpression(open_retarget(self.value("face_model")))
        self._encoder = LiveLinkEncoder(self.value("subject"))
        self._sender = LiveLinkSender(self.value("host"), self.value("port"))

    def activate(self) -> None:
        """Listens to the coefficients."""
        self.subscribe(FaceCoefficients, "listener/coefficients", self._send)

    def cleanup(self) -> None:
        """Closes the socket."""
        self._sender.close()

    def _send(self, message: FaceCoefficients) -> None:
        face = arkit_face(self, self._expression, message)
        if face is None:
            return
        coefficients, weights = face
        packet = self._encoder.encode(weights, coefficients.rotation, to_ns(message.header.stamp))
        problem = self._sender.send(packet)
        if problem:
            self.refused(UserError(problem))
        else:
            self.counts["packets"] += 1


def main() -> None:
    """Runs the node."""
    run(LiveLink)


if __name__ == "__main__":
    main()
