"""Runs under the peers' interpreter: CPU seconds of the ``caldav`` package, after imports.

Arguments: calendar URL, user, password. Each line of standard input repeats a poll (the caller
changes the calendar in between); each line of output is one measurement in JSON: ``first`` is
``get_objects_by_sync_token``, ``again`` the ``sync()`` that follows.
"""

import json
import sys
import time

import caldav


def main() -> None:
    url, username, password = sys.argv[1:]
    with caldav.DAVClient(url, username=username, password=password) as client:
        calendar = client.calendar(url=url)
        for _ in sys.stdin:
            begun = time.process_time()
            objects = calendar.get_objects_by_sync_token(load_objects=True)
            first = time.process_time() - begun
            print("ready", flush=True)  # noqa: T201 - the caller may change the calendar now
            sys.stdin.readline()
            begun = time.process_time()
            objects.sync()
            again = time.process_time() - begun
            print(json.dumps({"first": first, "again": again}), flush=True)  # noqa: T201


main()
