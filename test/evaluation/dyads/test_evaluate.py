"""A whole evaluation: its numbers, its files and tables, and what it refuses."""

import csv
import json
from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from listener_head.errors import UserError
from listener_head.evaluation.dyads.evaluate import evaluate_policies, usable_clips
from listener_head.evaluation.dyads.generation import BLOCK_FRAMES, respond, respond_all
from listener_head.evaluation.dyads.metrics import feature_distance
from listener_head.evaluation.dyads.run import load_policies, run
from listener_head.evaluation.dyads.table import tables
from listener_head.policies import POLICY_NAMES


@pytest.fixture(scope="module")
def dyads(make_clips):
    """More positive clips than others; one is a minute long."""
    clips = make_clips({"train": 3, "test": 4, "ood": 2}, 90)
    long = replace(make_clips({"test": 1}, 1800, seed=2).clips[0], name="long")
    return replace(clips, clips=(*clips.clips, long))


def ignore(_progress):
    pass


def shown(dyads, tmp_path, names="network,mean", network=None):
    console = Console(width=80, file=StringIO())
    run(dyads, network, names, 0, tmp_path, console)
    return console.file.getvalue()


@pytest.fixture(scope="module")
def evaluation(dyads):
    policies = load_policies(dyads, None, ",".join(POLICY_NAMES), 0)
    return evaluate_policies(dyads, policies, ignore)


def test_it_has_every_policy_attitude_and_split(evaluation):
    assert evaluation.clips["test"] == {"positive": 3, "neutral": 1, "negative": 1, "all": 5}
    assert list(evaluation.distances) == ["test", "ood"]
    for split, attitudes in (("test", 4), ("ood", 3)):
        assert tuple(evaluation.distances[split]) == POLICY_NAMES
        assert len(evaluation.distances[split]["network"]) == attitudes
        assert set(evaluation.measures[split]) == {*POLICY_NAMES, "truth"}
        assert set(evaluation.ablation[split]) == {"sound and face", "sound only", "face only"}
    assert set(evaluation.responsiveness["test"]) == {*POLICY_NAMES, "truth"}
    assert evaluation.responsiveness["ood"] == {}


def test_distances_are_those_of_single_clips_averaged_over_clips(dyads, evaluation):
    network = load_policies(dyads, None, "network", 0)["network"]
    own = {
        clip.name: feature_distance(respond(network, clip), clip.listener[1:], dyads.layout)["rotation"]
        for clip in dyads.of("test")
    }
    rows = evaluation.distances["test"]["network"]
    assert rows["average"]["rotation"] == pytest.approx(np.mean(list(own.values())))
    positive = [own[name] for name in ("test0", "test3", "long")]
    assert rows["positive"]["rotation"] == pytest.approx(np.mean(positive))
    of_attitudes = np.mean([rows[name]["rotation"] for name in ("positive", "neutral", "negative")])
    assert rows["average"]["rotation"] != pytest.approx(of_attitudes)


def test_the_truth_is_at_no_distance_and_the_whole_input_is_the_network(evaluation):
    for part in evaluation.measures["test"]["truth"].values():
        for measure in ("frechet_distance", "paired_frechet_distance", "mean_squared_error"):
            assert part[measure] == pytest.approx(0, abs=1e-9)
    whole, network = evaluation.ablation["test"]["sound and face"], evaluation.distances["test"]["network"]
    assert {part: whole[part] for part in network["average"]} == pytest.approx(network["average"])
    assert evaluation.ablation["test"]["sound only"] != whole


def test_a_policy_without_sound_or_sight_is_given_silence_or_nobody(dyads):
    network = load_policies(dyads, None, "network", 0)["network"]
    clip = dyads.clips[0]
    other = replace(clip, audio=clip.audio + 1)
    np.testing.assert_array_equal(respond(network, clip, hears=False), respond(network, other, hears=False))
    assert not np.array_equal(respond(network, clip), respond(network, other))
    other = replace(clip, speaker=clip.speaker + 1)
    np.testing.assert_array_equal(respond(network, clip, sees=False), respond(network, other, sees=False))


def test_the_same_seed_gives_the_same_files_and_every_number_is_in_both(dyads, tmp_path):
    for folder in ("one", "two"):
        shown(dyads, tmp_path / folder, "random,simulation,network")
    for name in ("evaluation.json", "evaluation.csv"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    whole = json.loads((tmp_path / "one" / "evaluation.json").read_text())
    with (tmp_path / "one" / "evaluation.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert np.isfinite([float(row["value"]) for row in rows]).all()
    for row in rows:
        place = whole[row["section"]][row["split"]][row["policy"]]
        place = place[row["part"]] if row["part"] else place
        assert place[row["measure"]] == float(row["value"])
    assert whole["policies"]["network"]["name"] == "listener_arkit52" and whole["face_model"] == "arkit52"


def test_tables_are_whole_in_80_columns(evaluation):
    console = Console(width=80, file=StringIO())
    for table in tables(evaluation):
        console.print(table)
    text = console.file.getvalue()
    assert "…" not in text and max(len(line.rstrip()) for line in text.splitlines()) <= 80
    for word in (
        "D_test",
        "D_ood",
        "Simulation*",
        "Positive",
        "Average",
        "angle",
        "P-FD",
        "sound only",
        "responsive",
        "Granger",
    ):
        assert word in text


@pytest.mark.parametrize("hears", [True, False])
def test_listeners_together_do_what_each_does_alone(make_clips, hears):
    """Clips from two frames to several blocks, more than are stepped at once."""
    network = load_policies(make_clips({"test": 1}, 90), None, "network", 0)["network"]
    whole = make_clips({"test": 7}, 3 * BLOCK_FRAMES + 5).clips
    lengths = (2, 3, BLOCK_FRAMES, BLOCK_FRAMES + 1, BLOCK_FRAMES + 2, 3 * BLOCK_FRAMES + 5, 40)
    clips = [clip.part(0, length) for clip, length in zip(whole, lengths, strict=True)]
    clips[1] = replace(clips[1], attitude="")
    done = []
    together = respond_all(network, clips, lambda: done.append(1), hears=hears)
    assert len(done) == len(clips)
    for clip, motion in zip(clips, together, strict=True):
        np.testing.assert_allclose(motion, respond(network, clip, hears=hears), atol=1e-5)


def test_progress_goes_to_its_end(dyads):
    seen = []
    policies = load_policies(dyads, None, "mirror,network", 0)
    evaluate_policies(dyads, policies, seen.append)
    done = [progress.done for progress in seen]
    assert done == sorted(done) and set(done) == set(range(seen[-1].total + 1))
    assert seen[-1].total == 7 * 5
    assert {"network on test", "scores of mirror on ood"} <= {progress.stage for progress in seen}


def test_spoilt_clips_are_skipped_and_counted(dyads, tmp_path):
    first, second, third, *_ = dyads.of("test").clips
    hole = second.speaker.copy()
    hole[5, 5] = np.nan
    absurd = second.audio.copy()
    absurd[5, 5] = 1e30
    spoilt = (
        replace(
            first, name="short", audio=first.audio[:1], speaker=first.speaker[:1], listener=first.listener[:1]
        ),
        replace(second, name="hole", speaker=hole),
        replace(second, name="absurd", audio=absurd),
        replace(third, name="other", audio=third.audio[:-3]),
    )
    usable = usable_clips(replace(dyads, clips=(*dyads.clips, *spoilt), skipped=("lost: no file",)))
    assert len(usable) == len(dyads)
    assert [line.split(":")[0] for line in usable.skipped] == ["lost", "short", "hole", "absurd", "other"]
    text = shown(replace(dyads, clips=(*dyads.clips, *spoilt)), tmp_path)
    assert "4 clips skipped, the first: short: has 1 frames" in text


def test_a_split_that_is_missing_is_said(dyads, tmp_path):
    text = shown(dyads.of("test"), tmp_path, "network")
    assert "no clip in the split ood" in text and "D_test" in text
    assert "No clip of ood is a minute long" in shown(dyads, tmp_path, "network")
    with pytest.raises(UserError, match="no usable clip in the splits test and ood"):
        shown(dyads.of("train"), tmp_path, "network")


def test_clips_without_an_attitude_count_in_the_average_alone(make_clips):
    clips = make_clips({"train": 3, "test": 2}, 90)
    clips = replace(clips, clips=tuple(replace(clip, attitude="") for clip in clips))
    evaluation = evaluate_policies(clips, load_policies(clips, None, ",".join(POLICY_NAMES), 0), ignore)
    for rows in evaluation.distances["test"].values():
        assert list(rows) == ["average"]


def test_what_does_not_fit_is_refused_in_one_line(dyads, make_clips, tmp_path):
    network = tmp_path / "net.onnx"
    cases = [
        (replace(dyads, clips=()), None, "network", "no clip"),
        (make_clips({"test": 1}, 90, "bfm2009"), None, "network", "are bfm2009 with sound paper45"),
        (replace(dyads, audio_layout="vico45"), None, "network", "vico45"),
        (dyads, None, "network,clever", "'clever' is unknown"),
        (dyads, None, " , ", "no policy is named"),
        (dyads.of("test"), network, "mean", r"split train, and '.*net\.policies\.npz' is missing"),
        (dyads, network, "network", "cannot be read"),
    ]
    for clips, path, names, message in cases:
        with pytest.raises(UserError, match=message) as caught:
            shown(clips, tmp_path, names, path)
        assert "\n" not in str(caught.value)


def test_output_that_cannot_be_written_is_named(dyads, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write"):
        shown(dyads, tmp_path / "file", "mean")
