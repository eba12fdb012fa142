"""What some threads have to tell one other: it hears all that there is, some at a time."""

import threading
from collections import deque
from typing import Generic, TypeVar

Told = TypeVar("Told")

MOST_AT_A_TIME = 1_000


class Answers(Generic[Told]):
    """A queue whose reader is woken once for all that has come meanwhile, and takes it as a list.

    Handing over a thread's turn costs more than most of what is told here.
    """

    def __init__(self) -> None:
        self._told: deque[Told] = deque()
        self._news = threading.Event()
        self._stopped = False

    def add(self, told: Told) -> None:
        """Tell something, from any thread, without waiting."""
        self._told.append(told)
        if not self._news.is_set():
            self._news.set()

    def take(self) -> list[Told]:
        """Wait for something; return it in its order, and nothing once stopped."""
        while not self._told and not self._stopped:
            self._news.wait()
            self._news.clear()
        if self._stopped:
            return []
        count = min(len(self._told), MOST_AT_A_TIME)
        return [self._told.popleft() for _ in range(count)]

    def stop(self) -> None:
        """Have the reader end; what it has not heard it never will."""
        self._stopped = True
        self._news.set()
