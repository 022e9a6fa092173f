/* What the programs beside this file share. */
#include <err.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static const char QUESTION[] = "who?";

/* A numeric address and port. */
static struct addrinfo *address(const char *ip, const char *port, int type) {
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = type}, *found;
    int failed = getaddrinfo(ip, port, &hints, &found);
    if (failed)
        errx(1, "%s: %s", ip, gai_strerror(failed));
    return found;
}

/* Who answered, from where. */
static void said(const struct sockaddr_storage *from, socklen_t length, const char *answer, int bytes) {
    char ip[64];
    getnameinfo((const struct sockaddr *)from, length, ip, sizeof ip, NULL, 0, NI_NUMERICHOST);
    printf("%s %.*s\n", ip, bytes, answer);
}
