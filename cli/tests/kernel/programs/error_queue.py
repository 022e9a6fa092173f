"""A question to a port where nobody listens, with IP_RECVERR. Prints whom the error's record names."""

import socket
import sys
import time

ip, port = sys.argv[1], int(sys.argv[2])
MSG_ERRQUEUE, IP_RECVERR = 0x2000, 11
asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asking.setsockopt(socket.SOL_IP, IP_RECVERR, 1)
asking.setblocking(False)
asking.sendto(b"who?", (ip, port))
for _ in range(500):
    try:
        *_, named = asking.recvmsg(64, 256, MSG_ERRQUEUE)
        print(*named)
        break
    except BlockingIOError:
        time.sleep(0.02)
