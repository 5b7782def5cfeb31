"""One training run in several processes, on one machine or more, as ``torchrun`` starts them."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import torch.distributed as dist

Value = TypeVar("Value")

# The first process makes the dyads while the others wait.
_PATIENCE = datetime.timedelta(hours=3)


@dataclass(frozen=True)
class Processes:
    """This process is number ``rank`` of ``count``; number 0 leads: it reports, saves and exports."""

    rank: int = 0
    count: int = 1

    @property
    def leads(self) -> bool:
        """Whether this is the first process."""
        return self.rank == 0

    def decided(self, decide: Callable[[], Value]) -> Value:
        """What ``decide`` gives in the first process, for all of them; the others do not call it."""
        box = [decide() if self.leads else None]
        if self.count > 1:
            dist.broadcast_object_list(box)
        value: Value = box[0]  # type: ignore[assignment]
        return value

    def leader_first(self, make: Callable[[], Value]) -> Value:
        """What ``make`` gives in each process; the first one is done before the others begin."""
        if self.leads:
            value = make()
        if self.count > 1:
            dist.barrier()
        return value if self.leads else make()


def rank_here() -> int:
    """The number of this process, from the variables that ``torchrun`` sets; 0 without it."""
    return int(os.environ.get("RANK", "0"))


def join() -> Processes:
    """Meets the other processes of the run, if ``torchrun`` has started any; they part by ending.

    None of them leaves the group before, since gloo would wait for those that have gone already.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        return Processes()
    if not dist.is_initialized():
        dist.init_process_group("gloo", timeout=_PATIENCE)
    return Processes(dist.get_rank(), count)
