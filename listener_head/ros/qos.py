"""The kinds of quality of service that the graph uses (REP 2003)."""

from rcl_interfaces.msg import SetParametersResult
from rclpy.qos import QoSDurabilityPolicy, QoSPolicyKind, QoSProfile, QoSReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions

# Camera frames: only the newest matters, a lost one is not sent again.
IMAGE = QoSProfile(depth=1, reliability=QoSReliabilityPolicy.BEST_EFFORT)
# Sound: best effort like every sensor, but a queue, since every chunk counts.
SOUND = QoSProfile(depth=50, reliability=QoSReliabilityPolicy.BEST_EFFORT)
# Results that others compute from.
RESULT = QoSProfile(depth=10, reliability=QoSReliabilityPolicy.RELIABLE)
# Settings: a node that starts late receives the last one.
LATCHED = QoSProfile(
    depth=1,
    reliability=QoSReliabilityPolicy.RELIABLE,
    durability=QoSDurabilityPolicy.TRANSIENT_LOCAL,
)

_DEEPEST = 10_000


def _check(profile: QoSProfile) -> SetParametersResult:
    """What DDS would only say is wrong."""
    reason = f"depth is {profile.depth}; give 1 to {_DEEPEST}"
    return SetParametersResult(successful=1 <= profile.depth <= _DEEPEST, reason=reason)


# What a user may override of each publisher and subscription: with durability, all that keeps two apart.
OVERRIDABLE = QoSOverridingOptions(
    (QoSPolicyKind.HISTORY, QoSPolicyKind.DEPTH, QoSPolicyKind.RELIABILITY, QoSPolicyKind.DURABILITY),
    callback=_check,
)
