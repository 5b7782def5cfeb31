"""Processor time of all nodes together while nobody is in view.

A robot's graph as it stands and waits: a camera of 640 x 480 at 30 frames a second that sees an empty room, a
microphone that hears its hum, a listener that idles, and a head that breathes; nothing is drawn. There is no
camera in a benchmark: a video of the room takes its place, and decoding it that of the camera's driver. The
simulated robot stands for the robot's own controller, and is not counted. After it, what bare nodes take that
pass the same messages on and do nothing else, and what all nodes in one process take.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from itertools import cycle
from pathlib import Path
from typing import Any

import av
import numpy as np
import psutil

from listener_head.graph import DemoOptions, NodeSpec, demo_nodes
from listener_head.runner import SOURCE, GraphRunner, environment, own_domain

NAMES = ("idle_cpu",)  # of the figures that `run` gives

SECONDS = 20.0
SETTLE = 5.0  # [s] until the tracker has found nobody and looks at its low rate
START_PATIENCE = 60.0  # [s]
NOT_COUNTED = ("simulated_robot",)
RATE_HZ, SIZE, SOUND_HZ, ROOM_S = 30, (640, 480), 16000, 4
BARE_START = 6.0  # [s] until the bare nodes have found each other
# A bare node that takes pictures would give their memory back to the system each time, and get it anew: that
# took three quarters of its time. In ours, later allocations keep that from happening.
KEEP_FREED_MEMORY = {"MALLOC_TRIM_THRESHOLD_": str(2**27), "MALLOC_MMAP_THRESHOLD_": str(2**25)}
CHUNK_RATE_HZ, CHUNK, ROBOT_RATE_HZ = 50, 320, 100
SHAPES, FEATURES = 52, 45
JOINTS = ["head_pan_joint", "head_tilt_joint", "head_roll_joint"]
TRAJECTORY_TOPIC = "joint_trajectory"
TRAJECTORY_POINTS = 2  # of a head that hardly moves


def run() -> dict[str, dict[str, Any]]:
    """Milliseconds of processor time a second, against bare nodes: 10 are 1 % of a core."""
    spent, bare = measure(), measure_bare()
    for name, percent in sorted(spent.items(), key=lambda item: -item[1]):
        beside = f", bare {bare[name]:.1f}" if name in bare else ""
        print(f"{name:>16} {percent:5.1f} % of a core{beside}")
    (together,) = measure(processes=False).values()
    print(f"   all in one process {together:5.1f} % of a core, the simulated robot included")
    ours = 10.0 * sum(percent for name, percent in spent.items() if name not in NOT_COUNTED)
    reference = 10.0 * sum(bare.values())
    result = {
        "ours_ms": ours,
        "reference_ms": reference,
        "ratio": reference / ours,
        "reference": "bare rclpy nodes with the same messages; processor time per second",
        "n": 1,
    }
    return {"idle_cpu": result}


def measure(processes: bool = True) -> dict[str, float]:
    """Processor time of each node, or of all in one process, in percent of a core."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        room = work / "room.mp4"
        write_room(room)
        with GraphRunner(idle_nodes(room), "idle", processes, work, own_domain()) as graph:
            graph.wait_for_the_source(START_PATIENCE)
            time.sleep(SETTLE)
            return _percent(graph.pids)


def measure_bare() -> dict[str, float]:
    """Processor time in percent of a core of bare nodes that pass the same messages on."""
    with _bare_graph() as pids:
        time.sleep(BARE_START)
        return _percent(pids)


def idle_nodes(room: Path) -> list[NodeSpec]:
    """The demo's graph without its renderer, looking at the room for ever."""
    nodes = demo_nodes(DemoOptions(video=str(room)))
    return [
        replace(node, parameters={**node.parameters, "loop": True}) if node.executable == SOURCE else node
        for node in nodes
        if node.executable != "renderer"
    ]


def _percent(pids: dict[str, int]) -> dict[str, float]:
    processes = {name: psutil.Process(pid) for name, pid in pids.items()}
    before = {name: sum(process.cpu_times()[:2]) for name, process in processes.items()}
    began = time.monotonic()
    time.sleep(SECONDS)
    elapsed = time.monotonic() - began
    return {
        name: 100.0 * (sum(process.cpu_times()[:2]) - before[name]) / elapsed
        for name, process in processes.items()
    }


def write_room(path: Path) -> None:
    """A still picture of soft shapes with a camera's noise, and a faint hum."""
    rng = np.random.default_rng(0)
    width, height = SIZE
    y, x = np.mgrid[:height, :width]
    room = 120 + 40 * np.sin(x / 97) + 30 * np.cos(y / 61)
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=RATE_HZ)
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        audio = container.add_stream("aac", rate=SOUND_HZ, layout="mono")
        for i in range(ROOM_S * RATE_HZ):
            noisy = room[..., None] + rng.normal(0, 2, (height, width, 3))
            frame = av.VideoFrame.from_ndarray(noisy.clip(0, 255).astype(np.uint8), format="bgr24")
            frame.pts, frame.time_base = i, Fraction(1, RATE_HZ)
            container.mux(video.encode(frame))
        container.mux(video.encode())
        hum = 0.002 * np.sin(2 * np.pi * 50 * np.arange(ROOM_S * SOUND_HZ) / SOUND_HZ)
        piece = av.AudioFrame.from_ndarray(hum[None].astype(np.float32), format="fltp", layout="mono")
        piece.sample_rate, piece.pts = SOUND_HZ, 0
        container.mux(audio.encode(piece))
        container.mux(audio.encode())


# Bare nodes: each takes and gives what ours of its name does while it waits, in kind, size and number.


@contextmanager
def _bare_graph() -> Iterator[dict[str, int]]:
    """Process numbers of the bare nodes; the simulated robot beside them is the real one."""
    commands = {name: [sys.executable, str(Path(__file__).resolve()), name] for name in BARE_NODES}
    commands["simulated_robot"] = [sys.executable, "-m", "listener_head.nodes.simulated_robot"]
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    variables = environment(own_domain()) | KEEP_FREED_MEMORY
    children = {
        name: subprocess.Popen(command, env=variables, **silent) for name, command in commands.items()
    }
    try:
        yield {name: child.pid for name, child in children.items() if name in BARE_NODES}
    finally:
        for child in children.values():
            child.terminate()
        for child in children.values():
            child.wait()


def _speaker_source(node: Any) -> None:
    from listener_head.msg import AudioChunk
    from sensor_msgs.msg import Image

    width, height = SIZE
    pixels = array("B", bytes(3 * width * height))
    picture = Image(width=width, height=height, step=3 * width, encoding="bgr8", data=pixels)
    sound = AudioChunk(sample_rate=SOUND_HZ, channels=1, samples=array("h", bytes(2 * CHUNK)))
    _send(node, Image, "speaker/image", picture, RATE_HZ)
    _send(node, AudioChunk, "speaker/audio", sound, CHUNK_RATE_HZ)


def _audio_features(node: Any) -> None:
    from listener_head.msg import AudioChunk, AudioFeatures

    message = AudioFeatures(layout="paper45", values=array("f", bytes(4 * FEATURES)))
    publisher = node.create_publisher(AudioFeatures, "speaker/audio_features", 10)
    # Three vectors of features for five pieces of sound.
    completes = cycle((True, False, True, False, True))

    def hear(_: AudioChunk) -> None:
        if next(completes):
            publisher.publish(message)

    node.create_subscription(AudioChunk, "speaker/audio", hear, 10)


def _face_fit(node: Any) -> None:
    from listener_head.msg import FaceCoefficients
    from sensor_msgs.msg import Image

    publisher = node.create_publisher(FaceCoefficients, "speaker/coefficients", 10)
    nobody = FaceCoefficients(face_model="arkit52", reason="no face in view")
    node.create_subscription(Image, "speaker/image", lambda _: publisher.publish(nobody), 10)


def _listener(node: Any) -> None:
    from listener_head.msg import AudioFeatures, FaceCoefficients, ListenerState

    coefficients = node.create_publisher(FaceCoefficients, "listener/coefficients", 10)
    states = node.create_publisher(ListenerState, "listener/state", 10)
    motion = FaceCoefficients(face_model="arkit52", expression=array("f", bytes(4 * SHAPES)), valid=True)
    state = ListenerState(network="listener_arkit52")

    def step() -> None:
        coefficients.publish(motion)
        states.publish(state)

    node.create_subscription(AudioFeatures, "speaker/audio_features", lambda _: None, 10)
    node.create_subscription(FaceCoefficients, "speaker/coefficients", lambda _: None, 10)
    node.create_timer(1 / RATE_HZ, step)


def _joint_mapper(node: Any) -> None:
    from listener_head.msg import FaceCoefficients
    from sensor_msgs.msg import JointState
    from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

    values = array("d", bytes(8 * len(JOINTS)))
    point = JointTrajectoryPoint(positions=values, velocities=values, accelerations=values)
    message = JointTrajectory(joint_names=JOINTS, points=[point] * TRAJECTORY_POINTS)
    publisher = _send(node, JointTrajectory, TRAJECTORY_TOPIC, message, ROBOT_RATE_HZ)
    node.create_subscription(JointState, "joint_states", lambda _: None, 10)
    node.create_subscription(
        FaceCoefficients, "listener/coefficients", lambda _: publisher.publish(message), 10
    )


def _send(node: Any, kind: type, topic: str, message: Any, rate_hz: float) -> Any:
    """The publisher of a topic to which the same message goes at a rate."""
    publisher = node.create_publisher(kind, topic, 10)
    node.create_timer(1 / rate_hz, lambda: publisher.publish(message))
    return publisher


BARE_NODES: dict[str, Callable[[Any], None]] = {
    "speaker_source": _speaker_source,
    "audio_features": _audio_features,
    "face_fit": _face_fit,
    "listener": _listener,
    "joint_mapper": _joint_mapper,
}


def _spin(name: str) -> None:
    import rclpy
    from rclpy.experimental import EventsExecutor

    rclpy.init()
    node = rclpy.create_node(f"bare_{name}")
    BARE_NODES[name](node)
    executor = EventsExecutor()
    executor.add_node(node)
    while True:
        executor.spin_once(timeout_sec=1.0)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _spin(sys.argv[1])
    else:
        print(run())
