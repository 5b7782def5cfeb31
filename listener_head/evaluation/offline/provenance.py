"""What a figure depends on beside the recording: versions of packages, hashes of models and parameters."""

from __future__ import annotations

import hashlib
from pathlib import Path

from listener_head.evaluation.latency import software_versions
from listener_head.evaluation.offline.watcher import Perception
from listener_head.paths import assets_dir, config_dir


def versions(perception: Perception) -> dict[str, str]:
    """Name to version, or to the first 12 hex digits of a file's SHA-256."""
    files = {"face model": assets_dir() / "arkit52.npz", "parameters": config_dir() / "listener_head.yaml"}
    if perception.face_model != "arkit52":
        files["face model"] = Path(perception.face_model)
    if perception.deep3d_network:
        files["deep3d network"] = Path(perception.deep3d_network)
    hashes = {name: hashlib.sha256(path.read_bytes()).hexdigest()[:12] for name, path in files.items()}
    return {**software_versions(), **hashes}
