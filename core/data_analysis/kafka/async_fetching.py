"""Wakes aiokafka's fetcher where it would sleep over work.

The fetcher marks a node as busy while a task of its own waits for it, and takes the mark away one
iteration of the loop after the task has ended. If it is woken by a seek or by a poll in just that
iteration, it sees the task's end but also the mark: it asks the node for nothing and sleeps until
its next tick, for there is no task left to wake it.
"""

from typing import Any

TIMEOUT = 2
"""Where the time to sleep is among what the fetcher decides."""


def keep_awake(client: Any) -> None:
    """Let the fetcher of a started consumer look again at once where it would oversleep."""
    fetcher = client._fetcher
    decide = fetcher._get_actions_per_node

    def decide_and_look_again(assignment: Any) -> Any:
        # Each task has marked a node: with more marks than tasks, one is about to go.
        marked_for_nothing = len(fetcher._in_flight) > len(fetcher._pending_tasks)
        decided = list(decide(assignment))
        if marked_for_nothing:
            decided[TIMEOUT] = 0.0
        return tuple(decided)

    fetcher._get_actions_per_node = decide_and_look_again
