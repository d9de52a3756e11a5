/*
 * Reads captures and nothing more: parse FILE… prints for each the bytes, the connections, the seconds of processor
 * time, and megabytes a second. tests/bench/capture makes the files and the comparison.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "source/capture/capture.h"

static double processor_s(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
        (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static int parse(const char *path)
{
    struct stat status;
    struct snapshot snapshot;
    struct error err;
    const struct capture_options options = { .path = path };
    snapshot_init(&snapshot);
    double before = processor_s();
    if (stat(path, &status) < 0 || capture_read(&options, &snapshot, &err) < 0) {
        fprintf(stderr, "parse: %s: cannot be read\n", path);
        snapshot_deinit(&snapshot);
        return EXIT_FAILURE;
    }
    double took = processor_s() - before;
    printf("%" PRIu64 " %zu %.4f %.1f\n", (uint64_t)status.st_size, snapshot.conn_count, took,
        (double)status.st_size / took / 1e6);
    snapshot_deinit(&snapshot);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    int result = EXIT_SUCCESS;
    for (int i = 1; i < argc; i++)
        result |= parse(argv[i]);
    return result;
}
