#pragma once
/*
 * What the user has selected. A selection never changes a verdict: all findings are made of the whole host, and those
 * are shown that are about a selected connection.
 */
#include "diagnose/context.h"
#include "diagnose/rule.h"
#include "diagnose/stuck.h"
#include "model/diagnosis.h"
#include "model/select.h"

/* True if all connections are selected. "--netns self" counts as all, because then no other namespace is read. */
bool selected_all(const struct selection *selection);
/* Marks and counts the selected connections. The causes must be known. */
void selected_mark(const struct selection *selection, struct diagnosis *diagnosis, bool *selected);

/*
 * Marks the connections whose findings concern the user: the selected ones, those that explain why a selected one is
 * stuck (stuck.yields), and those that no process holds and that came through a selected listener, if they wait there
 * or if the user selects by process. Returns an array for all connections, in the arena; NULL if all are selected.
 */
const bool *selected_concerns(const struct context *context, const struct selection *selection,
    const struct stuck *stuck, size_t count, struct arena *arena);
/* Counts what is selected of the findings, and removes those that are about nothing selected. */
void selected_filter(
    const struct context *context, const bool *concerns, struct arena *arena, struct finding_list *list);
/* Replaces the snapshot's gaps about unknown owners by gaps that count only selected connections. */
void selected_gaps(const struct selection *selection, struct diagnosis *diagnosis);
