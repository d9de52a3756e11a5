#pragma once
/* lsof has a row for each descriptor: what is remembered of each, to make them one connection in the end. */
#include "source/capture/format.h"

struct seen;

struct lsof {
    struct seen *seen; /* as many as there are connections */
    size_t count, capacity;
    size_t look, look_before; /* the connections that the last looks of lsof -r begin with */
    int looks;                /* how many there are besides the last */
    bool is_certain;          /* that they are looks at the same */
};

enum line_kind lsof_row(struct capture *capture, const struct line *line);
void lsof_finish(struct capture *capture);
