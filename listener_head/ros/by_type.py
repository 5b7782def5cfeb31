"""A subscription whose type is the one that is seen on its topic."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rclpy.qos import QoSProfile
from rclpy.subscription import Subscription

from listener_head.errors import UserError
from listener_head.ros.interfaces import message_type
from listener_head.ros.node import GraphNode

_PERIOD = 0.5  # [s]


class SubscriptionByType:
    """Takes messages of any of ``types`` ("sensor_msgs/msg/Image", ...), whichever is published.

    The graph is asked when it is made, and again while nobody publishes what is subscribed to; until
    somebody does, that is the first of the types, where its package is installed. Other types, and those
    whose package is missing, are named once. To be made in ``activate``; lives until deactivation.
    """

    def __init__(
        self,
        node: GraphNode,
        topic: str,
        types: Sequence[str],
        callback: Callable[[Any], None],
        profile: QoSProfile,
    ) -> None:
        self._node, self._name, self._types = node, node.resolve_topic_name(topic), types
        self._callback, self._profile = callback, profile
        self._subscription: Subscription | None = None
        self._type = self._said = ""
        self._look()
        if self._subscription is None and not self._said:
            self._expect_first()
        node.every(_PERIOD, self._look)

    def _look(self) -> None:
        if self._subscription is not None and self._subscription.get_publisher_count():
            return
        publishers = self._node.get_publishers_info_by_topic(self._name)
        offered = sorted({publisher.topic_type for publisher in publishers})
        if not offered or self._type in offered:
            return
        try:
            self._change([msgtype for msgtype in self._types if msgtype in offered], offered)
        except UserError as problem:
            self._say(problem)

    def _change(self, known: Sequence[str], offered: Sequence[str]) -> None:
        if not known:
            raise UserError(f"topic {self._name} has type {offered[0]}; taken are {', '.join(self._types)}")
        try:
            message_type(known[0])  # where it is missing, what there is stays
        except UserError as problem:
            raise UserError(f"topic {self._name}: {problem}") from None
        if self._subscription is None:
            self._take(known[0])
            return
        # A process has one type for each topic, and the executor holds the subscription a little longer.
        self._node.unsubscribe(self._subscription)
        self._subscription, self._type = None, ""

    def _expect_first(self) -> None:
        try:
            self._take(self._types[0])
        except UserError:
            return  # that its package is missing matters to nobody before somebody publishes it

    def _take(self, msgtype: str) -> None:
        message = message_type(msgtype)
        self._subscription = self._node.subscribe(message, self._name, self._callback, self._profile)
        self._type, self._said = msgtype, ""

    def _say(self, problem: UserError) -> None:
        if str(problem) != self._said:
            self._node.refused(problem)
        self._said = str(problem)
