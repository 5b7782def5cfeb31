"""A node that is killed is started again, and the robot is moved again; the others stay."""

import os
import signal
import unittest

import launch_testing.actions
import launch_testing.asserts
from ament_index_python.packages import get_package_share_directory
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch_testing_ros import WaitForTopics
from listener_head.msg import JointCommand

from launch import LaunchDescription

PATIENCE = 60.0  # [s] five processes start, on a busy machine slowly
ARGUMENTS = {"simulate": "true", "image": "/eye/image", "namespace": "robot", "use_respawn": "true"}


def generate_test_description():
    share = get_package_share_directory("listener_head")
    robot = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(f"{share}/launch/robot.launch.py"), launch_arguments=ARGUMENTS.items()
    )
    return LaunchDescription([robot, launch_testing.actions.ReadyToTest()])


def pids(proc_info):
    """The process that each node has now."""
    return {name: proc_info[name].pid for name in proc_info.process_names()}


class TestGraph(unittest.TestCase):
    def test_a_killed_node_is_there_again(self, proc_info, proc_output):
        active = "[robot.joint_mapper]: active"
        proc_output.assertWaitFor(active, timeout=PATIENCE)
        before = pids(proc_info)
        (mapper,) = (name for name in before if "joint_mapper" in name)
        os.kill(before[mapper], signal.SIGKILL)
        proc_info.assertWaitForShutdown(process=mapper, timeout=PATIENCE)
        with WaitForTopics([("/robot/joint_commands", JointCommand)], timeout=PATIENCE):
            pass
        after = pids(proc_info)
        self.assertEqual([name for name in after if after[name] != before[name]], [mapper])


@launch_testing.post_shutdown_test()
class TestEnd(unittest.TestCase):
    def test_all_nodes_end_cleanly(self, proc_info):
        launch_testing.asserts.assertExitCodes(proc_info)  # of the killed node, its second process
