"""The lifecycle node that every node of the graph is."""

from __future__ import annotations

import gc
import signal
import socket
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.exceptions import (
    InvalidParameterTypeException,
    InvalidParameterValueException,
    ParameterException,
)
from rclpy.executors import Executor
from rclpy.experimental import EventsExecutor
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile
from rclpy.qos_overriding_options import QoSOverridingOptions

from listener_head.errors import EXIT_BAD_INPUT, UserError
from listener_head.ros import qos

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_LONGEST_STEP = 5.0  # [s]


class GraphNode(LifecycleNode):
    """A lifecycle node that brings itself up when its parameter ``autostart`` is true.

    Children declare parameters in ``__init__`` and override ``configure`` (load models, make
    publishers), ``activate`` (make subscriptions and timers with ``subscribe`` and ``every``, which
    deactivation destroys), ``deactivate`` and ``cleanup``. A UserError in ``configure`` or ``activate``
    fails the transition with its text.
    """

    def __init__(self, name: str, cli_args: Sequence[str] | None = None) -> None:
        super().__init__(name, cli_args=cli_args)
        self.finished: threading.Event | None = None  # set by a source when it has come to its end
        self.problem = ""
        self.crashed = False  # by an error of ours, not by bad input
        self.counts: Counter[str] = Counter()
        self._subscriptions_made: list[Any] = []
        self._timers_made: list[Any] = []
        self._counted: tuple[float, Counter[str]] = (time.monotonic(), Counter())
        self.declare(
            "autostart", True, "configure and activate at once, without a lifecycle manager", fixed=True
        )
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", qos.RESULT)
        self._diagnostics_timer = self.create_timer(1.0, self._publish_diagnostics)

    # What children override

    def configure(self) -> None:
        """Loads what the node needs; UserError refuses."""

    def activate(self) -> None:
        """Makes subscriptions and timers."""

    def deactivate(self) -> None:
        """Undoes what activate did beside subscriptions and timers."""

    def cleanup(self) -> None:
        """Undoes configure."""

    def status(self) -> dict[str, object]:
        """More values for the diagnostics."""
        return {}

    # What children use

    def declare(
        self,
        name: str,
        default: Any,
        description: str,
        low: float | None = None,
        high: float | None = None,
        fixed: bool = False,
    ) -> Any:
        """Declares a parameter and returns its value; ``low`` and ``high`` bound a number."""
        descriptor = ParameterDescriptor(description=description, read_only=fixed)
        if low is not None and high is not None:
            if isinstance(default, float):
                descriptor.floating_point_range = [FloatingPointRange(from_value=low, to_value=high)]
            else:
                descriptor.integer_range = [IntegerRange(from_value=int(low), to_value=int(high), step=1)]
        return self.declare_parameter(name, default, descriptor).value

    def value(self, name: str) -> Any:
        """Value of a declared parameter."""
        return self.get_parameter(name).value

    def advertise(self, message: type, topic: str, profile: QoSProfile = qos.RESULT) -> Publisher:
        """A publisher whose QoS the user may override."""
        return self.create_publisher(
            message, topic, profile, qos_overriding_options=QoSOverridingOptions.with_default_policies()
        )

    def subscribe(
        self,
        message: type,
        topic: str,
        callback: Callable[[Any], None],
        profile: QoSProfile = qos.RESULT,
        raw: bool = False,
    ) -> None:
        """A subscription that lives until deactivation and whose QoS the user may override."""
        self._subscriptions_made.append(
            self.create_subscription(
                message,
                topic,
                callback,
                profile,
                raw=raw,
                qos_overriding_options=QoSOverridingOptions.with_default_policies(),
            )
        )

    def every(self, period_s: float, callback: Callable[[], None]) -> Any:
        """A timer on the node's clock that lives until deactivation."""
        self._timers_made.append(self.create_timer(period_s, callback))
        return self._timers_made[-1]

    def refused(self, problem: Exception) -> None:
        """Says that an item was dropped, and counts it; the same text at most every five seconds."""
        self.counts["refused"] += 1
        self.problem = str(problem)
        self.get_logger().warning(str(problem), throttle_duration_sec=5.0)

    def bring_up(self) -> bool:
        """Configures and activates; False when either failed (the reason is logged)."""
        success = TransitionCallbackReturn.SUCCESS
        if self.trigger_configure() != success or self.trigger_activate() != success:
            return False
        self.get_logger().info("active")
        return True

    # Lifecycle

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Lifecycle transition."""
        return self._attempt(self.configure) or super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Lifecycle transition."""
        return self._attempt(self.activate) or super().on_activate(state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Lifecycle transition."""
        self._stop()
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Lifecycle transition."""
        self.cleanup()
        return super().on_cleanup(state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Lifecycle transition."""
        self._stop()
        self.cleanup()
        return super().on_shutdown(state)

    def _attempt(self, step: Callable[[], None]) -> TransitionCallbackReturn | None:
        try:
            step()
        except UserError as problem:
            self.problem = str(problem)
            self.get_logger().error(str(problem))
            return TransitionCallbackReturn.FAILURE
        except Exception as problem:
            # rclpy would turn it into a transition that failed without a word.
            self.problem, self.crashed = repr(problem), True
            self.get_logger().fatal(traceback.format_exc())
            return TransitionCallbackReturn.ERROR
        self.problem = ""
        return None

    def _stop(self) -> None:
        for subscription in self._subscriptions_made:
            self.destroy_subscription(subscription)
        for timer in self._timers_made:
            self.destroy_timer(timer)
        self._subscriptions_made.clear()
        self._timers_made.clear()
        self.deactivate()

    def _publish_diagnostics(self) -> None:
        then, before = self._counted
        now = time.monotonic()
        rates = {f"{key}_hz": round((n - before[key]) / (now - then), 2) for key, n in self.counts.items()}
        self._counted = (now, self.counts.copy())
        level = DiagnosticStatus.WARN if self.problem else DiagnosticStatus.OK
        values = {**self.counts, **rates, **self.status()}
        status = DiagnosticStatus(
            level=level,
            name=self.get_fully_qualified_name(),
            message=self.problem or "running",
            values=[KeyValue(key=key, value=str(value)) for key, value in values.items()],
        )
        array = DiagnosticArray(status=[status])
        array.header.stamp = self.get_clock().now().to_msg()
        self._diagnostics.publish(array)
        self.problem = ""


def run(*makers: Callable[[], GraphNode]) -> None:
    """Runs nodes on one executor until SIGINT or SIGTERM, or until a node's ``finished`` event.

    Leaves with status 0, or 2 after one line when a node refused its input.
    """
    rclpy.init(args=sys.argv, signal_handler_options=rclpy.SignalHandlerOptions.NO)
    # It costs a third of what the ordinary executor does for each message. Its own spin() neither runs
    # timers nor ends when another thread wants it to (rclpy 7.1), so it is driven step by step here.
    executor = EventsExecutor()
    stop = threading.Event()
    nodes: list[GraphNode] = []
    status = 0
    _stop_after(_signal_waiter(), executor, stop)
    try:
        for make in makers:
            nodes.append(make())
            executor.add_node(nodes[-1])
        if all(node.bring_up() for node in nodes if node.value("autostart")):
            for node in nodes:
                if node.finished is not None:
                    _stop_after(node.finished.wait, executor, stop)
            _prepare_for_low_latency()
            while not stop.is_set():
                executor.spin_once(timeout_sec=_LONGEST_STEP)
        else:
            status = 1 if any(node.crashed for node in nodes) else EXIT_BAD_INPUT
    except (InvalidParameterTypeException, InvalidParameterValueException, ParameterException) as problem:
        print(f"wrong parameter: {problem}", file=sys.stderr)
        status = EXIT_BAD_INPUT
    gc.unfreeze()  # or libraries complain at the end about objects that nobody has freed
    for node in nodes:
        executor.remove_node(node)
        node.trigger_shutdown()
        node.destroy_node()
    rclpy.try_shutdown()
    sys.exit(status)


def _prepare_for_low_latency() -> None:
    """Takes out two pauses of the interpreter that are longer than a message's way."""
    # What is loaded by now stays; collecting garbage among it would stop the process for tens of ms.
    gc.collect()
    gc.freeze()
    # A thread that waits for another one's bytecode is let in after this [s] instead of 5 ms.
    sys.setswitchinterval(0.0005)


def _signal_waiter() -> Callable[[], object]:
    """A function that returns when the process is told to stop.

    rclpy's own handlers would end the context, and with it the nodes' chance to say goodbye. Python runs
    its handlers on the main thread only, which may sleep in rclpy's wait; the wake-up descriptor is written
    at once.
    """
    receiver, sender = socket.socketpair()
    sender.setblocking(False)
    signal.set_wakeup_fd(sender.detach())
    for number in _STOP_SIGNALS:
        signal.signal(number, lambda *_: None)
    return lambda: receiver.recv(1)


def _stop_after(wait: Callable[[], object], executor: Executor, stop: threading.Event) -> None:
    """Sets ``stop`` when ``wait`` returns, and wakes the executor."""

    def work() -> None:
        wait()
        stop.set()
        executor.wake()

    threading.Thread(target=work, daemon=True).start()
