"""ONNX Runtime: the devices that it claims, and those on which a network really opens."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from listener_head.doctor.finding import Finding, ok, refusal, warning
from listener_head.errors import UserError


def providers(names: Sequence[str] | None = None, network: Path | None = None) -> Finding:
    """Opens the listener's network on each device ``names`` of `PROVIDERS`; by default on all there are."""
    import onnxruntime

    from listener_head.listener.network_file import DEFAULT_NETWORK
    from listener_head.providers import PROVIDERS, open_session

    path = network or DEFAULT_NETWORK
    available = onnxruntime.get_available_providers()
    claimed = names or [name for name, provider in PROVIDERS.items() if provider in available]
    opened, refused = [], []
    for name in claimed:
        try:
            open_session(path.read_bytes(), f"network '{path}'", "install listener_head again", name)
        except UserError as problem:
            if name == "cpu":
                return refusal(problem)
            refused.append(name)
        else:
            opened.append(name)
    text = f"ONNX Runtime {onnxruntime.__version__} runs networks on {', '.join(opened)}"
    if refused:
        return warning(
            f"{text}; {', '.join(refused)} does not load",
            "install CUDA 13 and cuDNN 9 (or TensorRT); only backend:=deep3d and renderer:=neural use them",
        )
    return ok(text)
