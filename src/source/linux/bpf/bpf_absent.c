/*
 * Takes the place of bpf.c and bpf_closed.c if the build cannot make the programs (clang, bpftool or libbpf's headers
 * are missing), or must not (-Dbpf=disabled).
 */
#include <errno.h>
#include <stddef.h>

#include "source/linux/bpf/bpf.h"
#include "source/linux/bpf/bpf_closed.h"

bool bpf_source_pays(bool owners)
{
    (void)owners;
    return false;
}

int bpf_source_new(struct bpf_source **ret_bpf, struct error *err)
{
    *ret_bpf = NULL;
    return error_set(err, -EOPNOTSUPP, "eBPF",
        "is not built in; use --source netlink, or build with clang, bpftool and libbpf-dev installed");
}

void bpf_source_free(struct bpf_source *bpf)
{
    (void)bpf;
}

int bpf_walk_begin(struct bpf_source *bpf, struct netns_map *map, unsigned aims)
{
    (void)bpf, (void)map, (void)aims;
    return -EOPNOTSUPP;
}

int bpf_walk_end(struct bpf_source *bpf)
{
    (void)bpf;
    return -EOPNOTSUPP;
}

int bpf_source_read(struct bpf_source *bpf, struct snapshot *snapshot, uint32_t netns)
{
    (void)bpf, (void)snapshot, (void)netns;
    return -EOPNOTSUPP;
}

int bpf_source_add_bound(struct bpf_source *bpf, uint32_t netns, size_t first)
{
    (void)bpf, (void)netns, (void)first;
    return -EOPNOTSUPP;
}

bool bpf_source_needs_walk(uint32_t states)
{
    (void)states;
    return false;
}

int bpf_closed_open(struct bpf_closed_reader **ret_reader)
{
    *ret_reader = NULL;
    return -EOPNOTSUPP;
}

void bpf_closed_close(struct bpf_closed_reader *reader)
{
    (void)reader;
}

int bpf_closed_read(struct bpf_closed_reader *reader, uint32_t pid, bpf_closed_handler handle, void *data)
{
    (void)reader, (void)pid, (void)handle, (void)data;
    return -EOPNOTSUPP;
}
