"""A head that does what speakers do, one thing over the other, with all of it known."""

import numpy as np
import pytest

from listener_head.coefficients import LAYOUTS

LAYOUT = LAYOUTS["arkit52"]


@pytest.fixture(scope="session")
def expressive_motion():
    """True motion [330, 58] at 30 frames a second: a second at rest, then nods, turns, tilts, smiles,
    raised and lowered brows, talk and blinks.
    """
    t = np.arange(300) / 30.0
    wave = 2.0 * np.pi * t
    motion = np.tile(LAYOUT.neutral().astype(np.float64), (300, 1))
    motion[:, LAYOUT.rotation] = np.transpose(
        [0.15 * np.sin(0.9 * wave) * (t % 4 > 2), 0.25 * np.sin(wave / 6), 0.12 * np.sin(wave / 4.7)]
    )
    motion[:, LAYOUT.translation] += 0.02 * np.transpose([np.sin(t), 0.5 * np.sin(1.3 * t), np.sin(0.7 * t)])
    brow = np.sin(wave / 3.3)
    weights = {
        "eyeBlink": sum(np.exp(-0.5 * ((t - at) / 0.07) ** 2) for at in np.arange(0.3, 10.0, 1.9)),
        "mouthSmile": 0.4 - 0.4 * np.cos(wave / 4.1),
        "browInnerUp": 0.9 * np.maximum(brow, 0.0),
        "browOuterUp": 0.9 * np.maximum(brow, 0.0),
        "browDown": 0.8 * np.maximum(-brow, 0.0),
        "jawOpen": 0.6 * np.abs(np.sin(1.3 * wave)) * (np.sin(wave / 3) > 0),
    }
    for name, weight in weights.items():
        names = [name] if name in LAYOUT.expression_names else [name + "Left", name + "Right"]
        motion[:, [LAYOUT.index(each) for each in names]] = np.clip(weight, 0.0, 1.0)[:, None]
    return np.concatenate([np.tile(LAYOUT.neutral(), (30, 1)), motion])
