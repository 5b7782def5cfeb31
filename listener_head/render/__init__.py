"""From face coefficients to pictures."""

from listener_head.render.factory import RENDERERS, Renderer, make_renderer
from listener_head.render.head_renderer import HeadRenderer
from listener_head.render.theme import theme_names

__all__ = ["RENDERERS", "HeadRenderer", "Renderer", "make_renderer", "theme_names"]
