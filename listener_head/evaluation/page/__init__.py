"""Reports for people: pages that need nothing else, not even a network, and evaluations side by side."""
