"""The three kinds of quality of service that the graph uses (REP 2003)."""

from rclpy.qos import QoSDurabilityPolicy, QoSProfile, QoSReliabilityPolicy

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
