/* The addresses of a name, as this program's libc finds them. With a second argument: again and again until
   that file is there, and how often each answer came. */
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST_LOOKUPS = 1000000, MOST_ANSWERS = 16, LONGEST = 256 };

static void look_up(const char *name, char *answer) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *first, *found;
    int failed = getaddrinfo(name, NULL, &hints, &first);
    answer[0] = 0;
    if (failed) {
        snprintf(answer, LONGEST, "%s", gai_strerror(failed));
        return;
    }
    for (found = first; found; found = found->ai_next) {
        char text[64];
        getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST);
        size_t length = strlen(answer);
        snprintf(answer + length, LONGEST - length, "%s%s", length ? " " : "", text);
    }
    freeaddrinfo(first);
}

int main(int argc, char **argv) {
    static char answers[MOST_ANSWERS][LONGEST];
    static int counts[MOST_ANSWERS];
    char answer[LONGEST];
    if (argc < 2)
        return 2;
    int lookups = 0, kinds = 0;
    do {
        look_up(argv[1], answer);
        int kind = 0;
        while (kind < kinds && strcmp(answers[kind], answer))
            kind++;
        if (kind == MOST_ANSWERS)
            return 1;
        if (kind == kinds)
            strcpy(answers[kinds++], answer);
        counts[kind]++;
    } while (argc > 2 && access(argv[2], F_OK) && ++lookups < MOST_LOOKUPS);
    for (int kind = 0; kind < kinds; kind++)
        argc > 2 ? printf("%d %s\n", counts[kind], answers[kind]) : puts(answers[kind]);
    return 0;
}
