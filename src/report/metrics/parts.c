#include "report/metrics/parts.h"

const char *metrics_label(struct metrics *metrics, const char *text)
{
    return text != NULL ? openmetrics_label(&metrics->arena, text) : "";
}

uint32_t metrics_netns_slot(const struct metrics *metrics, uint32_t netns)
{
    return netns < metrics->snapshot->netns_count ? metrics->netns_slots[netns] : metrics->slot_count - 1;
}
