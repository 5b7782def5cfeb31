"""Several nodes in one process, on one executor.

``python -m listener_head.ros.compose --node NAME [ROS ARGUMENTS] ... [--all [ROS ARGUMENTS]]``; those after
``--all`` hold for every node. One executor for all: the interpreter lets one thread work at a time, and what
takes long has a thread of its own in its node.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

from listener_head.ros.stopping import watch_signals

if TYPE_CHECKING:
    from listener_head.ros.node import GraphNode


def node_class(executable: str) -> type[GraphNode]:
    """The node class of a file in `nodes/`: the file's name in capitals, `face_fit` -> `FaceFit`."""
    module = import_module(f"listener_head.nodes.{executable}")
    return getattr(module, executable.title().replace("_", ""))


def nodes_of(words: Sequence[str]) -> list[list[str]]:
    """The executable of each node and its own arguments, from a command line without ``--all``."""
    groups: list[list[str]] = []
    for word in words:
        if word == "--node":
            groups.append([])
        else:
            groups[-1].append(word)
    return groups


def main() -> None:
    """Runs the nodes of the command line on one executor."""
    watch_signals()  # before anything that takes its time to import
    from listener_head.ros.process import run

    words = sys.argv[1:]
    own = words[: words.index("--all")] if "--all" in words else words
    sys.argv = [sys.argv[0], *words[len(own) + 1 :]]  # the process's: rclpy gives it to every node
    run(*(partial(node_class(executable), cli_args=arguments) for executable, *arguments in nodes_of(own)))


if __name__ == "__main__":
    main()
