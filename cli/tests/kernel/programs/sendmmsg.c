/* One question to each of several addresses in one call of sendmmsg, from one socket that is not connected.
   Prints who answered, from where. */
#define _GNU_SOURCE
#include "common.h"
#include <sys/time.h>

int main(int argc, char **argv) {
    enum { MOST = 16 };
    struct mmsghdr messages[MOST] = {0};
    struct iovec question = {(void *)QUESTION, sizeof QUESTION};
    int servers = argc - 2, family = AF_INET;
    if (servers < 1 || servers > MOST)
        errx(2, "usage: sendmmsg PORT IP...");
    for (int i = 0; i < servers; i++) {
        struct addrinfo *to = address(argv[i + 2], argv[1], SOCK_DGRAM);
        family = to->ai_family;
        messages[i].msg_hdr = (struct msghdr){
            .msg_name = to->ai_addr, .msg_namelen = to->ai_addrlen, .msg_iov = &question, .msg_iovlen = 1};
    }
    int fd = socket(family, SOCK_DGRAM, 0);
    struct timeval patience = {10, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (sendmmsg(fd, messages, servers, 0) != servers)
        err(1, "sendmmsg");
    for (int i = 0; i < servers; i++) {
        struct sockaddr_storage from;
        socklen_t length = sizeof from;
        char answer[64];
        ssize_t bytes = recvfrom(fd, answer, sizeof answer, 0, (struct sockaddr *)&from, &length);
        if (bytes < 0)
            err(1, "recvfrom");
        said(&from, length, answer, bytes);
    }
    return 0;
}
