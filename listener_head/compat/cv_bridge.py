"""The part of `cv_bridge` that the nodes use, with the same names and behaviour."""

from __future__ import annotations

import sys
from array import array

import cv2
import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import CompressedImage, Image

# encoding: (channels, OpenCV's conversion code to bgr8, None where it is bgr8 already)
_TO_BGR: dict[str, tuple[int, int | None]] = {
    "bgr8": (3, None),
    "rgb8": (3, cv2.COLOR_RGB2BGR),
    "mono8": (1, cv2.COLOR_GRAY2BGR),
    "8UC1": (1, cv2.COLOR_GRAY2BGR),
    "8UC3": (3, None),
    "bgra8": (4, cv2.COLOR_BGRA2BGR),
    "rgba8": (4, cv2.COLOR_RGBA2BGR),
    "yuv422": (2, cv2.COLOR_YUV2BGR_UYVY),
    "uyvy": (2, cv2.COLOR_YUV2BGR_UYVY),
    "yuv422_yuy2": (2, cv2.COLOR_YUV2BGR_YUYV),
    "yuyv": (2, cv2.COLOR_YUV2BGR_YUYV),
}
_CHANNELS_OUT = {"bgr8": 3, "rgb8": 3, "mono8": 1}
_CHANNELS_SENT = _CHANNELS_OUT | {"rgba8": 4}


class CvBridgeError(TypeError):
    """An image that cannot be converted."""


class CvBridge:
    """Converts between sensor_msgs images and OpenCV arrays."""

    def imgmsg_to_cv2(self, img_msg: Image, desired_encoding: str = "passthrough") -> NDArray[np.uint8]:
        """The image as uint8 [H, W, C] ('bgr8' or 'rgb8') or [H, W] ('mono8').

        ``passthrough`` gives the message's own channels and may share its memory.

        Raises:
            CvBridgeError: the encoding is not one of ``_TO_BGR``, or sizes and data do not fit it.
        """
        if img_msg.encoding not in _TO_BGR:
            known = ", ".join(_TO_BGR)
            raise CvBridgeError(f"image encoding '{img_msg.encoding}' is not supported; use one of {known}")
        channels, code = _TO_BGR[img_msg.encoding]
        pixels = self._pixels(img_msg, channels)
        if desired_encoding in ("passthrough", img_msg.encoding):
            return pixels
        if desired_encoding not in _CHANNELS_OUT:
            raise CvBridgeError(
                f"images can be converted to {', '.join(_CHANNELS_OUT)}, not '{desired_encoding}'"
            )
        try:
            bgr = pixels if code is None else cv2.cvtColor(pixels, code)
        except cv2.error as problem:  # of sizes that the encoding cannot have: yuv422 with an odd width
            text = f"image of {img_msg.width}x{img_msg.height} cannot be of encoding {img_msg.encoding}"
            raise CvBridgeError(text) from problem
        if desired_encoding == "bgr8":
            return bgr
        return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB if desired_encoding == "rgb8" else cv2.COLOR_BGR2GRAY)

    def compressed_imgmsg_to_cv2(
        self, cmprs_img_msg: CompressedImage, desired_encoding: str = "bgr8"
    ) -> NDArray[np.uint8]:
        """The image of a JPEG or PNG message as uint8 [H, W, 3]; CvBridgeError when it cannot be decoded."""
        if desired_encoding != "bgr8":
            raise CvBridgeError(f"compressed images can be converted to bgr8, not '{desired_encoding}'")
        pixels = cv2.imdecode(np.frombuffer(cmprs_img_msg.data, np.uint8), cv2.IMREAD_COLOR)
        if pixels is None:
            raise CvBridgeError(f"compressed image of format '{cmprs_img_msg.format}' cannot be decoded")
        return pixels

    def cv2_to_imgmsg(self, cvim: NDArray[np.uint8], encoding: str = "passthrough") -> Image:
        """A message of uint8 [H, W, C] or [H, W]; CvBridgeError when the encoding does not fit the array."""
        if encoding not in _CHANNELS_SENT:
            raise CvBridgeError(f"images are sent as {', '.join(_CHANNELS_SENT)}, not '{encoding}'")
        channels = cvim.shape[2] if cvim.ndim == 3 else 1
        if cvim.dtype != np.uint8 or channels != _CHANNELS_SENT[encoding]:
            raise CvBridgeError(
                f"an array {cvim.dtype}{list(cvim.shape)} is not an image of encoding {encoding}"
            )
        message = Image(height=cvim.shape[0], width=cvim.shape[1], encoding=encoding)
        message.step = cvim.shape[1] * channels
        message.is_bigendian = sys.byteorder == "big"
        # The setter takes an array('B') as it is; anything else it checks number by number (50 ms).
        data = array("B")
        data.frombytes(np.ascontiguousarray(cvim).data.cast("B"))
        message.data = data
        return message

    @staticmethod
    def _pixels(message: Image, channels: int) -> NDArray[np.uint8]:
        height, width, step = message.height, message.width, message.step
        if min(height, width) < 1 or step < width * channels or len(message.data) < height * step:
            raise CvBridgeError(
                f"image says {width}x{height}, step {step}, {message.encoding}, "
                f"but holds {len(message.data)} bytes"
            )
        rows = np.frombuffer(message.data, np.uint8, height * step).reshape(height, step)
        pixels = rows[:, : width * channels]
        return pixels if channels == 1 else pixels.reshape(height, width, channels)
