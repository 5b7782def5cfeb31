"""The commands `evaluate` and `policies` on a set in ViCo's published layout, read from files."""

import json
import shutil

import numpy as np
import pytest

from listener_head.dyads.metadata import COLUMNS
from listener_head.errors import UserError
from listener_head.evaluation.commands import evaluate
from listener_head.extraction.published import VideoFeatures, write_audio_npy, write_video_bin
from listener_head.listener.network_file import DEFAULT_NETWORK
from listener_head.policies import load_policy
from listener_head.policies.commands import policies

pytest.importorskip("torch", reason="the published files are torch's; the training extra is not installed")


def write_set(dyads, folder):
    """As the published baseline lays a set out."""
    lines = [",".join(COLUMNS)]
    for kind in ("audio_feats", "video_feats"):
        (folder / "features" / kind).mkdir(parents=True)
    for clip in dyads:
        with (folder / "features" / "audio_feats" / f"{clip.name}.npy").open("wb") as file:
            write_audio_npy(file, clip.audio)
        for role in ("speaker", "listener"):
            features = VideoFeatures("arkit52", getattr(clip, role), np.zeros((len(clip), 3), np.float32))
            with (folder / "features" / "video_feats" / f"{clip.name}.{role}.bin").open("wb") as file:
                write_video_bin(file, features)
        people = (clip.speaker_id, clip.listener_id)
        lines.append(",".join((clip.name, "video", *people, clip.attitude, clip.split)))
    (folder / "metadata").mkdir()
    (folder / "metadata" / "data.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def folder(make_clips, tmp_path):
    return write_set(make_clips({"train": 3, "test": 3, "ood": 3}, 90), tmp_path / "set")


def test_a_set_is_evaluated_and_its_baselines_run_anywhere_afterwards(folder, tmp_path, capsys):
    network = tmp_path / "net.onnx"
    shutil.copy(DEFAULT_NETWORK, network)
    policies(dyads=folder, network=network, seed=0)
    assert load_policy("simulation_attitude", network).attitudes == ("positive", "neutral", "negative")
    evaluate(dyads=folder, network=network, policies="mean,network", seed=0, output=tmp_path / "out")
    results = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert results["clips"]["ood"]["all"] == 3 and results["skipped"] == []
    assert set(results["distances"]["test"]) == {"mean", "network"}
    assert "net.policies.npz" in capsys.readouterr().out


def test_a_lost_file_is_a_counted_skip(folder, tmp_path, capsys):
    (folder / "features" / "audio_feats" / "test0.npy").unlink()
    evaluate(dyads=folder, network=None, policies="mirror", seed=0, output=tmp_path / "out")
    results = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert results["clips"]["test"]["all"] == 2
    assert len(results["skipped"]) == 1 and "test0" in results["skipped"][0]
    assert "1 clips skipped" in capsys.readouterr().out


def test_the_data_of_another_network_is_refused(make_clips, tmp_path):
    clips = make_clips({"train": 2}, 90)
    for clip in clips:
        clip.audio[:, 13:39] = 0  # what vico45 is known by
    folder = write_set(clips, tmp_path / "set")
    network = tmp_path / "net.onnx"
    shutil.copy(DEFAULT_NETWORK, network)
    with pytest.raises(UserError, match=r"with sound vico45.*made for arkit52 with paper45"):
        policies(dyads=folder, network=network, seed=0)
    assert not list(tmp_path.glob("*.npz"))
