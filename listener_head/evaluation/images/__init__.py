"""How generated pictures compare with true ones: the measures of the paper's Table 3. No ROS in here."""
