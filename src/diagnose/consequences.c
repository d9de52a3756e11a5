#include "diagnose/consequences.h"

static bool is_about(const struct snapshot *snapshot, const struct finding *finding, const struct conn *conn)
{
    for (size_t i = 0; i < finding->conn_count; i++) {
        if (&snapshot->conns[finding->conns[i]] == conn)
            return true;
    }
    return false;
}

/* The finding about the connection finding->cause. A finding that has a cause itself is not taken. NULL: none. */
static struct finding *find_cause(
    const struct snapshot *snapshot, struct finding_list *list, const struct finding *finding)
{
    for (size_t i = 0; i < list->count; i++) {
        struct finding *other = &list->items[i];
        if (other != finding && other->cause == NULL && is_about(snapshot, other, finding->cause))
            return other;
    }
    return NULL;
}

void consequences_fold(const struct snapshot *snapshot, struct arena *arena, struct finding_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        struct finding *finding = &list->items[i];
        struct finding *cause = finding->cause != NULL ? find_cause(snapshot, list, finding) : NULL;
        if (cause == NULL) {
            finding->cited = NULL; /* it stays in the list */
            continue;
        }
        lines_add(&cause->evidence, arena, "%s", finding->cited);
        if (finding->severity > cause->severity)
            cause->severity = finding->severity;
    }
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].cited == NULL)
            list->items[kept++] = list->items[i];
    }
    list->count = kept;
}
