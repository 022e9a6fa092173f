/* TCP fast open in both of its ways: the question travels in the SYN. Prints the peer and its answer. */
#include "common.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

int main(int argc, char **argv) {
    if (argc != 4)
        errx(2, "usage: fastopen connect|sendto IP PORT");
    struct addrinfo *to = address(argv[2], argv[3], SOCK_STREAM);
    int one = 1, fd = socket(to->ai_family, SOCK_STREAM, 0);
    if (strcmp(argv[1], "connect") == 0) {
        if (setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &one, sizeof one))
            err(1, "TCP_FASTOPEN_CONNECT");
        if (connect(fd, to->ai_addr, to->ai_addrlen))
            err(1, "connect");
        if (write(fd, QUESTION, sizeof QUESTION) < 0)
            err(1, "write");
    } else if (sendto(fd, QUESTION, sizeof QUESTION, MSG_FASTOPEN, to->ai_addr, to->ai_addrlen) < 0)
        err(1, "sendto");
    char answer[64];
    ssize_t bytes = read(fd, answer, sizeof answer);
    if (bytes < 0)
        err(1, "read");
    struct tcp_info info;
    socklen_t length = sizeof info;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length))
        err(1, "TCP_INFO");
    if (!(info.tcpi_options & TCPI_OPT_SYN_DATA))
        errx(1, "the question was not in the SYN");
    struct sockaddr_storage peer;
    length = sizeof peer;
    if (getpeername(fd, (struct sockaddr *)&peer, &length))
        err(1, "getpeername");
    said(&peer, length, answer, bytes);
    return 0;
}
