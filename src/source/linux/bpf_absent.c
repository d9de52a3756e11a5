/* In the place of bpf.c where the programs cannot be made: without clang, bpftool or libbpf's headers, or -Dbpf=disabled. */
#include <errno.h>
#include <stddef.h>

#include "source/linux/bpf.h"

bool bpf_source_pays(void)
{
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

int bpf_source_walk(struct bpf_source *bpf, struct owners *owners, struct snapshot *snapshot)
{
    (void)bpf, (void)owners, (void)snapshot;
    return -EOPNOTSUPP;
}

int bpf_source_read(struct bpf_source *bpf, struct snapshot *snapshot, uint16_t netns)
{
    (void)bpf, (void)snapshot, (void)netns;
    return -EOPNOTSUPP;
}
