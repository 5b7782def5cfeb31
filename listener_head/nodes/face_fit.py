"""Node `face_fit`: camera images to coefficients of the speaker's face."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rcl_interfaces.msg import ParameterDescriptor, SetParametersResult
from rclpy.parameter import Parameter
from sensor_msgs.msg import CameraInfo, Image

from listener_head.coefficients import Coefficients
from listener_head.compat import CvBridge, CvBridgeError
from listener_head.errors import UserError
from listener_head.face import Camera
from listener_head.face.perceiver import LANDMARKS, FacePerceiver
from listener_head.face.speaker_choice import LARGEST, Face, check_speaker
from listener_head.msg import FaceCoefficients
from listener_head.providers import AUTO
from listener_head.ros import qos
from listener_head.ros.camera_motion import STILL_CAMERA_FRAME, declare_camera_motion, open_camera_motion
from listener_head.ros.convert import to_message
from listener_head.ros.node import GraphNode, run
from listener_head.ros.stamps import to_ns
from listener_head.ros.worker import NewestWorker


class FaceFit(GraphNode):
    """Subscribes to `speaker/image`, publishes `speaker/coefficients` with the image's stamp.

    Of a camera that moves with a robot's head it publishes what one that stands still would see, in the frame
    STILL_CAMERA_FRAME, and `speaker/position`.
    """

    def __init__(self, cli_args: Sequence[str] | None = None) -> None:
        super().__init__("face_fit", cli_args)
        self.declare("backend", LANDMARKS, "what makes coefficients: landmarks or deep3d", fixed=True)
        self.declare("face_model", "arkit52", "face model that the landmarks are fitted with", fixed=True)
        self.declare("deep3d_network", "", "network file of the backend deep3d", fixed=True)
        self.declare("device", AUTO, "where the backend deep3d runs: auto, cuda, tensorrt or cpu", fixed=True)
        declare_camera_motion(self)
        # A face's number on the command line (-p speaker:=1) is an integer to ROS.
        about_speaker = ParameterDescriptor(description="whose face is followed", dynamic_typing=True)
        self.declare_parameter("speaker", LARGEST, about_speaker)
        self.add_on_set_parameters_callback(self._check_parameters)

    def configure(self) -> None:
        """Loads tracker and backend."""
        names = ("backend", "face_model", "deep3d_network", "device", "speaker")
        self.perceiver = FacePerceiver(*(str(self.value(name)) for name in names))
        self._motion = open_camera_motion(self)
        self._bridge = CvBridge()
        self._camera: Camera | None = None
        self._camera_info: tuple[object, ...] = ()
        self._last_ns = 0
        self._invalid: Counter[str] = Counter()
        self._faces: list[Face] = []
        self._coefficients = self.advertise(FaceCoefficients, "speaker/coefficients")

    def activate(self) -> None:
        """Starts the working thread and listens to the camera."""
        if self._motion is not None:
            self._motion.start()
        self._worker = NewestWorker(self._fit, self.refused)
        self.subscribe(Image, "speaker/image", self._worker.put, qos.IMAGE)
        self.subscribe(CameraInfo, "speaker/camera_info", self._set_camera, qos.IMAGE)

    def deactivate(self) -> None:
        """Ends the working thread."""
        self._worker.close()
        if self._motion is not None:
            self._motion.stop()

    def status(self) -> dict[str, object]:
        """For the diagnostics."""
        if not self.counts["images"]:
            return {"images_skipped": 0}
        places = (
            f"{face.face_id} at ({face.x:.0f}, {face.y:.0f}), {face.size:.0f} px" for face in self._faces
        )
        return {
            "images_skipped": self._worker.skipped,
            "faces_in_view": "; ".join(places) or "none",
            "face_followed": self.perceiver.tracker.face_id or "none",
            **{f"invalid: {reason}": count for reason, count in self._invalid.copy().items()},
        }

    def _check_parameters(self, parameters: list[Parameter]) -> SetParametersResult:
        try:
            for parameter in parameters:
                if parameter.name == "speaker":
                    check_speaker(str(parameter.value))
        except UserError as problem:
            return SetParametersResult(successful=False, reason=str(problem))
        return SetParametersResult(successful=True)

    def _set_camera(self, info: CameraInfo) -> None:
        numbers = (info.width, info.height, info.k.tobytes(), info.d.tobytes(), info.distortion_model)
        if numbers == self._camera_info:
            return
        self._camera_info = numbers
        try:
            self._camera = Camera.from_info(info.width, info.height, info.k, info.d, info.distortion_model)
        except UserError as problem:
            self._refuse_camera(problem)
        if self._camera is not None:
            self.get_logger().info(
                f"camera_info: focal length {self._camera.fx:.0f} x {self._camera.fy:.0f} px"
            )

    def _refuse_camera(self, problem: UserError) -> None:
        self._camera = None
        self.counts["camera_info_refused"] += 1
        self.refused(problem)

    def _fit(self, image: Image) -> None:
        self.counts["images"] += 1
        stamp_ns = to_ns(image.header.stamp)
        if stamp_ns < self._last_ns:
            self.get_logger().warning("the camera's stamps went back; starting anew")
            self.perceiver.reset()
        self._last_ns = stamp_ns
        coefficients = self.coefficients_of(image, stamp_ns)
        self.counts["faces"] += coefficients.valid
        tracker = self.perceiver.tracker
        face_id = tracker.face_id if coefficients.valid else ""
        frame_id = image.header.frame_id if self._motion is None else STILL_CAMERA_FRAME
        message = to_message(coefficients, stamp_ns, stamp_ns, frame_id, face_id)
        self._coefficients.publish(message)
        tracker.look_around()
        self._faces = tracker.faces

    def coefficients_of(self, image: Image, stamp_ns: int) -> Coefficients:
        """What the speaker's face does in an image; invalid, with the reason and counted, without one."""
        try:
            pixels = self._pixels_of(image)
            self._follow_settings((image.width, image.height))
            coefficients = self.perceiver.perceive(pixels, stamp_ns)
        except UserError as problem:
            self.refused(problem)
            self._invalid["the image cannot be used"] += 1
            return Coefficients.invalid(self.perceiver.face_model, str(problem))
        if self._motion is not None:
            coefficients = self._motion.correct(
                coefficients, image.header.frame_id, stamp_ns, self.perceiver.camera
            )
        if not coefficients.valid:
            self._invalid[coefficients.reason.partition(";")[0]] += 1
        return coefficients

    def _pixels_of(self, image: Image) -> NDArray[np.uint8]:
        try:
            return self._bridge.imgmsg_to_cv2(image, "bgr8")
        except (CvBridgeError, TypeError, ValueError) as problem:  # the real cv_bridge raises all three
            raise UserError(str(problem)) from problem

    def _follow_settings(self, image_size: tuple[int, int]) -> None:
        """Takes over what parameters and camera_info say by now, on the thread that uses it."""
        speaker, tracker = str(self.value("speaker")), self.perceiver.tracker
        if speaker != tracker.speaker:
            tracker.speaker = speaker
        # With an assumed camera, poses of every backend are before the real one, whose motion is known.
        assumed = None if self._motion is None else Camera.assumed(image_size)
        try:
            self.perceiver.use_camera(self._camera or assumed, image_size)
        except UserError as problem:
            self._refuse_camera(problem)
            self.perceiver.use_camera(assumed, image_size)


def main() -> None:
    """Runs the node."""
    run(FaceFit)


if __name__ == "__main__":
    main()
