#include "cmd/confine.h"

#include <stdio.h>

#include "cmd/sandbox.h"
#include "source/capture/capture.h"

void cmd_confine(const struct confinement *confinement)
{
    for (size_t i = 0; i < confinement->count; i++) {
        const struct capture_options capture = { .path = confinement->paths[i], .tasks = confinement->tasks };
        capture_open_early(&capture);
    }
    struct error err = { 0 };
    if (sandbox_enter(confinement->output, confinement->link, &err) < 0)
        fprintf(stderr, "tcpwhy: the capture is read with the rights of its reader: %s\n", err.message);
}
