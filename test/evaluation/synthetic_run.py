"""A synthetic run of the graph whose every delay and loss is known."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from listener_head.bags.typestore import load_typestore
from listener_head.bags.writer import RecordingWriter
from listener_head.coefficients import ARKIT_NAMES, LAYOUTS
from listener_head.graph import TOPICS
from listener_head.timing import grid_time_ns, index_at_or_after

MS = 1_000_000
START_NS = 1_700_000_000_000_000_000
JOINTS = ["pan", "tilt", "roll"]


def message(msgtype: str, **fields: Any) -> Any:
    return load_typestore().types[msgtype](**fields)


def stamp(time_ns: int) -> Any:
    return message(
        "builtin_interfaces/msg/Time", sec=time_ns // 1_000_000_000, nanosec=time_ns % 1_000_000_000
    )


def header(time_ns: int) -> Any:
    return message("std_msgs/msg/Header", stamp=stamp(time_ns), frame_id="camera")


def face(time_ns: int, source_ns: int, motion: np.ndarray, valid: bool = True) -> Any:
    layout = LAYOUTS["arkit52"]
    none = np.zeros(0, np.float32)
    return message(
        "listener_head/msg/FaceCoefficients",
        header=header(time_ns),
        source_stamp=stamp(source_ns),
        face_model="arkit52",
        face_id="0",
        identity=none,
        expression=motion[layout.expression],
        texture=none,
        lighting=none,
        rotation=motion[layout.rotation],
        translation=motion[layout.translation],
        crop=none,
        valid=valid,
        reason="",
        confidence=0.9,
    )


def image(time_ns: int, pixels: np.ndarray) -> Any:
    height, width, channels = pixels.shape
    return message(
        "sensor_msgs/msg/Image",
        header=header(time_ns),
        height=height,
        width=width,
        encoding="rgb8",
        is_bigendian=0,
        step=width * channels,
        data=pixels.reshape(-1),
    )


def moving_face(seconds: float, phase: float = 0.0) -> np.ndarray:
    layout = LAYOUTS["arkit52"]
    motion = layout.neutral()
    motion[:3] = np.array([0.12, 0.08, 0.05]) * np.sin(
        2 * np.pi * np.array([0.9, 0.3, 0.2]) * seconds + phase
    )
    motion[layout.expression] = 0.5 + 0.4 * np.sin(seconds * np.linspace(0.5, 3, len(ARKIT_NAMES)) + phase)
    return motion


@dataclass
class Run:
    """What happens in the run; delays in ms. ``lose`` holds grid steps (counted from the first) by topic."""

    seconds: float = 2.0
    camera_fps: float = 30.0
    camera_phase_ms: float = 0.0
    perception_ms: float = 8.0
    step_delay_ms: float = 12.0
    step_ms: float = 0.5
    mapper_ms: float = 3.0
    renderer_ms: float = 15.0
    lose: dict[str, set[int]] = field(default_factory=dict)
    lose_camera: set[int] = field(default_factory=set)
    leave_out: tuple[str, ...] = ()
    namespace: str = "/demo"
    sound_rate: int = 16_000
    image_size: int = 32
    speaker_images: bool = True
    events: list[tuple[int, str, Any]] = field(default_factory=list)

    def write(self, path: Path) -> Path:
        self._camera()
        self._sound()
        self._listener()
        store = load_typestore()
        topics = {f"{self.namespace}/{key}": msgtype for key, msgtype in TOPICS.items()}
        with RecordingWriter(path, topics) as writer:
            for time_ns, key, content in sorted(self.events, key=lambda event: event[0]):
                if key not in self.leave_out:
                    cdr = store.serialize_cdr(content, TOPICS[key])
                    writer.write(f"{self.namespace}/{key}", time_ns, bytes(cdr))
        return path

    def _add(self, time_ns: int, key: str, content: Any) -> None:
        self.events.append((time_ns, key, content))

    def _camera(self) -> None:
        size = self.image_size
        self.cameras: list[int] = []
        for frame in range(int(self.seconds * self.camera_fps)):
            time_ns = START_NS + round(self.camera_phase_ms * MS + frame * 1e9 / self.camera_fps)
            pixels = np.full((size, 2 * size, 3), (200, frame % 256, 40), np.uint8)
            if self.speaker_images:
                self._add(time_ns + MS, "speaker/image", image(time_ns, pixels))
            if frame not in self.lose_camera:
                self.cameras.append(time_ns)
                arrival = time_ns + round(self.perception_ms * MS)
                moved = moving_face((time_ns - START_NS) * 1e-9, 1.0)
                self._add(arrival, "speaker/coefficients", face(time_ns, time_ns, moved))

    def _sound(self) -> None:
        chunk = self.sound_rate // 100
        for index in range(int(self.seconds * 100)):
            time_ns = START_NS + index * 10 * MS
            phase = 2 * np.pi * 220 * (np.arange(chunk) + index * chunk) / self.sound_rate
            loud = 8000 if (index // 40) % 2 == 0 else 50
            samples = (loud * np.sin(phase)).astype(np.int16)
            chunk_message = message(
                "listener_head/msg/AudioChunk",
                header=header(time_ns),
                sample_rate=self.sound_rate,
                channels=1,
                samples=samples,
            )
            self._add(time_ns + 11 * MS, "speaker/audio", chunk_message)

    def _listener(self) -> None:
        first = index_at_or_after(START_NS)
        for step in range(int(self.seconds * 30)):
            t_k, prediction = grid_time_ns(first + step), grid_time_ns(first + step + 1)
            now = t_k + round(self.step_delay_ms * MS)
            seen = [time_ns for time_ns in self.cameras if time_ns <= min(t_k, now - self.perception_ms * MS)]
            source = seen[-1] if seen else 0
            computed = now + round(self.step_ms * MS)
            motion = moving_face(step / 30)
            positions = motion[[1, 0, 2]].astype(np.float64)
            speaking = float((int((t_k - START_NS) / (10 * MS)) // 40) % 2 == 0)
            answers = {
                "speaker/audio_features": (t_k + 4 * MS, self._features(t_k, speaking)),
                "listener/coefficients": (computed + MS, face(prediction, source, motion)),
                "listener/state": (computed + MS, self._state(prediction, source, now, step)),
                "joint_commands": (
                    computed + round(self.mapper_ms * MS),
                    message(
                        "listener_head/msg/JointCommand",
                        header=header(prediction),
                        source_stamp=stamp(source),
                        names=JOINTS,
                        positions=positions,
                        velocities=np.zeros(3),
                    ),
                ),
                "joint_states": (
                    computed + round(self.mapper_ms * MS) + MS,
                    message(
                        "sensor_msgs/msg/JointState",
                        header=header(prediction),
                        name=["wheel", *reversed(JOINTS)],
                        position=np.concatenate([[9.0], positions[::-1] * 0.95]),
                        velocity=np.zeros(0),
                        effort=np.zeros(0),
                    ),
                ),
                "listener/image": (computed + round(self.renderer_ms * MS), self._picture(prediction, step)),
            }
            for key, (time_ns, content) in answers.items():
                if step not in self.lose.get(key, ()):
                    self._add(time_ns, key, content)

    def _features(self, t_k: int, speaking: float) -> Any:
        return message(
            "listener_head/msg/AudioFeatures",
            header=header(t_k),
            layout="paper45",
            values=np.full(45, 0.5, np.float32),
            voice_activity=speaking,
            flags=0,
        )

    def _state(self, prediction: int, source: int, now: int, step: int) -> Any:
        return message(
            "listener_head/msg/ListenerState",
            header=header(prediction),
            source_stamp=stamp(source),
            attitude=0,
            mode=0,
            frame=step,
            flags=0 if source else 2,
            network="test network",
            network_hash="0123456789ab",
            perception_ms=self.perception_ms if source else 0.0,
            waiting_ms=(now - source) / MS - self.perception_ms if source else 0.0,
            audio_ms=4.0,
            step_ms=self.step_ms,
        )

    def _picture(self, prediction: int, step: int) -> Any:
        return image(
            prediction, np.full((self.image_size, self.image_size, 3), (30, 60, 5 * step % 256), np.uint8)
        )
