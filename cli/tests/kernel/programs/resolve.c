/* The addresses of a name, as this program's libc finds them. */
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>

int main(int argc, char **argv) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
    int failed = argc == 2 ? getaddrinfo(argv[1], NULL, &hints, &found) : EAI_FAIL;
    if (failed) {
        printf("%s\n", gai_strerror(failed));
        return 1;
    }
    for (; found; found = found->ai_next) {
        char text[64];
        getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST);
        puts(text);
    }
    return 0;
}
