"""The parameter file shows every parameter of every node, with its default."""

from pathlib import Path

import pytest
import yaml

import listener_head.nodes
from listener_head.graph import (
    DemoOptions,
    ReplayOptions,
    RobotOptions,
    demo_nodes,
    replay_nodes,
    robot_nodes,
)
from listener_head.paths import config_dir
from listener_head.ros.compose import node_class

SHOWN = {
    name.removeprefix("/**/"): section["ros__parameters"]
    for name, section in yaml.safe_load((config_dir() / "listener_head.yaml").read_text()).items()
}
NODES = sorted(path.stem for path in Path(listener_head.nodes.__file__).parent.glob("[!_]*.py"))
GRAPHS = [
    *demo_nodes(DemoOptions(video="v", record="x")),
    *robot_nodes(RobotOptions(camera=0, simulate=True, render=True, live_link="localhost:11111")),
    *replay_nodes(ReplayOptions(bag="b", record="x")),
]
# Of rclpy itself, and those that say what a lifecycle manager or the user's QoS decide.
NOT_SHOWN = {"use_sim_time", "start_type_description_service", "autostart"}


@pytest.mark.parametrize("executable", NODES)
def test_file_and_node_agree(ros, executable):
    node = node_class(executable)()
    declared = {name: node.value(name) for name in node._parameters if not name.startswith("qos_overrides.")}
    node.destroy_node()
    shown = SHOWN[executable]
    assert set(shown) == set(declared) - NOT_SHOWN - {"topics"}
    for name, value in shown.items():
        assert declared[name] == value, name


def test_no_section_is_for_a_node_that_is_not_there():
    assert set(SHOWN) == set(NODES)


@pytest.mark.parametrize("spec", GRAPHS, ids=lambda spec: spec.executable)
def test_graph_sets_only_parameters_that_exist(ros, spec):
    node = node_class(spec.executable)()
    unknown = [name for name in spec.parameters if not node.has_parameter(name)]
    node.destroy_node()
    assert not unknown
