"""``python -m listener_head.face.make_correspondence``: finds the tracker's points on the face model.

It shows the rendered model to the tracker in many poses, expressions and identities. For each landmark
it takes the vertex that moves as the landmark does, and measures how the two still differ: by a constant
offset, in each expression, and in what remains, all of which the fit then knows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from listener_head.coefficients import LAYOUTS, Coefficients
from listener_head.face.correspondence import (
    CORRESPONDENCE_PATH,
    IRISES,
    LID_GAPS,
    LIP_GAPS,
    USED,
    Correspondence,
    mesh_checksum,
    save_correspondence,
)
from listener_head.face.geometry import (
    OPTICAL_FROM_MODEL,
    project,
    rotation_matrix,
    to_optical,
    vertex_normals,
)
from listener_head.face.model import PARTS, FaceModel, load_face_model
from listener_head.face.tracker import FaceTracker
from listener_head.render import HeadRenderer
from listener_head.render.head_renderer import camera_matrix

CANDIDATES = 60  # vertices nearest to a landmark among which its own is chosen
ERROR_MODES = 10
PICTURE = 480  # px, the side of a rendered view
OFFSET_PENALTY = 0.06  # of an offset against scatter: 4 mm of the first count as 1 mm of the second
# Eyes go together, and the tracker shows less of it than of one alone.
GAZES = (
    ("eyeLookUpLeft", "eyeLookUpRight"),
    ("eyeLookDownLeft", "eyeLookDownRight"),
    ("eyeLookOutLeft", "eyeLookInRight"),
    ("eyeLookInLeft", "eyeLookOutRight"),
)
VIEW_SIGMA, EXPRESSION_ERROR_SPREAD = 0.001, 0.001  # m
SMALLEST_SIGMA = 0.0006  # m


def make_views(model: FaceModel, seed: int = 7) -> list[Coefficients]:
    """What the tracker is shown: poses, every shape alone, gazes, mixtures, identities."""
    random = np.random.default_rng(seed)
    expression_count, identity_count = len(model.expression_basis), len(model.identity_basis)
    views = []

    def add(expression: NDArray, turn: float, identity: float) -> None:
        views.append(
            Coefficients(
                model.name,
                rotation=(turn * random.normal(size=3) * (0.8, 1.0, 0.5)).astype(np.float32),
                expression=np.clip(expression, 0.0, 1.0).astype(np.float32),
                translation=LAYOUTS[model.name].neutral()[LAYOUTS[model.name].translation],
                identity=(identity * random.normal(size=identity_count)).astype(np.float32),
            )
        )

    add(np.zeros(expression_count), 0.0, 0.0)
    for _ in range(24):
        add(np.zeros(expression_count), 0.25, 0.0)
    for shape in np.eye(expression_count):
        for weight in (0.5, 1.0):
            add(weight * shape, 0.05, 0.0)
    for gaze in GAZES:
        for weight in np.linspace(0.2, 1.0, 8):
            shape = np.isin(model.expression_names, gaze)
            add(weight * shape, 0.1, 0.0)
    for _ in range(60):
        chosen = random.random(expression_count) < 0.08
        add(chosen * random.random(expression_count), 0.15, 0.7)
    return views


def attach(
    model: FaceModel, views: list[Coefficients], seen: NDArray[np.float64], camera: NDArray[np.float64]
) -> Correspondence:
    """The correspondence that explains what the tracker saw: ``seen`` [V, 478, 2] px of V rendered views.

    ``camera`` [3, 3] is the intrinsic matrix.
    """
    focal, centre = camera[0, 0], camera[:2, 2]
    meshes = np.stack(
        [
            to_optical(model.mesh(view.identity, view.expression), view.rotation, view.translation)
            for view in views
        ]
    )
    normals = vertex_normals(model.mean, model.triangles)
    used = np.flatnonzero((normals[:, 2] > 0.1) & (model.head_weight > 0.99))
    pixels = project(meshes[:, used], focal, centre)
    scale = np.array([view.translation[2] for view in views]) / focal  # m on the face per px
    axes = np.stack([(rotation_matrix(view.rotation) @ OPTICAL_FROM_MODEL)[:2] for view in views])
    normal = np.einsum("vik,vil->kl", axes, axes)

    vertex, offset, residual = [], [], []
    for landmark in USED:
        part = "eye" if landmark in IRISES else "skin"
        distance = np.linalg.norm(pixels[0] - seen[0, landmark], axis=1)
        distance[model.part[used] != PARTS.index(part)] = np.inf
        near = np.argsort(distance)[:CANDIDATES]
        error = (seen[:, landmark, None] - pixels[:, near]) * scale[:, None, None]  # [V, C, 2]
        offsets = np.linalg.solve(normal, np.einsum("vik,vci->kc", axes, error)).T  # [C, 3]
        error -= np.einsum("vik,ck->vci", axes, offsets)
        scatter = np.mean(error**2, axis=(0, 2))
        best = int(np.argmin(scatter + OFFSET_PENALTY * np.sum(offsets**2, axis=1)))
        vertex.append(used[near[best]])
        offset.append(offsets[best])
        residual.append(error[:, best])
    errors = np.einsum("vik,lvi->vlk", axes, np.array(residual))
    weights = np.stack([view.expression for view in views]).astype(np.float64)
    expression_error = _expression_error(weights, errors)
    modes, sigma = _error_modes(errors - np.tensordot(weights, expression_error, 1))
    gaps = np.array([[USED.index(upper), USED.index(lower)] for upper, lower in (*LID_GAPS, *LIP_GAPS)])
    return Correspondence(
        landmark=np.array(USED, np.int32),
        vertex=np.array(vertex, np.int32),
        offset=np.array(offset, np.float32),
        normal=normals[vertex].astype(np.float32),
        expression_error=expression_error.astype(np.float32),
        error_modes=modes.astype(np.float32),
        sigma=sigma.astype(np.float32),
        gaps=gaps.astype(np.int32),
        gap_sigma=np.full(len(gaps), SMALLEST_SIGMA, np.float32),
        mesh_checksum=mesh_checksum(model),
    )


def _expression_error(weights: NDArray[np.float64], errors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ridge regression of errors [V, L, 3] on expression weights [V, E]: [E, L, 3]."""
    ridge = (VIEW_SIGMA / EXPRESSION_ERROR_SPREAD) ** 2 * np.eye(weights.shape[1])
    slopes = np.linalg.solve(weights.T @ weights + ridge, weights.T @ errors.reshape(len(errors), -1))
    return slopes.reshape(-1, *errors.shape[1:])


def _error_modes(errors: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Principal components [K, L, 3] of errors [V, L, 3], and the standard deviation [L] of the rest."""
    flat = errors.reshape(len(errors), -1)
    left, scales, right = np.linalg.svd(flat, full_matrices=False)
    modes = scales[:ERROR_MODES, None] * right[:ERROR_MODES]
    remaining = (flat - left[:, :ERROR_MODES] @ modes).reshape(errors.shape)
    sigma = np.sqrt(np.mean(remaining[..., :2] ** 2, axis=(0, 2)))
    shape = (ERROR_MODES, *errors.shape[1:])
    return (modes / np.sqrt(len(errors))).reshape(shape), np.maximum(sigma, SMALLEST_SIGMA)


def observe(model: FaceModel, views: list[Coefficients]) -> tuple[list[Coefficients], NDArray[np.float64]]:
    """Shows the views to the tracker: those in which it found the face, and its points [V, 478, 2] px."""
    renderer, tracker = HeadRenderer(PICTURE, model), FaceTracker()
    found, points = [], []
    for view in track(views, "shown to the tracker"):
        image = renderer.render(view)[..., ::-1]
        tracker.reset()
        tracker.track(image)
        landmarks = tracker.track(image)  # the second look is as within a video: from where the face was
        if landmarks is not None:
            found.append(view)
            points.append(landmarks.points.astype(np.float64))
    renderer.close()
    tracker.close()
    return found, np.array(points)


def main() -> None:
    """Make the asset."""
    model = load_face_model("arkit52")
    views, seen = observe(model, make_views(model))
    correspondence = attach(model, views, seen, camera_matrix(PICTURE))
    save_correspondence(correspondence, CORRESPONDENCE_PATH)
    print(
        f"{CORRESPONDENCE_PATH.name}: {len(correspondence.landmark)} landmarks from {len(views)} views, "
        f"scatter {1e3 * np.median(correspondence.sigma):.2f} mm"
    )


if __name__ == "__main__":
    main()
