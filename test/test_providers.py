"""The choice of a device for ONNX Runtime."""

import onnxruntime
import pytest

from listener_head.errors import UserError
from listener_head.listener.runtime import DEFAULT_NETWORK
from listener_head.providers import PROVIDERS, choose_devices, device_of, open_session

ALL = list(PROVIDERS.values())


@pytest.mark.parametrize(
    ("device", "available", "chosen"),
    [
        ("auto", ["CPUExecutionProvider"], ["cpu"]),
        ("auto", ["AzureExecutionProvider", "CPUExecutionProvider"], ["cpu"]),
        ("auto", ALL, ["cuda", "cpu"]),
        ("cuda", ALL, ["cuda"]),
        ("tensorrt", ALL, ["tensorrt"]),
        ("cpu", ALL, ["cpu"]),
    ],
)
def test_choice(device, available, chosen):
    assert choose_devices(device, available) == chosen


def test_absent_and_unknown_devices_are_refused_with_what_is_there():
    with pytest.raises(UserError, match="'cuda' is not in this ONNX Runtime, which has cpu"):
        choose_devices("cuda", ["CPUExecutionProvider"])
    with pytest.raises(UserError, match="'gpu' is unknown; choose one of auto, tensorrt, cuda, cpu"):
        choose_devices("gpu", ALL)


def test_session_runs_where_it_says():
    session = open_session(DEFAULT_NETWORK.read_bytes(), "network", "fetch it again", "auto")
    assert PROVIDERS[device_of(session)] in onnxruntime.get_available_providers()


def test_broken_network_is_named():
    with pytest.raises(UserError, match="network is broken or no ONNX file; fetch it again"):
        open_session(b"nothing", "network", "fetch it again")
