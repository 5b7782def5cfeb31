"""Policy data: what it holds, and that files come back as they were or are refused."""

from dataclasses import replace

import numpy as np
import pytest

from listener_head.coefficients import LAYOUTS
from listener_head.errors import UserError
from listener_head.policies import PolicyData, load_policy, policy_data_path
from listener_head.policies.build import build_policy_data
from listener_head.policies.data import PATTERN_FRAMES

LAYOUT = LAYOUTS["arkit52"]


def test_it_holds_the_means_and_patterns_of_each_attitude(policy_data, make_clips):
    clips = make_clips()
    assert policy_data.attitudes == ("positive", "neutral", "negative")
    positive = np.concatenate([clip.listener for clip in clips.of(attitude="positive")])
    np.testing.assert_allclose(policy_data.mean["positive"], positive.mean(axis=0), atol=1e-5)
    everyone = np.concatenate([clip.listener for clip in clips])
    np.testing.assert_allclose(policy_data.mean[""], everyone.mean(axis=0), atol=1e-5)
    for patterns in policy_data.patterns.values():
        assert patterns.motion.shape[1:] == (PATTERN_FRAMES, LAYOUT.size)
        assert patterns.share.sum() == pytest.approx(1) and (patterns.share > 0).all()


def test_frequent_motion_makes_frequent_patterns(make_clips):
    still, nodding = make_clips(count=1, frames=180).clips[0], make_clips(count=1, frames=660).clips[0]
    motion = np.tile(LAYOUT.neutral(), (180, 1))
    motion[:, LAYOUT.expression] = 0.9
    clips = make_clips(count=1)
    clips = replace(clips, clips=(replace(still, listener=motion.astype(np.float32)), nodding))
    patterns = build_policy_data(clips).patterns[""]
    smiling = patterns.motion[:, :, LAYOUT.expression].mean(axis=(1, 2)) > 0.8
    # 5 windows of 3 s and 21 of 11 s.
    assert patterns.share[smiling].sum() == pytest.approx(5 / 26, abs=1e-6)


def test_still_listeners_make_one_pattern(make_clips):
    clips = make_clips(count=2)
    flat = tuple(replace(clip, listener=np.tile(LAYOUT.neutral(), (240, 1)), attitude="") for clip in clips)
    data = build_policy_data(replace(clips, clips=flat))
    assert data.attitudes == () and len(data.patterns[""].share) == 1


def test_it_is_the_same_for_the_same_seed(make_clips, policy_data):
    again = build_policy_data(make_clips())
    for name, patterns in policy_data.patterns.items():
        np.testing.assert_array_equal(patterns.motion, again.patterns[name].motion)


def test_clips_shorter_than_a_pattern_are_refused(make_clips):
    with pytest.raises(UserError, match="none of 2 s or more"):
        build_policy_data(make_clips(frames=PATTERN_FRAMES - 1))
    with pytest.raises(UserError, match="has 0 clips"):
        build_policy_data(make_clips(count=0))


def test_a_file_comes_back_as_it_was(policy_data, tmp_path):
    network = tmp_path / "folder" / "net.onnx"
    path = policy_data_path(network)
    policy_data.save(path)
    assert [file.name for file in path.parent.iterdir()] == ["net.policies.npz"]
    loaded = PolicyData.load(path)
    assert loaded.layout == policy_data.layout and loaded.audio_layout == "paper45"
    assert loaded.attitudes == policy_data.attitudes and len(loaded.hash) == 12
    for name in ("", *policy_data.attitudes):
        np.testing.assert_array_equal(loaded.mean[name], policy_data.mean[name])
        np.testing.assert_allclose(loaded.patterns[name].motion, policy_data.patterns[name].motion, atol=5e-4)
    policy = load_policy("simulation_attitude", network)
    assert policy.hash == loaded.hash and policy.name == "simulation_attitude"


@pytest.mark.parametrize("cut", [0, 10, 400, -30])
def test_a_cut_file_is_refused_by_name(policy_data, tmp_path, cut):
    path = tmp_path / "net.policies.npz"
    policy_data.save(path)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(UserError, match=r"net\.policies\.npz"):
        PolicyData.load(path)


def test_files_of_another_kind_are_refused(policy_data, tmp_path):
    path = tmp_path / "net.policies.npz"
    np.savez(path, something=np.zeros(3))
    with pytest.raises(UserError, match="another kind"):
        PolicyData.load(path)
    policy_data.save(path)
    with np.load(path) as arrays:
        spoilt = dict(arrays)
    spoilt["mean_"] = np.full(LAYOUT.size, np.nan)
    np.savez(path, **spoilt)
    with pytest.raises(UserError, match="mean_"):
        PolicyData.load(path)
    with pytest.raises(UserError, match="cannot be read"):
        PolicyData.load(tmp_path)
    with pytest.raises(UserError, match="cannot be written"):
        policy_data.save(path / "below.npz")
