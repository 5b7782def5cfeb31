"""Camera and microphone of this computer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from listener_head.errors import UserError
from listener_head.sources.video_file import CHUNK_DURATION


class Camera:
    """A camera by its number, through OpenCV.

    Raises:
        UserError: there is no such camera, or it gives no picture.
    """

    def __init__(self, device: int) -> None:
        self.device = device
        cv2.setLogLevel(0)  # our own line says it better
        self._capture = cv2.VideoCapture(device)
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # an old frame is worth nothing
        if not self._capture.isOpened() or not self._capture.read()[0]:
            self._capture.release()
            raise UserError(
                f"camera {device} cannot be opened; choose another number (ls /dev/video*) and check "
                "that no other program uses it and that you belong to the group 'video'"
            )

    def read(self) -> NDArray[np.uint8] | None:
        """The next frame, uint8 [H, W, 3] BGR; None when the camera went away."""
        success, pixels = self._capture.read()
        return pixels.astype(np.uint8, copy=False) if success else None

    def close(self) -> None:
        """Frees the camera."""
        self._capture.release()


class Microphone:
    """The microphone ``device`` ('' is the default one), through PortAudio.

    ``heard`` is called on PortAudio's thread with int16 samples [N, channels] and their age [s], the
    time from the first sample to now.

    Raises:
        UserError: PortAudio is missing, or there is no such device.
    """

    def __init__(self, device: str, heard: Callable[[NDArray[np.int16], float], None]) -> None:
        try:
            import sounddevice
        except OSError as problem:
            raise UserError(
                "microphone: PortAudio is missing; install it: apt install libportaudio2"
            ) from problem
        try:
            name = int(device) if device.isdigit() else device or None
            self.sample_rate = round(sounddevice.query_devices(name, "input")["default_samplerate"])
            self._heard = heard
            self._stream = sounddevice.InputStream(
                samplerate=self.sample_rate,
                device=name,
                channels=1,
                dtype="int16",
                blocksize=round(self.sample_rate * CHUNK_DURATION),
                latency="low",
                callback=self._callback,
            )
            self._stream.start()
        except (sounddevice.PortAudioError, ValueError) as problem:
            raise UserError(
                f"microphone '{device or 'default'}' cannot be opened ({problem}); list the devices "
                "with: python -m sounddevice"
            ) from problem

    def _callback(self, samples: NDArray[np.int16], _frames: int, time: Any, _status: Any) -> None:
        age = max(0.0, time.currentTime - time.inputBufferAdcTime)
        # PortAudio reuses its buffer after this call.
        self._heard(samples.copy(), age)

    def close(self) -> None:
        """Frees the microphone."""
        self._stream.close()
