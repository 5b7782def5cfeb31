"""A head that does what speakers do, one thing over the other, with all of it known; a small BFM file."""

import numpy as np
import pytest
from scipy.io import savemat
from scipy.spatial import Delaunay

from listener_head.face import measure_truth
from listener_head.face.model import PARTS, load_face_model


@pytest.fixture(scope="session")
def expressive_motion():
    """True motion [270, 58] at 30 frames a second: a second at rest, then eight of everything."""
    return measure_truth.expressive_motion()


@pytest.fixture(scope="session")
def bfm_contents():
    """What a ``BFM_model_front.mat`` holds, by key, for a small made-up face of about 700 vertices."""
    return small_bfm()


@pytest.fixture(scope="session")
def bfm_file(bfm_contents, tmp_path_factory):
    """A ``BFM_model_front.mat`` of that face."""
    path = tmp_path_factory.mktemp("bfm") / "BFM_model_front.mat"
    savemat(path, bfm_contents)
    return path


def small_bfm() -> dict[str, np.ndarray]:
    """The front of the built-in head, thinned out, with the layout, units and counting of the BFM's file.

    Expression modes are mixtures of ARKit shapes, as large as a face makes them at about one standard
    deviation, smaller from mode to mode; identity and texture modes are the built-in identity modes and
    smooth random waves.
    """
    head, rng = load_face_model("arkit52"), np.random.default_rng(2009)
    front = (head.part == PARTS.index("skin")) & (head.mean[:, 2] > 0.03) & (head.mean[:, 1] > -0.105)
    front &= head.mean[:, 1] < 0.09
    chosen = np.flatnonzero(front)[::4]
    # Where the closed lips meet, two vertices share a place: the landmarks' own come first and stay.
    chosen = np.concatenate([head.landmarks, np.setdiff1d(chosen, head.landmarks)])
    points, n = head.mean[chosen].astype(np.float64), len(chosen)
    triangles = Delaunay(points[:, :2] + 1e-6 * rng.standard_normal((n, 2))).simplices
    a, b, c = (points[triangles[:, k], :2] for k in range(3))
    clockwise = np.cross(b - a, c - a) < 0
    triangles[clockwise] = triangles[clockwise, ::-1]

    mixing = rng.standard_normal((64, 52)) * 0.25 * 0.96 ** np.arange(64)[:, None]
    expression = np.tensordot(mixing, head.expression_basis[:, chosen].astype(np.float64), 1)
    waves = np.sin(points @ rng.normal(0, 40, (3, 80)) + rng.uniform(0, 2 * np.pi, 80))
    directions = rng.standard_normal((80, 3))
    smooth = waves.T[:, :, None] * directions[:, None] * (0.97 ** np.arange(80))[:, None, None]
    identity = 0.5e-3 * smooth
    identity[: len(head.identity_basis)] = head.identity_basis[:, chosen]

    def as_matrix(modes: np.ndarray) -> np.ndarray:
        return modes.reshape(len(modes), -1).T.astype(np.float32)

    return {
        "meanshape": (points * 10 + [0.0, 0.1, 0.7]).reshape(1, -1),
        "idBase": as_matrix(identity * 10),
        "exBase": as_matrix(expression * 10),
        "meantex": np.clip(150 + 40 * waves[:, :3], 0, 255).reshape(1, -1),
        "texBase": as_matrix(8 * smooth),
        "tri": (triangles + 1).astype(np.int32),
        "point_buf": _triangles_around(triangles, n),
        "keypoints": np.arange(1, 69, dtype=np.float64)[None],
    }


def _triangles_around(triangles: np.ndarray, vertices: int) -> np.ndarray:
    """For each vertex [N, 8] up to eight triangles that it is part of, from one; M + 1 fills the rest."""
    around = np.full((vertices, 8), len(triangles) + 1, np.int32)
    filled = np.zeros(vertices, int)
    for number, corners in enumerate(triangles, start=1):
        for vertex in corners[filled[corners] < 8]:
            around[vertex, filled[vertex]] = number
            filled[vertex] += 1
    return around
