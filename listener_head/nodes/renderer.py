"""Node `renderer`: the listener's coefficients to pictures of a head."""

from __future__ import annotations

from collections.abc import Sequence

from sensor_msgs.msg import Image

from listener_head.compat import CvBridge
from listener_head.msg import FaceCoefficients
from listener_head.render import HeadRenderer
from listener_head.ros.convert import from_message
from listener_head.ros.node import GraphNode, run
from listener_head.ros.worker import NewestWorker


class Renderer(GraphNode):
    """Subscribes to `listener/coefficients`, publishes `listener/image` with the same stamp."""

    def __init__(self, cli_args: Sequence[str] | None = None) -> None:
        super().__init__("renderer", cli_args)
        self.declare("size", 256, "width and height of the picture [pixels]", 16, 4096, fixed=True)
        self.declare("antialiasing", True, "smooth edges; costs time without a GPU", fixed=True)

    def configure(self) -> None:
        """Opens the graphics context, which belongs to the thread that draws."""
        self._bridge = CvBridge()
        self._image = self.advertise(Image, "listener/image")
        self._worker = NewestWorker(self._render, self.refused, start=self._open, stop=self._close)
        self._worker.wait_until_started()

    def activate(self) -> None:
        """Listens to the coefficients."""
        self.subscribe(FaceCoefficients, "listener/coefficients", self._worker.put)

    def cleanup(self) -> None:
        """Ends the drawing thread."""
        self._worker.close()

    def status(self) -> dict[str, object]:
        """For the diagnostics."""
        return {"device": self._renderer.device} if self.counts["images"] else {}

    def _open(self) -> None:
        self._renderer = HeadRenderer(self.value("size"), samples=2 if self.value("antialiasing") else 1)
        self.get_logger().info(f"drawing with {self._renderer.device}")

    def _close(self) -> None:
        self._renderer.close()

    def _render(self, message: FaceCoefficients) -> None:
        coefficients = from_message(message)
        if not coefficients.valid:
            return
        image = self._bridge.cv2_to_imgmsg(self._renderer.render(coefficients), encoding="rgb8")
        image.header = message.header
        self._image.publish(image)
        self.counts["images"] += 1


def main() -> None:
    """Runs the node."""
    run(Renderer)


if __name__ == "__main__":
    main()
