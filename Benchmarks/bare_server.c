// What loopback costs a server: every read is answered with one write of `bytes`, whatever it says. No HTTP, no JSON, no threads.
// Usage: bare_server BYTES; prints its port, answers until it is ended.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static int checked(int result, const char *what) {
    if (result >= 0) return result;
    perror(what);
    exit(1);
}

static void watch(int epoll, int descriptor) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
    checked(epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event), "epoll_ctl");
}

int main(int count, char **arguments) {
    static char request[1 << 16], answer[1 << 16];
    const int bytes = count > 1 ? atoi(arguments[1]) : 0, one = 1;
    const int head = snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n", bytes);
    if (bytes <= 0 || bytes + head > (int)sizeof answer) return 2;
    memset(answer + head, ' ', (size_t)bytes);

    const int listener = checked(socket(AF_INET, SOCK_STREAM, 0), "socket");
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    checked(bind(listener, (struct sockaddr *)&address, size), "bind");
    checked(listen(listener, 128), "listen");
    checked(getsockname(listener, (struct sockaddr *)&address, &size), "getsockname");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);

    const int epoll = checked(epoll_create1(0), "epoll_create1");
    watch(epoll, listener);
    for (;;) {
        struct epoll_event events[64];
        const int ready = checked(epoll_wait(epoll, events, 64, -1), "epoll_wait");
        for (int i = 0; i < ready; i++) {
            const int from = events[i].data.fd;
            if (from == listener) {
                const int client = checked(accept(listener, NULL, NULL), "accept");
                checked(setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one), "setsockopt");
                watch(epoll, client);
            } else if (read(from, request, sizeof request) <= 0 || write(from, answer, (size_t)(head + bytes)) < 0) {
                close(from);
            }
        }
    }
}
