/*
 * Lets a User Mode Linux kernel run on processors with more registers than it knows. The library is preloaded beside
 * guest-clock.c. The kernel sets the floating-point state of its processes in 2,696 bytes (FP_SIZE in arch/x86/um,
 * enough for AVX-512). The host accepts only the complete state of its processor (xstateregs_set() in
 * arch/x86/kernel/fpu/regset.c): 11,008 bytes with AMX. The part that the kernel does not know is left unchanged.
 */
#include <errno.h>
#include <linux/elf.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/*
 * Intel's manual, volume 1, §13.4: the header after the legacy region begins with a mask of the parts that it contains.
 */
enum { XSTATE_BV_AT = 512, KNOWN_FEATURES = (1 << 10) - 1 /* up to PKRU */ };

static long set_all(pid_t pid, const struct iovec *known)
{
    static unsigned char state[64 * 1024]; /* too large for the stack, which is that of a kernel */
    struct iovec whole = { .iov_base = state, .iov_len = sizeof state };
    uint64_t now, wanted;
    if (syscall(SYS_ptrace, PTRACE_GETREGSET, pid, NT_X86_XSTATE, &whole) < 0)
        return -1;
    if (known->iov_len >= whole.iov_len || known->iov_len < XSTATE_BV_AT + sizeof wanted) {
        errno = EFAULT; /* the host's result */
        return -1;
    }
    memcpy(&now, state + XSTATE_BV_AT, sizeof now);
    memcpy(state, known->iov_base, known->iov_len);
    memcpy(&wanted, state + XSTATE_BV_AT, sizeof wanted);
    wanted = (wanted & KNOWN_FEATURES) | (now & ~(uint64_t)KNOWN_FEATURES);
    memcpy(state + XSTATE_BV_AT, &wanted, sizeof wanted);
    return syscall(SYS_ptrace, PTRACE_SETREGSET, pid, NT_X86_XSTATE, &whole);
}

long ptrace(enum __ptrace_request request, ...)
{
    va_list arguments;
    va_start(arguments, request);
    pid_t pid = va_arg(arguments, pid_t);
    void *address = va_arg(arguments, void *);
    void *data = va_arg(arguments, void *);
    va_end(arguments);
    /* As in glibc: a peeked value is returned, not stored. */
    long peeked;
    bool peeks = request == PTRACE_PEEKTEXT || request == PTRACE_PEEKDATA || request == PTRACE_PEEKUSER;
    long result = syscall(SYS_ptrace, request, pid, address, peeks ? &peeked : data);
    if (result < 0 && errno == EFAULT && request == PTRACE_SETREGSET && (uintptr_t)address == NT_X86_XSTATE)
        return set_all(pid, data);
    if (result >= 0 && peeks) {
        errno = 0;
        return peeked;
    }
    return result;
}
