/* A connect over TCP, or a question by UDP without one, submitted to io_uring. Prints the peer (TCP:
   getpeername; UDP: msg_name) and its answer. */
#include "common.h"
#include <liburing.h>

static struct io_uring ring;

static int done(const char *what) {
    struct io_uring_cqe *cqe;
    struct __kernel_timespec patience = {.tv_sec = 10};
    if (io_uring_submit(&ring) < 0)
        errx(1, "io_uring_submit");
    int failed = io_uring_wait_cqe_timeout(&ring, &cqe, &patience);
    if (failed)
        errx(1, "%s: %s", what, strerror(-failed));
    int result = cqe->res;
    io_uring_cqe_seen(&ring, cqe);
    if (result < 0)
        errx(1, "%s: %s", what, strerror(-result));
    return result;
}

int main(int argc, char **argv) {
    if (argc != 4)
        errx(2, "usage: io_uring tcp|udp IP PORT");
    int tcp = strcmp(argv[1], "tcp") == 0, type = tcp ? SOCK_STREAM : SOCK_DGRAM;
    struct addrinfo *to = address(argv[2], argv[3], type);
    int failed = io_uring_queue_init(4, &ring, 0);
    if (failed)
        errx(1, "io_uring_setup: %s", strerror(-failed));
    int fd = socket(to->ai_family, type, 0);
    char answer[64];
    struct sockaddr_storage peer;
    if (tcp) {
        io_uring_prep_connect(io_uring_get_sqe(&ring), fd, to->ai_addr, to->ai_addrlen);
        done("connect");
        io_uring_prep_recv(io_uring_get_sqe(&ring), fd, answer, sizeof answer, 0);
        int bytes = done("recv");
        socklen_t length = sizeof peer;
        if (getpeername(fd, (struct sockaddr *)&peer, &length))
            err(1, "getpeername");
        said(&peer, length, answer, bytes);
        return 0;
    }
    struct iovec buffer = {(void *)QUESTION, sizeof QUESTION};
    struct msghdr message = {
        .msg_name = to->ai_addr, .msg_namelen = to->ai_addrlen, .msg_iov = &buffer, .msg_iovlen = 1};
    io_uring_prep_sendmsg(io_uring_get_sqe(&ring), fd, &message, 0);
    done("sendmsg");
    buffer = (struct iovec){answer, sizeof answer};
    message.msg_name = &peer;
    message.msg_namelen = sizeof peer;
    io_uring_prep_recvmsg(io_uring_get_sqe(&ring), fd, &message, 0);
    int bytes = done("recvmsg");
    said(&peer, message.msg_namelen, answer, bytes);
    return 0;
}
