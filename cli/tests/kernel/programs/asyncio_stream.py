"""A connection by asyncio. Prints the peer and its answer."""

import asyncio
import sys


async def ask(ip, port):
    reader, writer = await asyncio.wait_for(asyncio.open_connection(ip, int(port)), 10)
    print(writer.get_extra_info("peername")[0], (await reader.read()).decode())


asyncio.run(ask(*sys.argv[1:]))
