"""MediaPipe's two networks, landmarks of one face and detection of all, each behind one function.

``mediapipe.solutions.face_mesh`` is a graph of both that chooses by itself which face it follows, and
hands out its points one by one. The graphs here hold one network each, with crops of a fixed size: whose
face is followed is decided outside, and the size of the camera's image costs nothing.

MediaPipe is slow and noisy to import, so it is imported by the first network, not by this module.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from listener_head.coefficients import FloatArray
from listener_head.face.region import CROP

LANDMARK_COUNT = 478  # FaceMesh's 468 points and, from 468 on, two irises of 5

# The calling thread does the work: no hand-over to a thread of MediaPipe's.
_EXECUTOR = 'executor { name: "" type: "ApplicationThreadExecutor" }'

_LANDMARKS = """
input_stream: "image" input_stream: "region" output_stream: "result"
input_side_packet: "with_attention"
node {
  calculator: "FaceLandmarkCpu"
  input_stream: "IMAGE:image" input_stream: "ROI:region" input_side_packet: "WITH_ATTENTION:with_attention"
  output_stream: "LANDMARKS:result"
}"""

_DETECTION = """
input_stream: "image" output_stream: "result"
node { calculator: "FaceDetection%sCpu" input_stream: "IMAGE:image" output_stream: "DETECTIONS:result" }"""

# Longer side of the images that the two detectors look at [px]. The full range finds faces down to a
# thirteenth of it, the short range only from a sixth on, but also faces that are turned upside down.
_FULL_RANGE, _SHORT_RANGE = 192, 128

_SAME = 0.6  # of the larger face's size between the centres: nearer, two detections are of one face

# A serialised NormalizedLandmark (protobuf wire format): tag and length of the message, then tag and
# little-endian float of x, y, z, 17 bytes in all, as long as no coordinate is exactly zero.
_POINT = np.dtype({"names": ["x", "y"], "formats": ["<f4", "<f4"], "offsets": [3, 8], "itemsize": 17})

# What MediaPipe's C++ side writes to stderr while a graph starts, whatever its log levels are set to.
_NOISE = re.compile(
    rb"^(INFO: Created TensorFlow Lite|WARNING: All log messages before absl::InitializeLog"
    rb"|[IW]\d{4} .*(inference_feedback_manager|landmark_projection_calculator|gl_context|tensorflow))"
)


@dataclass(frozen=True)
class Detection:
    """A face found in an image: centre of its box and the box's longer side in pixels.

    ``angle`` of the line through the eyes, clockwise from the image's rows [rad].
    """

    x: float
    y: float
    size: float
    angle: float

    def overlaps(self, other: Detection) -> bool:
        """Whether they lie too close to each other for two faces side by side."""
        distance = np.hypot(self.x - other.x, self.y - other.y)
        return bool(distance < _SAME * max(self.size, other.size))


class LandmarkNetwork:
    """MediaPipe's face landmark network with attention (FaceMesh, 478 points); one thread at a time."""

    def __init__(self) -> None:
        self._graph = _Graph(_LANDMARKS, with_attention=True)
        from mediapipe.framework.formats.rect_pb2 import NormalizedRect

        whole = NormalizedRect(x_center=0.5, y_center=0.5, width=1.0, height=1.0)
        self._whole = self._graph.creator.create_proto(whole)
        self.points(np.zeros((CROP, CROP, 3), np.uint8))

    def points(self, crop_bgr: NDArray[np.uint8]) -> FloatArray | None:
        """Landmarks float32 [478, 2] in pixels of a crop uint8 [192, 192, 3], None where it shows no face."""
        packet = self._graph.run(crop_bgr, region=self._whole)
        if packet is None:
            return None
        message = self._graph.getter.get_proto(packet)
        points = np.frombuffer(message.SerializeToString(), np.uint8)
        if len(points) == LANDMARK_COUNT * _POINT.itemsize:
            packed = points.view(_POINT)
            return CROP * np.stack([packed["x"], packed["y"]], axis=1)
        return CROP * np.array([(point.x, point.y) for point in message.landmark], np.float32)

    def close(self) -> None:
        """Frees the network."""
        self._graph.close()


class FaceDetector:
    """MediaPipe's face detectors (BlazeFace) for far and for near faces; one thread at a time."""

    def __init__(self) -> None:
        self._far, self._near = _Graph(_DETECTION % "FullRange"), _Graph(_DETECTION % "ShortRange")
        for graph in (self._far, self._near):
            graph.run(np.zeros((64, 64, 3), np.uint8))

    def detect(self, image_bgr: NDArray[np.uint8], near_only: bool = False) -> list[Detection]:
        """All faces in an image uint8 [H, W, 3], in pixels of that image.

        With ``near_only`` in a quarter of the time, without those further away than about two metres.
        """
        near = self._run(self._near, _SHORT_RANGE, image_bgr)
        if near_only:
            return near
        # Where both see a face the short range is right: the full range errs on heads that lie down.
        far = self._run(self._far, _FULL_RANGE, image_bgr)
        return near + [face for face in far if not any(map(face.overlaps, near))]

    def close(self) -> None:
        """Frees the networks."""
        self._far.close()
        self._near.close()

    def _run(self, graph: _Graph, longest: int, image: NDArray[np.uint8]) -> list[Detection]:
        packet = graph.run(_shrunk(image, longest))
        found = [] if packet is None else graph.getter.get_proto_list(packet)
        height, width = image.shape[:2]
        return [_detection(each.location_data, width, height) for each in found]


class _Graph:
    """A MediaPipe graph that is given one image at a time and gives one result or none."""

    def __init__(self, text: str, **side_packets: bool) -> None:
        with quiet_stderr():
            import mediapipe
            from google.protobuf import text_format
            from mediapipe.framework.calculator_pb2 import CalculatorGraphConfig

            mediapipe.resource_util.set_resource_dir(str(Path(mediapipe.__file__).parents[1]))
            self.creator, self.getter = mediapipe.packet_creator, mediapipe.packet_getter
            self._format = mediapipe.ImageFormat.SRGB
            config = text_format.Parse(text + _EXECUTOR, CalculatorGraphConfig())
            self._graph: Any = mediapipe.CalculatorGraph(graph_config=config)
            self._graph.observe_output_stream("result", self._take)
            self._graph.start_run({name: self.creator.create_bool(on) for name, on in side_packets.items()})
        self._count, self._silent = 0, False
        self._result: Any = None

    def run(self, image_bgr: NDArray[np.uint8], **more: Any) -> Any:
        """The packet of the stream ``result`` for an image and further packets by stream, or None."""
        if self._silent:
            return self._run(image_bgr, **more)
        with quiet_stderr():
            result = self._run(image_bgr, **more)
        self._silent = result is not None  # the last of the start-up noise comes with the first face
        return result

    def close(self) -> None:
        """Ends the graph."""
        self._graph.close_all_packet_sources()
        self._graph.wait_until_done()

    def _run(self, image_bgr: NDArray[np.uint8], **more: Any) -> Any:
        self._result, self._count = None, self._count + 1
        image = cv2.cvtColor(image_bgr, cv2.COLOR_BGR2RGB)
        packets = {"image": self.creator.create_image_frame(data=image, image_format=self._format), **more}
        for stream, packet in packets.items():
            self._graph.add_packet_to_input_stream(stream, packet.at(self._count))
        self._graph.wait_until_idle()
        return self._result

    def _take(self, _stream: str, packet: Any) -> None:
        self._result = packet


def _shrunk(image: NDArray[np.uint8], longest: int) -> NDArray[np.uint8]:
    """The image with a longer side of at most ``longest`` pixels."""
    # Averaging all pixels of a huge image would take tens of milliseconds: some of them are enough.
    stride = max(1, max(image.shape[:2]) // (4 * longest))
    part = image[::stride, ::stride]
    height, width = part.shape[:2]
    scale = min(1.0, longest / max(height, width))
    size = (max(1, round(scale * width)), max(1, round(scale * height)))
    return cv2.resize(part, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _detection(location: Any, width: int, height: int) -> Detection:
    box = location.relative_bounding_box
    right, left = location.relative_keypoints[:2]  # the person's own right and left eye
    angle = np.arctan2(height * (left.y - right.y), width * (left.x - right.x))
    return Detection(
        x=width * (box.xmin + box.width / 2),
        y=height * (box.ymin + box.height / 2),
        size=max(width * box.width, height * box.height),
        angle=float(angle),
    )


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Hold back what is written to stderr meanwhile, and then write all of it but MediaPipe's known noise."""
    sys.stderr.flush()
    saved = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(saved, 2)
            os.close(saved)
            held.seek(0)
            for line in held:
                if not _NOISE.match(line):
                    os.write(2, line)
