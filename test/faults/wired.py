"""A graph of real processes whose every wire goes through the test, which judges, cuts and fills it."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from rclpy.serialization import deserialize_message

from listener_head.graph import TOPICS, DemoOptions, demo_nodes
from listener_head.robot import load_robot
from listener_head.ros import qos
from listener_head.runner import RESPAWN_DELAY, SOURCE, GraphRunner

NAMESPACE = "faults"
PATIENCE = 40.0  # [s] on a busy machine
TOLERANCE = 1e-6  # of a limit

# What each node of the graph reads from another one, or from outside.
INPUTS = {
    "audio_features": ["speaker/audio"],
    "face_fit": ["speaker/image", "speaker/camera_info"],
    "listener": ["speaker/audio_features", "speaker/coefficients", "attitude", "robot_speaking"],
    "renderer": ["listener/coefficients"],
    "joint_mapper": ["listener/coefficients", "joint_states", "emergency_stop", "speaker/position"],
    "simulated_robot": ["joint_trajectory"],
}
# Those that no node of this graph writes.
FROM_OUTSIDE = {
    "speaker/camera_info": "sensor_msgs/msg/CameraInfo",
    "robot_speaking": "std_msgs/msg/Bool",
    "emergency_stop": "std_msgs/msg/Bool",
    "speaker/position": "geometry_msgs/msg/PointStamped",
}
# Outputs that come all the time while the speaker is seen and heard.
ANSWERS = [topic for topic in TOPICS if topic != "attitude"]
PROFILES = {"speaker/image": qos.IMAGE, "speaker/camera_info": qos.IMAGE, "attitude": qos.LATCHED}


def message_class(msgtype: str) -> type:
    package, _, kind = msgtype.split("/")
    return getattr(import_module(f"{package}.msg"), kind)


def wired_nodes(video: Path) -> list:
    """The demo's graph on an endless video; every input of a node stands below `to/`."""
    nodes = []
    for node in demo_nodes(DemoOptions(video=str(video), size=64)):
        remaps = {topic: f"to/{topic}" for topic in INPUTS.get(node.executable, [])}
        more = {SOURCE: {"loop": True, "largest_side": 256}, "joint_mapper": {"look_at_speaker": True}}
        parameters = {**node.parameters, **more.get(node.executable, {})}
        nodes.append(replace(node, parameters=parameters, remaps=remaps))
    return nodes


class Wire:
    """From the writers of a topic to its readers, by way of the test.

    ``is_cut`` lets nothing through, ``loss`` is the share that is lost, ``delay`` in seconds. ``last`` is the
    newest message in its serialised form, ``last_at`` when it came.
    """

    def __init__(self, probe: Any, topic: str, msgtype: str, judge: Callable[[Any], None] | None) -> None:
        self.topic, self.kind = topic, message_class(msgtype)
        self.is_cut, self.loss, self.delay = False, 0.0, 0.0
        self.last, self.last_at, self.count = b"", 0.0, 0
        self._judge = judge
        self._late: deque[tuple[float, bytes]] = deque()
        profile = PROFILES.get(topic, qos.RESULT)
        self.out = probe.create_publisher(self.kind, f"to/{topic}", profile)
        if topic in TOPICS:
            reading = profile if topic in PROFILES else qos.SOUND
            probe.create_subscription(self.kind, topic, self._take, reading, raw=True)

    def _take(self, raw: bytes) -> None:
        self.last, self.last_at, self.count = raw, time.monotonic(), self.count + 1
        if self._judge is not None:
            self._judge(deserialize_message(raw, self.kind))
        if self.is_cut or random.random() < self.loss:
            return
        if self.delay:
            self._late.append((self.last_at + self.delay, raw))
        else:
            self.out.publish(raw)

    def deliver(self) -> None:
        """Sends on what has been delayed for long enough."""
        while self._late and self._late[0][0] <= time.monotonic():
            self.out.publish(self._late.popleft()[1])

    def message(self) -> Any:
        return deserialize_message(self.last, self.kind)

    def mend(self) -> None:
        self.is_cut, self.loss, self.delay = False, 0.0, 0.0


class Wired:
    """The running graph, and what is wrong with what its nodes have said so far."""

    def __init__(self, ros: Any, video: Path, work: Path, domain: int) -> None:
        from rclpy.experimental import EventsExecutor

        self.robot = load_robot("generic")
        self.wrong: list[str] = []
        self.speed = 0.0  # the highest of a joint since it was last set to 0 [rad/s]
        self.probe = ros.create_node("probe", namespace=NAMESPACE)
        judges = {
            "joint_commands": self._judge_command,
            "joint_trajectory": self._judge_trajectory,
            "joint_states": self._judge_states,
            **{
                topic: partial(self._judge_numbers, topic)
                for topic in ("speaker/audio_features", "speaker/coefficients", "listener/state")
            },
            "listener/coefficients": partial(self._judge_numbers, "listener/coefficients"),
        }
        self.wires = {
            topic: Wire(self.probe, topic, msgtype, judges.get(topic))
            for topic, msgtype in {**TOPICS, **FROM_OUTSIDE}.items()
        }
        self._executor = EventsExecutor()
        self._executor.add_node(self.probe)
        self._polled = 0.0
        self._taken_before = 0
        self.runner = GraphRunner(
            wired_nodes(video), NAMESPACE, True, work, domain, respawn_delay=RESPAWN_DELAY
        )
        self.runner.__enter__()
        self._limits = [joint.limits for joint in self.robot.joints]

    def close(self) -> None:
        self.runner.stop()
        self._executor.remove_node(self.probe)
        self.probe.destroy_node()
        self._executor.shutdown()

    # Time

    def step(self, timeout: float = 0.02) -> None:
        self._executor.spin_once(timeout_sec=timeout)
        # One at a time is taken; what waits would be late, and the graph with it.
        while (taken := self._taken()) != self._taken_before:
            self._taken_before = taken
            self._executor.spin_once(timeout_sec=0)
        for wire in self.wires.values():
            wire.deliver()
        if time.monotonic() - self._polled > 0.1:
            self._polled = time.monotonic()
            assert not self.runner.poll()

    def _taken(self) -> int:
        return sum(wire.count for wire in self.wires.values())

    def run(self, seconds: float) -> None:
        """Lets the graph go on for that long."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.step()

    def until(self, condition: Callable[[], bool], what: str, patience: float = PATIENCE) -> float:
        """Lets the graph go on until the condition holds; how long that took [s]."""
        began = time.monotonic()
        while not condition():
            assert time.monotonic() < began + patience, f"waited {patience} s for {what}{self.logs()}"
            self.step()
        return time.monotonic() - began

    def until_whole(self, since: float | None = None) -> float:
        """Waits until every node has answered something that happened after ``since`` (now if None)."""
        since = time.monotonic() if since is None else since
        return self.until(lambda: self.is_whole(since), "a whole graph")

    def is_whole(self, since: float) -> bool:
        """Whether all wires have had a message since, and the robot a command that answers the camera."""
        if any(self.wires[topic].last_at <= since for topic in ANSWERS):
            return False
        age = time.time() - _seconds(self.wires["joint_commands"].message().source_stamp)
        return age < time.monotonic() - since

    # Judgement

    def mend(self) -> None:
        for wire in self.wires.values():
            wire.mend()

    def unharmed(self, pids: dict[str, int]) -> None:
        """Asserts that the processes ``pids`` are still the same ones, and that nothing wrong was said."""
        assert self.runner.pids == pids, self.logs()
        assert not self.wrong, f"{self.wrong[:5]}{self.logs()}"

    def memory_mb(self) -> dict[str, float]:
        """Memory of each process without shared pages."""
        infos = {name: psutil.Process(pid).memory_info() for name, pid in self.runner.pids.items()}
        return {name: (info.rss - info.shared) / 1e6 for name, info in infos.items()}

    def logs(self) -> str:
        """The end of what each node said."""
        texts = [
            f"\n== {log.name}\n{log.read_text(errors='replace')[-1500:]}"
            for log in sorted(self.runner.work.glob("*.log"))
        ]
        return "".join(texts)

    def _judge_numbers(self, topic: str, message: Any) -> None:
        if not all(np.isfinite(numbers).all() for numbers in numbers_of(message)):
            self.wrong.append(f"{topic}: a number that is not finite")

    def _judge_command(self, message: Any) -> None:
        self._within("joint_commands", np.array(message.positions), np.array(message.velocities))

    def _judge_trajectory(self, message: Any) -> None:
        for point in message.points:
            self._within("joint_trajectory", np.array(point.positions), np.array(point.velocities))
            for acceleration, limit in zip(point.accelerations, self._limits, strict=False):
                if not abs(acceleration) <= limit.acceleration.max * (1 + TOLERANCE):
                    self.wrong.append(f"joint_trajectory: acceleration {acceleration}")

    def _judge_states(self, message: Any) -> None:
        velocities = np.array(message.velocity)
        self._within("joint_states", np.array(message.position), velocities)
        self.speed = max(self.speed, float(np.abs(velocities).max()))

    def _within(self, topic: str, positions: np.ndarray, velocities: np.ndarray) -> None:
        for limit, position, velocity in zip(self._limits, positions, velocities, strict=True):
            low, high = limit.position.min - TOLERANCE, limit.position.max + TOLERANCE
            if not (low <= position <= high and abs(velocity) <= limit.velocity.max * (1 + TOLERANCE)):
                self.wrong.append(f"{topic}: position {position}, velocity {velocity}")


def numbers_of(message: Any) -> list[np.ndarray]:
    """All floating-point numbers of a message that has no messages inside but its header."""
    found = []
    for name, kind in message.get_fields_and_field_types().items():
        if "float" in kind or "double" in kind:
            found.append(np.atleast_1d(np.asarray(getattr(message, name), float)))
    return found


def _seconds(stamp: Any) -> float:
    return stamp.sec + 1e-9 * stamp.nanosec
