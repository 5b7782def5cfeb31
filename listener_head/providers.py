"""On which device ONNX Runtime runs a network."""

from __future__ import annotations

import os
from collections.abc import Sequence

import onnxruntime as ort

from listener_head.errors import UserError

PROVIDERS = {
    "tensorrt": "TensorrtExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "cpu": "CPUExecutionProvider",
}
AUTO = "auto"
# TensorRT first builds an engine, for a minute or more: only for who asks for it. (ONNX Runtime keeps engines
# where the environment says ORT_TENSORRT_ENGINE_CACHE_ENABLE=1 and ORT_TENSORRT_CACHE_PATH.)
_AUTO_ORDER = ("cuda", "cpu")


def choose_devices(device: str, available: Sequence[str]) -> list[str]:
    """Devices to try, best first, of those whose ONNX Runtime providers are ``available``.

    ``device`` is `auto` (CUDA where there is one, else the CPU), or a key of `PROVIDERS`. UserError for
    another name, and for a device that this ONNX Runtime has no provider for.
    """
    present = [name for name, provider in PROVIDERS.items() if provider in available]
    if device == AUTO:
        return [name for name in _AUTO_ORDER if name in present]
    if device not in PROVIDERS:
        raise UserError(f"device '{device}' is unknown; choose one of {AUTO}, {', '.join(PROVIDERS)}")
    if device not in present:
        raise UserError(
            f"device '{device}' is not in this ONNX Runtime, which has {', '.join(present)}; "
            f"install onnxruntime-gpu instead of onnxruntime or choose '{AUTO}'"
        )
    return [device]


def open_session(
    model: bytes, what: str, remedy: str, device: str = "cpu", threads: int = 1
) -> ort.InferenceSession:
    """A network ready to run on ``device``; see `choose_devices`. ``threads`` 0 takes every core.

    ``what`` and ``remedy`` name the network and the fix in the UserError for a broken file. A device that
    is named and cannot be used, for want of a driver or library, is refused with a UserError too.
    """
    devices = choose_devices(device, ort.get_available_providers())
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 4
    # A network is one file: what it says of others beside it, or anywhere, is not read.
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", os.devnull)
    # Threads that wait for the next frame by spinning would take the cores from everybody else.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    providers = [PROVIDERS[name] for name in devices]
    try:
        session = ort.InferenceSession(model, options, providers=providers)
    except Exception:  # ONNX Runtime has a class for every fault, without a common base of its own
        raise UserError(f"{what} is broken or no ONNX file; {remedy}") from None
    used = session.get_providers()[0]
    if device != AUTO and used != PROVIDERS[device]:
        raise UserError(
            f"device '{device}' cannot be used here; check its driver and libraries or choose '{AUTO}'"
        )
    return session


def device_of(session: ort.InferenceSession) -> str:
    """The key of `PROVIDERS` on which a session runs."""
    used = session.get_providers()[0]
    return next(name for name, provider in PROVIDERS.items() if provider == used)
