"""The lifecycle node that every node of the graph is."""

from __future__ import annotations

import copy
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import Enum
from threading import Event
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rcl_interfaces.msg import SetParametersResult
from rclpy.clock import Clock, ClockType
from rclpy.exceptions import ParameterException
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile
from rclpy.qos_overriding_options import InvalidQosOverridesError
from rclpy.subscription import Subscription

from listener_head.errors import UserError
from listener_head.plain import plain
from listener_head.ros import qos
from listener_head.ros.parameters import Declaration, unknown_parameter
from listener_head.ros.process import run
from listener_head.ros.qos_watch import QosWatch
from listener_head.ros.sender_clock import SenderClock

__all__ = ["GraphNode", "Phase", "run"]

_SUCCESS = TransitionCallbackReturn.SUCCESS
_LONGEST_PROBLEM = 1000  # characters

# What was made, and what ends it.
_Made = dict[Any, Callable[[Any], object]]


class Phase(Enum):
    """Where a node stands in its life; transitions lie between."""

    UNCONFIGURED = "unconfigured"
    INACTIVE = "inactive"
    ACTIVE = "active"
    FINALIZED = "finalized"


class GraphNode(LifecycleNode):
    """A lifecycle node that brings itself up when its parameter ``autostart`` is true.

    Children declare parameters in ``__init__`` and override ``configure`` (load models, make publishers and
    services), ``activate`` (make subscriptions and timers), ``deactivate`` and ``cleanup``. What they make
    with ``advertise``, ``serve``, ``subscribe`` and ``every`` ends by itself: with the configuration if it
    was made in ``configure``, else with deactivation; what the executor had taken in for it before is dropped
    then. A UserError in ``configure`` or ``activate`` fails the
    transition with its text and undoes what was made, so that it can be tried again.
    """

    def __init__(self, name: str, cli_args: Sequence[str] | None = None) -> None:
        super().__init__(name, cli_args=cli_args)
        self.finished: Event | None = None  # set by a source when it has come to its end
        self.problem = ""
        self.crashed = False  # by an error of ours, not by bad input
        self.counts: Counter[str] = Counter()
        self.phase = Phase.UNCONFIGURED
        self.declarations: dict[str, Declaration] = {}
        self._failure = ""  # why the last transition failed
        self._refusals: dict[str, str] = {}  # parameter -> why the user's value is not accepted
        self._of_configuration: _Made = {}
        self._of_activation: _Made = {}
        self._made = self._of_configuration
        self._counted: tuple[float, Counter[str]] = (time.monotonic(), Counter())
        self._senders: dict[str, SenderClock] = {}
        self._qos_watch = QosWatch(self)
        self.declare(
            "autostart", True, "configure and activate at once, without a lifecycle manager", read_only=True
        )
        rate = self.declare(
            "diagnostics_rate", 1.0, "messages on /diagnostics", 0.1, 10.0, unit="Hz", changed=self._pace
        )
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", qos.RESULT)
        # On a clock that goes on where /clock does not.
        self._diagnostics_timer = self.create_timer(
            1.0 / rate, self._publish_diagnostics, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )

    # What children override

    def configure(self) -> None:
        """Loads what the node needs; UserError refuses."""

    def activate(self) -> None:
        """Makes subscriptions and timers."""

    def deactivate(self) -> None:
        """Undoes what activate did beside subscriptions and timers."""

    def cleanup(self) -> None:
        """Undoes what configure did beside publishers and services."""

    def status(self) -> dict[str, object]:
        """More values for the diagnostics, of a node that is configured."""
        return {}

    # What children use

    def declare(
        self,
        name: str,
        default: Any,
        description: str,
        low: float | None = None,
        high: float | None = None,
        **more: Any,
    ) -> Any:
        """Declares a parameter and returns its value; `Declaration` has all that may be said of one.

        A value of the user's that is not accepted fails the configuration, until it is set to another.
        """
        declaration = self.declarations[name] = Declaration(name, default, description, low, high, **more)
        given = self._parameter_overrides.get(name)
        value = default
        try:
            value = declaration.accepted(default if given is None else given.value)
        except UserError as problem:
            self._refusals[name] = str(problem)
        self.declare_parameter(name, value, declaration.descriptor(), ignore_override=True)
        return value

    def value(self, name: str) -> Any:
        """Value of a declared parameter."""
        return self.get_parameter(name).value

    def advertise(self, message: type, topic: str, profile: QoSProfile = qos.RESULT) -> Publisher:
        """A publisher whose QoS the user may override."""
        with _refusing_overrides(topic):
            publisher = self.create_publisher(
                message,
                topic,
                copy.copy(profile),  # rclpy writes overrides into it
                event_callbacks=self._qos_watch.of_publisher(topic),
                qos_overriding_options=qos.OVERRIDABLE,
            )
        self._made[publisher] = self.destroy_publisher
        return publisher

    def serve(self, kind: type, name: str, callback: Callable[[Any, Any], Any]) -> None:
        """A service."""
        made = self._made
        service = self.create_service(
            kind, name, lambda request, response: callback(request, response) if service in made else response
        )
        self.end_with(self.destroy_service, service)

    def end_with(self, end: Callable[[Any], object], entity: Any) -> None:
        """Ends another entity, with ``end``, together with what is made now."""
        self._made[entity] = end

    def subscribe(
        self,
        message: type,
        topic: str,
        callback: Callable[[Any], None],
        profile: QoSProfile = qos.RESULT,
        raw: bool = False,
    ) -> Subscription:
        """A subscription that lives until deactivation and whose QoS the user may override."""
        with _refusing_overrides(topic):
            subscription = self.create_subscription(
                message,
                topic,
                lambda item: callback(item) if subscription in self._of_activation else None,
                copy.copy(profile),
                raw=raw,
                event_callbacks=self._qos_watch.of_subscription(topic),
                qos_overriding_options=qos.OVERRIDABLE,
            )
        self._of_activation[subscription] = self.destroy_subscription
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Ends a subscription before deactivation."""
        del self._of_activation[subscription]
        self.destroy_subscription(subscription)

    def every(self, period_s: float, callback: Callable[[], None]) -> Any:
        """A timer on the node's clock that lives until deactivation."""
        timer = self.create_timer(period_s, lambda: callback() if timer in self._of_activation else None)
        self._of_activation[timer] = self.destroy_timer
        return timer

    def local_ns(self, topic: str, stamp_ns: int) -> int:
        """A stamp of ``topic`` on this node's clock: the stamp, unless the sender's clock differs.

        That is said once, and shows in the diagnostics; see `SenderClock` for what is done.
        """
        sender = self._senders.setdefault(topic, SenderClock())
        shift_ns = sender.shift_ns
        local_ns = sender.local_ns(stamp_ns, self.get_clock().now().nanoseconds)
        if sender.shift_ns != shift_ns:
            self.get_logger().warning(f"{topic}: {self._difference(sender) or 'the clocks agree again'}")
        return local_ns

    def refused(self, problem: Exception) -> None:
        """Says that an item was dropped, and counts it; the same text at most every five seconds."""
        self.counts["refused"] += 1
        self.problem = plain(str(problem), _LONGEST_PROBLEM)
        self.get_logger().warning(self.problem, throttle_duration_sec=5.0)

    def bring_up(self) -> bool:
        """Configures and activates; False when either failed (the reason is logged)."""
        if self.trigger_configure() != _SUCCESS or self.trigger_activate() != _SUCCESS:
            return False
        self.get_logger().info("active")
        return True

    def shut_down(self) -> None:
        """Ends what the node does, in whatever phase it is."""
        if self.phase is not Phase.FINALIZED:
            self.trigger_shutdown()

    def destroy_node(self) -> None:
        """Leaves the graph at once.

        rclpy 7.1 forgets the state machine, which keeps the node in the graph until Python collects it;
        a node of the same name that is made meanwhile would share its entry and lose what it has with it.
        """
        super().destroy_node()
        self._state_machine.destroy_when_not_in_use()

    # Parameters

    def set_parameters(self, parameter_list: list[Parameter]) -> list[SetParametersResult]:
        """Sets one after the other."""
        return [self.set_parameters_atomically([parameter]) for parameter in parameter_list]

    def set_parameters_atomically(self, parameter_list: list[Parameter]) -> SetParametersResult:
        """Sets all, or none with the reason: rclpy's own reasons leave out the range or the fix."""
        try:
            accepted = [self._accepted(parameter) for parameter in parameter_list]
        except UserError as problem:
            return SetParametersResult(successful=False, reason=str(problem))
        result: SetParametersResult = super().set_parameters_atomically(accepted)
        if not result.successful:
            return result
        for parameter in accepted:
            self._refusals.pop(parameter.name, None)
        declarations = [self.declarations.get(parameter.name) for parameter in accepted]
        for declaration, parameter in zip(declarations, accepted, strict=True):
            if declaration and declaration.changed and self.phase in (Phase.INACTIVE, Phase.ACTIVE):
                declaration.changed(parameter.value)
        if self.phase is Phase.INACTIVE and any(
            declaration and declaration.fixed for declaration in declarations
        ):
            result.reason = "taken over at the next configure; clean up first"
        return result

    def _accepted(self, parameter: Parameter) -> Parameter:
        name, declaration = parameter.name, self.declarations.get(parameter.name)
        if declaration is None:  # one of rclpy's own, or nobody's
            if not self.has_parameter(name):
                raise UserError(f"{self.get_name()}: {unknown_parameter(name, self.declarations)}")
            return parameter
        if declaration.read_only:
            raise UserError(
                f"parameter {name} is read when the node starts; start it anew with another value"
            )
        if declaration.fixed and self.phase is Phase.ACTIVE:
            raise UserError(
                f"parameter {name} is read when the node is configured; deactivate and clean up first "
                f"(ros2 lifecycle set {self.get_fully_qualified_name()} deactivate, then cleanup)"
            )
        value = declaration.accepted(parameter.value)
        return parameter if value is parameter.value else Parameter(name, value=value)

    def _warn_of_unknown(self, overrides_of_qos: bool) -> None:
        """Names what the user has given and nobody reads; of QoS only once the endpoints are there."""
        known = [name for name in self._parameters if name.startswith("qos_overrides.") == overrides_of_qos]
        for name in self._parameter_overrides:
            if name.startswith("qos_overrides.") == overrides_of_qos and not self.has_parameter(name):
                self.get_logger().warning(f"{unknown_parameter(name, known)} It is ignored.")

    # Lifecycle

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Lifecycle transition."""
        self._warn_of_unknown(overrides_of_qos=False)
        self._made = self._of_configuration
        return self._attempt(self._configure, Phase.INACTIVE) or super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Lifecycle transition."""
        self._made = self._of_activation
        failure = self._attempt(self.activate, Phase.ACTIVE)
        if failure is None:
            self._warn_of_unknown(overrides_of_qos=True)
        return failure or super().on_activate(state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Lifecycle transition."""
        return self._attempt(self._deactivate, Phase.INACTIVE) or super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Lifecycle transition."""
        return self._attempt(self._clean_up, Phase.UNCONFIGURED) or super().on_cleanup(state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Lifecycle transition."""
        return self._attempt(self._finalize, Phase.FINALIZED) or super().on_shutdown(state)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """After an error of ours: the node is as before it was configured, and can be tried again."""
        _end(self._of_activation)
        _end(self._of_configuration)
        self.phase = Phase.UNCONFIGURED
        return super().on_error(state)

    def _configure(self) -> None:
        if self._refusals:
            raise UserError("; ".join(self._refusals.values()))
        self.configure()

    def _deactivate(self) -> None:
        _end(self._of_activation)
        self.deactivate()

    def _clean_up(self) -> None:
        self.cleanup()
        _end(self._of_configuration)

    def _finalize(self) -> None:
        if self.phase is Phase.ACTIVE:
            self._deactivate()
        if self.phase is not Phase.UNCONFIGURED:
            self._clean_up()

    def _attempt(self, step: Callable[[], None], phase: Phase) -> TransitionCallbackReturn | None:
        """Does the step of a transition to ``phase``; None when that went well."""
        try:
            step()
        except UserError as problem:
            self.problem = self._failure = str(problem)
            self.get_logger().error(str(problem))
            _end(self._made)
            return TransitionCallbackReturn.FAILURE
        except Exception as problem:
            # rclpy would turn it into a transition that failed without a word.
            self.problem = self._failure = repr(problem)
            self.crashed = True
            self.get_logger().fatal(traceback.format_exc())
            return TransitionCallbackReturn.ERROR
        self.problem = self._failure = ""
        self.phase = phase
        return None

    # Diagnostics

    def _pace(self, rate_hz: float) -> None:
        self._diagnostics_timer.timer_period_ns = round(1e9 / rate_hz)

    def _publish_diagnostics(self) -> None:
        then, before = self._counted
        now = time.monotonic()
        rates = {f"{key}_hz": round((n - before[key]) / (now - then), 2) for key, n in self.counts.items()}
        self._counted = (now, self.counts.copy())
        is_configured = self.phase in (Phase.INACTIVE, Phase.ACTIVE)
        values = {
            "phase": self.phase.value,
            **self.counts,
            **rates,
            **{f"clock_difference_s: {topic}": sender.age_ns / 1e9 for topic, sender in self._skewed()},
            **(self.status() if is_configured else {}),
        }
        problems = self._what_is_wrong()
        level = DiagnosticStatus.WARN if problems else DiagnosticStatus.OK
        status = DiagnosticStatus(
            level=DiagnosticStatus.ERROR if self._failure else level,
            name=self.get_fully_qualified_name(),
            message="; ".join(problems) or ("running" if self.phase is Phase.ACTIVE else self.phase.value),
            values=[KeyValue(key=key, value=str(value)) for key, value in values.items()],
        )
        array = DiagnosticArray(status=[status])
        array.header.stamp = self.get_clock().now().to_msg()
        self._diagnostics.publish(array)
        self.problem = ""

    def _what_is_wrong(self) -> list[str]:
        """What is wrong now, the most telling first."""
        problems = [self._failure or self.problem, *self._qos_watch.problems()]
        problems += [f"{topic}: {self._difference(sender)}" for topic, sender in self._skewed()]
        if self.value("use_sim_time") and self.get_clock().now().nanoseconds == 0:
            problems.append(
                "use_sim_time is true, but nobody publishes /clock; play with --clock, or set it false"
            )
        return [problem for problem in problems if problem]

    def _skewed(self) -> list[tuple[str, SenderClock]]:
        return [(topic, sender) for topic, sender in self._senders.copy().items() if sender.shift_ns]

    def _difference(self, sender: SenderClock) -> str:
        return sender.explanation(simulated=self.value("use_sim_time"))


def _end(made: _Made) -> None:
    """Ends what was made, the last first."""
    while made:
        entity, end = made.popitem()
        end(entity)


@contextmanager
def _refusing_overrides(topic: str) -> Iterator[None]:
    try:
        yield
    except (ParameterException, InvalidQosOverridesError, RuntimeError) as problem:
        raise UserError(f"quality of service of {topic} is overridden wrongly: {problem}") from problem
