"""A recording through the live graph, in the recording's own time, and how well that went. No ROS in here."""
