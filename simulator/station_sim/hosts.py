"""The hosts of a virtual network: what runs on which, how they crash, how they come back.

A host is a name; a `Life` is one run of it, from when it was first named or bounced until it
crashes. Whatever is started inside `entered` belongs to the life: tasks, timers, connections,
listeners, and what these start in turn, for a context variable says so.

A crash freezes a life. Nothing of it is resumed, no timer fires, no byte leaves it; its `finally`
and `except` do not run. Python closes a coroutine that goes away, so what was frozen is kept until
the world ends and is closed then, when nothing that it does has any effect. Who waits for a frozen
task from outside finds it cancelled. Connections are in `network.py`.
"""

import asyncio
import contextvars
import warnings
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import Context
from typing import Any, Protocol
from weakref import WeakKeyDictionary

LOCALHOST = "localhost"
"""Where everything runs that no host was named for; it cannot crash."""

CLOSES_MAX = 1000
"""A frozen coroutine may await in its `finally` so many times before it is given up."""

Program = Callable[[], Coroutine[Any, Any, Any]]


class End(Protocol):
    """One end of a connection."""

    def die(self, *, silently: bool) -> None:
        """Its host has crashed."""

    def wake_host(self) -> None:
        """Its host is back."""


class Connected(Protocol):
    """What hosts need of the network."""

    def transports_of(self, host: str) -> Any:
        """The ends of connections that are on a host."""

    def stop_listening_at(self, host: str) -> None:
        """Accept nothing for a host any more."""


class Life:
    """One run of a host; `is_over` from its crash on."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.is_over = False
        self._tasks: WeakKeyDictionary[asyncio.Task[Any], Context] = WeakKeyDictionary()
        self._frozen: list[tuple[Callable[[], object], Context]] = []
        self._kept: list[object] = []

    def add(self, task: "asyncio.Task[Any]", context: Context) -> None:
        """A task runs on behalf of this life; one that is made when it is over never runs."""
        if self.is_over:
            self._freeze(task, context)
        else:
            self._tasks[task] = context

    def keep(self, thing: object) -> None:
        """Let nothing happen to `thing` until the world ends."""
        self._kept.append(thing)

    def close_at_end(self, close: Callable[[], object]) -> None:
        """Have `close` called when the world ends, if this life is over by then.

        It ends what the life has suspended outside of tasks, which must not be resumed before: a
        greenlet, a generator. Whatever it raises is of no interest.
        """
        self._frozen.append((close, contextvars.copy_context()))

    def end(self) -> None:
        """Freeze the tasks, in the order in which they began."""
        self.is_over = True
        for task, context in list(self._tasks.items()):
            if not task.done():
                self._freeze(task, context)

    def _freeze(self, task: "asyncio.Task[Any]", context: Context) -> None:
        self._frozen.append((_closing(task.get_coro()), context))
        self.keep(task)
        # Task.cancel would let it run; this is what others see of it.
        asyncio.Future.cancel(task, f"host {self.host} has crashed")

    def close(self) -> None:
        """Close what is frozen; whatever it does about it is of no interest."""
        for close, context in self._frozen:
            try:
                context.run(close)
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException:  # nobody is there to hear of it
                continue
        self._frozen.clear()
        self._kept.clear()


def _closing(coroutine: Any) -> Callable[[], None]:
    """Close a coroutine that may await in its `finally`: each close ends one such wait."""

    def close() -> None:
        # What it was about to await is not awaited any more: nothing to warn of.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            for _ in range(CLOSES_MAX):
                try:
                    coroutine.close()
                except RuntimeError:
                    if coroutine.cr_frame is not None:
                        continue
                return

    return close


_life: contextvars.ContextVar[Life | None] = contextvars.ContextVar("life", default=None)


def current_life() -> Life | None:
    """The life that the caller belongs to; None on localhost."""
    return _life.get()


def context_of_life() -> Context:
    """A new context that knows nothing but the life that the caller belongs to."""
    context = Context()
    context.run(_life.set, _life.get())
    return context


class Hosts:
    """The hosts of one network."""

    def __init__(self, loop: asyncio.AbstractEventLoop, network: Connected) -> None:
        self.any_crashed = False
        self._loop: Any = loop
        self._network = network
        self._lives: dict[str, Life] = {}
        self._programs: dict[str, Program] = {}
        self._over: list[Life] = []
        self._silent: dict[str, list[End]] = {}

    # what runs where

    @contextmanager
    def entered(self, name: str) -> Iterator[None]:
        """What is started inside runs on host `name`; raises ValueError while that is down."""
        life = self._lives.setdefault(name, Life(name))
        if life.is_over:
            raise ValueError(f"host {name} has crashed: bounce it first")
        token = _life.set(None if name == LOCALHOST else life)
        try:
            yield
        finally:
            _life.reset(token)

    def current(self) -> str:
        """The host that the caller runs on; raises OSError for one who should not run any more."""
        life = _life.get()
        if life is None:
            return LOCALHOST
        if life.is_over:
            raise OSError(f"host {life.host} has crashed")
        return life.host

    def note(self, task: "asyncio.Task[Any]", context: Context) -> None:
        """A task was made, to run in `context`."""
        life = context.get(_life)
        if life is not None:
            life.add(task, context)

    def is_over(self, context: Context | None) -> bool:
        """Whether what runs in a context (None: the caller's) has crashed."""
        life = _life.get() if context is None else context.get(_life)
        return life is not None and life.is_over

    def is_silent(self, name: str) -> bool:
        """Whether a host answers nothing, not even that nobody listens."""
        return name in self._silent

    # life and death

    def start(self, name: str, program: Program) -> "asyncio.Task[Any]":
        """Run `program()` as a task on host `name`; `bounce` runs it again."""
        with self.entered(name):
            self._programs[name] = program
            task: asyncio.Task[Any] = self._loop.create_task(program(), name=name)
            return task

    def crash(self, name: str, *, silently: bool = False) -> None:
        """End at this instant all that runs on a host, with nothing said or written any more.

        What it had sent is under way and arrives. Others see their connections reset and new ones
        refused, as after `kill -9`; or, `silently`, no answer to anything, as after a power cut.

        Raises: ValueError for a host that has not run, is down already or is the caller's own.
        """
        life = self._living(name)
        self.any_crashed = True
        self._over.append(life)
        ends = self._network.transports_of(name)
        for end in ends:
            end.die(silently=silently)
        if silently:
            self._silent[name] = ends
        self._network.stop_listening_at(name)
        life.end()
        for handle in self._loop.drop_handles(self.is_over):
            life.keep(handle)

    def bounce(self, name: str) -> "asyncio.Task[Any] | None":
        """Bring a crashed host back; the program that `start` was given begins anew.

        Raises: ValueError if it has not crashed.
        """
        life = self._lives.get(name)
        if life is None or not life.is_over:
            raise ValueError(f"host {name} has not crashed: there is nothing to bring back")
        self._lives[name] = Life(name)
        for end in self._silent.pop(name, ()):
            end.wake_host()
        program = self._programs.get(name)
        return None if program is None else self.start(name, program)

    def close(self) -> None:
        """The world ends: close what was frozen, crash by crash."""
        while self._over:
            self._over.pop(0).close()

    def _living(self, name: str) -> Life:
        life = self._lives.get(name)
        if name == LOCALHOST:
            raise ValueError(f"{name} cannot crash: the world's own program runs on it")
        if life is None:
            known = ", ".join(each for each in self._lives if each != LOCALHOST) or "none"
            raise ValueError(f"nothing runs on host {name}; there are: {known}")
        if life.is_over:
            raise ValueError(f"host {name} has crashed already: bounce it first")
        if _life.get() is life:
            raise ValueError(f"a program on {name} cannot crash it and go on: do it from outside")
        return life
