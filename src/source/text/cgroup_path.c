#include "source/text/cgroup_path.h"

#include <stdbool.h>
#include <string.h>

static bool has_suffix(const char *part, size_t length, const char *suffix)
{
    size_t suffix_length = strlen(suffix);
    return length > suffix_length && memcmp(part + length - suffix_length, suffix, suffix_length) == 0;
}

static bool has_prefix(const char *part, size_t length, const char *prefix)
{
    size_t prefix_length = strlen(prefix);
    return length > prefix_length && memcmp(part, prefix, prefix_length) == 0;
}

size_t proc_cgroup_unit(const char *path, const char **ret_unit)
{
    static const char *const kinds[] = { ".service", ".scope", ".socket", ".mount", ".swap" };
    size_t found = 0;
    for (const char *part = path; *part != '\0';) {
        size_t length = strcspn(part, "/");
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
            if (has_suffix(part, length, kinds[i])) {
                *ret_unit = part;
                found = length;
            }
        }
        part += length;
        part += *part == '/';
    }
    return found;
}

enum { HASH_LENGTH = 64, ID_LENGTH = 12 };

/* Returns the hash of "docker-<64 hex digits>.scope" or "<64 hex digits>"; NULL if the part has none. */
static const char *hash_in(const char *part, size_t length)
{
    if (has_suffix(part, length, ".scope"))
        length -= strlen(".scope");
    if (length < HASH_LENGTH)
        return NULL;
    const char *hash = part + length - HASH_LENGTH;
    if (hash > part && hash[-1] != '-' && hash[-1] != ':')
        return NULL;
    return strspn(hash, "0123456789abcdef") >= HASH_LENGTH ? hash : NULL;
}

size_t proc_cgroup_container(const char *path, const char **ret_container)
{
    /* The text before and after a container's name in one part of a path. */
    static const struct {
        const char *prefix, *suffix;
    } frames[] = {
        { "lxc.payload.", "" },
        { "machine-", ".scope" },
        { "systemd-nspawn@", ".service" },
    };
    size_t found = 0;
    const char *before = "";
    size_t before_length = 0;
    for (const char *part = path; *part != '\0';) {
        size_t length = strcspn(part, "/");
        const char *hash = hash_in(part, length);
        if (hash != NULL) {
            *ret_container = hash;
            found = ID_LENGTH;
        }
        for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
            size_t around = strlen(frames[i].prefix) + strlen(frames[i].suffix);
            if (length > around && has_prefix(part, length, frames[i].prefix) &&
                (frames[i].suffix[0] == '\0' || has_suffix(part, length, frames[i].suffix))) {
                *ret_container = part + strlen(frames[i].prefix);
                found = length - around;
            }
        }
        if (before_length == 3 && memcmp(before, "lxc", 3) == 0 && length > 0) {
            *ret_container = part;
            found = length;
        }
        before = part;
        before_length = length;
        part += length;
        part += *part == '/';
    }
    return found;
}
