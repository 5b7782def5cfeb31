"""config/diagnostics.yaml puts every node into one group of diagnostic_aggregator."""

import re
from pathlib import Path

import pytest
import yaml

from listener_head import nodes
from listener_head.graph import (
    DemoOptions,
    ReplayOptions,
    RobotOptions,
    demo_nodes,
    replay_nodes,
    robot_nodes,
)
from listener_head.paths import config_dir

NODES = sorted(path.stem for path in Path(nodes.__file__).parent.glob("[!_]*.py"))
GROUPS = {
    name: group
    for name, group in yaml.safe_load((config_dir() / "diagnostics.yaml").read_text())["analyzers"][
        "ros__parameters"
    ].items()
    if isinstance(group, dict)
}


def groups_of(full_name: str) -> list[str]:
    """As GenericAnalyzer does: one of its regular expressions must fit the whole name."""
    return [
        name
        for name, group in GROUPS.items()
        if any(re.fullmatch(pattern, full_name) for pattern in group["regex"])
    ]


def graphs() -> set[str]:
    demo = demo_nodes(DemoOptions(record="out"))
    replay = replay_nodes(ReplayOptions("bag", "out"))
    robot = robot_nodes(RobotOptions(camera=0, simulate=True, render=True, live_link="host"))
    return {node.executable for node in (*demo, *replay, *robot)}


@pytest.mark.parametrize("namespace", ["", "/listener_demo", "/lab/listener"])
def test_every_node_is_in_one_group(namespace):
    for node in graphs():
        assert len(groups_of(f"{namespace}/{node}")) == 1, node


@pytest.mark.parametrize("node", NODES)
def test_no_node_of_the_package_is_left_out(node):
    assert len(groups_of(f"/{node}")) == 1


def test_other_nodes_are_in_none():
    for name in ("/controller_manager", "/listener_demo", "/my_listener", "/listener/camera"):
        assert groups_of(name) == []


@pytest.mark.parametrize("group", GROUPS.values(), ids=GROUPS)
def test_groups_are_as_the_aggregator_reads_them(group):
    assert group["type"] == "diagnostic_aggregator/GenericAnalyzer"
    assert group["path"] and isinstance(group["timeout"], float)
