"""The listener's motion on a robot's head: coefficients to joint positions within limits."""

from listener_head.robot.description import Robot
from listener_head.robot.head_control import HeadControl, HeadState
from listener_head.robot.mapper import JointMapper, JointTarget
from listener_head.robot.robot_file import load_robot
from listener_head.robot.simulation import SimulatedHead

__all__ = ["HeadControl", "HeadState", "JointMapper", "JointTarget", "Robot", "SimulatedHead", "load_robot"]
