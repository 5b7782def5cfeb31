import threading

import pytest

from listener_head.ros.worker import NewestWorker


def fail(problem):
    raise AssertionError(f"unexpected: {problem!r}")


def test_only_the_newest_item_is_worked_on():
    started, go_on, last = threading.Event(), threading.Event(), threading.Event()
    seen = []

    def process(item):
        seen.append(item)
        started.set()
        go_on.wait(5)
        if item == 4:
            last.set()

    worker = NewestWorker(process, fail)
    worker.put(1)
    assert started.wait(5)
    for item in (2, 3, 4):
        worker.put(item)
    go_on.set()
    assert last.wait(5)
    worker.close()
    assert seen == [1, 4]
    assert worker.skipped == 2


def test_start_and_stop_run_on_the_worker_thread():
    threads = []

    def note():
        threads.append(threading.current_thread())

    worker = NewestWorker(fail, fail, start=note, stop=note)
    worker.wait_until_started()
    worker.close()
    assert len(threads) == 2
    assert threads[0] is threads[1] is not threading.current_thread()


def test_failed_start_is_raised_where_it_is_waited_for():
    def start():
        raise ValueError("no device")

    worker = NewestWorker(fail, fail, start=start)
    with pytest.raises(ValueError, match="no device"):
        worker.wait_until_started()
    worker.close()


def test_failed_item_is_told_and_the_next_one_worked_on():
    problems, done = [], threading.Event()

    def process(item):
        if item is ValueError:
            raise item("bad item")
        done.set()

    def failed(problem):
        problems.append(str(problem))
        worker.put("good")

    worker = NewestWorker(process, failed)
    worker.put(ValueError)
    assert done.wait(5)
    worker.close()
    assert problems == ["bad item"]
