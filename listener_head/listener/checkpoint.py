"""Networks of the published ViCo baseline (repository dc3ea9f/vico_challenge_baseline), made to run here.

Its checkpoints are state dicts: the weights of `ListenerNetwork` at bfm2009 sizes without attitudes. Its
statistics, without which the units are unknown, lie beside the data: ``audio_feats_mean_std.bin`` (``mean``
and ``std`` [45]) and ``video_feats_mean_std.bin`` (the same [73] under ``angle.exp.trans``); speaker and
listener share them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from listener_head.audio import extract_features
from listener_head.coefficients import LAYOUTS
from listener_head.errors import UserError
from listener_head.extraction.clip_file import AUDIO_SIZE
from listener_head.extraction.published import DYNAMIC
from listener_head.import_checkpoint import read_checkpoint
from listener_head.listener.export import Statistics, export_network, make_card
from listener_head.listener.network import ListenerNetwork, NetworkConfig
from listener_head.listener.reference import optical_motion

FloatArray = NDArray[np.float32]

LAYOUT, AUDIO_LAYOUT = LAYOUTS["bfm2009"], "vico45"
AUDIO_STATISTICS, VIDEO_STATISTICS = "audio_feats_mean_std.bin", "video_feats_mean_std.bin"

STANDARDISED_WARNING = (
    "without the statistics of its training data the network takes and gives standardised units: nothing but "
    "numbers prepared likewise means anything to it; import it again with --statistics"
)

_PREFIX = "module."  # of a network that was trained on several GPUs
_NESTS = ("state_dict", "model_state_dict", "model", "net", "network")
_KEYS = ("fusion.", "dynam_3dmm_fc.")
_NAMED = 3
_NOISE_LEVEL = 1e-3  # of full scale: a quiet room
_RATE_HZ = 44_100
# What silence sounds like stays within so many deviations of what the network was trained on.
_MOST_DEVIATIONS = 3.0


def find_listener_weights(content: object) -> dict[str, Any] | None:
    """The listener's weights in what a checkpoint file holds, bare or nested. None if there are none.

    Recognised by any key of the published network; keys come without ``module.``.
    """
    if not isinstance(content, Mapping):
        return None
    for nest in _NESTS:
        if isinstance(content.get(nest), Mapping):
            return find_listener_weights(content[nest])
    weights = {str(key).removeprefix(_PREFIX): value for key, value in content.items()}
    return weights if any(key.startswith(_KEYS) for key in weights) else None


def import_listener(
    file: Path, weights: dict[str, Any], statistics: Path | None, output: Path
) -> dict[str, Any]:
    """Write the network of a checkpoint ``file``, whose weights `find_listener_weights` found; its card.

    ``statistics`` is the folder of the statistics. With them the network takes and gives raw units in the
    camera's optical frame, as everything here; without, standardised units, and the card has a ``warning``.
    UserError that names the keys or files which are missing, unexpected or wrong; OSError when ``output``
    cannot be written.
    """
    network = _network(weights, f"checkpoint '{file}'")
    known = None if statistics is None else _read_statistics(statistics)
    measured = _standardised() if known is None else _in_optical_frame(known)
    card = make_card(file.stem, LAYOUT, (), AUDIO_LAYOUT, measured)
    card |= {
        "data": f"checkpoint '{file.name}' of the published ViCo baseline",
        "checkpoint_sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        # All zeros would be an impossible crop; the mean of the training data is a face at rest.
        "reference": measured.listener_mean.tolist(),
    }
    if known is None:
        card["warning"] = STANDARDISED_WARNING
    else:
        # Yaw, roll and the axes y and z point the other way in the network than in the optical frame.
        flipped = np.sign(_optical_slope())
        deviations = {"speaker_std": measured.speaker_std, "listener_std": measured.listener_std}
        measured = replace(measured, **{name: flipped * std for name, std in deviations.items()})
    export_network(network, LAYOUT, measured, card, output)
    return card


def _network(weights: dict[str, Any], name: str) -> ListenerNetwork:
    network = ListenerNetwork(NetworkConfig(LAYOUT.size, attitudes=()))
    expected = network.state_dict()
    faults = [
        _named("missing", [key for key in expected if key not in weights]),
        _named("unexpected", [key for key in weights if key not in expected]),
        _named("of another shape", _misshapen(weights, expected)),
    ]
    if any(faults):
        raise UserError(
            f"{name} is not the listener of the published ViCo baseline: {'; '.join(filter(None, faults))}; "
            "give a checkpoint of its task 'listener'"
        )
    spoilt = [key for key, tensor in weights.items() if not torch.isfinite(tensor).all()]
    if spoilt:
        raise UserError(f"{name} is damaged: {_named('not finite', spoilt)}; fetch it again")
    network.load_state_dict(weights)
    return network.eval()


def _misshapen(weights: dict[str, Any], expected: dict[str, Tensor]) -> list[str]:
    found = []
    for key in expected.keys() & weights.keys():
        value, shape = weights[key], tuple(expected[key].shape)
        if not isinstance(value, Tensor) or not value.is_floating_point():
            found.append(f"{key} is no tensor of floats")
        elif tuple(value.shape) != shape:
            found.append(f"{key} is {tuple(value.shape)} instead of {shape}")
    return sorted(found)


def _named(what: str, items: list[str]) -> str:
    more = ", ..." if len(items) > _NAMED else ""
    return f"{len(items)} {what} ({', '.join(items[:_NAMED])}{more})" if items else ""


def _standardised() -> Statistics:
    """Statistics of data that is standardised already; silence is taken to be its mean."""
    motion = np.zeros(LAYOUT.size, np.float32), np.ones(LAYOUT.size, np.float32)
    audio = np.zeros(AUDIO_SIZE, np.float32), np.ones(AUDIO_SIZE, np.float32)
    return Statistics(*audio, *motion, *motion, quiet_audio=audio[0])


def _read_statistics(folder: Path) -> Statistics:
    """The published statistics as they are: the motion's in Deep3D's frame."""
    audio_mean, audio_std = _mean_and_deviation(folder / AUDIO_STATISTICS, None, AUDIO_SIZE)
    motion = _mean_and_deviation(folder / VIDEO_STATISTICS, DYNAMIC, LAYOUT.size)
    noise = np.random.default_rng(0).normal(0.0, _NOISE_LEVEL, _RATE_HZ)
    quiet = np.median(extract_features(noise, _RATE_HZ, AUDIO_LAYOUT), axis=0)
    reach = _MOST_DEVIATIONS * audio_std
    quiet_audio = quiet.clip(audio_mean - reach, audio_mean + reach).astype(np.float32)
    return Statistics(audio_mean, audio_std, *motion, *motion, quiet_audio=quiet_audio)


def _mean_and_deviation(path: Path, key: str | None, size: int) -> tuple[FloatArray, FloatArray]:
    if not path.is_file():
        raise UserError(
            f"statistics '{path}' is missing; give --statistics the folder of {AUDIO_STATISTICS} "
            f"and {VIDEO_STATISTICS}"
        )
    content = read_checkpoint(path)
    if key is not None:
        content = content.get(key) if isinstance(content, Mapping) else None
    rows = []
    for name in ("mean", "std"):
        value = content.get(name) if isinstance(content, Mapping) else None
        if not isinstance(value, Tensor) or tuple(value.shape) != (size,):
            where = f"['{key}']" if key else ""
            found = tuple(value.shape) if isinstance(value, Tensor) else "missing"
            raise UserError(f"statistics '{path}'{where}: '{name}' is {found}; it must be a tensor ({size},)")
        rows.append(value.detach().float().numpy().copy())
    mean, deviation = rows
    if not np.isfinite(rows).all() or (deviation < 0).any():
        raise UserError(f"statistics '{path}' are damaged (not finite, or negative); compute them again")
    # A number that never changed in training says nothing, whatever it is divided by.
    deviation[deviation == 0] = 1.0
    return mean, deviation


def _in_optical_frame(published: Statistics) -> Statistics:
    """The statistics of the same data in the camera's optical frame (`listener_head.face.deep3d.frames`)."""
    mean = optical_motion(published.speaker_mean, LAYOUT)
    std = np.abs(_optical_slope()) * published.speaker_std
    return replace(published, speaker_mean=mean, speaker_std=std, listener_mean=mean, listener_std=std)


def _optical_slope() -> FloatArray:
    """By how much a number [M] grows in the optical frame when it grows by one as published."""
    one, zero = (optical_motion(np.full(LAYOUT.size, value), LAYOUT) for value in (1.0, 0.0))
    slope: FloatArray = one - zero
    return slope
