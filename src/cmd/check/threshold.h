#pragma once
/* Thresholds of tcpwhy check: which connections are counted, and when their number, or its growth, is an alarm. */
#include "base/range.h"
#include "cmd/check/judge.h"
#include "cmd/options.h"
#include "report/plugin.h"

enum { THRESHOLDS_MAX = 32 };

struct threshold {
    struct inspect_options inspection; /* its selection */
    struct buf words;                  /* that selection, for people: "LAST_ACK older 5m" */
    const char *label;                 /* of the performance data, or NULL: made of the words */
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
 * The threshold that the next option is about. A selection and its limits are one threshold, whichever comes first;
 * where that which came first comes again after the other, the next one begins. NULL with err filled where there are
 * too many.
 */
struct threshold *thresholds_for_selection(struct thresholds *thresholds, struct error *err);
struct threshold *thresholds_for_limit(struct thresholds *thresholds, struct error *err);
bool threshold_has_limit(const struct threshold *threshold);
bool threshold_has_growth(const struct threshold *threshold);

/* "10/min", "10/min,50/min": for a warning, and when it is critical. Returns 0, or -EINVAL with err filled. */
int threshold_set_growth(struct threshold *threshold, const char *value, struct error *err);

/* What the selection of a row is called among the words. */
void threshold_add_words(struct threshold *threshold, const struct option_row *row, const char *value);

/*
 * Counts, compares, says so. Without samples nothing is known of growth. Returns the worst status, having given the
 * plugin its words, lines and measures. What is ignored is not counted.
 */
enum plugin_status thresholds_judge(
    const struct thresholds *thresholds, const struct judging *judging, struct plugin *plugin);
