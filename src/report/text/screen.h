#pragma once
/*
 * A diagnosis as the picture of a screen, for --watch: the list of findings with what has changed, the card of one
 * finding, or the list of keys. It is cut to the height of the screen.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "report/report.h"

struct screen_view {
    enum screen_page { SCREEN_FINDINGS, SCREEN_CARD, SCREEN_KEYS } page;
    size_t rows, columns; /* of the screen */
    uint64_t interval_ms;
    size_t chosen;   /* the number of the chosen finding, counted from 1; 0: there is none */
    size_t scroll;   /* the lines of the card, or of the keys, that are above the screen */
    bool is_whole;   /* the card tells everything */
    bool is_paused;  /* no new snapshot is taken */
    bool reads_keys; /* the screen belongs to a keyboard */
};

/*
 * Appends at most view->rows rows, separated by newlines; the last one has none. Corrects view->chosen and view->scroll
 * if there is less to show.
 */
void screen_write(
    const struct diagnosis *diagnosis, const struct report_options *options, struct screen_view *view, struct buf *out);
