"""RViz, Foxglove and the picture of the graph name what is there."""

import json
import re
from importlib import import_module
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from listener_head.coefficients import LAYOUTS
from listener_head.demo import NAMESPACE
from listener_head.graph import TOPICS, DemoOptions, demo_nodes
from listener_head.paths import config_dir
from listener_head.robot import load_robot
from listener_head.robot.urdf import urdf_of

RVIZ = yaml.safe_load((config_dir() / "rviz" / "listener_head.rviz").read_text())
FOXGLOVE = json.loads((config_dir() / "foxglove" / "listener_head.json").read_text())
GRAPH = Path(__file__).parents[2] / "docs" / "graph.svg"
# Beside those between the demo's nodes: what they say to whom it may concern.
TYPES = {
    **TOPICS,
    "speaker/position": "geometry_msgs/msg/PointStamped",
    "robot_description": "std_msgs/msg/String",
}
# Displays of rviz_default_plugins (its plugins_description.xml), and the type that each shows.
DISPLAYS = {
    "Grid": None,
    "TF": None,
    "Image": "sensor_msgs/msg/Image",
    "PointStamped": "geometry_msgs/msg/PointStamped",
    "RobotModel": "std_msgs/msg/String",
}
TOOLS = {"Interact", "MoveCamera", "Select", "FocusCamera", "Measure"}
PANELS = {"Image", "Plot", "StateTransitions", "DiagnosticSummary", "Publish", "CallService"}
NUMBERS = {"int8", "uint8", "int32", "uint32", "int64", "uint64", "float", "double", "boolean"}


def topic_of(name):
    """A topic of the demo, without its namespace."""
    prefix = f"/{NAMESPACE}/"
    assert name.startswith(prefix), name
    return name.removeprefix(prefix)


def message_class(kind):
    package, _, name = kind.split("/")
    return getattr(import_module(f"{package}.msg"), name)


# RViz


def displays():
    return RVIZ["Visualization Manager"]["Displays"]


@pytest.mark.parametrize("display", displays(), ids=lambda display: display["Name"])
def test_rviz_displays_what_the_demo_publishes(display):
    package, kind = display["Class"].split("/")
    assert package == "rviz_default_plugins"
    assert display["Enabled"] is True
    topic = display.get("Topic") or display.get("Description Topic")
    assert (topic is None) == (DISPLAYS[kind] is None)
    if topic is not None:
        assert TYPES[topic_of(topic["Value"])] == DISPLAYS[kind]


def test_rviz_asks_for_no_more_than_the_publishers_offer():
    """Sensor images are best effort; a robot's description was sent before RViz came."""
    by_name = {display["Name"]: display for display in displays()}
    for name in ("Speaker", "Listener"):
        assert by_name[name]["Topic"]["Reliability Policy"] == "Best Effort"
    assert by_name["Robot"]["Description Topic"]["Durability Policy"] == "Transient Local"


def test_rviz_stands_in_a_frame_that_the_simulated_robot_has():
    frame = RVIZ["Visualization Manager"]["Global Options"]["Fixed Frame"]
    robot = load_robot(DemoOptions().robot)
    assert frame == robot.frames.base
    assert f'<link name="{frame}"' in urdf_of(robot)


def test_rviz_has_these_tools_and_windows():
    manager = RVIZ["Visualization Manager"]
    assert {tool["Class"].split("/")[1] for tool in manager["Tools"]} <= TOOLS
    assert manager["Transformation"]["Current"]["Class"] == "rviz_default_plugins/TF"
    assert manager["Views"]["Current"]["Class"] == "rviz_default_plugins/Orbit"
    docks = {name for name, value in RVIZ["Window Geometry"].items() if isinstance(value, dict)}
    images = {display["Name"] for display in displays() if display["Class"].endswith("/Image")}
    assert images <= docks


# Foxglove


def panels(kind):
    return {name: panel for name, panel in FOXGLOVE["configById"].items() if name.startswith(f"{kind}!")}


def leaves(layout):
    if isinstance(layout, str):
        return [layout]
    assert layout["direction"] in ("row", "column")
    assert 0 < layout["splitPercentage"] < 100
    return leaves(layout["first"]) + leaves(layout["second"])


def test_foxglove_shows_each_panel_once():
    assert set(FOXGLOVE) == {"configById", "globalVariables", "userNodes", "playbackConfig", "layout"}
    shown = leaves(FOXGLOVE["layout"])
    assert sorted(shown) == sorted(FOXGLOVE["configById"])
    assert {name.split("!")[0] for name in shown} == PANELS


def paths():
    return [
        (panel["foxglovePanelTitle"], path)
        for kind in ("Plot", "StateTransitions")
        for panel in panels(kind).values()
        for path in panel["paths"]
    ]


@pytest.mark.parametrize(
    ("title", "path"), paths(), ids=lambda value: value if isinstance(value, str) else value["label"]
)
def test_foxglove_plots_numbers_that_the_messages_have(title, path):
    found = re.fullmatch(r"([\w/]+)\.(\w+)(?:\[(\d+)\])?(\.@rad2deg)?", path["value"])
    assert found, path["value"]
    topic, field, index, in_degrees = found.groups()
    fields = message_class(TYPES[topic_of(topic)]).get_fields_and_field_types()
    assert "header" in fields and path["timestampMethod"] == "headerStamp"
    kind = fields[field]
    assert (index is not None) == ("sequence" in kind or "[" in kind)
    assert re.sub(r"sequence<(\w+).*>|(\w+)\[\d+\]|(\w+)", r"\1\2\3", kind) in NUMBERS
    assert ("°" in title) == bool(in_degrees)


def test_foxglove_names_the_shapes_and_joints_that_it_plots():
    shapes = LAYOUTS["arkit52"].expression_names
    words = {
        "smile": "Smile",
        "brows raised": "browInnerUp",
        "brow lowered": "browDown",
        "blink": "Blink",
        "jaw open": "jawOpen",
    }
    for path in panels("Plot")["Plot!face"]["paths"]:
        shape = shapes[int(re.search(r"\[(\d+)\]", path["value"])[1])]
        label, _, side = path["label"].partition(", ")
        assert words[label] in shape
        assert shape.endswith(side.title())
    joints = [path["label"] for path in panels("Plot")["Plot!joints"]["paths"]]
    assert joints == list(load_robot(DemoOptions().robot).joint_names)


def test_foxglove_shows_the_demos_images_and_diagnostics():
    images = [panel["imageMode"]["imageTopic"] for panel in panels("Image").values()]
    assert [TYPES[topic_of(topic)] for topic in images] == ["sensor_msgs/msg/Image"] * 2
    assert [panel["topicToRender"] for panel in panels("DiagnosticSummary").values()] == ["/diagnostics"]


@pytest.mark.parametrize("panel", panels("Publish").values(), ids=lambda panel: panel["buttonText"])
def test_foxglove_sets_the_attitude_that_the_button_names(panel):
    assert TYPES[topic_of(panel["topicName"])] == panel["datatype"]
    value = json.loads(panel["value"])
    constants = message_class(panel["datatype"])
    assert value == {"attitude": getattr(constants, panel["buttonText"].upper())}


def test_foxglove_calls_the_listeners_own_service():
    (panel,) = panels("CallService").values()
    assert topic_of(panel["serviceName"]) == "listener/enable"
    assert json.loads(panel["requestPayload"]) == {"data": True}


# The picture of the graph


def test_the_picture_of_the_graph_is_current():
    """Run docs/graph.py when this fails."""
    svg = ElementTree.parse(GRAPH).getroot()
    groups = [(group.get("class"), "".join(group.itertext()).strip()) for group in svg.findall(".//{*}g")]
    note = next("".join(text.itertext()) for text in svg.findall(".//{*}text") if text.get("class") == "note")
    nodes = {spec.executable for spec in demo_nodes(DemoOptions(record="x", view=True))}
    drawn = {text for kind, text in groups if kind == "node"}
    assert drawn <= nodes
    assert all(name in note for name in nodes - drawn)
    assert {text for kind, text in groups if kind == "topic"} == set(TOPICS)
