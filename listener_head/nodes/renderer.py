"""Node `renderer`: the listener's coefficients to pictures of a head."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from math import floor

from sensor_msgs.msg import Image

from listener_head.compat import CvBridge
from listener_head.errors import UserError
from listener_head.msg import FaceCoefficients
from listener_head.render.factory import HEAD, RENDERERS, make_renderer
from listener_head.render.lasting import LastingRenderer
from listener_head.ros.convert import from_message
from listener_head.ros.node import GraphNode, run
from listener_head.ros.stamps import to_ns
from listener_head.ros.worker import NewestWorker
from listener_head.timing import RATE_HZ, index_at_or_before

WATCH_PERIOD = 0.5  # [s]


class Renderer(GraphNode):
    """Subscribes to `listener/coefficients`, publishes `listener/image` with the same stamp."""

    def __init__(self, cli_args: Sequence[str] | None = None) -> None:
        super().__init__("renderer", cli_args)
        about = "what draws: head, portrait (a photograph) or neural (PIRenderer's network)"
        self.declare("renderer", HEAD, about, choices=RENDERERS, fixed=True)
        self.declare("size", 256, "width and height of the picture", 16, 4096, unit="pixels", fixed=True)
        self.declare("rate", 30.0, "most pictures a second", 1.0, 30.0, unit="Hz")
        self.declare("antialiasing", True, "head: smooth edges; costs time without a GPU", fixed=True)
        self.declare("theme", "default", "head: name of a theme or path of a theme file", fixed=True)
        about = "head: #rrggbb, path of a picture or transparent; empty: the theme's"
        self.declare("background", "", about, fixed=True)
        about = "head: your BFM_model_front.mat, for a listener that speaks bfm2009"
        self.declare("face_model", "", about, fixed=True)
        self.declare("portrait", "", "portrait, neural: path of a photograph of one face", fixed=True)
        self.declare("network", "", "neural: path of the network's file", fixed=True)
        about = "auto, cpu or the number of a graphics card; neural: auto, cpu, cuda or tensorrt"
        self.declare("device", "auto", about, fixed=True)
        about = "a picture that takes longer has hung, and another renderer takes its place"
        self.declare("patience", 10.0, about, 0.5, 600.0, unit="s")

    def configure(self) -> None:
        """Opens the renderer, which belongs to the thread that draws."""
        self._bridge = CvBridge()
        self._restarts, self._drawn_at = 0, time.monotonic()
        self._lasting = LastingRenderer(self._make)
        self._worker = self._drawing_thread(self._lasting, self._lasting.open)
        self._worker.wait_until_started()
        # Only now: whoever waits for pictures waits until they can be drawn.
        self._image = self.advertise(Image, "listener/image")
        self.get_logger().info(f"drawing with {self._lasting.device}")

    def activate(self) -> None:
        """Listens to the coefficients."""
        self.subscribe(FaceCoefficients, "listener/coefficients", self._take)
        self.every(WATCH_PERIOD, self._watch)

    def cleanup(self) -> None:
        """Ends the drawing thread."""
        self._worker.close()

    def status(self) -> dict[str, object]:
        """For the diagnostics."""
        if not self.counts["images"]:
            return {}
        restarts = self._restarts + self._lasting.restarts
        age = round(time.monotonic() - self._drawn_at, 2)
        return {
            "device": self._lasting.device,
            "skipped": self._worker.skipped,
            "context_restarts": restarts,
            "last_image_age_s": age,
        }

    def refused(self, problem: Exception) -> None:
        """Says why there is no new picture."""
        super().refused(UserError(f"{problem}; the last good image stays"))

    def _take(self, message: FaceCoefficients) -> None:
        # As many of the grid's instants as the rate asks for, evenly; all at the grid's own rate.
        index = index_at_or_before(to_ns(message.header.stamp))
        share = self.value("rate") / RATE_HZ
        if floor((index + 1) * share) > floor(index * share):
            self._worker.put(message)

    def _make(self):
        files = {
            name: self.value(name) for name in ("theme", "background", "face_model", "portrait", "network")
        }
        return make_renderer(
            self.value("renderer"),
            self.value("size"),
            self.value("device"),
            antialiasing=self.value("antialiasing"),
            **files,
        )

    def _drawing_thread(self, lasting: LastingRenderer, start: Callable[[], None] | None) -> NewestWorker:
        return NewestWorker(
            lambda message: self._render(lasting, message), self.refused, start=start, stop=lasting.close
        )

    def _watch(self) -> None:
        """Leaves a renderer that hangs to itself and draws on with another one, on a thread of its own."""
        hung = self._lasting.busy_s
        if hung < self.value("patience"):
            return
        self._restarts += 1 + self._lasting.restarts
        # It ends by itself, should its picture ever be finished.
        threading.Thread(target=self._worker.close, daemon=True).start()
        self.refused(UserError(f"the renderer has hung for {hung:.1f} s; another one takes its place"))
        # It opens for its first picture, and tries again if it cannot.
        self._lasting = LastingRenderer(self._make)
        self._worker = self._drawing_thread(self._lasting, start=None)

    def _render(self, lasting: LastingRenderer, message: FaceCoefficients) -> None:
        coefficients = from_message(message)
        if not coefficients.valid:
            raise UserError(f"coefficients are not valid ({coefficients.reason})")
        before = lasting.restarts
        picture = lasting.render(coefficients)
        if lasting is not self._lasting:
            return  # it hung, and has been replaced
        if lasting.restarts > before:
            self.refused(UserError(f"the renderer was lost ({lasting.loss}) and has been opened anew"))
        image = self._bridge.cv2_to_imgmsg(picture, encoding="rgba8" if picture.shape[2] == 4 else "rgb8")
        image.header = message.header
        self._image.publish(image)
        self._drawn_at = time.monotonic()
        self.counts["images"] += 1


def main() -> None:
    """Runs the node."""
    run(Renderer)


if __name__ == "__main__":
    main()
