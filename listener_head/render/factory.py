"""The renderers by name."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from listener_head.coefficients import Coefficients
from listener_head.errors import UserError
from listener_head.face.model import load_face_model
from listener_head.render.egl import AUTO
from listener_head.render.head_renderer import SMOOTH, HeadRenderer
from listener_head.render.theme import DEFAULT

HEAD, PORTRAIT, NEURAL = "head", "portrait", "neural"
RENDERERS = (HEAD, PORTRAIT, NEURAL)


class Renderer(Protocol):
    """What draws a listener. Use it from the thread that made it."""

    @property
    def device(self) -> str:
        """What it runs on."""

    def render(self, coefficients: Coefficients) -> NDArray[np.uint8]:
        """The picture [H, W, 3] RGB or [H, W, 4] RGBA; UserError for coefficients that cannot be drawn."""

    def close(self) -> None:
        """Give back what it holds."""


def make_renderer(
    kind: str = HEAD,
    size: int = 256,
    device: str = AUTO,
    *,
    antialiasing: bool = True,
    theme: str = DEFAULT,
    background: str = "",
    face_model: str = "",
    portrait: str = "",
    network: str = "",
) -> Renderer:
    """A renderer of one of the ``RENDERERS``, for pictures of ``size`` pixels a side.

    ``head`` draws the built-in head, or the Basel Face Model of the file ``face_model``, in a ``theme``
    before a ``background`` (``#rrggbb``, a picture's path, ``transparent``; empty is the theme's own).
    ``portrait`` moves the photograph ``portrait``; ``neural`` does by the network of the file ``network``.
    What a kind does not use is left aside. UserError for an unknown kind, a file that is not given, and
    whatever the renderer refuses.
    """
    if kind == HEAD:
        return HeadRenderer(
            size,
            load_face_model(face_model) if face_model else None,
            background or None,
            samples=SMOOTH if antialiasing else 1,
            theme=theme,
            device=device,
        )
    if kind == PORTRAIT:
        from listener_head.render.portrait import PortraitRenderer  # loads the face tracker

        return PortraitRenderer(_given(portrait, kind, "portrait", "a photograph of one face"), size, device)
    if kind == NEURAL:
        from listener_head.render.neural import NeuralRenderer  # loads ONNX Runtime

        made_by = "a file that `listener_head import-checkpoint` makes of PIRenderer's"
        return NeuralRenderer(
            _given(network, kind, "network", made_by),
            _given(portrait, kind, "portrait", "a photograph of one face"),
            size,
            device,
        )
    raise UserError(f"renderer '{kind}' is unknown; choose one of {', '.join(RENDERERS)}")


def _given(value: str, kind: str, name: str, what: str) -> str:
    if not value:
        raise UserError(f"renderer '{kind}' needs {name}: the path of {what}")
    return value
