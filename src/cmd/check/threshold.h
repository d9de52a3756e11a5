#pragma once
/* Thresholds of tcpwhy check: which connections it counts, and which number or growth of them raises an alarm. */
#include "base/range.h"
#include "cmd/check/judge.h"
#include "cmd/options.h"
#include "report/plugin.h"

enum { THRESHOLDS_MAX = 32 };

struct threshold {
    struct inspect_options inspection; /* only its selection is used */
    struct buf words;                  /* that selection, for people: "LAST_ACK older 5m" */
    const char *label;                 /* of the performance data; NULL: it is made from `words` */
    bool selects;                      /* a selection was given */
    bool has_warning, has_critical, has_growth_warning, has_growth_critical;
    struct range warning, critical;               /* connections */
    struct range growth_warning, growth_critical; /* a minute */
};

/* In the order of the command line. */
struct thresholds {
    struct threshold *items;
    unsigned count;
    bool limits_first; /* -w -c --state …, not --state … -w -c */
};

void thresholds_deinit(struct thresholds *thresholds);

/*
 * Return the threshold that the next option belongs to. A threshold is a selection with its limits, in either order.
 * The first option of the command line sets the order: with "--state … -w", a --state after a -w begins the next
 * threshold.
 * NULL with err filled if there are too many.
 */
struct threshold *thresholds_for_selection(struct thresholds *thresholds, struct error *err);
struct threshold *thresholds_for_limit(struct thresholds *thresholds, struct error *err);
bool threshold_has_limit(const struct threshold *threshold);
bool threshold_has_growth(const struct threshold *threshold);

/* "10/min" sets the warning, "10/min,50/min" warning and critical. Returns 0, or -EINVAL with err filled. */
int threshold_set_growth(struct threshold *threshold, const char *value, struct error *err);

/* Appends an option of the selection to threshold->words: "older 5m"; of --state only the value. */
void threshold_add_words(struct threshold *threshold, const struct option_row *row, const char *value);

/*
 * Counts, compares, says so. Without samples nothing is known of growth. Returns the worst status, having given the
 * plugin its words, lines and measures. What is ignored is not counted.
 */
enum plugin_status thresholds_judge(
    const struct thresholds *thresholds, const struct judging *judging, struct plugin *plugin);
