"""Behind the lips: teeth and tongue of the face model, in the photograph's place and light."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from listener_head.face.correspondence import LIPS, load_correspondence
from listener_head.face.geometry import OPTICAL_FROM_MODEL, rotation_matrix, to_optical, vertex_normals
from listener_head.face.model import PARTS, FaceModel
from listener_head.render.portrait.motion import Change
from listener_head.render.portrait.photograph import FOCAL_PER_SIDE, Photograph
from listener_head.render.portrait.shapes import before_camera

Array = NDArray[np.float64]

SHOWN = ("mouth", "teeth", "tongue")
SKIN_ALBEDO = np.array([0.86, 0.66, 0.57])  # sRGB of skin in white light
BRIGHTEST, DARKEST = 1.12, 0.25
DEEP = 0.055  # m, after which light is 1/e
CAVITY = np.array([0.20, 0.075, 0.07])  # sRGB
BRIGHT = 75  # percentile: teeth that are not in the shade
OPEN = 0.05  # height of the opening over its width from which the photograph shows what is behind the lips
STRETCH = (0.8, 1.3)  # of the model's mouth to the photographed one's width
CHEEKS = (50, 280, 205, 425, 4, 151)


class Mouth:
    """The inside of the mouth: ``rest`` [N, 3] m, ``triangles`` [T, 3] and ``colours`` [N, 3] sRGB 0..1.

    ``cavity`` [3] is the colour behind them, and ``shown`` whether the photograph itself shows what is
    between the lips.
    """

    def __init__(self, photograph: Photograph, model: FaceModel, opening: Array) -> None:
        fit = photograph.fit
        kinds = [PARTS.index(kind) for kind in SHOWN]
        chosen = np.flatnonzero(np.isin(model.part, kinds))
        number = np.full(len(model.mean), -1)
        number[chosen] = np.arange(len(chosen))
        self.shown = _is_open(opening)
        hidden = _upper_teeth(model) if self.shown else np.zeros(len(model.mean), bool)
        inside = (np.isin(model.part, kinds) & ~hidden)[model.triangles].all(axis=1)
        self.triangles = number[model.triangles[inside]].astype(np.int32)
        posed = model.mesh(fit.identity, fit.expression)
        points = to_optical(posed[chosen], fit.rotation, fit.translation)
        stretch, offset = _onto_lips(photograph, model, posed)
        self.rest = _moved(points, stretch, offset, photograph)
        turn = rotation_matrix(fit.rotation) @ OPTICAL_FROM_MODEL
        moves = model.expression_basis[:, chosen].astype(np.float64) @ turn.T
        moves[..., :2] *= stretch
        self._used = np.flatnonzero(np.abs(moves).max(axis=(1, 2)) > 0)
        self._moves = moves[self._used].reshape(len(self._used), -1)
        light = _light(photograph)
        shade = _shade(vertex_normals(posed, model.triangles)[chosen], posed[chosen])
        self.colours = np.clip(np.maximum(model.colours[chosen] * shade[:, None], CAVITY) * light, 0.0, 1.0)
        self.cavity = CAVITY * light
        if self.shown:
            teeth = model.part[chosen] == PARTS.index("teeth")
            bright = np.percentile(self.colours[teeth], BRIGHT, axis=0)
            like_photographed = self.colours[teeth] * _enamel(photograph, opening) / bright
            self.colours[teeth] = np.clip(like_photographed, 0.0, 1.0)

    def place(self, change: Change) -> Array:
        """Vertices [N, 3] m at rest in the head, moved by a change's expression."""
        return self.rest + (change.weights[self._used] @ self._moves).reshape(-1, 3)


def _upper_teeth(model: FaceModel) -> NDArray[np.bool_]:
    """The teeth that the jaw does not move [N]."""
    jaw = np.abs(model.expression_basis[model.expression_names.index("jawOpen")]).max(axis=1)
    return (model.part == PARTS.index("teeth")) & (jaw == 0.0)


def _shade(normals: Array, points: NDArray[np.float32]) -> Array:
    """The share of the light [N] that reaches what is behind the lips: it comes from the front."""
    behind = points[:, 2].max() - points[:, 2]
    return (0.6 + 0.4 * np.clip(normals @ (0.0, 0.25, 0.97), 0.0, 1.0)) * np.exp(-((behind / DEEP) ** 2))


def _is_open(opening: Array) -> bool:
    area = cv2.contourArea(opening.astype(np.float32))
    return bool(area > OPEN * np.ptp(opening[:, 0]) ** 2)


def _onto_lips(photograph: Photograph, model: FaceModel, posed: NDArray[np.float32]) -> tuple[float, Array]:
    """Stretch and offset [2] in the picture that bring the model's lips onto the photograph's."""
    correspondence = load_correspondence(model)
    lips = np.isin(correspondence.landmark, LIPS[0])
    points = to_optical(
        posed[correspondence.vertex[lips]], photograph.fit.rotation, photograph.fit.translation
    )
    drawn = FOCAL_PER_SIDE * points[:, :2] / points[:, 2:]
    seen = photograph.points[correspondence.landmark[lips]] - photograph.centre
    stretch = float(np.clip(np.ptp(seen[:, 0]) / np.ptp(drawn[:, 0]), *STRETCH))
    offset = seen.mean(axis=0) - stretch * drawn.mean(axis=0)
    return stretch, offset


def _moved(points: Array, stretch: float, offset: Array, photograph: Photograph) -> Array:
    drawn = FOCAL_PER_SIDE * points[:, :2] / points[:, 2:]
    return before_camera(photograph.centre + stretch * drawn + offset, points[:, 2], photograph.centre)


def _light(photograph: Photograph) -> Array:
    """The photograph's light [3] against white, by the skin."""
    side = len(photograph.pixels)
    at = np.clip((photograph.points[list(CHEEKS)] * side).astype(int), 0, side - 1)
    skin = np.median(photograph.pixels[at[:, 1], at[:, 0]], axis=0) / 255.0
    light = float(skin.mean() / SKIN_ALBEDO.mean())
    tint = skin / SKIN_ALBEDO
    # Skin differs more from person to person than light does: half of the tint is the person's.
    return np.clip(0.5 * tint + 0.5 * light, DARKEST, BRIGHTEST)


def _enamel(photograph: Photograph, opening: Array) -> Array:
    """The colour [3] of the photographed teeth, 0..1."""
    side = len(photograph.pixels)
    mask = np.zeros((side, side), np.uint8)
    cv2.fillPoly(mask, [np.round(opening * side).astype(np.int32)], [1])
    colours = photograph.pixels[mask > 0].astype(np.float64)
    light = colours.mean(axis=1)
    return np.asarray(colours[light >= np.percentile(light, BRIGHT)].mean(axis=0) / 255.0, np.float64)
