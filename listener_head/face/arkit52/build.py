"""Puts the head together and converts it to the arrays of its file (metres, float32)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from listener_head.coefficients import ARKIT_NAMES
from listener_head.face.arkit52 import clothes, colours, ears, eyes, hair, mouth
from listener_head.face.arkit52.fields import Array, Part, smoothstep
from listener_head.face.arkit52.identity import identity_modes
from listener_head.face.arkit52.landmarks import landmarks
from listener_head.face.arkit52.occlusion import occlusion
from listener_head.face.arkit52.shapes import part_shape, skin_shapes
from listener_head.face.arkit52.skin import Skin, build_skin
from listener_head.face.model import PARTS

MILLIMETRE = 1e-3
# The still head's closed lips and lids hide these; when they show, light reaches them.
LEAST_LIGHT = {"eye": 0.70, "teeth": 0.75, "tongue": 0.6, "mouth": 0.45, "lash": 0.6}
THROAT_Z = (45.0, 95.0)  # none reaches the back of the mouth [mm]
# Movements below 0.02 mm are not worth a row in the file.
NEGLIGIBLE_MM = 0.02


def _parts(skin: Skin) -> list[Part]:
    n = len(skin.vertices)
    face = Part("skin", skin.vertices, skin.triangles, np.ones((n, 3)), skin.mirror, np.arange(n), np.ones(n))
    return [
        face, eyes.eyeballs(), eyes.lid_margins(skin), eyes.lashes(skin), mouth.lining(skin), *mouth.teeth(),
        mouth.tongue(), ears.ears(), hair.hair(), clothes.clothes(),
    ]  # fmt: skip


def _head_weight(part: Part) -> Array:
    """1 for what moves with the head, 0 for the shoulders; the neck bends between chin and collar."""
    if part.kind == "cloth":
        return np.zeros(len(part.vertices))
    if part.kind != "skin":
        return np.ones(len(part.vertices))
    _, y, z = part.vertices.T
    # The jaw is rigid down to its border, which is higher at the back than at the chin.
    top = np.interp(z, [-60.0, 0.0, 50.0, 85.0], [-45.0, -74.0, -96.0, -100.0])
    return smoothstep(-152.0, top, y)


def _least_light(part: Part) -> Array:
    least = np.full(len(part.vertices), LEAST_LIGHT.get(part.kind, 0.0))
    return least * smoothstep(*THROAT_Z, part.vertices[:, 2]) if part.kind == "mouth" else least


def _identity(parts: list[Part]) -> dict[str, Array]:
    """Modes over all parts; eyeballs move as their centres do."""
    whole = np.concatenate([part.vertices for part in parts])
    modes = identity_modes(whole)
    start = len(parts[0].vertices)
    eye = parts[1]
    half = len(eye.vertices) // 2
    for side in (slice(start, start + half), slice(start + half, start + 2 * half)):
        centre = whole[side][:1] * [1, 1, 0] + [0, 0, whole[side][:, 2].max()]
        for name, move in identity_modes(centre).items():
            modes[name][side] = move
    return modes


def build_arrays() -> dict[str, NDArray]:
    """The arrays of the model's file, as ``listener_head.face.model.from_arrays`` takes them."""
    skin = build_skin()
    parts = _parts(skin)
    sizes = [len(part.vertices) for part in parts]
    offsets = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    vertices = np.concatenate([part.vertices for part in parts])
    triangles = np.concatenate([part.triangles + offset for part, offset in zip(parts, offsets, strict=True)])

    skin_moves = skin_shapes(skin)
    moves = np.stack(
        [np.concatenate([part_shape(name, part, skin_moves[name]) for part in parts]) for name in ARKIT_NAMES]
    )
    moved = np.abs(moves).max(axis=2) > NEGLIGIBLE_MM
    rows = np.flatnonzero(moved)
    uv = np.full((len(vertices), 2), -1.0)
    uv[: sizes[0]] = colours.texcoords(skin.vertices)
    modes = _identity(parts)
    light = occlusion(vertices, triangles)
    mirror = np.concatenate([part.mirror + offset for part, offset in zip(parts, offsets, strict=True)])
    return {
        "mean": (vertices * MILLIMETRE).astype(np.float32),
        "triangles": triangles.astype(np.int32),
        "landmarks": landmarks(skin).astype(np.int32),
        "identity_names": np.array(list(modes)),
        "identity_basis": (np.stack(list(modes.values())) * MILLIMETRE).astype(np.float32),
        "expression_rows": rows.astype(np.int32),
        "expression_deltas": (moves.reshape(-1, 3)[rows] * MILLIMETRE).astype(np.float32),
        "part": np.repeat([PARTS.index(part.kind) for part in parts], sizes).astype(np.uint8),
        "head_weight": np.concatenate([_head_weight(part) for part in parts]).astype(np.float32),
        "colours": np.concatenate([part.colours for part in parts]).astype(np.float32),
        "texture": colours.texture(),
        "texcoords": uv.astype(np.float32),
        "occlusion": np.maximum(
            0.5 * (light + light[mirror]), np.concatenate(list(map(_least_light, parts)))
        ).astype(np.float32),
    }


def build_locks(arrays: dict[str, NDArray]) -> dict[str, NDArray]:
    """The arrays of the locks' file, as ``locks.with_locks`` takes them, for the head's own ``arrays``.

    They are no part of the mesh that perception fits, and throw their shade on it.
    """
    part = hair.locks()
    head = arrays["mean"].astype(np.float64) / MILLIMETRE
    triangles = np.concatenate([arrays["triangles"], part.triangles + len(head)]).astype(np.int64)
    light = occlusion(np.concatenate([head, part.vertices]), triangles)
    under = np.isin(arrays["part"], [PARTS.index(kind) for kind in ("skin", "hair", "ear")])
    modes = identity_modes(part.vertices)
    return {
        "mean": (part.vertices * MILLIMETRE).astype(np.float32),
        "triangles": part.triangles.astype(np.int32),
        "identity_basis": (np.stack(list(modes.values())) * MILLIMETRE).astype(np.float32),
        "colours": part.colours.astype(np.float32),
        "occlusion": light[len(head) :].astype(np.float32),
        "occlusion_of_head": np.where(
            under, np.minimum(arrays["occlusion"], light[: len(head)]), arrays["occlusion"]
        ).astype(np.float32),
    }
