"""From face coefficients to pictures."""

from listener_head.render.head_renderer import HeadRenderer

__all__ = ["HeadRenderer"]
