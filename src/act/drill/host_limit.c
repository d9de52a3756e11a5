#include "act/drill/host_limit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int host_limit_open(struct host_limit *limit, const char *name, struct error *err)
{
    char path[128];
    snprintf(path, sizeof path, "/proc/sys/%s", name);
    for (char *dot = path; (dot = strchr(dot, '.')) != NULL;)
        *dot = '/';
    *limit = (struct host_limit){ .fd = open(path, O_RDWR | O_CLOEXEC) };
    if (limit->fd < 0 && errno == ENOENT)
        return error_set(err, -ENOENT, name, "is set in the host's first network namespace only; run the drill there");
    if (limit->fd < 0)
        return error_set(err, -errno, name, "cannot be set: %s; it takes root", strerror(errno));
    ssize_t length = pread(limit->fd, limit->before, sizeof limit->before - 1, 0);
    if (length <= 0) {
        int result = error_set(err, length < 0 ? -errno : -EIO, name, "cannot be read");
        host_limit_close(limit);
        return result;
    }
    limit->before[strcspn(limit->before, "\n")] = '\0';
    return 0;
}

int host_limit_set(const struct host_limit *limit, const char *value, struct error *err)
{
    if (pwrite(limit->fd, value, strlen(value), 0) < 0)
        return error_set(err, -errno, value, "cannot be set as the host's limit: %s", strerror(errno));
    return 0;
}

void host_limit_put_back(const struct host_limit *limit)
{
    if (limit->fd >= 0)
        (void)host_limit_set(limit, limit->before, NULL);
}

void host_limit_close(struct host_limit *limit)
{
    if (limit->fd >= 0)
        close(limit->fd);
    limit->fd = -1;
}

unsigned long host_tcp_count(const char *word)
{
    unsigned long number = 0;
    char line[256];
    FILE *file = fopen("/proc/net/sockstat", "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        const char *at = strncmp(line, "TCP: ", 5) == 0 ? strstr(line, word) : NULL;
        if (at != NULL)
            number = strtoul(at + strlen(word), NULL, 10);
    }
    if (file != NULL)
        fclose(file);
    return number;
}
