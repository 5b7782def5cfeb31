"""Makes a policy by its name."""

from __future__ import annotations

from pathlib import Path

from listener_head.errors import UserError
from listener_head.listener.runtime import DEFAULT_NETWORK, load_listener
from listener_head.policies.baseline import Baseline
from listener_head.policies.data import PolicyData, policy_data_path
from listener_head.policies.mean import Mean
from listener_head.policies.mirror import Mirror
from listener_head.policies.policy import Policy
from listener_head.policies.random import Random
from listener_head.policies.simulation import Simulation, SimulationOfAttitude

# In the order of the paper's Table 2.
BASELINES: dict[str, type[Baseline]] = {
    policy.name: policy for policy in (Random, Simulation, SimulationOfAttitude, Mean, Mirror)
}
POLICY_NAMES: tuple[str, ...] = (*BASELINES, "network")


def load_policy(name: str, network: str | Path | None = None, seed: int = 0) -> Policy:
    """The policy ``name`` (one of POLICY_NAMES); ``network`` is by default the one that ships.

    The baselines are made of the policy data that lies beside the network (`policy_data_path`) and draw from
    ``seed``. UserError for an unknown name, or a file that is missing or broken.
    """
    if name not in POLICY_NAMES:
        raise UserError(f"policy '{name}' is unknown; choose one of {', '.join(POLICY_NAMES)}")
    if name == "network":
        return load_listener(network)
    path = DEFAULT_NETWORK if network is None else Path(network)
    return BASELINES[name](PolicyData.load(policy_data_path(path)), seed)
