"""FaceMesh points for a face model that is known by its 68 iBUG landmarks alone.

The 68 points (Sagonas et al., 300 Faces in the Wild, 2013): 0-16 contour from the person's right ear over the
chin, 17-26 brows, 27-35 nose, 36-47 eyes, 48-59 outer and 60-67 inner lips.
"""

from __future__ import annotations

import numpy as np

from listener_head.face.correspondence import Correspondence, mesh_checksum
from listener_head.face.geometry import vertex_normals
from listener_head.face.model import FaceModel

# FaceMesh's point at each iBUG point.
FACEMESH_POINTS = (
    127, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 356,
    70, 63, 105, 66, 107, 336, 296, 334, 293, 300,
    168, 197, 5, 4, 98, 97, 2, 326, 327,
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,
    61, 40, 37, 0, 267, 270, 291, 321, 314, 17, 84, 91,
    78, 81, 13, 311, 308, 402, 14, 178,
)  # fmt: skip
GAPS = ((37, 41), (38, 40), (43, 47), (44, 46), (61, 67), (62, 66), (63, 65))  # lids, then lips

CONTOUR_SIGMA = 0.008  # m; on the contour a vertex stays, but what a picture shows slides over the cheek
SIGMA = 0.002  # m, between what FaceMesh and iBUG mean by the same point
GAP_SIGMA = 0.001  # m


def ibug_correspondence(model: FaceModel) -> Correspondence:
    """The correspondence of any model with the 68 landmarks, without what the tracker does to this one."""
    gaps = np.array(GAPS)
    count = len(FACEMESH_POINTS)
    sigma = np.full(count, SIGMA)
    sigma[:17] = CONTOUR_SIGMA
    return Correspondence(
        landmark=np.array(FACEMESH_POINTS, np.int32),
        vertex=model.landmarks,
        offset=np.zeros((count, 3), np.float32),
        normal=vertex_normals(model.mean, model.triangles)[model.landmarks].astype(np.float32),
        expression_error=np.zeros((len(model.expression_basis), count, 3), np.float32),
        error_modes=np.zeros((0, count, 3), np.float32),
        sigma=sigma.astype(np.float32),
        gaps=gaps.astype(np.int32),
        gap_sigma=np.full(len(gaps), GAP_SIGMA, np.float32),
        mesh_checksum=mesh_checksum(model),
    )
