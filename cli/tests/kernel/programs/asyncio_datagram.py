"""A question by asyncio, over an endpoint that is connected or not. Prints who answered."""

import asyncio
import sys


class Question(asyncio.DatagramProtocol):
    def __init__(self, answered):
        self.answered = answered

    def datagram_received(self, data, address):
        self.answered.set_result((address[0], data.decode()))

    def error_received(self, error):
        self.answered.set_exception(error)


async def ask(mode, ip, port):
    answered = asyncio.get_running_loop().create_future()
    to = (ip, int(port))
    where = {"remote_addr": to} if mode == "connected" else {"local_addr": ("::" if ":" in ip else "0.0.0.0", 0)}
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: Question(answered), **where)
    transport.sendto(b"who?", None if mode == "connected" else to)
    print(*await asyncio.wait_for(answered, 10))


asyncio.run(ask(*sys.argv[1:]))
