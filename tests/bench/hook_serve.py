"""A receiver of webhooks in a process of its own, so that its work is not counted as ours.

``python -m tests.bench.hook_serve COUNT`` listens at COUNT addresses of this machine, so that each
is a host of its own (F37), and prints their URLs in JSON. For each line that it reads it prints
what has arrived since: time (this machine's monotonic clock), host and id of each message.
"""

import asyncio
import json
import sys
import time

from aiohttp import web

from tests.bench.cores import leave


async def main(count: int) -> None:
    arrived = list[tuple[float, str, str]]()

    async def take(request: web.Request) -> web.Response:
        await request.read()
        arrived.append((time.monotonic(), request.host, request.headers["webhook-id"]))
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    for number in range(count):
        await web.TCPSite(runner, f"127.0.1.{number + 1}", 0).start()
    urls = [f"http://{host}:{port}/" for host, port in runner.addresses]
    print(json.dumps(urls), flush=True)  # noqa: T201
    while await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps(arrived), flush=True)  # noqa: T201
        arrived.clear()
    await runner.cleanup()


leave()
asyncio.run(main(int(sys.argv[1])))
