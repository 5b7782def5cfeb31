"""The robot's launch file moves a simulated head, in a process for each node and in one for all.

There is no camera here, so the listener idles.
"""

import unittest

import launch_testing
import launch_testing.actions
import launch_testing.asserts
from ament_index_python.packages import get_package_share_directory
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch_testing_ros import WaitForTopics
from listener_head.msg import JointCommand, ListenerState
from sensor_msgs.msg import JointState

from launch import LaunchDescription

PATIENCE = 60.0  # [s] five processes start, on a busy machine slowly


@launch_testing.parametrize("use_composition", ["false", "true"])
def generate_test_description(use_composition):
    share = get_package_share_directory("listener_head")
    arguments = {
        "simulate": "true",
        "image": "/eye/image",
        "namespace": "robot",
        "use_composition": use_composition,
    }
    robot = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(f"{share}/launch/robot.launch.py"), launch_arguments=arguments.items()
    )
    return LaunchDescription([robot, launch_testing.actions.ReadyToTest()])


class TestGraph(unittest.TestCase):
    def test_the_head_is_moved(self, proc_output):
        topics = [
            ("/robot/listener/state", ListenerState),
            ("/robot/joint_states", JointState),
            ("/robot/joint_commands", JointCommand),
        ]
        with WaitForTopics(topics, timeout=PATIENCE):
            pass
        proc_output.assertWaitFor("[robot.face_fit]: active", timeout=PATIENCE)  # the slowest to start


@launch_testing.post_shutdown_test()
class TestEnd(unittest.TestCase):
    def test_all_nodes_end_cleanly(self, proc_info):
        launch_testing.asserts.assertExitCodes(proc_info)
