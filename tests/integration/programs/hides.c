/*
 * A leak of 20 connections whose owner is hard to find. Prints its process id and port, and runs until it is killed.
 *
 *   hides busy LOW      another thread opens and closes LOW low descriptors as fast as possible
 *   hides apart         a thread with its own table of descriptors holds them
 *   hides changing      the process executes itself again and again
 *   hides moving        each process lives for a moment, and leaves the sockets to its child
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LEAKED = 20, LOW_MAX = 1000, FIRST = LOW_MAX + 20 };

static int listener = -1;

static void leak(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof address;
    listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (void *)&address, length) < 0 || listen(listener, LEAKED) < 0 ||
        getsockname(listener, (void *)&address, &length) < 0)
        err(1, "listen");
    for (int i = 0; i < LEAKED; i++) {
        int client = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(client, (void *)&address, length) < 0)
            err(1, "connect");
        int server = accept(listener, NULL, NULL);
        close(client);
        char byte;
        if (server < 0 || read(server, &byte, 1) != 0 || dup2(server, FIRST + i) < 0)
            err(1, "accept");
        close(server);
    }
    printf("%d %d\n", getpid(), ntohs(address.sin_port));
    fflush(stdout);
}

static void *leak_apart(void *unused)
{
    if (unshare(CLONE_FILES) < 0)
        err(1, "unshare");
    leak();
    for (;;)
        pause();
    return unused;
}

static void change(void)
{
    usleep(200);
    execl("/proc/self/exe", "hides", "changing", "on", NULL);
    err(1, "exec");
}

/* The first process stays, without the sockets, so that the caller can end them all: they die with its group. */
static void move(void)
{
    int ready[2];
    if (pipe(ready) < 0)
        err(1, "pipe");
    if (fork() != 0) {
        close(ready[1]);
        char byte;
        (void)!read(ready[0], &byte, 1); /* until the last one ends */
        return;
    }
    leak();
    for (;;) {
        pid_t child = fork();
        if (child > 0)
            _exit(0);
        if (child < 0)
            usleep(100);
    }
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "moving") == 0) {
        move();
        return 0;
    }
    if (argc == 3 && strcmp(argv[1], "busy") == 0) {
        int low = atoi(argv[2]), fds[LOW_MAX];
        for (leak();;) {
            for (int i = 0; i < low; i++)
                fds[i] = open("/dev/null", O_RDONLY);
            usleep(30);
            for (int i = 0; i < low; i++)
                close(fds[i]);
            usleep(30);
        }
    }
    if (argc == 2 && strcmp(argv[1], "apart") == 0) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, leak_apart, NULL) != 0)
            errx(1, "pthread_create");
        for (;;)
            pause();
    }
    if (argc >= 2 && strcmp(argv[1], "changing") == 0) {
        if (argc == 2)
            leak();
        change();
    }
    errx(2, "usage: hides busy LOW | hides apart | hides changing | hides moving");
}
