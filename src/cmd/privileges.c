#include "cmd/privileges.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A program that is executed by root gets all capabilities of the bounding set anew, unless it is told otherwise. */
int privileges_drop(enum privileges_kept kept)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
    if (syscall(SYS_capget, &header, data) < 0)
        return -errno;
    unsigned keep = kept == PRIVILEGES_FOR_FILES ? 1U << CAP_DAC_OVERRIDE | 1U << CAP_FOWNER : 0;
    for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
        data[i].permitted &= i == 0 ? keep : 0;
        data[i].effective &= data[i].permitted;
        data[i].inheritable = 0;
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || syscall(SYS_capset, &header, data) < 0)
        return -errno;
    return 0;
}
