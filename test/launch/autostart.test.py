"""Without autostart the nodes wait for a lifecycle manager, whose part the test plays."""

import time
import unittest

import launch_testing.actions
import launch_testing.asserts
import rclpy
from ament_index_python.packages import get_package_share_directory
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState

from launch import LaunchDescription

PATIENCE = 60.0  # [s] five processes start, on a busy machine slowly
NODE = "/robot/simulated_robot"
ARGUMENTS = {"simulate": "true", "image": "/eye/image", "namespace": "robot", "autostart": "false"}


def generate_test_description():
    share = get_package_share_directory("listener_head")
    robot = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(f"{share}/launch/robot.launch.py"), launch_arguments=ARGUMENTS.items()
    )
    return LaunchDescription([robot, launch_testing.actions.ReadyToTest()])


class TestLifecycle(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        rclpy.init()
        cls.node = rclpy.create_node("manager")

    @classmethod
    def tearDownClass(cls):
        cls.node.destroy_node()
        rclpy.shutdown()

    def ask(self, kind, name, request):
        client = self.node.create_client(kind, f"{NODE}/{name}")
        self.assertTrue(client.wait_for_service(timeout_sec=PATIENCE), name)
        future = client.call_async(request)
        deadline = time.monotonic() + PATIENCE
        while not future.done() and time.monotonic() < deadline:
            rclpy.spin_once(self.node, timeout_sec=0.1)
        return future.result()

    def test_the_manager_brings_a_node_up(self, proc_output):
        state = self.ask(GetState, "get_state", GetState.Request()).current_state
        self.assertEqual(state.id, State.PRIMARY_STATE_UNCONFIGURED)
        for transition in (Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE):
            request = ChangeState.Request(transition=Transition(id=transition))
            self.assertTrue(self.ask(ChangeState, "change_state", request).success)
        state = self.ask(GetState, "get_state", GetState.Request()).current_state
        self.assertEqual(state.id, State.PRIMARY_STATE_ACTIVE)
        self.assertNotIn("active", _said(proc_output, "listener"))


def _said(proc_output, name):
    return "".join(io.text.decode() for io in proc_output if name in io.process_name)


@launch_testing.post_shutdown_test()
class TestEnd(unittest.TestCase):
    def test_all_nodes_end_cleanly(self, proc_info):
        launch_testing.asserts.assertExitCodes(proc_info)
