"""Threads for tests."""

import threading


def at_once(*tasks):
    """Call each function in a thread of its own, all let loose together; what they return, in their order.

    Raises:
        BaseException: what the first one that failed raised.
    """
    start, results, failed = threading.Barrier(len(tasks)), [None] * len(tasks), []

    def work(i):
        try:
            start.wait()
            results[i] = tasks[i]()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(tasks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return results
