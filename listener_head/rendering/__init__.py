"""The command `listener_head render`: recorded coefficients to a video or to pictures. No ROS in here."""
