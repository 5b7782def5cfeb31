"""The network at run time: coefficients to pictures of one portrait, in ONNX Runtime, without torch."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from listener_head.cards import read_network
from listener_head.coefficients import Coefficients
from listener_head.errors import UserError
from listener_head.providers import device_of, open_session
from listener_head.render.neural.card import read_card
from listener_head.render.neural.motion import MotionWindow, published_motion
from listener_head.render.neural.portrait import crop_portrait
from listener_head.render.neural.published import COLOURS, MOTION, SIZE, WINDOW

_REMEDY = "write it with 'listener_head import-checkpoint' from PIRenderer's published checkpoint"
_EVERY_CORE = 0  # on a processor a picture takes so long that nothing else would be in time anyway
_PARTS = ("normalised", "portrait_part")


class NeuralRenderer:
    """Draws one portrait with the motion of a listener (``bfm2009``). Use it from one thread at a time.

    ``network`` is a file of `listener_head import-checkpoint`, ``portrait`` a picture file or uint8
    [H, W, 3] RGB with one face (`portrait.crop_portrait`), ``size`` the side of the network's pictures [px].
    ``device`` is `auto`, `cpu`, `cuda` or `tensorrt`. The network sees 13 frames before and after the one
    that it draws; live there are none after it, and the newest is repeated. ``look_ahead`` (0 to 13) delays
    the pictures by as many frames, which the network then sees.

    Raises UserError for a file that is missing, broken or of another kind, a portrait without just one face,
    a size that is not the network's, and a device that is not there.
    """

    def __init__(
        self,
        network: str | Path,
        portrait: str | Path | NDArray[np.uint8],
        size: int = SIZE,
        device: str = "auto",
        look_ahead: int = 0,
    ) -> None:
        self._window = MotionWindow(look_ahead)
        what = f"neural network '{network}'"
        model = read_network(Path(network), what, _REMEDY)
        session = open_session(model, what, _REMEDY, device, _EVERY_CORE)
        self._card, portrait_graph = read_card(session.get_modelmeta().custom_metadata_map, what, _REMEDY)
        if size != self._card["size"]:
            own = self._card["size"]
            raise UserError(f"size {size} is not that of {what}, which draws {own} x {own}; choose {own}")
        self._hash = hashlib.sha256(model).hexdigest()[:12]
        self._device = device_of(session)
        picture = crop_portrait(portrait, size)
        self._session: ort.InferenceSession | None = session
        first = open_session(portrait_graph, what, _REMEDY, device, _EVERY_CORE)
        self._binding: ort.IOBinding | None = self._bind(session, first, picture)

    def _bind(
        self, session: ort.InferenceSession, first: ort.InferenceSession, picture: NDArray[np.uint8]
    ) -> ort.IOBinding:
        """The network's places in memory; the portrait and what ``first`` makes of it stay on the device."""
        place = "cpu" if self._device == "cpu" else "cuda"
        pixels = picture.transpose(2, 0, 1)[None] / np.float32(127.5) - np.float32(1)
        portrait = ort.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(pixels, np.float32), place, 0)
        making, drawing = first.io_binding(), session.io_binding()
        making.bind_ortvalue_input("portrait", portrait)
        for name in _PARTS:
            making.bind_output(name, place, 0)
        first.run_with_iobinding(making)
        self._motion = ort.OrtValue.ortvalue_from_numpy(np.zeros((MOTION, WINDOW), np.float32), place, 0)
        self._picture = ort.OrtValue.ortvalue_from_numpy(np.zeros((*picture.shape[:2], COLOURS), np.uint8))
        for name, part in zip(_PARTS, making.get_outputs(), strict=True):
            drawing.bind_ortvalue_input(name, part)
        drawing.bind_ortvalue_input("portrait", portrait)
        drawing.bind_ortvalue_input("motion", self._motion)
        drawing.bind_ortvalue_output("picture", self._picture)
        return drawing

    @property
    def name(self) -> str:
        """Name of the network."""
        return str(self._card["name"])

    @property
    def hash(self) -> str:
        """First 12 hex digits of the file's SHA-256."""
        return self._hash

    @property
    def card(self) -> dict[str, Any]:
        """What is known of the network: source, size, the meaning of its input."""
        return self._card

    @property
    def device(self) -> str:
        """What the network runs on: `cpu`, `cuda` or `tensorrt`."""
        return self._device

    def render(self, coefficients: Coefficients) -> NDArray[np.uint8]:
        """The picture uint8 [size, size, 3] RGB when these coefficients, the next of the stream, have come.

        With ``look_ahead`` it is that of the coefficients so many calls ago. Raises UserError for
        coefficients of another face model than bfm2009, not valid, of the wrong size or not finite; such
        ones are not part of the stream.
        """
        if self._session is None or self._binding is None:
            raise UserError("the neural renderer is closed; make another one")
        self._motion.update_inplace(self._window.push(published_motion(coefficients)))
        self._session.run_with_iobinding(self._binding)
        picture: NDArray[np.uint8] = self._picture.numpy().copy()
        return picture

    def reset(self) -> None:
        """Forget the motion so far: the next coefficients are the first of a stream."""
        self._window.reset()

    def close(self) -> None:
        """Free the network; the renderer cannot be used afterwards."""
        self._session = self._binding = None
