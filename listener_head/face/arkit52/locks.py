"""The built-in head with the locks of its hair, for pictures: perception fits the head without them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from listener_head.errors import UserError
from listener_head.face.model import ARKIT52_PATH, PARTS, FaceModel, load_face_model

# Of vertices here, as FaceModel.part of the other models holds positions in PARTS.
PARTS_AND_LOCKS = (*PARTS, "lock")

LOCKS_PATH = ARKIT52_PATH.with_name("arkit52_locks.npz")


@cache
def head_with_locks() -> FaceModel:
    """The built-in head, its vertices first, then those of the locks; UserError for a damaged file."""
    head = load_face_model("arkit52")
    try:
        with np.load(LOCKS_PATH) as archive:
            locks = {key: archive[key] for key in archive.files}
        return _joined(head, locks)
    except (OSError, KeyError, ValueError) as error:
        raise UserError(
            f"file {LOCKS_PATH} cannot be read ({error}); make it again with: "
            "python -m listener_head.face.arkit52"
        ) from error


def _joined(head: FaceModel, locks: dict[str, np.ndarray]) -> FaceModel:
    n, more = len(head.mean), len(locks["mean"])
    still = np.zeros((len(head.expression_basis), more, 3), np.float32)
    plain = np.full((more, 2), -1, np.float32)
    return replace(
        head,
        mean=np.concatenate([head.mean, locks["mean"]]),
        identity_basis=np.concatenate([head.identity_basis, locks["identity_basis"]], axis=1),
        expression_basis=np.concatenate([head.expression_basis, still], axis=1),
        triangles=np.concatenate([head.triangles, locks["triangles"] + np.int32(n)]),
        part=np.concatenate([head.part, np.full(more, PARTS_AND_LOCKS.index("lock"), np.uint8)]),
        head_weight=np.concatenate([head.head_weight, np.ones(more, np.float32)]),
        colours=np.concatenate([head.colours, locks["colours"]]),
        colour_basis=np.zeros((0, n + more, 3), np.float32),
        texcoords=np.concatenate([head.texcoords, plain]),
        occlusion=np.concatenate([locks["occlusion_of_head"], locks["occlusion"]]),
    )
