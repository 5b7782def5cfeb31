"""What the published PIRenderer has fixed: its picture, its window of motion and the sizes of its layers.

Source: Ren et al., "PIRenderer: Controllable Portrait Image Generation via Semantic Neural Rendering", ICCV
2021 (arXiv 2109.08379), and the conventions of its published code and configuration.
"""

from __future__ import annotations

FACE_MODEL = "bfm2009"

SIZE = 256  # px, the picture's side
COLOURS = 3

# A frame is drawn from the motion of this many frames before and after it, and its own.
RADIUS = 13
WINDOW = 2 * RADIUS + 1

# One frame of motion, in this order: (name, size). Deep3DFaceReconstruction's frame and units: rotation in
# radians, translation in decimetres, y up; the crop is its scale, x and y (`face.deep3d.alignment.Crop`).
PARTS: tuple[tuple[str, int], ...] = (("expression", 64), ("rotation", 3), ("translation", 3), ("crop", 3))
MOTION = sum(size for _, size in PARTS)

# Widths of the layers, in channels; each level of a pyramid has twice its neighbour's, up to WIDEST.
DESCRIPTOR = 256
MODULATION = 128
WIDEST = 256
WARP_BASE, WARP_DOWN, WARP_UP = 32, 5, 3
EDIT_BASE, EDIT_LEVELS, EDIT_BLOCKS = 64, 3, 2
MAPPING_BLOCKS, MAPPING_KERNEL, MAPPING_DILATION = 3, 7, 3
SLOPE = 0.1  # of the leaky rectifiers, for negative values
EPSILON = 1e-5  # of every normalisation


def width(base: int, level: int) -> int:
    """Channels of a pyramid's level; 0 is the picture's full size."""
    return min(base * 2**level, WIDEST)
