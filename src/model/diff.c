#include "model/diff.h"

#include <stdlib.h>

const char *diff_kind_name(enum diff_kind kind)
{
    static const char *const names[DIFF_KINDS] = {
        [DIFF_LEAKS] = "leaks",
        [DIFF_PILES_UP] = "piles-up",
        [DIFF_GROWS] = "grows",
        [DIFF_GREW] = "grew",
        [DIFF_BUSY] = "busy",
        [DIFF_SHRINKS] = "shrinks",
        [DIFF_STEADY] = "steady",
    };
    return names[kind];
}

void diff_deinit(struct diff *diff)
{
    free(diff->gaps);
    arena_deinit(&diff->arena);
    *diff = (struct diff){ 0 };
}
