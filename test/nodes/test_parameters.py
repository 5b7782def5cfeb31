"""The parameter file shows every parameter of every node, with its default."""

import pytest
import yaml

from listener_head.graph import DemoOptions, demo_nodes
from listener_head.paths import config_dir
from listener_head.ros.compose import node_class

SHOWN = {
    name.removeprefix("/**/"): section["ros__parameters"]
    for name, section in yaml.safe_load((config_dir() / "listener_head.yaml").read_text()).items()
}
NODES = [spec.executable for spec in demo_nodes(DemoOptions(record="x"))]
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


@pytest.mark.parametrize("spec", demo_nodes(DemoOptions(video="v", record="x")), ids=lambda s: s.executable)
def test_graph_sets_only_parameters_that_exist(ros, spec):
    node = node_class(spec.executable)()
    unknown = [name for name in spec.parameters if not node.has_parameter(name)]
    node.destroy_node()
    assert not unknown
