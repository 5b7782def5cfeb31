"""Node `face_fit`: camera images to coefficients of the speaker's face."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from listener_head.coefficients import Coefficients
from listener_head.errors import UserError
from listener_head.face import Camera
from listener_head.face.perceiver import LANDMARKS, FacePerceiver
from listener_head.face.speaker_choice import LARGEST, Face, check_speaker
from listener_head.graph import COMPRESSED
from listener_head.images import COMPRESSED_IMAGE, IMAGE, any_bgr_pixels
from listener_head.msg import FaceCoefficients
from listener_head.plain import plain
from listener_head.providers import AUTO
from listener_head.ros import qos
from listener_head.ros.by_type import SubscriptionByType
from listener_head.ros.camera_motion import STILL_CAMERA_FRAME, declare_camera_motion, open_camera_motion
from listener_head.ros.convert import to_message
from listener_head.ros.node import GraphNode, run
from listener_head.ros.stamps import stamp_of
from listener_head.ros.worker import NewestWorker

RAW, PACKED = "raw", "compressed"  # as image_transport calls them
_MOST_DISTORTION = 14  # numbers of the longest model, rational_polynomial
_MOST_REASONS = 20  # that are told apart in the diagnostics


class FaceFit(GraphNode):
    """Subscribes to `speaker/image`, publishes `speaker/coefficients` with the image's stamp.

    Images may be raw or compressed: the type that the topic has decides, or by ROS custom the parameter
    image_transport, whose value `compressed` means the topic `speaker/image/compressed`.
    Of a camera that moves with a robot's head it publishes what one that stands still would see, in the frame
    STILL_CAMERA_FRAME, and `speaker/position`.
    """

    def __init__(self, cli_args: Sequence[str] | None = None) -> None:
        super().__init__("face_fit", cli_args)
        about = f"{RAW}: the type that speaker/image has; {PACKED}: speaker/image/compressed"
        self.declare("image_transport", RAW, about, choices=(RAW, PACKED), fixed=True)
        self.declare("backend", LANDMARKS, "what makes coefficients: landmarks or deep3d", fixed=True)
        self.declare("face_model", "arkit52", "face model that the landmarks are fitted with", fixed=True)
        self.declare("deep3d_network", "", "network file of the backend deep3d", fixed=True)
        self.declare("device", AUTO, "where the backend deep3d runs: auto, cuda, tensorrt or cpu", fixed=True)
        declare_camera_motion(self)
        about = "whose face is followed: largest, nearest_to_centre or a face's number in the diagnostics"
        self.declare("speaker", LARGEST, about, check=check_speaker)

    def configure(self) -> None:
        """Loads tracker and backend."""
        names = ("backend", "face_model", "deep3d_network", "device", "speaker")
        self.perceiver = FacePerceiver(*(self.value(name) for name in names))
        self._motion = open_camera_motion(self)
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
        topic, types = "speaker/image", [IMAGE, COMPRESSED_IMAGE]
        if self.value("image_transport") == PACKED:
            # Of the topic that speaker/image has become: a user remaps that one alone.
            topic, types = self.resolve_topic_name(topic) + COMPRESSED, [COMPRESSED_IMAGE]
        SubscriptionByType(self, topic, types, self._worker.put, qos.IMAGE)
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

    def _set_camera(self, info: CameraInfo) -> None:
        model, distortion = plain(info.distortion_model), info.d[: _MOST_DISTORTION + 1]
        numbers = (info.width, info.height, info.k.tobytes(), distortion.tobytes(), model)
        if numbers == self._camera_info:
            return
        self._camera_info = numbers
        try:
            self._camera = Camera.from_info(info.width, info.height, info.k, distortion, model)
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

    def _fit(self, image: Image | CompressedImage) -> None:
        self.counts["images"] += 1
        stamp_ns = stamp_of(image.header)
        if stamp_ns < self._last_ns:
            self.get_logger().warning("the camera's stamps went back; starting anew")
            self.perceiver.reset()
        self._last_ns = stamp_ns
        coefficients = self.coefficients_of(image, stamp_ns)
        self.counts["faces"] += coefficients.valid
        tracker = self.perceiver.tracker
        face_id = tracker.face_id if coefficients.valid else ""
        frame_id = image.header.frame_id if self._motion is None else STILL_CAMERA_FRAME
        local_ns = self.local_ns("speaker/image", stamp_ns)
        message = to_message(coefficients, local_ns, local_ns, frame_id, face_id)
        self._coefficients.publish(message)
        tracker.look_around()
        self._faces = tracker.faces

    def coefficients_of(self, image: Image | CompressedImage, stamp_ns: int) -> Coefficients:
        """What the speaker's face does in an image; invalid, with the reason and counted, without one."""
        try:
            pixels = any_bgr_pixels(image)
            self._follow_settings((pixels.shape[1], pixels.shape[0]))
            coefficients = self.perceiver.perceive(pixels, stamp_ns)
        except UserError as problem:
            self.refused(problem)
            self._count_invalid("the image cannot be used")
            return Coefficients.invalid(self.perceiver.face_model, str(problem))
        if self._motion is not None:
            coefficients = self._motion.correct(
                coefficients, image.header.frame_id, stamp_ns, self.perceiver.camera
            )
        if not coefficients.valid:
            self._count_invalid(coefficients.reason.partition(";")[0])
        return coefficients

    def _count_invalid(self, reason: str) -> None:
        # It may repeat what a message says, and each message say something else.
        reason = plain(reason)
        known = reason in self._invalid or len(self._invalid) < _MOST_REASONS
        self._invalid[reason if known else "other reasons"] += 1

    def _follow_settings(self, image_size: tuple[int, int]) -> None:
        """Takes over what parameters and camera_info say by now, on the thread that uses it."""
        speaker, tracker = self.value("speaker"), self.perceiver.tracker
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
