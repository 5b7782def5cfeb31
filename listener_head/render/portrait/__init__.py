"""One photograph of the listener that moves: hair, shoulders and background follow, no weights are needed.

``photograph`` reads, crops and fits it, ``shapes`` and ``surroundings`` say how deep it is and what moves,
``retouch`` paints what it hides, ``warp`` places the mesh for ``motion``, ``layers`` draws.
"""

from listener_head.render.portrait.renderer import PortraitRenderer

__all__ = ["PortraitRenderer"]
