"""The renderer that a clip's coefficients need."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from listener_head.errors import UserError
from listener_head.render.egl import AUTO
from listener_head.render.factory import HEAD, NEURAL, PORTRAIT, RENDERERS, Renderer, make_renderer
from listener_head.render.theme import DEFAULT
from listener_head.timing import RATE_HZ

# Who draws with what.
_USED_BY = {
    "portrait": (PORTRAIT, NEURAL),
    "network": (NEURAL,),
    "face_model": (HEAD,),
    "theme": (HEAD,),
    "background": (HEAD,),
}


@dataclass(frozen=True)
class Look:
    """Which of the RENDERERS draws, on what, and with what (`make_renderer`); empty is its default."""

    renderer: str = HEAD
    size: int = 512
    device: str = AUTO
    portrait: Path | None = None
    network: Path | None = None
    face_model: Path | None = None
    theme: str = ""
    background: str = ""


def open_renderer(look: Look, face_model: str, fps: int) -> Renderer:
    """A renderer for coefficients of ``face_model``, ``fps`` of them a second.

    Raises UserError for options that the renderer has no use for, coefficients that it cannot draw, and
    whatever `make_renderer` refuses.
    """
    for option, users in _USED_BY.items():
        if getattr(look, option) and look.renderer in RENDERERS and look.renderer not in users:
            name = option.replace("_", "-")
            raise UserError(
                f"--{name} is for --renderer {' or '.join(users)}, not {look.renderer}; leave it out"
            )
    if look.renderer == HEAD and face_model != "arkit52" and look.face_model is None:
        raise UserError(
            f"the coefficients are of {face_model}, which the built-in head cannot show; "
            "give --face-model BFM_model_front.mat or --renderer neural"
        )
    if look.renderer == NEURAL and fps != RATE_HZ:
        raise UserError(f"--fps {fps} does not fit --renderer neural, which needs {RATE_HZ}; leave it out")
    return make_renderer(
        look.renderer,
        look.size,
        look.device,
        theme=look.theme or DEFAULT,
        background=look.background,
        face_model=str(look.face_model or ""),
        portrait=str(look.portrait or ""),
        network=str(look.network or ""),
    )
