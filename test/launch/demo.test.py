"""The launch file starts the whole graph, which listens to the clip that ships and ends with it."""

import unittest

import launch_testing.actions
import launch_testing.asserts
from ament_index_python.packages import get_package_share_directory
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch_testing_ros import WaitForTopics
from listener_head.msg import ListenerState
from sensor_msgs.msg import Image, JointState

from launch import LaunchDescription

PATIENCE = 60.0  # [s] eight processes start, on a busy machine slowly


def generate_test_description():
    share = get_package_share_directory("listener_head")
    demo = PythonLaunchDescriptionSource(f"{share}/launch/demo.launch.py")
    return LaunchDescription([IncludeLaunchDescription(demo), launch_testing.actions.ReadyToTest()])


class TestGraph(unittest.TestCase):
    def test_every_branch_of_the_graph_delivers(self, proc_output):
        topics = [
            ("/listener_demo/listener/state", ListenerState),
            ("/listener_demo/listener/image", Image),
            ("/listener_demo/joint_states", JointState),
        ]
        with WaitForTopics(topics, timeout=PATIENCE):
            pass
        proc_output.assertWaitFor("playing", timeout=PATIENCE)

    def test_it_ends_with_the_speaker(self, proc_info):
        proc_info.assertWaitForShutdown(process="speaker_source", timeout=PATIENCE)


@launch_testing.post_shutdown_test()
class TestEnd(unittest.TestCase):
    def test_all_nodes_end_cleanly(self, proc_info):
        launch_testing.asserts.assertExitCodes(proc_info)
