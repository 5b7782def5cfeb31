"""A recording through the code of the nodes, without ROS and without a clock: the same numbers every time."""
