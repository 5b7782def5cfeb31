"""A network's file: the ONNX graphs and the card in it (`listener_head.listener.export` writes it)."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import ArrayLike, NDArray

from listener_head.coefficients import layout_of
from listener_head.errors import UserError
from listener_head.paths import assets_dir
from listener_head.providers import open_session

FloatArray = NDArray[np.float32]
# A decoder's state: named arrays, of which one axis is that of the listeners.
State = dict[str, FloatArray]

FILE_FORMAT = "listener_head.listener/1"
# What the card says under "pose" of a network whose rotation and translation are differences to m₁'s: an
# LSTM does not keep a pose for minutes, so that it need not. Published networks give the pose itself.
ABOUT_REFERENCE = "about the reference"
DEFAULT_NETWORK = assets_dir() / "listener_arkit52.onnx"


class NetworkFile:
    """What a network's file says; UserError naming the path and the fix when it is missing or broken.

    ``model`` is the file's bytes, ``hash`` the first 12 hex digits of their SHA-256, ``card`` what is known
    of the network, ``decoder`` "lstm", "gru" or "transformer", ``layout`` that of the motion. Raw units:
    ``quiet_audio`` [A] silence, ``absent_speaker`` [M] a speaker to give while nobody is in view, ``still``
    [M] the motion that a listener starts from unless told otherwise.
    """

    def __init__(self, path: str | Path | None = None) -> None:
        self.path = DEFAULT_NETWORK if path is None else Path(path)
        self.model = _read(self.path)
        session = self.open_graph(self.model)
        metadata = session.get_modelmeta().custom_metadata_map
        if metadata.get("format") != FILE_FORMAT:
            raise UserError(
                f"listener network '{self.path}' is an ONNX file of another kind (its metadata lacks "
                f"'format: {FILE_FORMAT}'); give a file written by 'listener_head train'"
            )
        try:
            self.card: dict[str, Any] = json.loads(metadata["card"])
            self._start_session = self.open_graph(base64.b64decode(metadata["initial_state"]))
            self._read_card()
        except (KeyError, ValueError, TypeError) as error:
            raise UserError(
                f"listener network '{self.path}' has broken metadata ({error}); export it again with "
                "'listener_head train'"
            ) from None
        self.hash = hashlib.sha256(self.model).hexdigest()[:12]
        inputs = {entry.name: entry.shape for entry in session.get_inputs()}
        self._state_shapes = {name: shape for name, shape in inputs.items() if name != "signals"}
        self.state_names = tuple(self._state_shapes)

    def _read_card(self) -> None:
        card, statistics = self.card, self.card["statistics"]
        self.name = str(card["name"])
        self.audio_layout = str(card["audio_layout"])
        self.layout = layout_of(card["face_model"])
        self.attitudes: tuple[str, ...] = tuple(card["attitudes"])
        self.decoder = card.get("decoder", "lstm")
        self.quiet_audio = np.array(statistics["quiet_audio"], np.float32)
        self.absent_speaker = np.array(statistics["speaker_mean"], np.float32)
        self.still = np.array(card.get("reference", self.layout.neutral()), np.float32)
        self._about_reference = card.get("pose") == ABOUT_REFERENCE

    @property
    def default_attitude(self) -> str | None:
        """Neutral where the network knows it; None for a network without attitudes."""
        if "neutral" in self.attitudes:
            return "neutral"
        return self.attitudes[0] if self.attitudes else None

    def attitude_index(self, attitude: str) -> int:
        """Place of an attitude among the network's; UserError for one that it lacks."""
        if not self.attitudes:
            raise UserError(
                f"network '{self.name}' has no attitude branch, so attitude '{attitude}' cannot be set; "
                "use a network trained with attitudes"
            )
        if attitude not in self.attitudes:
            raise UserError(f"attitude '{attitude}' is unknown; choose one of {', '.join(self.attitudes)}")
        return self.attitudes.index(attitude)

    def reference(self, motion: ArrayLike | None) -> FloatArray:
        """A reference motion m₁ [M], by default ``still``; UserError for a wrong size or not finite."""
        reference = np.array(self.still if motion is None else motion, np.float32)
        if reference.shape != (self.layout.size,) or not np.isfinite(reference).all():
            raise UserError(
                f"reference motion must be {self.layout.size} finite numbers ({self.layout.face_model}), "
                f"got shape {reference.shape}"
            )
        return reference

    def rest(self, reference: FloatArray) -> FloatArray:
        """What [M] the network's motion is added to: m₁'s pose, or zeros where it gives the pose itself."""
        rest = np.zeros_like(reference)
        if self._about_reference:
            for part in (self.layout.rotation, self.layout.translation):
                rest[part] = reference[part]
        return rest

    def initial_state(self, references: FloatArray, attitudes: Sequence[str | None]) -> State:
        """First state of listeners from their motions less the rest [B, M] and attitudes (None: without)."""
        feeds: dict[str, NDArray[Any]] = {"reference": references}
        indices = [self.attitude_index(attitude) for attitude in attitudes if attitude is not None]
        if self.attitudes:
            feeds["attitude"] = np.array(indices, np.int64)
        arrays = self._start_session.run(self.state_names, feeds)
        state = dict(zip(self.state_names, arrays, strict=True))
        if not all(np.isfinite(array).all() for array in state.values()):
            raise UserError("a reference motion is absurdly large; give one in radians, weights and metres")
        return state

    def row_axis(self, name: str) -> int:
        """Which axis of a state's array is that of the listeners."""
        return self._state_shapes[name].index("batch")

    def state_shape(self, name: str, rows: int) -> tuple[int, ...]:
        """Shape of a state's array for so many listeners."""
        return tuple(rows if length == "batch" else int(length) for length in self._state_shapes[name])

    def open_graph(self, model: bytes, threads: int = 1) -> ort.InferenceSession:
        """A session on the CPU; ``threads`` 0 takes every core."""
        what, remedy = f"listener network '{self.path}'", "export it again with 'listener_head train'"
        return open_session(model, what, remedy, threads=threads)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(
            f"listener network '{path}' cannot be read ({error.strerror}); "
            "give a file written by 'listener_head train'"
        ) from None
