"""Deep3DFaceReconstruction networks with random weights, their files and those that go with them."""

import sys
from pathlib import Path

import pytest
from scipy.io import savemat

# The tests import `made_up_face` from here; pytest's importlib mode adds no folder to the path.
sys.path.append(str(Path(__file__).parent))


@pytest.fixture(scope="session")
def landmark_file(tmp_path_factory):
    """A file like the published ``similarity_Lm3D_all.mat``."""
    from made_up_face import landmarks68

    path = tmp_path_factory.mktemp("landmarks") / "similarity_Lm3D_all.mat"
    savemat(path, {"lm": landmarks68()})
    return path


@pytest.fixture(scope="session")
def network():
    """The torch network with random weights and statistics."""
    torch = pytest.importorskip("torch", reason="training extra is not installed")
    from listener_head.face.deep3d.network import ReconstructionNetwork

    torch.manual_seed(0)
    network = ReconstructionNetwork()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(module.running_mean, 0.0, 0.2)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
            torch.nn.init.uniform_(module.weight, 0.5, 1.0)
            torch.nn.init.normal_(module.bias, 0.0, 0.2)
    return network.eval().requires_grad_(False)


@pytest.fixture(scope="session")
def checkpoint(network, tmp_path_factory):
    """A checkpoint file laid out as the published one."""
    import torch

    path = tmp_path_factory.mktemp("checkpoint") / "epoch_20.pth"
    optimiser = {"state": {0: {"step": 1, "exp_avg": torch.zeros(3)}}, "param_groups": [{"lr": 1e-4}]}
    torch.save({"net_recon": network.state_dict(), "opt_00": optimiser, "sched_00": {"last_epoch": 20}}, path)
    return path


@pytest.fixture(scope="session")
def exported(checkpoint, landmark_file, tmp_path_factory):
    """The ONNX file that the command writes of that checkpoint."""
    from listener_head.import_checkpoint import import_checkpoint

    path = tmp_path_factory.mktemp("network") / "deep3d.onnx"
    import_checkpoint(checkpoint, path, landmark_file)
    return path
