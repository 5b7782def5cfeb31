import pytest

from listener_head.errors import UserError
from listener_head.graph import TOPICS, DemoOptions, RobotOptions, demo_nodes, robot_nodes
from listener_head.ros.compose import node_class


def test_every_node_of_the_graph_has_a_class_and_a_main():
    for spec in demo_nodes(DemoOptions(record="x")):
        cls = node_class(spec.executable)
        assert cls.__module__ == f"listener_head.nodes.{spec.executable}"


def test_a_node_stands_in_the_graph_once():
    names = [spec.executable for spec in demo_nodes(DemoOptions(record="x"))]
    assert len(names) == len(set(names))


def test_the_source_waits_only_for_topics_of_the_graph():
    for record in ("", "recording"):
        source = demo_nodes(DemoOptions(video="x.mp4", record=record))[-1]
        assert source.executable == "speaker_source"
        assert set(source.parameters["wait_for"]) <= set(TOPICS)


def test_the_picture_of_a_file_is_not_recorded_again_but_that_of_a_camera_is():
    def topics(**options):
        nodes = {spec.executable: spec for spec in demo_nodes(DemoOptions(record="x", **options))}
        return nodes["recorder"].parameters["topics"]

    assert "speaker/image" not in topics(video="x.mp4")
    assert "speaker/image" in topics(camera=0)


def robot_graph(**options):
    return {spec.executable: spec for spec in robot_nodes(RobotOptions(**options))}


def test_the_demo_moves_the_simulated_robot_alone():
    for robot in ("generic", "tiago"):
        nodes = {spec.executable: spec for spec in demo_nodes(DemoOptions(robot=robot))}
        assert nodes["joint_mapper"].parameters["simulated"]
        assert "allow_unverified" not in nodes["joint_mapper"].parameters
        assert nodes["simulated_robot"].parameters["robot"] == robot


def test_the_policy_reaches_the_listener():
    for nodes in (
        demo_nodes(DemoOptions(policy="mirror")),
        robot_nodes(RobotOptions(camera=0, policy="mirror")),
    ):
        listener = next(spec for spec in nodes if spec.executable == "listener")
        assert listener.parameters["policy"] == "mirror"


def test_a_robots_own_camera_and_microphone_are_remapped():
    nodes = robot_graph(robot="tiago", image="/xtion/rgb/image_raw", audio="/mic")
    assert nodes["face_fit"].remaps == {
        "speaker/image": "/xtion/rgb/image_raw",
        "speaker/camera_info": "/xtion/rgb/camera_info",
    }
    assert nodes["audio_features"].remaps == {"speaker/audio": "/mic", "speaker/audio_info": "/audio_info"}
    assert "speaker_source" not in nodes
    assert "simulated_robot" not in nodes
    assert "renderer" not in nodes
    info = robot_graph(image="/eye/image", camera_info="/eye/info")["face_fit"].remaps
    assert info["speaker/camera_info"] == "/eye/info"
    assert nodes["face_fit"].parameters["image_transport"] == "raw"
    compressed = robot_graph(image="/eye/image/compressed")["face_fit"]
    assert compressed.parameters["image_transport"] == "compressed"
    assert compressed.remaps == {"speaker/image": "/eye/image", "speaker/camera_info": "/eye/camera_info"}


def test_our_own_camera_and_microphone_take_the_place_of_the_robots():
    nodes = robot_graph(camera=2, microphone="")
    assert nodes["speaker_source"].parameters == {"camera": 2, "microphone": ""}
    assert not nodes["face_fit"].remaps
    beside = robot_graph(image="/eye/image", microphone="")
    assert beside["speaker_source"].parameters == {"camera": -1, "microphone": ""}


def test_the_motion_of_the_robots_camera_is_taken_out_by_itself():
    def motion(**options):
        return robot_graph(**options)["face_fit"].parameters["camera_motion"]

    assert motion(robot="generic", image="/eye/image") == "joint_states"  # its file has a camera
    assert motion(robot="generic", camera=0) == "none"  # ours does not move with the head
    assert motion(robot="generic", image="/eye/image", camera_motion="none") == "none"
    assert motion(robot="generic", image="/eye/image", camera_motion="tf") == "tf"


def test_a_real_robot_is_moved_only_when_it_is_said():
    real = robot_graph(robot="tiago", camera=0)["joint_mapper"].parameters
    assert not real["simulated"]
    assert not real["allow_unverified"]
    simulated = robot_graph(robot="tiago", camera=0, simulate=True)
    assert simulated["joint_mapper"].parameters["simulated"]
    assert simulated["face_fit"].parameters["simulated"]
    assert simulated["simulated_robot"].parameters == {"robot": "tiago"}


@pytest.mark.parametrize(
    ("address", "parameters"),
    [
        ("192.168.1.5", {"host": "192.168.1.5"}),
        ("studio:11112", {"host": "studio", "port": 11112}),
    ],
)
def test_an_avatar_has_an_address(address, parameters):
    assert robot_graph(camera=0, live_link=address)["live_link"].parameters == parameters


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, "image:=TOPIC"),
        ({"camera": 0, "image": "/eye/image"}, "/eye/image"),
        ({"camera": 0, "audio": "/mic", "microphone": ""}, "/mic"),
        ({"camera": 0, "robot": "hal9000"}, "hal9000"),
        ({"camera": 0, "camera_motion": "gyroscope"}, "gyroscope"),
        ({"camera": 0, "live_link": "host:unreal"}, "host:unreal"),
    ],
)
def test_options_that_cannot_be_meant_are_refused_in_one_line(options, expected):
    with pytest.raises(UserError) as refusal:
        robot_graph(**options)
    assert expected in str(refusal.value)
    assert "\n" not in str(refusal.value)
