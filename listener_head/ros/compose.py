"""Several nodes in one process: ``python -m listener_head.ros.compose --node NAME [ROS arguments] ...``."""

from __future__ import annotations

import sys
from functools import partial
from importlib import import_module

from listener_head.ros.node import GraphNode, run


def node_class(executable: str) -> type[GraphNode]:
    """The node class of a file in `nodes/`: the file's name in capitals, `face_fit` -> `FaceFit`."""
    module = import_module(f"listener_head.nodes.{executable}")
    return getattr(module, executable.title().replace("_", ""))


def main() -> None:
    """Runs the nodes of the command line on one executor."""
    groups: list[list[str]] = []
    for argument in sys.argv[1:]:
        if argument == "--node":
            groups.append([])
        else:
            groups[-1].append(argument)
    sys.argv = sys.argv[:1]  # what follows is each node's own, not the process's
    run(*(partial(node_class(executable), cli_args=arguments) for executable, *arguments in groups))


if __name__ == "__main__":
    main()
