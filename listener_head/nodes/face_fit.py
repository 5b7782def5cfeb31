"""Node `face_fit`: camera images to coefficients of the speaker's face."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sensor_msgs.msg import CameraInfo, Image

from listener_head.coefficients import Coefficients
from listener_head.compat import CvBridge, CvBridgeError
from listener_head.errors import UserError
from listener_head.face import Camera, FaceFitter, FaceTracker, load_face_model
from listener_head.msg import FaceCoefficients
from listener_head.ros import qos
from listener_head.ros.convert import to_message
from listener_head.ros.node import GraphNode, run
from listener_head.ros.stamps import to_ns
from listener_head.ros.worker import NewestWorker


class FaceFit(GraphNode):
    """Subscribes to `speaker/image`, publishes `speaker/coefficients` with the image's stamp."""

    def __init__(self, cli_args: Sequence[str] | None = None) -> None:
        super().__init__("face_fit", cli_args)
        self.declare("face_model", "arkit52", "face model that is fitted", fixed=True)

    def configure(self) -> None:
        """Loads tracker and face model."""
        self._model = load_face_model(self.value("face_model"))
        self._tracker = FaceTracker()
        self._camera: Camera | None = None
        self._fitter = FaceFitter(self._model)
        self._bridge = CvBridge()
        self._last_ns = 0
        self._coefficients = self.advertise(FaceCoefficients, "speaker/coefficients")

    def activate(self) -> None:
        """Starts the working thread and listens to the camera."""
        self._worker = NewestWorker(self._fit, self.refused)
        self.subscribe(Image, "speaker/image", self._worker.put, qos.IMAGE)
        self.subscribe(CameraInfo, "speaker/camera_info", self._set_camera, qos.IMAGE)

    def deactivate(self) -> None:
        """Ends the working thread."""
        self._worker.close()

    def status(self) -> dict[str, object]:
        """For the diagnostics."""
        return {"images_skipped": self._worker.skipped if self.counts["images"] else 0}

    def _set_camera(self, info: CameraInfo) -> None:
        fx, _, cx, _, fy, cy = info.k[:6]
        camera = Camera(fx, fy, cx, cy)
        # An uncalibrated camera sends zeros.
        if min(fx, fy) > 0 and camera != self._camera:
            self._camera = camera
            self._fitter = FaceFitter(self._model, camera)
            self.get_logger().info(f"camera_info: focal length {fx:.0f} x {fy:.0f} pixels")

    def _fit(self, image: Image) -> None:
        self.counts["images"] += 1
        stamp_ns = to_ns(image.header.stamp)
        if stamp_ns < self._last_ns:
            self.get_logger().warning("the camera's stamps went back; starting anew")
            self._tracker.reset()
            self._fitter.reset()
        self._last_ns = stamp_ns
        coefficients = self._coefficients_of(image)
        self.counts["faces"] += coefficients.valid
        self._coefficients.publish(to_message(coefficients, stamp_ns, stamp_ns, image.header.frame_id, "0"))

    def _coefficients_of(self, image: Image) -> Coefficients:
        try:
            pixels: Any = self._bridge.imgmsg_to_cv2(image, "bgr8")
            landmarks = self._tracker.track(pixels)
        except (CvBridgeError, UserError) as problem:
            self.refused(problem)
            return Coefficients.invalid(self._model.name, str(problem))
        if landmarks is None:
            return Coefficients.invalid(self._model.name, "no face in view")
        return self._fitter.fit(landmarks)


def main() -> None:
    """Runs the node."""
    run(FaceFit)


if __name__ == "__main__":
    main()
