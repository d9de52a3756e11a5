#include "base/progress.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { WORDS = 64, SUBJECT = 200 };

static struct {
    pthread_mutex_t lock; /* of the two texts; nobody waits while holding it */
    char doing[WORDS], subject[SUBJECT];
    atomic_uint pid;
    atomic_size_t bytes, connections;
} progress = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void copy(char *out, size_t size, const char *text)
{
    size_t length = text != NULL ? strnlen(text, size - 1) : 0;
    for (size_t i = 0; i < length; i++)
        out[i] = text[i] >= ' ' && text[i] <= '~' && text[i] != '|' ? text[i] : '?';
    out[length] = '\0';
}

void progress_begin(const char *doing, const char *subject)
{
    pthread_mutex_lock(&progress.lock);
    copy(progress.doing, sizeof progress.doing, doing);
    copy(progress.subject, sizeof progress.subject, subject);
    atomic_store_explicit(&progress.pid, 0, memory_order_relaxed);
    pthread_mutex_unlock(&progress.lock);
}

void progress_pid(uint32_t pid)
{
    atomic_store_explicit(&progress.pid, pid, memory_order_relaxed);
}

void progress_add_bytes(size_t bytes)
{
    atomic_fetch_add_explicit(&progress.bytes, bytes, memory_order_relaxed);
}

void progress_set_connections(size_t count)
{
    atomic_store_explicit(&progress.connections, count, memory_order_relaxed);
}

/* snprintf() at the end of the text. */
#define ADD(...) (length += length < size ? (size_t)snprintf(out + length, size - length, __VA_ARGS__) : 0)

void progress_describe(char *out, size_t size)
{
    size_t length = strnlen(out, size);
    size_t bytes = atomic_load(&progress.bytes), connections = atomic_load(&progress.connections);
    unsigned pid = atomic_load(&progress.pid);
    if (connections > 0 || bytes == 0)
        ADD("%zu connection%s had been read", connections, connections == 1 ? "" : "s");
    else
        ADD("%zu bytes had been read", bytes);
    pthread_mutex_lock(&progress.lock);
    if (progress.doing[0] != '\0')
        ADD("; it was %s%s%s", progress.doing, progress.subject[0] != '\0' ? " " : "", progress.subject);
    pthread_mutex_unlock(&progress.lock);
    if (pid != 0)
        ADD(" (pid %u)", pid);
}
