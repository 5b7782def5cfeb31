"""Finds readers and writers of a topic whose quality of service does not match, and says so plainly."""

from __future__ import annotations

from rclpy.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import QoSCompatibility, QoSProfile, qos_check_compatible
from rclpy.topic_endpoint_info import TopicEndpointInfo

# The name of a node that DDS has not told yet.
_NAMELESS = "_NODE_NAME_UNKNOWN_"
# In the order in which a mismatch is named: a writer must offer at least what a reader asks for.
_POLICIES = ("reliability", "durability", "deadline", "liveliness", "liveliness_lease_duration")


class QosWatch:
    """Explains the mismatches of a node's endpoints that the middleware reports.

    The middleware says that there is one, and of which policy; who it is, the graph tells a little later:
    ask for `problems` now and then.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._suspects: dict[str, str] = {}  # resolved topic -> what was said about it

    def of_publisher(self, topic: str) -> PublisherEventCallbacks:
        """Event callbacks of a publisher of a topic."""
        return PublisherEventCallbacks(incompatible_qos=lambda _event: self._suspect(topic))

    def of_subscription(self, topic: str) -> SubscriptionEventCallbacks:
        """Event callbacks of a subscription to a topic."""
        return SubscriptionEventCallbacks(incompatible_qos=lambda _event: self._suspect(topic))

    def problems(self) -> list[str]:
        """One line for each topic that has a mismatch now; a new one is logged."""
        for topic, said in list(self._suspects.items()):
            text = self._explain(topic)
            if text is None and said:  # over; before it was said, the graph does not tell of it yet
                del self._suspects[topic]
            elif text and text != said:
                self._node.get_logger().warning(text)
                self._suspects[topic] = text
        return [text for text in self._suspects.values() if text]

    def _suspect(self, topic: str) -> None:
        self._suspects.setdefault(self._node.resolve_topic_name(topic), "")

    def _explain(self, topic: str) -> str | None:
        """Text of the first mismatch of ours; empty while a name is missing, None when all match."""
        us = self._node.get_fully_qualified_name()
        writers = self._node.get_publishers_info_by_topic(topic)
        readers = self._node.get_subscriptions_info_by_topic(topic)
        for writer in writers:
            for reader in readers:
                names = _name(writer), _name(reader)
                profiles = writer.qos_profile, reader.qos_profile
                if us not in names or qos_check_compatible(*profiles)[0] != QoSCompatibility.ERROR:
                    continue
                known = _NAMELESS not in (writer.node_name, reader.node_name)
                return _text(topic, names, profiles, is_writer=names[0] == us) if known else ""
        return None


def _name(endpoint: TopicEndpointInfo) -> str:
    return f"{endpoint.node_namespace.rstrip('/')}/{endpoint.node_name}"


def _text(
    topic: str, names: tuple[str, str], profiles: tuple[QoSProfile, QoSProfile], is_writer: bool
) -> str:
    """What is wrong between a writer and a reader of these names, one of which is ours, and the fix."""
    policy = next(name for name in _POLICIES if _mismatch(name, *profiles))
    offered, asked = (_value(profile, policy) for profile in profiles)
    role, value = ("publisher", asked) if is_writer else ("subscription", offered)
    return (
        f"nothing that {names[0]} publishes on {topic} reaches {names[1]}: the one offers "
        f"{policy} {offered}, the other asks for {asked}; start {names[0 if is_writer else 1]} with "
        f"qos_overrides.{topic}.{role}.{policy}:={value}, or change {names[1 if is_writer else 0]}"
    )


def _mismatch(policy: str, offered: QoSProfile, asked: QoSProfile) -> bool:
    """Whether this policy alone keeps the two apart."""
    alone = QoSProfile(depth=1), QoSProfile(depth=1)
    for profile, wanted in zip(alone, (offered, asked), strict=True):
        setattr(profile, policy, getattr(wanted, policy))
    return bool(qos_check_compatible(*alone)[0] == QoSCompatibility.ERROR)


def _value(profile: QoSProfile, policy: str) -> str:
    value = getattr(profile, policy)
    return value.name.lower() if hasattr(value, "name") else str(value.nanoseconds)
