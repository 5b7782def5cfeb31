"""The listener's motion on a robot's head: coefficients to joint positions within limits."""

from listener_head.robot.description import Robot, load_robot
from listener_head.robot.mapper import JointMapper, JointTarget
from listener_head.robot.simulation import SimulatedHead

__all__ = ["JointMapper", "JointTarget", "Robot", "SimulatedHead", "load_robot"]
