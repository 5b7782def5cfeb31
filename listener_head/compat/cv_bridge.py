"""The part of `cv_bridge` that the nodes use, with the same names and behaviour."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import CompressedImage, Image

from listener_head.errors import UserError
from listener_head.images import bgr_pixels, compressed_bgr_pixels, own_pixels

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
            CvBridgeError: the encoding is not supported, or sizes and data do not fit it.
        """
        with _bridge_errors():
            if desired_encoding in ("passthrough", img_msg.encoding):
                return own_pixels(img_msg)
            if desired_encoding not in _CHANNELS_OUT:
                raise UserError(
                    f"images can be converted to {', '.join(_CHANNELS_OUT)}, not '{desired_encoding}'"
                )
            bgr = bgr_pixels(img_msg)
        if desired_encoding == "bgr8":
            return bgr
        return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB if desired_encoding == "rgb8" else cv2.COLOR_BGR2GRAY)

    def compressed_imgmsg_to_cv2(
        self, cmprs_img_msg: CompressedImage, desired_encoding: str = "bgr8"
    ) -> NDArray[np.uint8]:
        """The image of a JPEG or PNG message as uint8 [H, W, 3]; CvBridgeError when it cannot be decoded."""
        if desired_encoding != "bgr8":
            raise CvBridgeError(f"compressed images can be converted to bgr8, not '{desired_encoding}'")
        with _bridge_errors():
            return compressed_bgr_pixels(cmprs_img_msg)

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


@contextmanager
def _bridge_errors() -> Iterator[None]:
    try:
        yield
    except UserError as problem:
        raise CvBridgeError(str(problem)) from problem
