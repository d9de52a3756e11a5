"""python3 without_sock_diag.py ERRNO COMMAND… — runs a command for which the kernel refuses NETLINK_SOCK_DIAG.

A seccomp filter makes socket(AF_NETLINK, *, NETLINK_SOCK_DIAG) fail with that errno. The filters of Docker and
systemd do so, and kernels without the module. The filter also refuses bpf(), as they do; otherwise tcpwhy would use
that.
"""

import ctypes
import errno
import os
import platform
import struct
import sys

SYS_SOCKET, SYS_BPF = {"x86_64": (41, 321), "aarch64": (198, 280)}[platform.machine()]
AF_NETLINK, NETLINK_SOCK_DIAG = 16, 4
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LOAD, JUMP_EQUAL, RETURN = 0x20, 0x15, 0x06  # linux/bpf_common.h
ALLOW, FAIL = 0x7FFF0000, 0x00050000
NUMBER, ARGUMENT_0, ARGUMENT_2 = 0, 16, 32  # offsets in struct seccomp_data, little-endian


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def refuse(number):
    instructions = [
        (LOAD, 0, 0, NUMBER),
        (JUMP_EQUAL, 5, 0, SYS_BPF),
        (JUMP_EQUAL, 0, 5, SYS_SOCKET),
        (LOAD, 0, 0, ARGUMENT_0),
        (JUMP_EQUAL, 0, 3, AF_NETLINK),
        (LOAD, 0, 0, ARGUMENT_2),
        (JUMP_EQUAL, 0, 1, NETLINK_SOCK_DIAG),
        (RETURN, 0, 0, FAIL | number),
        (RETURN, 0, 0, ALLOW),
    ]
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in instructions)
    libc = ctypes.CDLL(None, use_errno=True)
    program = Program(len(instructions), code)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(
            PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_SECCOMP)")


if __name__ == "__main__":
    refuse(getattr(errno, sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])
