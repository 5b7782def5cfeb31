"""Listener policies: the network, and the simple listeners that it has to beat.

Every policy is stepped as the network is (`Policy`), so that the session, the node and the evaluation run any
of them; `load_policy` makes one by name. No torch, no ROS.
"""

from listener_head.policies.data import PolicyData, policy_data_path
from listener_head.policies.factory import BASELINES, POLICY_NAMES, load_policy
from listener_head.policies.policy import Policy

__all__ = [
    "BASELINES",
    "POLICY_NAMES",
    "Policy",
    "PolicyData",
    "load_policy",
    "policy_data_path",
]
