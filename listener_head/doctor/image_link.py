"""``python -m listener_head.doctor.image_link write|read``: one end of a link for images, as a process.

Each end says in one line of JSON when it was there and when it knew of the other end (seconds of the clock
that all processes of a computer share), and the reader how long each image took. ROS is imported by the ends.
"""

from __future__ import annotations

import argparse
import json
import time
from array import array
from collections.abc import Callable
from typing import Any

from listener_head.timing import RATE_HZ

WRITE, READ = "write", "read"
TOPIC = "listener_head_doctor/image"
WIDTH, HEIGHT = 640, 480
IMAGES = 2 * RATE_HZ
PATIENCE = 8.0  # [s] for the other end to be found
PERIOD = 0.01  # [s] between two looks for it
SETTLING = 0.25  # [s] from when one end knows of the other to when both do
QUIET = 0.5  # [s] after the last image


def write(node: Any, patience: float) -> dict[str, object]:
    """Sends the images, once somebody reads."""
    from sensor_msgs.msg import Image

    from listener_head.ros import qos
    from listener_head.ros.stamps import to_stamp

    publisher = node.create_publisher(Image, TOPIC, qos.IMAGE)
    made = time.monotonic()
    matched = _when(lambda: publisher.get_subscription_count() > 0, patience)
    if matched is not None:
        image = Image(width=WIDTH, height=HEIGHT, step=3 * WIDTH, encoding="bgr8")
        image.data = array("B", bytes(3 * WIDTH * HEIGHT))
        time.sleep(SETTLING)
        began = time.monotonic()
        for number in range(IMAGES):
            time.sleep(max(0.0, began + number / RATE_HZ - time.monotonic()))
            image.header.stamp = to_stamp(time.monotonic_ns())
            publisher.publish(image)
        time.sleep(QUIET)
    return {"made": made, "matched": matched}


def read(node: Any, patience: float) -> dict[str, object]:
    """Receives images until the writer is gone."""
    import rclpy
    from sensor_msgs.msg import Image

    from listener_head.ros import qos
    from listener_head.ros.stamps import to_ns

    latencies_ms: list[float] = []
    subscription = node.create_subscription(
        Image,
        TOPIC,
        lambda image: latencies_ms.append((time.monotonic_ns() - to_ns(image.header.stamp)) / 1e6),
        qos.IMAGE,
    )
    made = time.monotonic()
    matched = _when(lambda: subscription.get_publisher_count() > 0, patience)
    if matched is not None:
        longest = SETTLING + IMAGES / RATE_HZ + QUIET
        while subscription.get_publisher_count() > 0 and time.monotonic() < matched + longest:
            rclpy.spin_once(node, timeout_sec=0.1)
    return {"made": made, "matched": matched, "latencies_ms": latencies_ms}


def _when(condition: Callable[[], bool], patience: float) -> float | None:
    """When the condition first held; None if it did not within ``patience`` [s]."""
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            return None
        time.sleep(PERIOD)
    return time.monotonic()


def main() -> None:
    """Runs one end."""
    parser = argparse.ArgumentParser(prog="python -m listener_head.doctor.image_link")
    parser.add_argument("end", choices=(WRITE, READ))
    parser.add_argument("--patience", type=float, default=PATIENCE)
    arguments = parser.parse_args()
    import rclpy

    rclpy.init()
    node = rclpy.create_node(f"doctor_{arguments.end}")
    run = write if arguments.end == WRITE else read
    said = run(node, arguments.patience)
    node.destroy_node()
    rclpy.try_shutdown()
    print(json.dumps(said))


if __name__ == "__main__":
    main()
