"""What nodes declare, and what they take for a parameter."""

import importlib.util
from pathlib import Path

import pytest
import yaml
from rclpy.parameter import Parameter

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
# Every node has them.
NOT_SHOWN = {"autostart", "diagnostics_rate"}
MAKE = Path(__file__).parents[2] / "docs" / "parameters" / "make.py"
REFUSED = [
    ("head_gain", 3.0, "parameter head_gain is 3.0; give 0 to 2"),
    ("head_gain", float("nan"), "parameter head_gain is nan; give 0 to 2"),
    ("head_gain", "much", "parameter head_gain is 'much'; give 0 to 2"),
    ("step_delay", -0.1, "parameter step_delay is -0.1; give 0 to 0.033 s"),
    ("attitude", "sarcastic", "parameter attitude is 'sarcastic'; choose positive, neutral or negative"),
    ("liveliness", 1.5, "parameter liveliness is 1.5; give true or false"),
    ("autostart", False, "parameter autostart is read when the node starts"),
    ("network", "other.onnx", "deactivate and clean up first (ros2 lifecycle set /listener deactivate"),
    ("head_gian", 1.0, "listener: there is no parameter 'head_gian'; did you mean 'head_gain'?"),
]


@pytest.fixture(scope="module")
def declared(ros):
    """Declarations and descriptors of every node."""
    found = {}
    for executable in NODES:
        node = node_class(executable)()
        found[executable] = node.declarations, node.describe_parameters(list(node.declarations))
        node.destroy_node()
    return found


@pytest.mark.parametrize("executable", NODES)
def test_file_and_node_agree(declared, executable):
    declarations, _ = declared[executable]
    shown = SHOWN[executable]
    assert set(shown) == set(declarations) - NOT_SHOWN - {"topics"}
    for name, value in shown.items():
        assert declarations[name].default == value, name


@pytest.mark.parametrize("executable", NODES)
def test_every_number_has_a_range_and_every_parameter_a_description(declared, executable):
    for declaration, descriptor in zip(
        declared[executable][0].values(), declared[executable][1], strict=True
    ):
        assert descriptor.description and "takes effect" in descriptor.additional_constraints
        if declaration.type in ("int", "double"):
            assert len(descriptor.integer_range) + len(descriptor.floating_point_range) == 1
        if declaration.unit:
            assert f"[{declaration.unit}]" in descriptor.description
        assert declaration.accepted(declaration.default) == declaration.default


def test_no_section_is_for_a_node_that_is_not_there():
    assert set(SHOWN) == set(NODES)


@pytest.mark.parametrize("spec", GRAPHS, ids=lambda spec: spec.executable)
def test_graph_sets_only_parameters_that_exist(declared, spec):
    assert set(spec.parameters) <= {*declared[spec.executable][0], "use_sim_time"}


@pytest.mark.skipif(not MAKE.exists(), reason="the documentation is not here")
def test_the_page_of_all_parameters_is_current(ros):
    spec = importlib.util.spec_from_file_location("make_parameters", MAKE)
    make = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make)
    assert make.PAGE.read_text() == make.page(), "run python docs/parameters/make.py"


# What is refused, and how it is said


def test_a_refusal_says_what_would_do(bench):
    node = bench.start("listener")
    for name, value, reason in REFUSED:
        result = bench.set("listener", name, value)
        assert not result.successful
        assert reason in result.reason
        assert not node.has_parameter(name) or node.value(name) != value


def test_none_of_several_is_set_when_one_is_refused(bench):
    node = bench.configured("listener")
    both = [Parameter("head_gain", value=0.5), Parameter("expression_gain", value=9.0)]
    assert not node.set_parameters_atomically(both).successful
    assert node.value("head_gain") == 1.0


def test_whole_numbers_do_for_numbers_and_for_names(bench):
    assert bench.configured("listener", head_gain=2).value("head_gain") == 2.0
    assert bench.configured("face_fit", speaker=1).value("speaker") == "1"
    node = bench.configured("speaker_source", microphone=3)
    assert node.value("microphone") == "3"
    assert node.set_parameters([Parameter("microphone", value=4)])[0].successful
    assert node.value("microphone") == "4"


def test_a_wrong_value_at_the_start_can_be_corrected(bench):
    node = bench.configured("simulated_robot", diagnostics_rate=99)
    assert not node.bring_up()
    assert node.problem == "parameter diagnostics_rate is 99.0; give 0.1 to 10 Hz"
    bench.change("simulated_robot", "diagnostics_rate", 5.0)
    assert node.bring_up()


def test_a_parameter_that_nobody_reads_is_named_with_the_nearest(bench, capfd):
    node = bench.start("listener", head_gian=0.5)
    assert node.value("head_gain") == 1.0
    said = capfd.readouterr().err
    assert "there is no parameter 'head_gian'; did you mean 'head_gain'? It is ignored." in said
    assert "autostart" not in said
