"""Ruckig's profiles, planned so that its rounding does not matter."""

from __future__ import annotations

from ruckig import InputParameter, Ruckig, RuckigError, Trajectory

# Shares of the jerk limit that are tried in turn.
JERK_SHARES = (1.0, 0.999, 0.99)


def plan(planner: Ruckig, parameters: InputParameter, profile: Trajectory) -> bool:
    """Plan a profile; whether there is one.

    On the edge between two kinds of profile, such as the distance at which full acceleration is just reached,
    rounding can leave ruckig with neither of them. A little less jerk is off that edge and within the limit.
    """
    jerk = parameters.max_jerk
    try:
        for share in JERK_SHARES:
            parameters.max_jerk = [share * limit for limit in jerk]
            try:
                return bool(planner.calculate(parameters, profile) >= 0)
            except RuckigError:
                continue
        return False
    finally:
        parameters.max_jerk = jerk
