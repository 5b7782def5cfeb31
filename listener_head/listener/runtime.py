"""The listener at run time: one step per frame in ONNX Runtime, state kept between steps, no torch."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import ArrayLike, NDArray

from listener_head.coefficients import Layout, layout_of
from listener_head.errors import UserError
from listener_head.paths import assets_dir
from listener_head.timing import RATE_HZ

FloatArray = NDArray[np.float32]

FILE_FORMAT = "listener_head.listener/1"
DEFAULT_NETWORK = assets_dir() / "listener_arkit52.onnx"

# An attitude change cross-fades from the old state's motion to the new one's over this many frames.
FADE_FRAMES = RATE_HZ


class _Stepper:
    """One recurrent state in preallocated buffers; steps swap the buffers' roles, nothing is copied."""

    def __init__(self, session: ort.InferenceSession, signals: ort.OrtValue, hidden: int, size: int) -> None:
        self._session = session
        self._motion = np.zeros((1, size), np.float32)
        names = [value.name for value in session.get_inputs() if value.name != "signals"]
        self._states = [{name: np.zeros((1, 1, hidden), np.float32) for name in names} for _ in range(2)]
        from_numpy = ort.OrtValue.ortvalue_from_numpy
        motion = from_numpy(self._motion)
        values = [{name: from_numpy(array) for name, array in state.items()} for state in self._states]
        self._bindings = []
        for now in range(2):
            binding = session.io_binding()
            binding.bind_ortvalue_input("signals", signals)
            binding.bind_ortvalue_output("motion", motion)
            for name in names:
                binding.bind_ortvalue_input(name, values[now][name])
                binding.bind_ortvalue_output(f"next_{name}", values[1 - now][name])
            self._bindings.append(binding)
        self._now = 0

    def start(self, state: dict[str, FloatArray]) -> None:
        for name, array in state.items():
            self._states[self._now][name][:] = array

    def run(self) -> FloatArray:
        """Motion [1, M] for the bound signals; `advance` then makes the step count."""
        self._session.run_with_iobinding(self._bindings[self._now])
        return self._motion

    def advance(self) -> None:
        self._now = 1 - self._now


class Listener:
    """A listener that is stepped frame by frame at 30 Hz; made by `load_listener`.

    A step takes the speaker's sound and motion of frame t and gives the listener's motion of frame t + 1
    (paper Eq. 1), all in raw units. The state lives in this object; one object is one listener.
    """

    def __init__(self, path: Path, model: bytes) -> None:
        self._step_session = _open_graph(model, path)
        metadata = self._step_session.get_modelmeta().custom_metadata_map
        if metadata.get("format") != FILE_FORMAT:
            raise UserError(
                f"listener network '{path}' is an ONNX file of another kind (its metadata lacks "
                f"'format: {FILE_FORMAT}'); give a file written by 'listener_head train'"
            )
        try:
            self._card: dict[str, Any] = json.loads(metadata["card"])
            self._start_session = _open_graph(base64.b64decode(metadata["initial_state"]), path)
            statistics = self._card["statistics"]
            self.quiet_audio = np.array(statistics["quiet_audio"], np.float32)
            self.absent_speaker = np.array(statistics["speaker_mean"], np.float32)
            self._attitudes = tuple(self._card["attitudes"])
            self._layout = layout_of(self._card["face_model"])
        except (KeyError, ValueError) as error:
            raise UserError(
                f"listener network '{path}' has broken metadata ({error}); export it again with "
                "'listener_head train'"
            ) from None
        self._hash = hashlib.sha256(model).hexdigest()[:12]
        hidden = self._step_session.get_inputs()[1].shape[2]
        audio_size = len(self.quiet_audio)
        self._signals = np.zeros((1, audio_size + self._layout.size), np.float32)
        self._audio, self._speaker = self._signals[0, :audio_size], self._signals[0, audio_size:]
        self._flat_signals = self._signals[0]
        bound = ort.OrtValue.ortvalue_from_numpy(self._signals)
        self._current, self._next = (
            _Stepper(self._step_session, bound, hidden, self._layout.size) for _ in range(2)
        )
        self.reset()

    @property
    def name(self) -> str:
        """Name of the network."""
        return str(self._card["name"])

    @property
    def hash(self) -> str:
        """First 12 hex digits of the file's SHA-256."""
        return self._hash

    @property
    def card(self) -> dict[str, Any]:
        """What is known of the network: data, date, seed, command, scores, statistics."""
        return self._card

    @property
    def face_model(self) -> str:
        """Face model of the motion in and out."""
        return self._layout.face_model

    @property
    def layout(self) -> Layout:
        """Layout of the motion vectors in and out."""
        return self._layout

    @property
    def audio_layout(self) -> str:
        """Layout of the audio features that `step` takes."""
        return str(self._card["audio_layout"])

    @property
    def attitudes(self) -> tuple[str, ...]:
        """Attitudes that the network knows; empty for one trained without."""
        return self._attitudes

    @property
    def attitude(self) -> str | None:
        """The attitude set last, from which the motion may still be fading."""
        return self._pending or self._attitude

    @property
    def reference(self) -> FloatArray:
        """The reference motion m₁ [M] of the last reset (a copy)."""
        return self._reference.copy()

    def reset(self, reference: ArrayLike | None = None, attitude: str | None = None) -> None:
        """Start anew from a reference motion m₁ [M] (default: a still face) and an attitude.

        The default attitude is neutral. UserError for a wrong size, a value that is not finite, or an
        attitude that the network does not know.
        """
        motion = self._layout.neutral() if reference is None else np.array(reference, np.float32)
        if motion.shape != (self._layout.size,) or not np.isfinite(motion).all():
            raise UserError(
                f"reference motion must be {self._layout.size} finite numbers ({self.face_model}), "
                f"got shape {motion.shape}"
            )
        if attitude is None and self._attitudes:
            attitude = "neutral" if "neutral" in self._attitudes else self._attitudes[0]
        state = self._initial_state(motion, attitude)
        self._reference, self._attitude = motion, attitude
        self._pending: str | None = None
        self._motion = motion
        self._fade_frame = 0
        self._fading = False
        self._current.start(state)

    def set_attitude(self, attitude: str) -> None:
        """Change the attitude: the motion fades over a second; UserError for one the network lacks.

        A second state starts from the present motion and the new attitude (the reference no longer
        binds the first). A change that arrives while one is fading waits for its end.
        """
        self._attitude_index(attitude)
        if self._fading:
            self._pending = attitude if attitude != self._attitude else None
        elif attitude != self._attitude:
            self._start_fade(attitude)

    def step(self, audio: ArrayLike, speaker: ArrayLike) -> FloatArray:
        """One frame on: audio features [A] and speaker motion [M] in, listener motion [M] out.

        UserError, and no change of state, for a wrong size or a value that is not finite.
        """
        self._fill(self._audio, audio, "audio features")
        self._fill(self._speaker, speaker, "speaker motion")
        motion: FloatArray = self._current.run()[0].copy()
        if self._fading:
            phase = (self._fade_frame + 1) / FADE_FRAMES
            weight = phase * phase * (3 - 2 * phase)
            motion += weight * (self._next.run()[0] - motion)
        # A dot product is the cheapest finiteness test for a short vector.
        checked = self._flat_signals.dot(self._flat_signals) + motion.dot(motion)
        if not math.isfinite(checked):
            raise UserError(
                "a listener step got numbers that are NaN, infinite or absurdly large; "
                "drop invalid frames before stepping"
            )
        self._current.advance()
        if self._fading:
            self._advance_fade()
        self._motion = motion
        return motion

    def _fill(self, buffer: FloatArray, values: ArrayLike, what: str) -> None:
        array = np.asarray(values)
        if array.shape != buffer.shape:
            raise UserError(
                f"{what} have shape {array.shape}; network '{self.name}' needs {buffer.shape} "
                f"({self.audio_layout}, {self.face_model})"
            )
        buffer[:] = array

    def _attitude_index(self, attitude: str) -> int:
        if not self._attitudes:
            raise UserError(
                f"network '{self.name}' has no attitude branch, so attitude '{attitude}' cannot be set; "
                "use a network trained with attitudes"
            )
        if attitude not in self._attitudes:
            raise UserError(f"attitude '{attitude}' is unknown; choose one of {', '.join(self._attitudes)}")
        return self._attitudes.index(attitude)

    def _initial_state(self, motion: FloatArray, attitude: str | None) -> dict[str, FloatArray]:
        feeds: dict[str, NDArray[Any]] = {"reference": motion[None]}
        if attitude is not None:
            feeds["attitude"] = np.array([self._attitude_index(attitude)], np.int64)
        names = [output.name for output in self._start_session.get_outputs()]
        return dict(zip(names, self._start_session.run(names, feeds), strict=True))

    def _start_fade(self, attitude: str) -> None:
        self._next.start(self._initial_state(self._motion, attitude))
        self._attitude, self._fading, self._fade_frame = attitude, True, 0

    def _advance_fade(self) -> None:
        self._next.advance()
        self._fade_frame += 1
        if self._fade_frame == FADE_FRAMES:
            self._current, self._next, self._fading = self._next, self._current, False
            if self._pending is not None:
                attitude, self._pending = self._pending, None
                self._start_fade(attitude)


def load_listener(path: str | Path | None = None) -> Listener:
    """Load a listener network; the shipped one by default.

    UserError naming the path and the fix when the file is missing, broken or of another kind.
    """
    path = DEFAULT_NETWORK if path is None else Path(path)
    try:
        model = path.read_bytes()
    except OSError as error:
        raise UserError(
            f"listener network '{path}' cannot be read ({error.strerror}); "
            "give a file written by 'listener_head train'"
        ) from None
    return Listener(path, model)


def _open_graph(model: bytes, path: Path) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception:  # ONNX Runtime has a class for every fault, without a common base of its own
        raise UserError(
            f"listener network '{path}' is broken or no ONNX file; export it again with 'listener_head train'"
        ) from None
