"""The process of one node or several: comes up, spins, and ends when it is told to."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

import rclpy
from rclpy.exceptions import InvalidHandle
from rclpy.experimental import EventsExecutor

from listener_head.errors import EXIT_BAD_INPUT
from listener_head.ros.stopping import Stopping, leave, watch_signals

if TYPE_CHECKING:
    from listener_head.ros.node import GraphNode

_LONGEST_STEP = 5.0  # [s]


def run(*makers: Callable[[], GraphNode]) -> NoReturn:
    """Runs nodes on one executor until SIGINT or SIGTERM, or until a node's ``finished`` event.

    Ends the process: with status 0, with 2 after one line when a node refused its input, with 1 after an
    error of ours.
    """
    stopping = watch_signals()
    # rclpy's own handlers would end the context, and with it the nodes' chance to say goodbye.
    rclpy.init(args=sys.argv, signal_handler_options=rclpy.SignalHandlerOptions.NO)
    status = _live(makers, stopping)
    # Executor, nodes and context hold each other; only when all are gone does DDS give its shared memory
    # back. The interpreter's own end would free all that libraries hold as well, which takes seconds.
    gc.unfreeze()
    gc.collect()
    rclpy.get_default_context(shutting_down=True).destroy()
    leave(status)


def _live(makers: Sequence[Callable[[], GraphNode]], stopping: Stopping) -> int:
    """From the making of the nodes to their end; the exit status."""
    # It costs a third of what the ordinary executor does for each message. Its own spin() neither runs
    # timers nor ends when another thread wants it to (rclpy 7.1), so it is driven step by step here.
    executor = EventsExecutor()
    stopping.wake_with(executor.wake)
    nodes: list[GraphNode] = []
    for make in makers:
        nodes.append(make())
        executor.add_node(nodes[-1])
    status = _bring_up(nodes, stopping)
    if not status:
        for node in nodes:
            _stop_when_finished(node, stopping)
        _prepare_for_low_latency()
        while not stopping.told.is_set():
            # A request that was taken in just before its service ended cannot be answered any more.
            with suppress(InvalidHandle):
                executor.spin_once(timeout_sec=_LONGEST_STEP)
    for node in nodes:
        executor.remove_node(node)
        node.shut_down()
        node.destroy_node()
    rclpy.try_shutdown()
    stopping.wake_with(_nothing)
    return status


def _nothing() -> None:
    """Wakes nobody: the executor is gone."""


def _bring_up(nodes: Sequence[GraphNode], stopping: Stopping) -> int:
    """Those that do it by themselves, unless told to stop meanwhile; the exit status if one fails."""
    for node in nodes:
        if node.value("autostart") and not stopping.told.is_set() and not node.bring_up():
            return 1 if node.crashed else EXIT_BAD_INPUT
    return 0


def _stop_when_finished(node: GraphNode, stopping: Stopping) -> None:
    finished = node.finished
    if finished is None:
        return

    def wait() -> None:
        finished.wait()
        stopping.stop()

    threading.Thread(target=wait, daemon=True).start()


def _prepare_for_low_latency() -> None:
    """Takes out two pauses of the interpreter that are longer than a message's way."""
    # What is loaded by now stays; collecting garbage among it would stop the process for tens of ms.
    gc.collect()
    gc.freeze()
    # A thread that waits for another one's bytecode is let in after this [s] instead of 5 ms.
    sys.setswitchinterval(0.0005)
