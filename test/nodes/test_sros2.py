"""The SROS 2 policy gives each node what it uses, and no more."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from rclpy.serialization import serialize_message
from sensor_msgs.msg import Image

import listener_head.nodes
from listener_head.bags.writer import RecordingWriter
from listener_head.paths import config_dir
from listener_head.sounds import AUDIO_CHUNK

FOLDER = config_dir() / "sros2"
NODES = sorted(path.stem for path in Path(listener_head.nodes.__file__).parent.glob("[!_]*.py"))
INCLUDE = "{http://www.w3.org/2001/XInclude}include"
# What to ask of the graph, and as what the policy allows it.
ENDS = {
    "publisher": ("topics", "publish"),
    "subscriber": ("topics", "subscribe"),
    "service": ("services", "reply"),
    "client": ("services", "request"),
}
# So that all that a node may do is done, where this can be had here.
PARAMETERS = {
    "face_fit": {"camera_motion": "joint_states", "robot": "tiago", "simulated": True},
    "joint_mapper": {"simulated": True, "look_at_speaker": True},
    "renderer": {"size": 64},
    "speaker_source": {"camera": -1, "microphone": "none"},
    "viewer": {"port": 0, "open_browser": False},
}
# Allowed and not done in this test: with other parameters or recordings, packages that may be missing, and by
# the viewer while somebody has its page open.
ELSEWHERE = {
    "audio_features": {"/speaker/audio_info"},
    "bag_player": {"/speaker/camera_info", "/attitude", "/robot_speaking"},
    "face_fit": {"/speaker/image/compressed", "/tf", "/tf_static"},
    "simulated_robot": {"/tf", "/tf_static"},
    "viewer": {
        "/diagnostics",
        "/joint_commands",
        "/listener/coefficients",
        "/listener/image",
        "/listener/state",
        "/speaker/audio_features",
        "/speaker/coefficients",
        "/speaker/image",
    },
}
SOURCES = ("speaker_source", "bag_player")  # they play as soon as they are active, and listen to nothing


def allowed(node: str, kind: str, verb: str) -> set[str]:
    """Full names that a node's profile allows."""
    policy = ElementTree.parse(FOLDER / "policy.xml")
    profile = policy.find(f"enclaves/enclave[@path='/listener_head/{node}']/profiles/profile[@node='{node}']")
    assert profile is not None and profile.get("ns") == "/"
    (common,) = [ElementTree.parse(FOLDER / each.get("href")) for each in profile.findall(INCLUDE)]
    rules = [*profile.findall(kind), *common.getroot().findall(kind)]
    names = [expression.text for rule in rules if rule.get(verb) == "ALLOW" for expression in rule]
    return {name.replace("~", f"/{node}") if name[0] in "~/" else f"/{name}" for name in names}


def test_every_node_has_an_enclave_and_nobody_else():
    policy = ElementTree.parse(FOLDER / "policy.xml")
    assert sorted(each.get("path") for each in policy.iter("enclave")) == [
        f"/listener_head/{name}" for name in NODES
    ]


def recording(folder: Path) -> Path:
    """A recording with one picture, and a topic of sound."""
    image = "/speaker/image"
    writer = RecordingWriter(folder, {image: "sensor_msgs/msg/Image", "/speaker/audio": AUDIO_CHUNK})
    writer.write(image, 10**18, serialize_message(Image()))
    writer.close()
    return folder


@pytest.mark.parametrize("executable", NODES)
def test_a_node_does_what_it_is_allowed_and_no_more(bench, tmp_path, executable):
    if executable == "action_units":
        pytest.importorskip("hri_msgs", reason="hri_msgs is not installed")
    parameters = dict(PARAMETERS.get(executable, {}))
    if executable == "recorder":
        parameters["output"] = tmp_path / "recording"
    if executable == "bag_player":
        parameters["bag"] = recording(tmp_path / "bag")
    node = bench.configured(executable, **parameters)
    if executable in SOURCES:
        node.trigger_configure()
    else:
        assert node.bring_up(), node.problem
    assert not node.problem
    used = {}
    for end in ENDS:
        ask = getattr(node, f"get_{end}_names_and_types_by_node")
        used[end] = {name for name, _ in ask(executable, "/")}
    for end, (kind, verb) in ENDS.items():
        may = allowed(executable, kind, verb)
        assert used[end] <= may, f"{executable} needs {verb} of {sorted(used[end] - may)} in policy.xml"
        spare = may - used[end] - ELSEWHERE.get(executable, set()) - {"/clock"}
        assert not spare, f"policy.xml allows {executable} {verb} of {sorted(spare)}, which it does not do"
