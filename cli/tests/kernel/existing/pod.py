"""A process of a pod: serves on its own loopback interface and holds connections, told line by line."""

import errno
import socket
import subprocess
import sys
import threading
import time

held = []


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def reachable(address, port):
    """Waits for the local route to an address, which the kernel may add a while after the address."""
    for _ in range(500):
        with socket.socket(family(address), socket.SOCK_STREAM) as probe:
            if probe.connect_ex((address, port)) == 0:
                return
        time.sleep(0.01)


def serve(address, port, name):
    prefix = ["/128", "nodad"] if ":" in address else ["/32"]
    add = ["ip", "address", "add", address + prefix[0], "dev", "lo", *prefix[1:]]
    # An address that is there already serves as well.
    subprocess.run(add, stderr=subprocess.DEVNULL)
    tcp = socket.socket(family(address), socket.SOCK_STREAM)
    tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    tcp.bind((address, port))
    tcp.listen(64)
    udp = socket.socket(family(address), socket.SOCK_DGRAM)
    udp.bind((address, port))

    def stream(client):
        try:
            while client.recv(64):
                client.sendall(name.encode())
        except OSError:
            pass

    def accept():
        while True:
            client, _ = tcp.accept()
            threading.Thread(target=stream, args=(client,), daemon=True).start()

    def answer():
        while True:
            _, client = udp.recvfrom(64)
            udp.sendto(name.encode(), client)

    threading.Thread(target=accept, daemon=True).start()
    threading.Thread(target=answer, daemon=True).start()
    reachable(address, port)


def ask(connection):
    error = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if error:
        raise OSError(error, "")
    connection.send(b"who?")
    return connection.recv(64).decode() or "end"


def connect(protocol, address, port):
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    connection = socket.socket(family(address), kind)
    connection.settimeout(2)
    connection.connect((address, port))
    held.append(connection)
    return f"{len(held) - 1} {ask(connection)}"


def obey(order, *words):
    if order == "serve":
        return serve(words[0], int(words[1]), words[2]) or "serves"
    if order == "open":
        return connect(words[0], words[1], int(words[2]))
    if order == "ask":
        return ask(held[int(words[0])])
    return f"no such order: {order}"


subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
for line in sys.stdin:
    try:
        print(obey(*line.split()), flush=True)
    except OSError as error:
        print(errno.errorcode.get(error.errno, str(error)), flush=True)
