"""Work of which only the newest request counts."""

import threading
import time

from stdp.browser.newest import NewestFirst


def test_requests_that_are_overtaken_are_dropped():
    """The one at work yields once more, those waiting never; the newest yields all it has."""
    started, go_on, done = threading.Event(), threading.Event(), threading.Event()
    delivered = []

    def work(request):
        for part in ("a", "b"):
            if request == 0:
                started.set()
                go_on.wait(10)
            yield request, part

    def deliver(result):
        delivered.append(result)
        if result == (9, "b"):
            done.set()

    newest = NewestFirst(work, deliver)
    newest.submit(0)
    assert started.wait(10)
    for request in range(1, 10):
        newest.submit(request)
    go_on.set()
    assert done.wait(10)
    assert delivered == [(0, "a"), (9, "a"), (9, "b")]
    newest.stop()


def test_a_stopped_thread_ends():
    """Nothing waits for a session that is over."""
    before = threading.active_count()
    newest = NewestFirst(lambda request: iter(()), lambda result: None)
    newest.stop()
    for thread in threading.enumerate():
        if thread.daemon and "_run" in thread.name:
            thread.join(10)
    assert threading.active_count() <= before


def test_an_error_ends_its_request_only(caplog):
    """It is logged, and the next request is worked on."""
    done = threading.Event()

    def work(request):
        yield 1 / request

    newest = NewestFirst(work, lambda result: done.set())
    newest.submit(0)
    while not caplog.records:
        time.sleep(0.01)
    newest.submit(1)
    assert done.wait(10)
    assert "ZeroDivisionError" in caplog.text
    newest.stop()
