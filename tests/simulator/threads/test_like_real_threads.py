"""What threads do, they do in virtual time as in real time: the same bodies run in both."""

import asyncio
import contextvars
import queue
import select
import selectors
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, as_completed, wait

import pytest
from tests.simulator.threads.worlds import WORLDS

SOON_S = 0.05
LONG_S = 20.0

MADE_BEFORE = threading.local()
LOCK_BEFORE = threading.Lock()
CONDITION_BEFORE = threading.Condition()
QUEUE_BEFORE: "queue.SimpleQueue[int]" = queue.SimpleQueue()
VARIABLE: contextvars.ContextVar[str] = contextvars.ContextVar("VARIABLE", default="unset")

BODIES: list[Callable[[], None]] = []


def body(function: Callable[[], None]) -> Callable[[], None]:
    """Have the function run in each kind of time."""
    BODIES.append(function)
    return function


def started(target: Callable[..., object], *args: object, **options: object) -> threading.Thread:
    """A thread that is started."""
    thread = threading.Thread(target=target, args=args, **options)  # type: ignore[arg-type]
    thread.start()
    return thread


@body
def a_thread_runs_and_is_joined() -> None:
    ran: list[str] = []
    thread = threading.Thread(target=lambda: ran.append(threading.current_thread().name), name="n")
    assert not thread.is_alive()
    assert None is thread.ident
    thread.start()
    thread.join(LONG_S)
    assert ["n"] == ran
    assert not thread.is_alive()
    with pytest.raises(RuntimeError, match="once"):
        thread.start()


@body
def a_join_gives_up_in_time() -> None:
    end = threading.Event()
    thread = started(end.wait)
    began = time.monotonic()
    thread.join(SOON_S)
    assert thread.is_alive()
    assert SOON_S <= time.monotonic() - began < LONG_S
    end.set()
    thread.join()
    assert not thread.is_alive()


@body
def threads_know_themselves() -> None:
    begun, end = threading.Event(), threading.Event()
    known: list[tuple[bool, bool, bool]] = []

    def look() -> None:
        me = threading.current_thread()
        known.append((me.ident == threading.get_ident(), me.daemon, me in threading.enumerate()))
        begun.set()
        end.wait()

    before = threading.active_count()
    thread = started(look, daemon=True)
    begun.wait()
    assert [(True, True, True)] == known
    assert before + 1 == threading.active_count()
    assert threading.get_ident() != thread.ident
    end.set()
    thread.join()
    assert before == threading.active_count()
    with pytest.raises(RuntimeError, match="cannot join current"):
        threading.current_thread().join()


@body
def a_subclass_runs_its_own_run() -> None:
    class Mine(threading.Thread):
        ran = 0

        def run(self) -> None:
            self.ran += 1

    thread = Mine()
    thread.start()
    thread.join()
    assert 1 == thread.ran


@body
def a_lock_excludes() -> None:
    lock, inside, most = threading.Lock(), [0], [0]

    def work() -> None:
        for _ in range(3):
            with lock:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                time.sleep(0.001)
                inside[0] -= 1

    for thread in [started(work) for _ in range(4)]:
        thread.join()
    assert 1 == most[0]


@body
def a_lock_takes_its_arguments() -> None:
    lock = threading.Lock()
    assert lock.acquire()
    assert lock.locked()
    assert not lock.acquire(blocking=False)
    assert not lock.acquire(timeout=SOON_S)
    with pytest.raises(ValueError, match="non-blocking"):
        lock.acquire(False, 1)
    with pytest.raises(ValueError, match="timeout"):
        lock.acquire(True, -2)
    with pytest.raises(OverflowError):
        lock.acquire(True, 1e20)
    lock.release()
    assert not lock.locked()
    with pytest.raises(RuntimeError, match="unlocked"):
        lock.release()


@body
def a_lock_may_be_released_by_another_thread() -> None:
    lock = threading.Lock()
    lock.acquire()
    thread = started(lock.release)
    assert lock.acquire(timeout=LONG_S)
    thread.join()


@body
def an_rlock_is_its_owners() -> None:
    _an_rlock_is_its_owners(threading.RLock())
    _an_rlock_is_its_owners(threading._PyRLock())  # type: ignore[attr-defined]  # in Python


def _an_rlock_is_its_owners(lock: threading.RLock) -> None:
    refused: list[type[BaseException]] = []
    got: list[bool] = []

    def other() -> None:
        got.append(lock.acquire(blocking=False))
        try:
            lock.release()
        except RuntimeError as error:
            refused.append(type(error))
        with lock:
            got.append(True)

    with lock, lock:
        thread = started(other)
        time.sleep(SOON_S)
    thread.join()
    assert [False, True] == got
    assert [RuntimeError] == refused


@body
def a_condition_wakes_who_waits() -> None:
    condition, items, taken = threading.Condition(), [], []  # type: ignore[var-annotated]

    def take() -> None:
        with condition:
            assert condition.wait_for(lambda: items, timeout=LONG_S)
            taken.append(items.pop())

    threads = [started(take) for _ in range(3)]
    for item in range(3):
        time.sleep(0.01)
        with condition:
            items.append(item)
            condition.notify()
    for thread in threads:
        thread.join()
    assert [0, 1, 2] == sorted(taken)
    with condition:
        assert not condition.wait(SOON_S)
        assert not condition.wait_for(lambda: False, timeout=SOON_S)
    with pytest.raises(RuntimeError, match="un-acquired"):
        condition.notify()


@body
def a_condition_made_before_is_a_condition() -> None:
    CONDITION_BEFORE.acquire()
    thread = started(lambda: _notify(CONDITION_BEFORE))
    assert CONDITION_BEFORE.wait(LONG_S)
    got: list[bool] = []
    started(lambda: got.append(CONDITION_BEFORE.acquire(blocking=False))).join()
    CONDITION_BEFORE.release()
    thread.join()
    assert [False] == got


@body
def a_condition_gives_up_an_rlock_taken_twice() -> None:
    condition = threading.Condition(threading.RLock())
    with condition, condition:
        thread = started(lambda: _notify(condition))
        assert condition.wait(LONG_S)
    thread.join()


def _notify(condition: threading.Condition) -> None:
    with condition:
        condition.notify_all()


@body
def an_event_a_semaphore_and_a_barrier() -> None:
    event, semaphore, barrier = threading.Event(), threading.Semaphore(2), threading.Barrier(3)
    assert not event.wait(SOON_S)
    inside, most = [0], [0]

    def work() -> None:
        event.wait()
        with semaphore:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            time.sleep(SOON_S)
            inside[0] -= 1
        barrier.wait(LONG_S)

    threads = [started(work) for _ in range(3)]
    event.set()
    for thread in threads:
        thread.join()
    assert 2 == most[0]
    with pytest.raises(ValueError, match="Semaphore released too many"):
        threading.BoundedSemaphore(1).release()
    assert not threading.Semaphore(0).acquire(timeout=SOON_S)


@body
def a_barrier_breaks_in_time() -> None:
    with pytest.raises(threading.BrokenBarrierError):
        threading.Barrier(2).wait(SOON_S)


@body
def queues_block_and_give_up() -> None:
    bounded: queue.Queue[int] = queue.Queue(1)
    got: list[int] = []
    thread = started(lambda: got.extend(bounded.get() for _ in range(3)))
    for item in range(3):
        bounded.put(item, timeout=LONG_S)
    thread.join()
    assert [0, 1, 2] == got
    with pytest.raises(queue.Empty):
        bounded.get(timeout=SOON_S)
    bounded.put(1)
    with pytest.raises(queue.Full):
        bounded.put(2, timeout=SOON_S)
    with pytest.raises(queue.Empty):
        queue.PriorityQueue[int]().get_nowait()


@body
def a_queue_is_joined_when_its_tasks_are_done() -> None:
    tasks: queue.Queue[int] = queue.Queue()
    done: list[int] = []

    def work() -> None:
        while (task := tasks.get()) >= 0:
            done.append(task)
            tasks.task_done()

    thread = started(work)
    for task in range(5):
        tasks.put(task)
    tasks.join()
    assert [0, 1, 2, 3, 4] == done
    tasks.put(-1)
    thread.join()


@body
def simple_queues_block_and_give_up() -> None:
    for simple in (queue.SimpleQueue[int](), QUEUE_BEFORE):
        got: list[int] = []
        threads = [started(lambda q=simple, g=got: g.append(q.get())) for _ in range(3)]
        for item in range(3):
            time.sleep(0.005)
            simple.put(item)
        for thread in threads:
            thread.join()
        assert [0, 1, 2] == sorted(got)
        with pytest.raises(queue.Empty):
            simple.get(timeout=SOON_S)
        with pytest.raises(queue.Empty):
            simple.get_nowait()
        with pytest.raises(ValueError, match="timeout"):
            simple.get(timeout=-1)


@body
def a_pool_works() -> None:
    def work(number: int) -> int:
        time.sleep(0.002 * number)
        return number * number

    with ThreadPoolExecutor(3) as pool:
        assert [0, 1, 4, 9, 16] == list(pool.map(work, range(5)))
        futures = [pool.submit(work, number) for number in (6, 1)]
        assert {36, 1} == {future.result() for future in as_completed(futures, timeout=LONG_S)}
        failing: Future[int] = pool.submit(int, "x")
        assert isinstance(failing.exception(LONG_S), ValueError)
        slow = pool.submit(time.sleep, SOON_S * 4)
        done, late = wait([slow, pool.submit(work, 1)], LONG_S, return_when=FIRST_COMPLETED)
        assert {slow} == late
        assert 1 == len(done)
        with pytest.raises(TimeoutError):
            slow.result(timeout=0.001)
    with pytest.raises(RuntimeError, match="after shutdown"):
        pool.submit(work, 1)


@body
def a_pool_starts_with_its_initializer() -> None:
    with ThreadPoolExecutor(1, initializer=lambda: setattr(MADE_BEFORE, "value", 7)) as pool:
        assert 7 == pool.submit(lambda: MADE_BEFORE.value).result(LONG_S)
    assert not hasattr(MADE_BEFORE, "value")


@body
def a_timer_fires_or_is_cancelled() -> None:
    fired: list[str] = []
    kept = threading.Timer(SOON_S, fired.append, ["kept"])
    dropped = threading.Timer(SOON_S, fired.append, ["dropped"])
    kept.start()
    dropped.start()
    dropped.cancel()
    kept.join()
    dropped.join()
    assert ["kept"] == fired


@body
def locals_are_each_threads_own() -> None:
    class Counting(threading.local):
        made = 0

        def __init__(self) -> None:
            self.made += 1

    inside = threading.local()
    counting = Counting()
    seen: list[tuple[object, object, int]] = []
    MADE_BEFORE.name = inside.name = "outer"

    def look(name: str) -> None:
        before = getattr(MADE_BEFORE, "name", None)
        MADE_BEFORE.name = inside.name = name
        time.sleep(0.01)
        assert name == MADE_BEFORE.name == inside.name
        seen.append((before, MADE_BEFORE.name, counting.made))

    for thread in [started(look, name) for name in ("a", "b")]:
        thread.join()
    assert [(None, "a", 1), (None, "b", 1)] == sorted(seen)
    assert "outer" == MADE_BEFORE.name == inside.name
    del MADE_BEFORE.name


@body
def context_variables_are_each_threads_own() -> None:
    VARIABLE.set("outer")
    seen: list[str] = []

    def look() -> None:
        seen.append(VARIABLE.get())
        VARIABLE.set("inner")

    started(look).join()
    context = contextvars.copy_context()
    started(context.run, look).join()
    assert ["unset", "outer"] == seen
    assert "outer" == VARIABLE.get()
    assert "inner" == context[VARIABLE]


@body
def an_error_in_a_thread_goes_to_the_hook() -> None:
    told: list[tuple[type[BaseException], str]] = []
    before = threading.excepthook
    threading.excepthook = lambda args: told.append((args.exc_type, args.thread.name))  # type: ignore[union-attr]  # it has one
    try:
        started(int, "x", name="failing").join()
        started(exit, 1, name="leaving").join()
    finally:
        threading.excepthook = before
    assert [(ValueError, "failing"), (SystemExit, "leaving")] == told


@body
def a_lock_made_before_is_a_lock() -> None:
    order: list[str] = []

    def work(name: str) -> None:
        with LOCK_BEFORE:
            order.extend((name, name))
            time.sleep(0.005)

    with LOCK_BEFORE:
        threads = [started(work, name) for name in ("a", "b")]
        time.sleep(0.01)
        order.append("main")
    for thread in threads:
        thread.join()
    assert order in (["main", *"aabb"], ["main", *"bbaa"]), "real locks promise no order"
    assert not LOCK_BEFORE.locked()


@body
def sleep_takes_its_arguments() -> None:
    began = time.monotonic()
    time.sleep(SOON_S)
    assert SOON_S <= time.monotonic() - began
    time.sleep(0)
    with pytest.raises(ValueError, match="non-negative"):
        time.sleep(-1)
    with pytest.raises(TypeError):
        time.sleep("1")  # type: ignore[arg-type]


@body
def who_spins_on_a_clock_gets_there() -> None:
    until = time.monotonic() + SOON_S
    while time.monotonic() < until:
        pass
    assert until <= time.monotonic()


@body
def a_pair_of_sockets_passes_bytes() -> None:
    one, other = socket.socketpair()
    with one, other:
        assert isinstance(one, socket.socket)
        one.sendall(b"hello")
        assert b"he" == other.recv(2, socket.MSG_PEEK)
        assert b"hello" == other.recv(10)
        other.settimeout(SOON_S)
        with pytest.raises(TimeoutError):
            other.recv(1)
        other.setblocking(False)
        with pytest.raises(BlockingIOError):
            other.recv(1)
        other.setblocking(True)
        thread = started(lambda: (time.sleep(0.01), one.sendall(b"late")))
        assert b"late" == other.recv(10)
        thread.join()
        one.shutdown(socket.SHUT_WR)
        assert b"" == other.recv(10)
        with pytest.raises(BrokenPipeError):
            one.send(b"more")
    assert -1 == one.fileno()
    with pytest.raises(OSError, match="Bad file"):
        one.recv(1)


@body
def a_server_answers_its_clients() -> None:
    listening = socket.create_server(("localhost", 0))
    port = listening.getsockname()[1]

    def serve() -> None:
        for _ in range(2):
            connection, _peer = listening.accept()
            with connection, connection.makefile("rwb") as file:
                for line in file:
                    file.write(line.upper())
                    file.flush()

    thread = started(serve)
    for word in (b"one\n", b"two\n"):
        with socket.create_connection(("localhost", port), timeout=LONG_S) as client:
            client.sendall(word)
            with client.makefile("rb") as file:
                assert word.upper() == file.readline()
    thread.join()
    listening.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("localhost", port), timeout=LONG_S)


@body
def many_bytes_arrive_in_order() -> None:
    sent = bytes(range(256)) * 40_000
    listening = socket.create_server(("localhost", 0))

    def send() -> None:
        with socket.create_connection(listening.getsockname()) as client:
            client.sendall(sent)

    thread = started(send)
    connection, _peer = listening.accept()
    received = bytearray()
    while data := connection.recv(65_536):
        received += data
    thread.join()
    connection.close()
    listening.close()
    assert sent == bytes(received)


@body
def a_connection_that_does_not_wait() -> None:
    listening = socket.create_server(("localhost", 0))
    client = socket.socket()
    client.setblocking(False)
    assert client.connect_ex(listening.getsockname()) in (36, 115, 10035)
    _readable, writable, _ = select.select([], [client], [], LONG_S)
    assert [client] == writable
    assert 0 == client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    accepted, peer = listening.accept()
    assert client.getsockname()[1] == peer[1]
    assert not select.select([client], [], [], SOON_S)[0]
    accepted.sendall(b"x")
    poll = select.poll()
    poll.register(client, select.POLLIN)
    assert [(client.fileno(), select.POLLIN)] == poll.poll(LONG_S * 1000)
    for each in (accepted, client, listening):
        each.close()


@body
def selectors_tell_what_is_ready() -> None:
    for kind in (
        selectors.DefaultSelector,
        selectors.SelectSelector,
        selectors.PollSelector,
    ):
        one, other = socket.socketpair()
        with kind() as selector, one, other:
            assert isinstance(selector, kind)
            selector.register(one, selectors.EVENT_READ, "data")
            assert [] == selector.select(SOON_S)
            thread = started(lambda other=other: (time.sleep(0.01), other.send(b"x")))
            ((key, events),) = selector.select(LONG_S)
            thread.join()
            assert ("data", one, selectors.EVENT_READ) == (key.data, key.fileobj, events)
            selector.modify(one, selectors.EVENT_READ | selectors.EVENT_WRITE)
            assert 3 == selector.select(0)[0][1]
            with pytest.raises(KeyError):
                selector.register(one, selectors.EVENT_READ)
            selector.unregister(one)
            assert [] == selector.select(0)
            with pytest.raises(KeyError):
                selector.get_key(one)


@body
def a_subclass_of_socket_is_one_too() -> None:
    class Mine(socket.socket):
        def __init__(self) -> None:
            super().__init__(socket.AF_INET, socket.SOCK_STREAM)
            self.mine = True

    with Mine() as made:
        assert isinstance(made, Mine)
        assert made.mine
        assert made.fileno() > 0
        assert socket.SOCK_STREAM == made.type


@body
def a_loop_of_its_own_in_a_thread() -> None:
    async def program() -> float:
        await asyncio.sleep(SOON_S)
        return await asyncio.to_thread(lambda: 7.0)

    with pytest.raises(RuntimeError, match="no running"):
        asyncio.get_running_loop()
    assert 7.0 == asyncio.run(program())


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("run", BODIES, ids=lambda each: each.__name__)
def test_it_is_so_in_each_kind_of_time(run: Callable[[], None], world: str) -> None:
    WORLDS[world](run)
