"""What the nodes share: the lifecycle node, message conversion, stamps, images, QoS."""
