"""What a test may need besides an ordinary user. Each function returns a reason to skip, or None."""

import functools
import os
import platform
import shutil
import subprocess


@functools.cache
def without_netns():
    if os.geteuid() != 0 or not _have_all_capabilities(12, 21):
        return "needs root with CAP_NET_ADMIN and CAP_SYS_ADMIN to make network namespaces"
    probe = subprocess.run(["unshare", "--net", "nft", "list", "ruleset"], capture_output=True, text=True)
    if probe.returncode != 0:
        return f"needs network namespaces and nftables: {probe.stderr.strip()}"
    return None


def without_root():
    return None if os.geteuid() == 0 else "needs root to become another user"


def without_tool(name):
    return None if shutil.which(name) else f"needs {name}"


def without_seccomp_table():
    return None if platform.machine() in ("x86_64", "aarch64") else f"knows no system calls of {platform.machine()}"


def _have_all_capabilities(*numbers):
    with open("/proc/self/status") as status:
        effective = next(int(line.split()[1], 16) for line in status if line.startswith("CapEff"))
    return all(effective >> number & 1 for number in numbers)
