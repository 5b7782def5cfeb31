"""A training set of simple formulae, and every policy."""

import numpy as np
import pytest

from listener_head.coefficients import LAYOUTS
from listener_head.dyads.clips import DyadClip, DyadClips
from listener_head.listener import load_listener
from listener_head.policies import BASELINES, POLICY_NAMES
from listener_head.policies.build import build_policy_data

ATTITUDES = ("positive", "neutral", "negative")


@pytest.fixture(scope="session")
def make_clips():
    """The function that makes a training set."""
    return _make_clips


@pytest.fixture(scope="session")
def policy_data():
    return build_policy_data(_make_clips())


@pytest.fixture(params=POLICY_NAMES)
def make_policy(request, policy_data):
    """The function that makes a policy anew."""
    return lambda: load_listener() if request.param == "network" else BASELINES[request.param](policy_data, 3)


@pytest.fixture
def policy(make_policy):
    return make_policy()


@pytest.fixture(params=list(BASELINES))
def baseline(request, policy_data):
    """The class of a baseline."""
    return BASELINES[request.param]


def _make_clips(count=6, frames=240, face_model="arkit52", seed=0):
    """Clips whose listeners nod and smile the more positive they are."""
    rng, layout = np.random.default_rng(seed), LAYOUTS[face_model]
    clips = []
    for number in range(count):
        level = number % len(ATTITUDES)
        listener = np.tile(layout.neutral(), (frames, 1))
        nods = np.sin(np.arange(frames) * rng.uniform(0.1, 0.3) + rng.uniform(0, 6))
        listener[:, layout.rotation.start] += 0.1 * nods + rng.normal(0, 0.2)
        listener[:, layout.expression] = 0.1 + 0.3 * level + 0.05 * nods[:, None]
        speaker = layout.neutral() + rng.normal(0, 0.05, listener.shape)
        speaker[:, layout.expression] = np.abs(speaker[:, layout.expression])
        clips.append(
            DyadClip(
                f"clip{number}",
                rng.standard_normal((frames, 45)).astype(np.float32),
                speaker.astype(np.float32),
                listener.astype(np.float32),
                ATTITUDES[level],
                f"speaker{number}",
                f"listener{number}",
                "train",
            )
        )
    return DyadClips(layout, "paper45", tuple(clips))
